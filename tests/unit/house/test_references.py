"""Names and paths that prose mentions exist."""

import importlib
import inspect
import re
from pathlib import Path
from types import ModuleType

from tests.unit.house.prose import PRODUCT, ROOT, all_prose, documents, python_files

# The name between backticks, up to a call's bracket or a blank.
DOTTED = re.compile(rf"`+((?:{'|'.join(PRODUCT)})(?:\.[A-Za-z_]\w*)+)")
ENTRY_POINT_GROUPS = frozenset({"labdiff.commands", "labdiff.drivers"})
MEMBER = re.compile(r"`+([A-Z]\w*[a-z]\w*)\.([a-z_]\w*)")
CODE_PATH = re.compile(rf"`((?:{'|'.join(PRODUCT)}|benchmarks|docs|examples|tests)/[\w./<>-]*)")
FILE_NAME = re.compile(r"`([a-z_0-9]+\.py)\b")
IMPORT = re.compile(rf"^\s*from ((?:{'|'.join(PRODUCT)})[\w.]*) import ([\w, ]+)", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def has_member(owner: object, name: str) -> bool:
    """Return whether a module or class has an attribute, or declares a field, of that name."""
    if hasattr(owner, name):
        return True
    if not inspect.isclass(owner):
        return False
    if any(name in vars(base).get("__annotations__", {}) for base in owner.__mro__):
        return True
    # Attributes that only __init__ sets.
    return any(
        f"self.{name}" in inspect.getsource(base) for base in owner.__mro__[:-1] if is_ours(base)
    )


def is_ours(thing: type) -> bool:
    """Return whether a class is defined in one of our packages."""
    return thing.__module__.partition(".")[0] in PRODUCT


def exists(dotted: str) -> bool:
    """Return whether a dotted name is a module, or an attribute or class member of one."""
    parts = dotted.split(".")
    owner: object = importlib.import_module(parts[0])
    for depth, part in enumerate(parts[1:], 2):
        if not has_member(owner, part):
            if not isinstance(owner, ModuleType):
                return False
            try:
                importlib.import_module(".".join(parts[:depth]))
            except ModuleNotFoundError:
                return False
        owner = getattr(owner, part, None)
    return True


def classes() -> dict[str, list[type]]:
    """Return every class of the product by its name."""
    found: dict[str, list[type]] = {}
    for path in python_files(PRODUCT):
        names = re.findall(r"^class ([A-Z]\w*)", path.read_text(encoding="utf-8"), re.MULTILINE)
        if names:
            parts = path.relative_to(ROOT).with_suffix("").parts
            module = importlib.import_module(".".join(parts).removesuffix(".__init__"))
            for name in names:
                found.setdefault(name, []).append(getattr(module, name))
    return found


def test_dotted_names_exist() -> None:
    """`labdiff.job.run` in a docstring or a document is a name that can be imported."""
    missing = [
        f"{prose.place}: {match[1]}"
        for prose in all_prose()
        for match in DOTTED.finditer(prose.text)
        if match[1] not in ENTRY_POINT_GROUPS and not exists(match[1])
    ]
    assert not missing, "\n".join(missing)


def test_class_members_exist() -> None:
    """`Bench.measure` is a member of a class of that name."""
    ours = classes()
    missing = [
        f"{prose.place}: {match[1]}.{match[2]}"
        for prose in all_prose()
        for match in MEMBER.finditer(prose.text)
        if match[1] in ours and not any(has_member(owner, match[2]) for owner in ours[match[1]])
    ]
    assert not missing, "\n".join(missing)


def test_paths_exist() -> None:
    """A path or a file name of ours is one of the repository; <name> stands for any."""
    names = {
        path.name for path in [*python_files(), *(ROOT / "tests").rglob("*.py"), *ROOT.glob("*.py")]
    }
    missing = []
    for prose in all_prose():
        for match in CODE_PATH.finditer(prose.text):
            pattern = re.sub(r"<\w+>", "*", match[1])
            if not list(ROOT.glob(pattern.rstrip("/."))):
                missing.append(f"{prose.place}: {match[1]}")
        missing += [
            f"{prose.place}: {name}" for name in FILE_NAME.findall(prose.text) if name not in names
        ]
    assert not missing, "\n".join(missing)


def test_imports_of_examples_exist() -> None:
    """What a document's example imports from our packages can be imported."""
    missing = [
        f"{path.relative_to(ROOT)}: {module}.{name}"
        for path in documents()
        for module, names in IMPORT.findall(path.read_text(encoding="utf-8"))
        for name in names.split(", ")
        if not exists(f"{module}.{name}")
    ]
    assert not missing, "\n".join(missing)


def test_links_lead_somewhere() -> None:
    """A relative link of a document leads to a file."""
    missing = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in documents()
        for target in LINK.findall(path.read_text(encoding="utf-8"))
        if "://" not in target and not (path.parent / Path(target)).exists()
    ]
    assert not missing, "\n".join(missing)
