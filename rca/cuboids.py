"""Every combination of dimensions at once: integer codes of the segments of each subset of dimensions."""

from collections.abc import Sequence
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd

MOST = 300  # subsets of dimensions looked at; beyond eight dimensions only the shorter combinations are


class Cuboids:
    """The segments that n leaves (one per combination of all dimensions) belong to.

    dims     names; `codes[j]` and `values[j]` give each leaf's value of dimension j
    subsets  tuples of dimension numbers, single dimensions first
    keys     for each subset the segment number of each leaf, from 0 to `sizes[i]` - 1
    """

    def __init__(self, leaves: pd.DataFrame, dims: Sequence[str]):
        self.dims, self.n = list(dims), len(leaves)
        coded = [pd.factorize(leaves[d], sort=True) for d in dims]
        self.codes = [np.asarray(codes, np.int64) for codes, _ in coded]
        self.values = [np.asarray(values) for _, values in coded]
        self.subsets = [
            s for layer in range(1, _layers(len(self.dims)) + 1) for s in combinations(range(len(dims)), layer)
        ]
        self.index = {s: i for i, s in enumerate(self.subsets)}
        coding = [self._code(s) for s in self.subsets]
        self.keys, self.sizes = [k for k, _ in coding], [m for _, m in coding]
        self._steps = [self._step(i) for i in range(len(self.subsets))]

    def _code(self, subset: tuple[int, ...]) -> tuple[np.ndarray, int]:
        key, size = np.zeros(self.n, np.int64), 1
        for j in subset:
            key, size = key * len(self.values[j]) + self.codes[j], size * len(self.values[j])
        if size > 4 * self.n:
            found, key = np.unique(key, return_inverse=True)
            size = len(found)
        return key, size

    def _step(self, i: int) -> tuple[int | None, np.ndarray]:
        """What the sums of a subset are made from: the one with one dimension more that has fewest segments, and the
        number of each of its segments here; or the leaves."""
        more = [tuple(sorted({*self.subsets[i], j})) for j in range(len(self.dims)) if j not in self.subsets[i]]
        finer = [self.index[s] for s in more if s in self.index]
        if not finer:
            return None, self.keys[i]
        least = min(finer, key=lambda k: self.sizes[k])
        key = np.zeros(self.sizes[least], np.int64)
        key[self.keys[least]] = self.keys[i]
        return least, key

    def sums(self, rows: np.ndarray) -> list[np.ndarray]:
        """Some numbers per leaf, one row each, summed up over the segments of every subset."""
        sums: dict[int | None, np.ndarray] = {None: rows}
        for i in reversed(range(len(self.subsets))):
            finer, key = self._steps[i]
            sums[i] = np.stack([np.bincount(key, row, self.sizes[i]) for row in sums[finer]])
        return [sums[i] for i in range(len(self.subsets))]

    def where(self, subset: int, leaf: int) -> dict[str, str]:
        """The segment of one leaf in one subset of dimensions, dimensions in alphabetical order."""
        fixed = {self.dims[j]: str(self.values[j][self.codes[j][leaf]]) for j in self.subsets[subset]}
        return dict(sorted(fixed.items()))

    def inside(self, where: dict[str, str]) -> np.ndarray:
        """Which leaves lie in a segment."""
        inside = np.ones(self.n, bool)
        for dimension, value in where.items():
            j = self.dims.index(dimension)
            inside &= (self.values[j].astype(str) == value)[self.codes[j]]
        return inside


def _layers(dims: int) -> int:
    """How many dimensions a segment may fix, so that no more than MOST subsets are looked at."""
    layers = 1
    while layers < dims and sum(comb(dims, k) for k in range(1, layers + 2)) <= MOST:
        layers += 1
    return layers
