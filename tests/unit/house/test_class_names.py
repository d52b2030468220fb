"""Two classes of the product never share a name."""

import ast
from collections import defaultdict

from tests.unit.house.prose import PRODUCT, ROOT, python_files


def test_class_names_are_unique() -> None:
    """A name in a traceback or a search means one class; private classes are a module's own."""
    places = defaultdict(list)
    for path in python_files(PRODUCT):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(f"{path.relative_to(ROOT)}:{node.lineno}")
    twice = {name: found for name, found in places.items() if len(found) > 1}
    assert not twice
