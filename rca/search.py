"""The search: which segments, over all dimensions and their combinations, changed beyond sampling noise.

Greedy: take the segment that stands out most over all combinations of dimensions, generalise it to its parent while
"all children of the parent changed, unequally" is likelier than "only some did", take its leaves out, repeat until
nothing is significant. A change that all segments share is taken out first.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from rca.children import some_over_all
from rca.cuboids import Cuboids
from rca.leaves import Leaves, binned_noise, weighted_median

COST = 2.5  # nats that naming one more child costs, against naming the parent
MINOR = 0.10  # a movement below this share of the largest found effect is background drift
MOST_SEGMENTS = 20
CHI2_MEDIAN = 0.455  # median of chi-squared with one degree of freedom
MEDIAN_VARIANCE = 1.571  # of the median against that of the mean: pi / 2
ENOUGH = 5.0  # cases (times 4 p (1 - p) for a proportion) that make a segment's change near normal


@dataclass(frozen=True)
class Found:
    """One segment: the leaves it holds that no earlier one claimed, and its change like for like."""

    where: dict[str, str]
    leaves: np.ndarray
    effect: float
    z: float
    p_adj: float
    minor: bool = False


@dataclass(frozen=True)
class Search:
    """What the search found.

    drift        movement of the typical segment, too small to be reported as common
    weights      precision of the whole on each side (window)
    dispersion   over-dispersion, in the unit of the sides' `extra`
    tried        number of segments looked at (times the layers that share alpha)
    """

    found: list[Found]
    drift: float
    precision: float
    dispersion: float
    tried: float
    need: float


def search(leaves: Leaves, cuboids: Cuboids, alpha: float) -> Search:
    """Find the segments that changed; `alpha` is the chance of any false one when nothing changed."""
    return _Greedy(leaves, cuboids, alpha).run()


class _Greedy:
    """State of one search: the unexplained leaves, and per segment the weights and weighted sums of each side."""

    def __init__(self, leaves: Leaves, cuboids: Cuboids, alpha: float):
        self.leaves, self.cuboids, self.alpha = leaves, cuboids, alpha
        self.alive = leaves.seen.copy()
        self.center = 0.0
        self.grain = len(cuboids.subsets) - 1
        self.dispersion, self.bias = 0.0, 0.0
        self._weigh()
        layer = np.array([len(s) for s in cuboids.subsets])
        tested = np.array([np.isfinite(self._effects(i)[1]).sum() for i in range(len(layer))])
        # alpha is shared equally by the layers and "all cases", and inside a layer by its non-empty segments
        shares = layer.max() + 1
        self.tried = np.array([max(tested[layer == size].sum(), 1) for size in layer]) * shares
        self.need = norm.isf(alpha / 2 / self.tried)
        self.need_all = norm.isf(alpha / 2 / shares)

    # -- weights and sums --------------------------------------------------------------------------------------

    def _weigh(self) -> None:
        """Noise from the unexplained leaves; weights and weighted sums of every segment."""
        self._sum(self._weights(0.0))
        if self.leaves.kind != "total":
            self.grain = self._not_thin()
            self.dispersion = self._over_dispersion()
            if self.dispersion:
                self._sum(self._weights(self.dispersion))
        self.weighed = self.alive.sum()

    def _weights(self, dispersion: float) -> list[np.ndarray]:
        if self.leaves.kind == "total":
            (side,) = self.leaves.sides
            variance, self.bias = binned_noise(side.residual, self.leaves.size, self.alive)
            return [np.where(self.alive, 1 / variance, 0.0)]
        return [np.where(self.alive, 1 / (s.noise + dispersion * s.extra), 0.0) for s in self.leaves.sides]

    def _sum(self, weights: list[np.ndarray]) -> None:
        self.w = weights
        self.wx = [w * side.residual for w, side in zip(weights, self.leaves.sides, strict=True)]
        both = list(zip(self.cuboids.keys, self.cuboids.sizes, strict=True))
        self.W = [np.stack([np.bincount(k, w, m) for w in self.w]) for k, m in both]
        self.X = [np.stack([np.bincount(k, x, m) for x in self.wx]) for k, m in both]

    def _effects(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Effect and variance of every segment of one subset of dimensions; variance inf where a side is empty."""
        return self._difference(self.W[i], self.X[i])

    def _difference(self, weight: np.ndarray, weighted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        empty = (weight <= 0).any(0)
        safe = np.where(weight > 0, weight, 1.0)
        signs = np.array([side.sign for side in self.leaves.sides])[:, None]
        effect = np.where(empty, 0.0, (signs * weighted / safe).sum(0))
        return effect, np.where(empty, np.inf, (1 / safe).sum(0))

    def _z(self, i: int) -> np.ndarray:
        """Standard scores; an effect as small as the skewness of the background can produce counts as none."""
        effect, variance = self._effects(i)
        off = effect - self.center
        return np.where(
            np.isfinite(variance), np.sign(off) * np.maximum(np.abs(off) - self.bias, 0) / np.sqrt(variance), 0.0
        )

    def _not_thin(self) -> int:
        """The subset of dimensions with most segments whose typical segment holds enough cases for its change to be
        near normal; medians over thinner ones would mislead."""
        unit = np.concatenate([s.extra for s in self.leaves.sides[:1]])
        by_size = sorted(range(len(self.W)), key=lambda i: (-(self.W[i].min(0) > 0).sum(), i))
        for i in by_size:
            _, variance = self._effects(i)
            key, m = self.cuboids.keys[i], self.cuboids.sizes[i]
            spread = np.bincount(key, unit * self.alive, m) / np.maximum(np.bincount(key, self.alive, m), 1)
            cases = spread / variance
            if self.leaves.kind == "proportion":
                cases = cases * 4 * spread
            if (cases > 0).any() and weighted_median(cases, np.sqrt(cases)) >= ENOUGH:
                return i
        return by_size[-1]

    def _over_dispersion(self) -> float:
        """Variance beyond sampling: the smallest that brings the weighted median of squared standard scores down to
        that of chi-squared (a method of moments that single segments cannot sway)."""
        if self._typical_square(0.0) <= CHI2_MEDIAN:
            return 0.0
        low, high = 0.0, 1e-4
        while self._typical_square(high) > CHI2_MEDIAN and high < 1e3:
            low, high = high, 4 * high
        for _ in range(20):
            middle = (low + high) / 2
            low, high = (middle, high) if self._typical_square(middle) > CHI2_MEDIAN else (low, middle)
        return high

    def _typical_square(self, dispersion: float) -> float:
        key, m = self.cuboids.keys[self.grain], self.cuboids.sizes[self.grain]
        weights = self._weights(dispersion)
        weight = np.stack([np.bincount(key, w, m) for w in weights])
        weighted = np.stack(
            [np.bincount(key, w * s.residual, m) for w, s in zip(weights, self.leaves.sides, strict=True)]
        )
        effect, variance = self._difference(weight, weighted)
        use = np.isfinite(variance)
        effect, precision = effect[use], 1 / variance[use]
        off = effect - weighted_median(effect, precision)
        return weighted_median(off * off * precision, precision)

    # -- steps -------------------------------------------------------------------------------------------------

    def _common(self) -> float:
        """The change that all segments share: the typical one, if it differs from 0 and along every dimension
        'all values changed' beats 'some did'; else 0."""
        effect, variance = self._effects(self.grain)
        use = np.isfinite(variance)
        if not use.any():
            return 0.0
        precision = 1 / variance[use]
        middle = weighted_median(effect[use], np.sqrt(precision))
        self.center = 0.0
        if abs(middle) * np.sqrt(self._precision() / MEDIAN_VARIANCE) < self.need_all:
            return 0.0
        everyone = np.flatnonzero(self.alive)
        dims = range(len(self.cuboids.dims))
        some = max(self._some_or_all(everyone, j, float(np.sign(middle)), 0.0) for j in dims)
        return middle if some <= 0 else 0.0

    def _precision(self) -> float:
        sums = [w.sum() for w in self.w]
        return 1 / sum(1 / s for s in sums) if min(sums) > 0 else 0.0

    def _best(self) -> tuple[int, int] | None:
        """The segment whose score exceeds what its layer needs by most; ties go to fewer dimensions."""
        top, best = 0.0, None
        for i in range(len(self.cuboids.subsets)):
            z = np.abs(self._z(i))
            e = int(z.argmax())
            if z[e] - self.need[i] > top + 1e-9:
                top, best = z[e] - self.need[i], (i, e)
        return best

    def _members(self, i: int, e: int) -> np.ndarray:
        return np.flatnonzero((self.cuboids.keys[i] == e) & self.alive)

    def _some_or_all(self, members: np.ndarray, j: int, sign: float, cost: float) -> float:
        """Advantage of 'some values of dimension j changed' over 'all did', for the leaves `members`."""
        code, size = self.cuboids.codes[j][members], len(self.cuboids.values[j])
        weight = np.stack([np.bincount(code, w[members], size) for w in self.w])
        weighted = np.stack([np.bincount(code, x[members], size) for x in self.wx])
        effect, variance = self._difference(weight, weighted)
        use = np.isfinite(variance)
        means = sign * (effect[use] - self.center)
        if len(means) < 2:
            return -np.inf
        order = np.argsort(-means, kind="stable")
        return some_over_all(means[order], variance[use][order], len(self.cuboids.dims), cost)

    def _wider(self, i: int, members: np.ndarray, sign: float) -> tuple[int, int] | None:
        """The parent for which 'all children' wins by most, or None. A parent with the same leaves wins a tie."""
        best, parent = 0.0, None
        subset = self.cuboids.subsets[i]
        for j in subset if len(subset) > 1 else ():
            up = self.cuboids.index[tuple(k for k in subset if k != j)]
            e = int(self.cuboids.keys[up][members[0]])
            if sign * self._z(up)[e] < self.need[up]:
                continue
            wider = self._members(up, e)
            gain = self._some_or_all(wider, j, sign, COST) if len(wider) > len(members) else -1e-6
            if -gain > best:
                best, parent = -gain, (up, e)
        return parent

    def _generalise(self, i: int, e: int) -> tuple[int, int]:
        start, sign = (i, e), float(np.sign(self._z(i)[e]))
        at: tuple[int, int] | None = start
        while at:
            i, e = at
            at = self._wider(i, self._members(i, e), sign)
        return (i, e) if abs(self._z(i)[e]) >= self.need[i] else start

    def _take(self, i: int, e: int) -> Found:
        members, z = self._members(i, e), float(self._z(i)[e])
        effect = float(self._effects(i)[0][e])
        p_adj = min(1.0, float(2 * norm.sf(abs(z)) * self.tried[i]))
        return Found(self.cuboids.where(i, members[0]), members, effect, z, p_adj)

    def _remove(self, members: np.ndarray) -> None:
        for i, (key, m) in enumerate(zip(self.cuboids.keys, self.cuboids.sizes, strict=True)):
            for s in range(len(self.w)):
                self.W[i][s] -= np.bincount(key[members], self.w[s][members], m)
                self.X[i][s] -= np.bincount(key[members], self.wx[s][members], m)
                self.W[i][s][self.W[i][s] < 1e-9 * self.w[s].max()] = 0
        self.alive[members] = False
        for w, x in zip(self.w, self.wx, strict=True):
            w[members] = x[members] = 0
        if self.alive.sum() < 0.9 * self.weighed and self.alive.any():
            self._weigh()

    # -- the loop ----------------------------------------------------------------------------------------------

    def run(self) -> Search:
        found: list[Found] = []
        precision, dispersion = self._precision(), self.dispersion
        while self.alive.any():
            self.center = self._common()
            start = self._best() if len(found) < MOST_SEGMENTS else None
            if start is None:
                break
            found.append(self._take(*self._generalise(*start)))
            self._remove(found[-1].leaves)
        top = max((abs(f.effect) for f in found), default=0.0)
        drift = self.center
        if self._worth_telling(top):
            found.append(self._everything())
            drift = 0.0
        off = [abs(f.effect - (self.center if f.where else 0.0)) for f in found]
        judged = [
            Found(f.where, f.leaves, f.effect, f.z, f.p_adj, minor=o < MINOR * top)
            for f, o in zip(found, off, strict=True)
        ]
        tried = float(self.tried.max())
        return Search(judged, drift, precision, dispersion, tried, float(self.need.max()))

    def _worth_telling(self, top: float) -> bool:
        z = abs(self.center) * np.sqrt(self._precision() / MEDIAN_VARIANCE)
        return bool(self.center and abs(self.center) >= MINOR * top and z > self.need_all)

    def _everything(self) -> Found:
        z = float(self.center * np.sqrt(self._precision() / MEDIAN_VARIANCE))
        p_adj = min(1.0, float(2 * norm.sf(abs(z)) * (max(len(s) for s in self.cuboids.subsets) + 1)))
        return Found({}, np.flatnonzero(self.alive), self.center, z, p_adj)
