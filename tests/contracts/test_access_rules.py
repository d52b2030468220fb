"""GenICam cameras that lock nodes, name triggers otherwise, and were left as a viewer had them."""

from __future__ import annotations

import pytest

from drivers.camera.sfnc_settings import SfncOptions
from drivers.errors import DeviceValueError
from drivers.types import Roi
from tests.contracts.ruled_camera import LEFT, RuledCamera, RuledNodes

SPINNAKER = ("AcquisitionStart", "FrameStart", "FrameBurstStart")
IDS = ("AcquisitionStart", "ExposureStart", "ReadOutStart")
FACTORY = ("Default", "UserSet1")


@pytest.mark.parametrize("locks_source", [True, False])
@pytest.mark.parametrize(("selectors", "main"), [(SPINNAKER, "FrameStart"), (IDS, "ExposureStart")])
def test_frames_come_by_the_trigger_that_starts_frames(
    selectors: tuple[str, ...], main: str, locks_source: bool
) -> None:
    nodes = RuledNodes(selectors, locks_source, FACTORY)
    camera = RuledCamera(nodes, main, SfncOptions(trigger_line="Line3"))
    assert camera.get_frame().pixels.shape == (64, 96)
    with camera.triggered(4):
        assert nodes.of_trigger(main) == {"TriggerMode": "On", "TriggerSource": "Line3"}
    assert nodes.of_trigger(main) == {"TriggerMode": "On", "TriggerSource": "Software"}
    others = [name for name in selectors if name != main]
    assert all(nodes.of_trigger(name).get("TriggerMode") == "Off" for name in others)
    assert nodes("TriggerActivation").value == "RisingEdge" and nodes("TriggerDelay").value == 0.0
    camera.roi = Roi(9, 17, 5, 20)
    assert camera.get_frame().pixels.shape == (5, 20)


def test_a_camera_whose_triggers_start_no_frame_is_refused_in_words() -> None:
    nodes = RuledNodes(("AcquisitionStart", "LineStart"), True, ())
    with pytest.raises(DeviceValueError, match="none of its triggers starts a frame: it has Acqui"):
        RuledCamera(nodes, "FrameStart", SfncOptions())


@pytest.mark.parametrize("user_sets", [FACTORY, ("UserSet1",), ()])
def test_nothing_stays_as_a_viewer_left_it(user_sets: tuple[str, ...]) -> None:
    nodes = RuledNodes(SPINNAKER, True, user_sets)
    camera = RuledCamera(nodes, "FrameStart", SfncOptions())
    assert nodes.loads == int("Default" in user_sets)
    for name, left in LEFT.items():
        assert nodes(name).value != left, name
    assert "Gain: was 24.0, is 0.0" in camera.changed_settings
    assert "Gamma: was 0.45, is 1.0" in camera.changed_settings


def test_gain_and_user_set_are_the_bench_files() -> None:
    nodes = RuledNodes(SPINNAKER, True, FACTORY)
    RuledCamera(nodes, "FrameStart", SfncOptions(gain_db=6.0, user_set=""))
    assert nodes("Gain").value == 6.0 and nodes.loads == 0
    with pytest.raises(DeviceValueError, match=r"user_set = 'Mine'; it has Default, UserSet1"):
        RuledCamera(nodes, "FrameStart", SfncOptions(user_set="Mine"))
    with pytest.raises(DeviceValueError, match=r"conversion_gain = 'High'; it has none"):
        RuledCamera(nodes, "FrameStart", SfncOptions(conversion_gain="High"))
