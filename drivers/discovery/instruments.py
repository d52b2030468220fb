"""Instruments at VISA addresses.

Those on USB and the network are asked for their identity; a serial port is not: any device may be attached
to it, and take the question for a command.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from importlib.util import find_spec
from typing import Any

from drivers.discovery.found import Attached
from drivers.errors import DeviceError
from drivers.visa import LIBRARY, VisaLink

VISA_LIBRARY = "LABDIFF_VISA"
"""Environment variable that names VISA's library, such as "@ivi", instead of pyvisa-py."""
ASK_MS = 500
"""Time-out of the question for an instrument's identity."""
LASERS = {"OBIS": "obis", "ITC4": "thorlabs_itc4000", "LASER": "scpi_laser"}
"""Drivers of lasers by a word of their answer to *IDN?, in capital letters; the first that fits counts."""
LISTEN_S = 0.3
"""Time in which answers to a broadcast are collected."""
BROADCAST = ("255.255.255.255", 111)
"""Address of the portmappers of all instruments on this network."""
PORTMAP, GET_PORT, VXI11_CORE, TCP = 100000, 3, 0x0607AF, 6
"""Numbers of the portmapper, of its procedure, of VXI-11's core channel, and of TCP (RFC 1833)."""


def visa() -> list[Attached]:
    """Find serial ports, USB instruments, instruments of the network."""
    library = os.environ.get(VISA_LIBRARY, "")
    if library:
        import pyvisa

        addresses = list(pyvisa.ResourceManager(library).list_resources("?*"))
        return [_who(address, library) for address in addresses]
    found = [_who(address, LIBRARY) for address in usb_addresses() + network_addresses()]
    return found + serial_ports()


def serial_ports() -> list[Attached]:
    """Find the serial ports of this computer, USB adapters among them."""
    from serial.tools.list_ports import comports

    found = []
    for port in comports():
        words = " ".join(part for part in (port.manufacturer, port.product) if part)
        address = f"ASRL{port.device}::INSTR"
        title = f"serial port {port.device}{f' ({words})' if words else ''}"
        found.append(Attached("instrument", "scpi_laser", title, {"address": address}, seen=False))
    return found


def usb_addresses() -> list[str]:
    """Return the addresses of USBTMC instruments, where pyusb is installed."""
    if find_spec("usb") is None:
        return []
    try:
        from pyvisa_py.usb import USBInstrSession

        return list(USBInstrSession.list_resources())
    except Exception:  # pyusb without libusb raises one of its own
        return []


def network_addresses() -> list[str]:
    """Return the addresses of VXI-11 instruments, which answer a broadcast: GETPORT for their core."""
    call = struct.pack(">10I", 1, 0, 2, PORTMAP, 2, GET_PORT, 0, 0, 0, 0)
    call += struct.pack(">4I", VXI11_CORE, 1, TCP, 0)
    found: set[str] = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        try:
            line.sendto(call, BROADCAST)
            until_s = time.monotonic() + LISTEN_S
            while (left_s := until_s - time.monotonic()) > 0.0:
                line.settimeout(left_s)
                reply, (host, _) = line.recvfrom(512)
                # number, "reply", accepted, no verifier (2), success, port
                if len(reply) >= 28 and struct.unpack(">7I", reply[:28])[6]:
                    found.add(f"TCPIP::{host}::INSTR")
        except OSError:
            pass  # no network, or all have answered
    return sorted(found)


def _who(address: str, library: str) -> Attached:
    """Return an instrument by its answer to *IDN?."""
    settings = {"address": address}
    if library != LIBRARY:
        settings["options.library"] = library
    try:
        link = VisaLink.open(address, ASK_MS, library)
    except DeviceError as error:
        return Attached("instrument", "scpi_laser", address, settings, str(error))
    link.close()
    identity: Any = link.identity
    if "PM10" in identity or "PM400" in identity:
        return Attached("meter", "pm100", identity, settings)
    for word, driver in LASERS.items():
        if word in identity.upper():
            return Attached("laser", driver, identity, settings)
    return Attached("instrument", "scpi_laser", identity, settings)
