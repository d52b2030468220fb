"""Circles among the imports of the six packages, those for the type checker and in functions included."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import grimp
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from benchmarks.house_checks.source import PRODUCT


@cache
def import_graph() -> grimp.ImportGraph:
    """Return the graph of all imports, which takes a second or two to build."""
    return grimp.build_graph(*PRODUCT, cache_dir=None)


def module_circles() -> list[list[str]]:
    """Return the circles of modules: each is a set of modules that import one another, by any chain."""
    graph = import_graph()
    return circles(
        (importer, imported)
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
    )


def room_circles() -> list[list[str]]:
    """Return the circles of labdiff's sub-packages and root modules."""
    graph = import_graph()
    inside = [module for module in graph.modules if module.startswith("labdiff.")]
    pairs = (
        (_room(importer), _room(imported))
        for importer in inside
        for imported in graph.find_modules_directly_imported_by(importer)
        if imported.startswith("labdiff.")
    )
    return circles(pair for pair in pairs if pair[0] != pair[1])


def circles(imports: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Return the strongly connected sets of two names or more."""
    pairs = list(imports)
    names = sorted({name for pair in pairs for name in pair})
    number = {name: index for index, name in enumerate(names)}
    rows, columns = [number[a] for a, _ in pairs], [number[b] for _, b in pairs]
    graph = coo_array((np.ones(len(pairs)), (rows, columns)), (len(names), len(names)))
    count, label = connected_components(graph, directed=True, connection="strong")
    sets = [[names[i] for i in np.flatnonzero(label == each)] for each in range(count)]
    return [each for each in sets if len(each) > 1]


def _room(module: str) -> str:
    return ".".join(module.split(".")[:2])
