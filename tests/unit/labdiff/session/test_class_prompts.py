"""Class prompts: whose they are, what guidance does with them, and what is said of mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from labdiff.cli.generated_picture import generate_picture
from labdiff.config.bench import load_bench
from labdiff.config.training import TrainingOptions
from labdiff.diffusion.guidance import guided
from labdiff.errors import UserError
from labdiff.generation.denoise import denoise
from labdiff.generation.request import GenerationRequest
from labdiff.generation.sample import generate
from labdiff.job import run
from labdiff.reproduce.recipes import small_bench
from labdiff.session.calibrated_bench import CalibratedBench
from labdiff.session.class_prompts import LEFT_OUT, prompts_for_class, prompts_in_turn
from labdiff.session.training_session import TrainingSession
from labdiff.training.batches import draw_batch
from labdiff.training.twin_only import TwinTraining
from twin.input_layout import NO_PROMPT

CLASSES = (1, 4, 7)


def session(prompt: bool = True, **options: Any) -> TrainingSession:
    chosen = {
        "classes": CLASSES, "layer_sets": 1, "offline_steps": 2, "batch": 2, "sampler_steps": 2,
        "prompt": prompt, **options,
    }  # fmt: skip
    return TrainingSession.create(CalibratedBench(load_bench("mock")), TrainingOptions(**chosen))


def test_prompts_drawn_belong_to_their_images() -> None:
    opened = session(batch=500)
    batch = draw_batch(opened, "offline", 0, 0)
    assert batch.prompts is not None
    same = (batch.clean[:, None] == opened.images.train[None]).all(-1).all(-1)
    assert same.any(1).all()
    labels = opened.images.train_labels[same.int().argmax(1)]
    told = batch.prompts != NO_PROMPT
    assert torch.equal(torch.tensor(CLASSES)[batch.prompts[told]], labels[told])
    deviation = (LEFT_OUT * (1 - LEFT_OUT) / 500) ** 0.5
    assert 1 - float(told.float().mean()) == pytest.approx(LEFT_OUT, abs=4 * deviation)


def test_without_prompts_nothing_is_drawn_or_written_otherwise() -> None:
    plain, asked = session(False), session(True)
    without, with_prompts = (draw_batch(opened, "online", 0, 3) for opened in (plain, asked))
    assert without.prompts is None
    for name in ("x_t", "noise", "clean", "t"):
        assert torch.equal(getattr(without, name), getattr(with_prompts, name))
    # As before there were prompts: every pixel's cell a tenth of the patch, the light of all of it read.
    inputs, _ = plain.odu.encode(without.x_t, 0)
    cells = (without.x_t / 3.0).clamp(-1.0, 1.0).repeat_interleave(10, 1).repeat_interleave(10, 2)
    assert torch.equal(inputs, 0.8 * torch.pi * (1.0 + plain.odu.encode_scale[0] * cells))
    light = torch.rand(2, 100, 100, generator=torch.Generator().manual_seed(0))
    assert torch.equal(plain.odu.detected(light, 0), light.reshape(2, 10, 10, 10, 10).mean((2, 4)))
    assert prompts_in_turn(plain, 4) is None


def test_guidance_goes_on_from_no_prompt_through_the_prompt() -> None:
    rng = torch.Generator().manual_seed(0)
    unasked, asked = torch.randn(2, 3, 4, 4, generator=rng)
    assert torch.equal(guided(unasked, asked, 0.0), unasked)
    assert torch.allclose(guided(unasked, asked, 1.0), asked)
    # As Ho & Salimans write it, (1 + w) asked - w unasked, with w = 0.5.
    assert torch.allclose(guided(unasked, asked, 1.5), 1.5 * asked - 0.5 * unasked, atol=1e-6)


def test_generation_weighs_the_prompt() -> None:
    """Weight 0 generates what no prompt does, 1 what one pass does; and the prompt changes the image."""
    opened = session(sampler_steps=1)
    prompts = prompts_for_class(opened, 4, 2)
    assert prompts.tolist() == [1, 1]
    asked, unasked, none = (
        run(generate(opened, 2, "twin", 0, prompt, weight))
        for prompt, weight in ((prompts, 1.0), (prompts, 0.0), (None, 1.0))
    )
    assert torch.allclose(unasked, none, atol=1e-4)
    x_t, t = torch.zeros(1, 10, 10), torch.tensor([500])
    told = denoise(opened, x_t, t, "twin", prompts[:1])[0]
    assert float((told - denoise(opened, x_t, t, "twin")[0]).abs().mean()) > 1e-3
    assert asked.shape == (2, 10, 10)


def test_classes_take_turns() -> None:
    opened = session()
    assert opened.classes == CLASSES
    turns = prompts_in_turn(opened, 7)
    assert turns is not None and turns.tolist() == [0, 1, 2, 0, 1, 2, 0]


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--class 2: no class of this run; it has 1, 4, 7"):
        prompts_for_class(session(), 2, 1)
    with pytest.raises(UserError, match="one class; a prompt needs two or more"):
        session(classes=(3,))
    with pytest.raises(
        UserError, match="image_size = 100: .* no room for a prompt .* allowed are 4, 5,"
    ):
        session(image_size=100)

    options = TrainingOptions(layer_sets=1, offline_steps=0)
    training = TwinTraining(tmp_path / "run.h5", small_bench(), options)
    run(training.job())
    out = tmp_path / "images.png"
    for words, label, guidance in (
        ("trained without prompts; .* --prompt", 2, 1.0),
        ("ask for a class with --class", None, 2.0),
        ("--guidance nan: allowed is 0 ... 20", 2, float("nan")),
        ("--guidance 21", 2, 21.0),
    ):
        with pytest.raises(UserError, match=words):
            request = GenerationRequest(tmp_path / "run.h5", 1, label=label, guidance=guidance)
            generate_picture(request, out)
    assert not out.exists()


def test_a_run_with_prompts_is_taken_up_again_and_asked(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    options = session().options
    run(TwinTraining(path, small_bench(), options).job())
    again = TwinTraining(path, small_bench(), options)
    assert again.session.position.stage == "trained" and again.session.odu.layout.prompts == 3
    again.recorder.close()
    request = GenerationRequest(path, 1, label=7, guidance=1.5)
    out = generate_picture(request, tmp_path / "seven.png")
    assert out.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(UserError, match="other options"):
        TwinTraining(path, small_bench(), session(False).options)
