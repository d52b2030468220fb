"""A GenICam camera with rules of access: nodes that are locked, selectors, steps, and what a viewer left.

The rules are those of public examples: Spinnaker writes a trigger's source only while its mode is off; IDS
cameras have ExposureStart where others have FrameStart; windows go in steps.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from drivers.camera.features import Features
from drivers.camera.sfnc_camera import Grabbed, SfncCamera
from drivers.camera.sfnc_settings import SfncOptions
from drivers.errors import DeviceTimeoutError
from tests.contracts.packed_pixels import packed

PER_SELECTOR = ("TriggerMode", "TriggerSource")
LEFT: dict[str, object] = {
    "Gain": 24.0,
    "GainAuto": "Continuous",
    "Gamma": 0.45,
    "LUTEnable": True,
    "DigitalShift": 2,
    "DecimationHorizontal": 2,
    "ReverseX": True,
    "TestPattern": "ColorBar",
    "SharpnessEnable": True,
    "ExposureAuto": "Continuous",
}
"""What a viewer left, by feature."""


class AccessError(Exception):
    """Raised for a node that is not there or is locked, and for a value that it does not take."""


class Node:
    """A feature. limits: (least, greatest, step) of a number; symbolics: values of an enumeration."""

    def __init__(
        self,
        owner: RuledNodes,
        name: str,
        value: object,
        limits: tuple[float, float, float] | None = None,
        symbolics: tuple[str, ...] | None = None,
    ) -> None:
        self._owner, self._name, self._value = owner, name, value
        if limits is not None:
            self.min, self.max, self.inc = limits
        if symbolics is not None:
            self.symbolics = symbolics

    @property
    def value(self) -> Any:
        """The value; of what is selected, for a node behind a selector."""
        return self._owner.selected().get(self._name, self._value) if self._split else self._value

    @value.setter
    def value(self, value: Any) -> None:
        self._owner.check(self._name, value, self)
        if self._split:
            self._owner.selected()[self._name] = value
        else:
            self._value = value

    @property
    def _split(self) -> bool:
        return self._name in PER_SELECTOR

    def execute(self) -> None:
        """Run the command: only UserSetLoad is one."""
        if self._name != "UserSetLoad":
            raise AccessError(f"{self._name} is no command")
        self._owner.load_user_set()


class RuledNodes:
    """The node map. locks_source: the trigger's source is not writable while its mode is On."""

    def __init__(
        self, selectors: tuple[str, ...], locks_source: bool, user_sets: tuple[str, ...]
    ) -> None:
        self._locks_source = locks_source
        self._per: dict[str, dict[str, object]] = {}
        self.loads = 0
        self.nodes: dict[str, Node] = {}
        self._add("PixelFormat", "Mono8", symbolics=("Mono8", "Mono10p", "Mono12p"))
        self._add("ExposureTime", 5000.0, (10.0, 3e7, 0.0))
        for length, offset, size in (("Height", "OffsetY", 64), ("Width", "OffsetX", 96)):
            self._add(length, size, (8, size, 8))
            self._add(offset, 0, (0, size - 8, 8))
        self._add("TriggerSelector", selectors[0], symbolics=selectors)
        self._add("TriggerMode", "Off", symbolics=("Off", "On"))
        self._add("TriggerSource", "Line0", symbolics=("Software", "Line0", "Line3"))
        self._add("TriggerActivation", "FallingEdge", symbolics=("RisingEdge", "FallingEdge"))
        self._add("TriggerDelay", 40_000.0)
        for name, value in LEFT.items():
            self._add(name, value, (0.0, 48.0, 0.0) if name == "Gain" else None)
        if user_sets:
            self._add("UserSetSelector", user_sets[-1], symbolics=user_sets)
            self._add("UserSetLoad", 0)

    def _add(
        self,
        name: str,
        value: object,
        limits: tuple[float, float, float] | None = None,
        symbolics: tuple[str, ...] | None = None,
    ) -> None:
        self.nodes[name] = Node(self, name, value, limits, symbolics)

    def __call__(self, name: str) -> Node:
        """Return a node. Raises AccessError if there is none."""
        if name not in self.nodes:
            raise AccessError(name)
        return self.nodes[name]

    def selected(self) -> dict[str, object]:
        """Return the settings of the trigger that is selected."""
        return self._per.setdefault(self.nodes["TriggerSelector"].value, {})

    def of_trigger(self, name: str) -> dict[str, object]:
        """Return the settings of a trigger."""
        return self._per.get(name, {})

    def check(self, name: str, value: object, node: Node) -> None:
        """Raise AccessError if a node does not take a value now."""
        if "symbolics" in vars(node) and value not in node.symbolics:
            raise AccessError(f"{name}: {value!r} is no entry")
        on = self.nodes["TriggerMode"].value == "On"
        if name == "TriggerSource" and self._locks_source and on:
            raise AccessError("TriggerSource: node is not writable")
        if "inc" in vars(node) and node.inc and isinstance(value, int) and value % node.inc:
            raise AccessError(f"{name}: {value} is no multiple of {node.inc}")

    def load_user_set(self) -> None:
        """Load the factory's settings, in which exposure is automatic and all else as it should be."""
        self.loads += 1
        factory = {"Gain": 0.0, "Gamma": 1.0, "LUTEnable": False, "TestPattern": "Off"}
        for name, value in factory.items():
            self.nodes[name].value = value


