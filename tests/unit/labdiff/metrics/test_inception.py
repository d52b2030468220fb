from __future__ import annotations

from pathlib import Path

import pytest
import torch

from labdiff.data.catalogue import INCEPTION
from labdiff.errors import UserError
from labdiff.metrics import inception
from labdiff.metrics.inception import (
    WEIGHTS_FILE,
    BlockA,
    BlockE,
    InceptionV3,
    find_inception,
    load_inception,
)


def random_weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    state = InceptionV3().state_dict()
    return {name: v for name, v in state.items() if not name.endswith("num_batches_tracked")}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / WEIGHTS_FILE
    extra = {"fc.weight": torch.zeros(3, 3), "AuxLogits.fc.bias": torch.zeros(3)}
    torch.save({**random_weights(), **extra}, path)
    return path


def test_features_of_any_size_of_image_are_those_of_the_weights(weights: Path) -> None:
    network = load_inception(weights)
    torch.manual_seed(0)
    same = InceptionV3().eval()
    images = torch.rand(2, 10, 12, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.inference_mode():
        features = network(images)
        assert torch.equal(features, same(images))
    assert features.shape == (2, inception.FEATURES)
    assert bool(torch.isfinite(features).all())
    assert not torch.equal(features[0], features[1])


def test_the_network_has_the_parameters_of_inception_v3() -> None:
    """Szegedy 2016 without its classifiers: 21,785,568, of which 94 convolutions."""
    with torch.device("meta"):
        network = InceptionV3()
    assert sum(p.numel() for p in network.parameters()) == 21_785_568
    assert sum(isinstance(m, torch.nn.Conv2d) for m in network.modules()) == 94


def test_average_pools_do_not_count_their_padding_and_the_last_pool_is_the_largest() -> None:
    ones = torch.ones(1, 2, 4, 4)
    assert torch.equal(inception._average(ones), ones)
    spike = torch.zeros(1, 2, 4, 4)
    spike[..., 0, 0] = 1.0
    with torch.device("meta"):
        blocks = BlockE(8, last=False), BlockE(8, last=True), BlockA(8, pool=4)
    assert float(blocks[0].pool(spike)[0, 0, 0, 0]) == pytest.approx(1 / 4)
    assert float(blocks[1].pool(spike)[0, 0, 1, 1]) == 1.0


def test_weights_are_found_where_they_are_given_or_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_inception(None) is None
    assert find_inception(None, tmp_path) is None
    # What `labdiff data get inception` writes.
    downloaded = tmp_path / "inception" / INCEPTION.files[0].name
    downloaded.parent.mkdir()
    downloaded.write_bytes(b"")
    assert find_inception(None, tmp_path) == downloaded
    lies_there = tmp_path / WEIGHTS_FILE
    lies_there.write_bytes(b"")
    monkeypatch.setenv("LABDIFF_DATA", str(tmp_path))
    assert find_inception(None) == lies_there
    assert find_inception(tmp_path / "other.pth") == tmp_path / "other.pth"


def test_wrong_files_are_refused_by_name(tmp_path: Path, weights: Path) -> None:
    with pytest.raises(UserError, match=r"none\.pth: no such file"):
        load_inception(tmp_path / "none.pth")
    text = tmp_path / "text.pth"
    text.write_text("no weights", encoding="utf-8")
    with pytest.raises(UserError, match=r"text\.pth: not readable as Inception weights"):
        load_inception(text)
    with pytest.raises(UserError, match="not readable as Inception weights"):
        load_inception(tmp_path)
    listed = tmp_path / "list.pth"
    torch.save([torch.zeros(1)], listed)
    with pytest.raises(UserError, match="not a state_dict"):
        load_inception(listed)
    missing, other = tmp_path / "missing.pth", tmp_path / "other.pth"
    state = torch.load(weights, weights_only=True)
    name = "Mixed_7c.branch1x1.conv.weight"
    torch.save({name: state[name]}, missing)
    with pytest.raises(UserError, match=r"Conv2d_1a_3x3\.conv\.weight is missing"):
        load_inception(missing)
    state["Conv2d_1a_3x3.conv.weight"] = torch.zeros(8, 1, 3, 3)
    torch.save(state, other)
    with pytest.raises(UserError, match=r"\(8, 1, 3, 3\); expected \(32, 3, 3, 3\)"):
        load_inception(other)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return print, ("unpickled",)

    path = tmp_path / "trap.pth"
    torch.save({"a": Trap()}, path)
    with pytest.raises(UserError, match="not readable as Inception weights"):
        load_inception(path)
