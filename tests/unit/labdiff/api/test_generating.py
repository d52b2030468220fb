from __future__ import annotations

import numpy as np
import pytest

import labdiff
from labdiff.events import Event, GenerationStep

SHORT = {"sampler_steps": 3}


def test_shipped_layers_generate_images_that_a_notebook_shows() -> None:
    events: list[Event] = []
    images = labdiff.generate(count=3, sampler=SHORT, progress=events.append)
    assert (images.shape, images.dtype) == ((3, 10, 10), np.float32)
    assert -1.0 <= images.min() < images.max() <= 1.0
    assert sum(isinstance(event, GenerationStep) for event in events) == 3
    assert "data:image/png;base64," in str(images._repr_html_())
    assert "data:image/png;base64," in str(images[0]._repr_html_())


def test_the_seed_decides_the_images() -> None:
    first, again = (labdiff.generate("pretrained", 2, sampler=SHORT, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, labdiff.generate(None, 2, sampler=SHORT, seed=6))


def test_what_is_no_longer_images_is_shown_as_numbers() -> None:
    images = labdiff.generate(count=1, sampler=SHORT)
    assert images[0, 0]._repr_html_() is None
    assert images[:0]._repr_html_() is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"run": "nowhere.h5"}, "nowhere.h5"),
        ({"count": 0}, "count = 0: allowed is 1 or more"),
        ({"sampler": {"sampler_steps": 0}}, "sampler_steps = 0"),
        ({"sampler": {"steps": 3}}, "steps: unknown key"),
        ({"label": 1}, "without prompts"),
        ({"guidance": -1.0}, "guidance"),
        ({"on": "mock-small"}, "shape = .60, 60., but the layers were trained for .100, 100."),
    ],
)
def test_a_users_mistake_names_what_is_allowed(
    arguments: dict[str, object], message: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(labdiff.UserError, match=message):
        labdiff.generate(**arguments)  # type: ignore[arg-type]
