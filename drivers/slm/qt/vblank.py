"""Wait for a monitor's vertical blank, where the window system reports it.

A raster window is copied into the frame buffer at once, and the monitor reads the frame buffer from top to
bottom once a refresh: a pattern stands in whole from the first vertical blank after its copy.
"""

from __future__ import annotations

import ctypes
import sys
import time
from typing import Any, Protocol

COMPLETE_NOTIFY_MASK = 2
PRESENT_IN_REPLY = 8
"""Byte of the reply to QueryExtension that is not zero if there is one."""


class VerticalBlank(Protocol):
    """Tells when a copy became the picture."""

    description: str

    def wait(self) -> float:
        """Return after the next vertical blank; its time, seconds of `time.monotonic`."""
        ...


def vertical_blank(platform: str, window_id: int, refresh_hz: float) -> VerticalBlank:
    """Return the best available clock of vertical blanks.

    Args:
        platform: Qt's platform: "xcb", "windows", "offscreen" ...
        window_id: the system's number of the window.
        refresh_hz: of the monitor.
    """
    try:
        if platform == "xcb":
            return X11Present(window_id)
        if platform == "windows":
            return Composition()
    except (OSError, AttributeError, ValueError):
        pass  # a library or the extension is missing: the refresh rate is all that is known
    return WholeRefresh(refresh_hz)


class WholeRefresh:
    """No report of the blank: after a whole refresh period it has been."""

    description = "a refresh period after the copy"

    def __init__(self, refresh_hz: float) -> None:
        self._period_s = 1.0 / refresh_hz if refresh_hz > 1.0 else 1.0 / 60.0

    def wait(self) -> float:
        """Wait for the end of the period."""
        time.sleep(self._period_s)
        return time.monotonic()


class Composition:
    """Windows composes the desktop once a refresh. Raises OSError, AttributeError if it does not."""

    description = "second composition of the desktop after the copy"

    def __init__(self) -> None:
        if sys.platform != "win32":
            raise OSError("the desktop is composed on Windows only")
        self._flush: Any = ctypes.windll.dwmapi.DwmFlush

    def wait(self) -> float:
        """Wait for two compositions: the first takes the copy, with the second it goes to the monitor."""
        self._flush()
        self._flush()
        return time.monotonic()


class X11Present:
    """X11's Present extension: when the monitor under the window began its refresh.

    Raises OSError without libxcb-present or the extension. Source: presentproto.txt, PresentNotifyMSC.
    """

    description = "vertical blank by X11 Present"

    def __init__(self, window_id: int) -> None:
        self._xcb, self._present = _libraries()
        self._window, self._serial = window_id, 0
        self._connection = self._xcb.xcb_connect(None, None)
        extension = ctypes.addressof(ctypes.c_char.in_dll(self._present, "xcb_present_id"))
        known = self._xcb.xcb_get_extension_data(self._connection, extension)
        if not known or not known[PRESENT_IN_REPLY]:
            self._xcb.xcb_disconnect(self._connection)
            raise OSError("the X server has no Present extension")
        number = self._xcb.xcb_generate_id(self._connection)
        self._events = self._xcb.xcb_register_for_special_xge(
            self._connection, extension, number, None
        )
        self._present.xcb_present_select_input(
            self._connection, number, window_id, COMPLETE_NOTIFY_MASK
        )

    def wait(self) -> float:
        """Wait for the next vertical blank. Raises OSError if the X server has ended."""
        # A server without a monitor counts from the middle of one refresh to the middle of the next: its
        # next one is then up to a refresh and a half away.
        now, _ = self._at(0)
        return self._at(now + 1)[1]

    def _at(self, target: int) -> tuple[int, float]:
        """Return (counter, seconds) of the latest vertical blank, once the counter is at the target."""
        self._serial += 1
        self._present.xcb_present_notify_msc(
            self._connection, self._window, self._serial, target, 0, 0
        )
        self._xcb.xcb_flush(self._connection)
        event = self._xcb.xcb_wait_for_special_event(self._connection, self._events)
        if not event:
            raise OSError("the X server has ended")
        found = int(event.contents.msc), event.contents.ust * 1e-6
        self._xcb.free(event)
        return found


class _CompleteNotify(ctypes.Structure):
    """xcb_present_complete_notify_event_t."""

    _pack_ = 1
    _fields_ = (
        ("head", ctypes.c_uint8 * 8),
        ("event_type", ctypes.c_uint16),
        ("kind", ctypes.c_uint8),
        ("mode", ctypes.c_uint8),
        ("event", ctypes.c_uint32),
        ("window", ctypes.c_uint32),
        ("serial", ctypes.c_uint32),
        ("ust", ctypes.c_uint64),
        ("full_sequence", ctypes.c_uint32),
        ("msc", ctypes.c_uint64),
    )


def _libraries() -> tuple[Any, Any]:
    """Load libxcb and libxcb-present, with the types of the functions that are called."""
    xcb, present = ctypes.CDLL("libxcb.so.1"), ctypes.CDLL("libxcb-present.so.0")
    pointer, number, counter = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint64
    event = ctypes.POINTER(_CompleteNotify)
    calls: tuple[tuple[Any, Any, list[Any]], ...] = (
        (xcb.xcb_connect, pointer, [pointer, pointer]),
        (xcb.xcb_disconnect, None, [pointer]),
        (xcb.xcb_generate_id, number, [pointer]),
        (xcb.xcb_flush, ctypes.c_int, [pointer]),
        (xcb.xcb_get_extension_data, ctypes.POINTER(ctypes.c_uint8), [pointer, pointer]),
        (xcb.xcb_register_for_special_xge, pointer, [pointer, pointer, number, pointer]),
        (xcb.xcb_wait_for_special_event, event, [pointer, pointer]),
        (xcb.free, None, [event]),
        (present.xcb_present_select_input, pointer, [pointer, number, number, number]),
        (
            present.xcb_present_notify_msc,
            pointer,
            [pointer, number, number, counter, counter, counter],
        ),
    )
    for function, result, arguments in calls:
        function.restype, function.argtypes = result, arguments
    return xcb, present
