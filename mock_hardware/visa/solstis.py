"""A SolsTiS over the mock's light: M Squared's TCP/JSON protocol, the server's side."""

from __future__ import annotations

import json
from typing import Any

from mock_hardware.laboratory import MockLaboratory

RANGE_NM = (700.0, 1000.0)
MONITOR_V_PER_MW = 0.05


class SolstisProtocol:
    """The server's side of the protocol over the mock laser.

    remote: the only address that it serves; empty: any.
    """

    def __init__(self, laboratory: MockLaboratory, remote: str = "") -> None:
        self._lab, self._remote, self._linked = laboratory, remote, False
        self.wavelength_nm = laboratory.world.geometry.wavelength_nm
        self.temperature_on = True

    def answers(self, text: str) -> list[str]:
        """Return what it sends for a message: a reply, and a report of what took long."""
        try:
            message = json.loads(text)["message"]
            number, operation = message["transmission_id"], message["op"]
            given = message.get("parameters", {})
        except (ValueError, KeyError, TypeError):
            return [self._message([0], "parse_fail", {"protocol_error": [3]})]
        if operation == "start_link":
            self._linked = self._remote in ("", given.get("ip_address"))
            status = "ok" if self._linked else "failed"
            return [self._message(number, "start_link_reply", {"status": status})]
        known = {
            "ping": lambda: [("ping_reply", {"text_out": given.get("text_in", "").swapcase()})],
            "get_status": lambda: [("get_status_reply", self._status())],
            "move_wave_t": lambda: self._move(given),
        }
        if not self._linked or operation not in known:
            return [self._message(number, "parse_fail", {"protocol_error": [2]})]
        return [self._message(number, name, values) for name, values in known[operation]()]

    def _status(self) -> dict[str, Any]:
        light_mw = self._lab.power_meter.read_mw()
        return {
            "status": [0],
            "wavelength": [self.wavelength_nm],
            "temperature": [21.0],
            "temperature_status": "on" if self.temperature_on else "off",
            "etalon_lock": "off",
            "etalon_voltage": [90.0],
            "cavity_lock": "off",
            "resonator_voltage": [80.0],
            "ecd_lock": "not_fitted",
            "output_monitor": [MONITOR_V_PER_MW * light_mw],
            "etalon_pd_dc": [0.5],
            "dither": "off",
        }

    def _move(self, given: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        try:
            (wanted_nm,) = (float(value) for value in given["wavelength"])
        except (KeyError, TypeError, ValueError):
            return [("parse_fail", {"protocol_error": [6]})]
        if not RANGE_NM[0] <= wanted_nm <= RANGE_NM[1]:
            return [("move_wave_t_reply", {"status": [2]})]
        self.wavelength_nm = wanted_nm
        found = [("move_wave_t_reply", {"status": [0]})]
        if given.get("report") == "finished":
            found.append(("move_wave_t_f_r", {"report": [0]}))
        return found

    @staticmethod
    def _message(number: list[int], name: str, values: dict[str, Any]) -> str:
        return json.dumps(
            {"message": {"transmission_id": number, "op": name, "parameters": values}}
        )
