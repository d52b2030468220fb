"""Libraries of makers: one that is missing, or does not load, is one sentence with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from drivers.errors import DeviceNotFoundError
from drivers.plain_text import plain_line

LONGEST = 300
"""Number of characters of a library's own message that are passed on."""


def maker_module(module: str, install: str, runtime: str = "") -> Any:
    """Import a package that speaks to a maker's devices.

    A package that is not installed is another thing than one whose shared library (DLL) is missing.

    Args:
        module: to be imported, such as "pypylon.pylon".
        install: command that installs the package.
        runtime: the maker's own software that brings its shared libraries; "" if the package has them.

    Raises:
        DeviceNotFoundError: it is missing or does not load, with what to do.
    """
    package = module.partition(".")[0]
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and module.startswith(error.name):
            raise DeviceNotFoundError(f"{package} is missing; {install}") from error
        raise DeviceNotFoundError(not_loaded(package, error, install, runtime)) from error
    except Exception as error:  # a shared library that is missing is OSError, AttributeError ...
        raise DeviceNotFoundError(not_loaded(package, error, install, runtime)) from error


def maker_modules(modules: Sequence[str], install: str, runtime: str = "") -> list[Any]:
    """Import several modules of packages that belong together, as `maker_module` does.

    Args:
        modules: to be imported.
        install: command that installs them.
        runtime: the maker's own software.
    """
    return [maker_module(module, install, runtime) for module in modules]


def not_loaded(package: str, error: Exception, install: str, runtime: str) -> str:
    """Return the sentence on a package that is installed and whose libraries are not.

    Args:
        package: its name.
        error: that its import raised.
        install: command that installs it.
        runtime: the maker's own software; "" if the package has its libraries.
    """
    remedy = f"install {runtime}, of as many bits as Python" if runtime else f"{install}, anew"
    said = plain_line(f"{type(error).__name__}: {error}", LONGEST)
    return (
        f"{package} is installed and does not load ({said}): a shared library is missing; {remedy}"
    )


class MakerFunctions:
    """The functions of a loaded shared library; one that it lacks is named, with what to do.

    library: as ctypes loaded it. where: for messages. remedy: what to do about another version.
    """

    def __init__(self, library: Any, where: str, remedy: str) -> None:
        self._library, self._where, self._remedy = library, where, remedy

    def __getattr__(self, name: str) -> Any:
        """Return a function. Raises DeviceNotFoundError if the library has none of that name."""
        try:
            function = self._library[name]
        except AttributeError as error:
            raise DeviceNotFoundError(
                f"{self._where}: its library has no function {name}; {self._remedy}"
            ) from error
        # Once: what is set on a function, its types, stays.
        self.__dict__[name] = function
        return function
