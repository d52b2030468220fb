"""What goes past the type checker: asserts, casts, ignored errors, attributes by name, untyped tables."""

from __future__ import annotations

import ast
import io
import tokenize

from benchmarks.house_checks.source import Module, Place, calls_of

DEVICE_FOLDERS = (
    "drivers/",
    "calibration/",
    "mock_hardware/",
    "labdiff/bench/",
    "labdiff/calibrations/",
    "labdiff/remote/",
    "labdiff/session/",
)
"""Modules that hold devices: in them an attribute by its name may be a device's."""
NOT_DEVICES = {
    "drivers/camera/features.py": "a GenICam node map is a table of features by their names",
    "drivers/camera/genicam.py": "a GenICam node map is a table of features by their names",
    "drivers/discovery/search.py": "a function of a module that is imported by its name",
    "drivers/slm/blink.py": "a function of a C library, of which two spellings exist",
    "drivers/slm/slmpy.py": "a function of a module, to tell it from another of its name",
    "drivers/slm/slmsuite.py": "a class of a module that is imported by its name",
    "drivers/camera/image_files.py": "what only some systems and kinds of pictures have",
    "drivers/visa_transport.py": "attributes of a pyvisa resource, as the settings name them",
    "calibration/provenance.py": "fields of a dataclass",
    "calibration/refresh_phase.py": "fields of a dataclass",
    "calibration/result_file.py": "fields of a dataclass",
    "labdiff/calibrations/validity.py": "parameters of the twin by their names",
    "labdiff/remote/ray_connection.py": "an attribute that Ray's exceptions may lack",
    "labdiff/session/layer_file.py": "fields of a dataclass",
    "mock_hardware/crystal.py": "fields of a dataclass",
    "mock_hardware/optics/propagation.py": "memory of a thread",
    "mock_hardware/settings.py": "sections of the settings",
}
"""Modules of these folders that read attributes by name of something else, and of what."""
PARSERS = {
    "calibration/provenance.py": "JSON of an archive",
    "calibration/result_file.py": "JSON of an archive",
    "drivers/discovery/found.py": "JSON of what was found",
    "drivers/laser/line.py": "JSON between two processes",
    "drivers/laser/solstis.py": "JSON of the laser's protocol",
    "drivers/laser/solstis_tcp.py": "JSON of the laser's protocol",
    "drivers/options.py": "TOML of a bench file, or of a description of a laser",
    "drivers/slm/qt/service.py": "JSON between two processes",
    "drivers/slm/window_link.py": "JSON between two processes",
    "gui/runs/evaluation_page.py": "JSON of an evaluation",
    "gui/window_settings.py": "JSON of the window's settings",
    "labdiff/calibrations/archived.py": "JSON of an unfinished calibration",
    "labdiff/config/bench.py": "TOML of a bench file",
    "labdiff/config/driver_options.py": "TOML of a bench file",
    "labdiff/config/options_file.py": "TOML of an options file",
    "labdiff/config/stored_options.py": "JSON of a run's options",
    "labdiff/config/toml_text.py": "TOML of any file",
    "labdiff/reproduce/digital_denoisers/store.py": "JSON in a file of a digital denoiser",
    "labdiff/runs/reader.py": "JSON in a run file",
    "labdiff/session/plans.py": "JSON of the plans of transforms",
    "labdiff/sweep/sweep_file.py": "TOML of a sweep",
    "mock_hardware/visa/solstis.py": "JSON of the laser's protocol",
}
"""Modules in which TOML or JSON is parsed or written: `dict[str, Any]` may stand there alone."""


def not_none_asserts(module: Module) -> list[Place]:
    """Find the asserts that something is not None."""
    return [
        Place(module.path, node.lineno)
        for node in module.nodes
        if isinstance(node, ast.Assert)
        and any(isinstance(part, ast.Compare) and _is_not_none(part) for part in ast.walk(node))
    ]


def _is_not_none(compare: ast.Compare) -> bool:
    against = compare.comparators[-1]
    none = isinstance(against, ast.Constant) and against.value is None
    return isinstance(compare.ops[-1], ast.IsNot) and none


def casts(module: Module) -> list[Place]:
    """Find the calls of typing.cast."""
    return [Place(module.path, call.lineno) for call in calls_of(module, "cast")]


def ignored_errors(module: Module) -> list[Place]:
    """Find the comments that switch the type checker off."""
    if "type: ignore" not in module.text:
        return []  # most files: splitting them into tokens takes longer than all else
    tokens = tokenize.generate_tokens(io.StringIO(module.text).readline)
    return [
        Place(module.path, token.start[0])
        for token in tokens
        if token.type == tokenize.COMMENT and token.string.startswith("# type: ignore")
    ]


def device_attributes_by_name(module: Module) -> list[Place]:
    """Find hasattr, getattr and setattr in the modules that hold devices."""
    if not module.path.startswith(DEVICE_FOLDERS) or module.path in NOT_DEVICES:
        return []
    by_name = calls_of(module, "hasattr", "getattr", "setattr", "delattr")
    return [Place(module.path, call.lineno) for call in by_name]


def untyped_tables(module: Module) -> list[Place]:
    """Find `dict[str, Any]` outside the modules that parse or write TOML or JSON."""
    if module.path in PARSERS:
        return []
    return [
        Place(module.path, node.lineno)
        for node in module.nodes
        if isinstance(node, ast.Subscript) and ast.unparse(node) == "dict[str, Any]"
    ]


def long_signatures(module: Module, most: int) -> list[Place]:
    """Find the functions with more than `most` parameters, self and cls not counted."""
    found = []
    for node in module.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            names = [argument.arg for argument in named]
            count = len(names) - (names[:1] in (["self"], ["cls"]))
            if count > most:
                found.append(Place(module.path, node.lineno))
    return found