class RuledCamera(SfncCamera):
    """Sends a frame only if its node map says that the trigger that came starts one."""

    def __init__(self, nodes: RuledNodes, main: str, options: SfncOptions) -> None:
        self.nodes, self._main, self._fired = nodes, main, 0
        features = Features(nodes, (AccessError,), str)
        super().__init__("ruled camera", features, 12, options)

    def _start(self, buffers: int) -> None:
        self._fired = 0

    def _stop(self) -> None:
        pass

    def _fire(self) -> None:
        self._fired += 1

    def _fetch(self, timeout_ms: float) -> Grabbed:
        trigger = self.nodes.of_trigger(self._main)
        waits = trigger.get("TriggerMode", "Off") == "On"
        if waits and not (trigger.get("TriggerSource") == "Software" and self._fired):
            raise DeviceTimeoutError("no whole frame; check trigger, cable and load")
        shape = (int(self.nodes("Height").value), int(self.nodes("Width").value))
        return Grabbed(np.zeros(shape[0] * shape[1] * 3 // 2, np.uint8), shape, 1)

    def _gone(self) -> bool:
        return False

    def _release(self) -> None:
        pass


class ColourRuledCamera(SfncCamera):
    """Sends counts that differ from pixel to pixel of the sensor, in the packed format of 12 bits."""

    def __init__(
        self, nodes: RuledNodes, main: str, options: SfncOptions, one_colour: bool = True
    ) -> None:
        self.nodes = nodes
        size = int(nodes("Height").value), int(nodes("Width").value)
        self._counts = np.random.default_rng(0).integers(0, 4096, size).astype(np.uint16)
        self._counts[::3, ::5] = 4095
        features = Features(nodes, (AccessError,), str)
        super().__init__("colour camera", features, 12, options, one_colour=one_colour)

    def _start(self, buffers: int) -> None:
        pass

    def _stop(self) -> None:
        pass

    def _fire(self) -> None:
        pass

    def _fetch(self, timeout_ms: float) -> Grabbed:
        top, left = int(self.nodes("OffsetY").value), int(self.nodes("OffsetX").value)
        shape = (int(self.nodes("Height").value), int(self.nodes("Width").value))
        window = self._counts[top : top + shape[0], left : left + shape[1]]
        return Grabbed(packed(window.reshape(-1), "Mono12p"), shape, 1)

    def _gone(self) -> bool:
        return False

    def _release(self) -> None:
        pass
