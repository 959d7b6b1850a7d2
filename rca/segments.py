"""The change of every segment of every combination of dimensions, from sums over its unexplained leaves."""

import numpy as np

from rca.cuboids import Cuboids
from rca.leaves import Leaves
from rca.robust import CHI2_MEDIAN, EFFICIENCY, binned_noise, weighted_median

FEWEST = 10  # cases of either window below which the mean of a skewed value tells nothing
ENOUGH = 5.0  # cases (times 4 p (1 - p) for a proportion) that make a segment's change near normal
Array = np.ndarray


class Segments:
    """Effects and variances of segments.

    alive     the leaves that no finding explains yet
    expected  the change that all segments share, per leaf of the window after; `slack`: how far they differ from it
    freedom   degrees of freedom of the estimated noise (inf where it is the known noise of counts)
    """

    def __init__(self, leaves: Leaves, cuboids: Cuboids):
        self.leaves, self.cuboids = leaves, cuboids
        self.signs = np.array([side.sign for side in leaves.sides])[:, None]
        self.alive = leaves.seen.copy()
        self.expected, self.slack = np.zeros(cuboids.n), 0.0
        self.dispersion, self.bias, self.freedom = 0.0, 0.0, np.inf
        self.weigh()

    # -- noise -------------------------------------------------------------------------------------------------

    def weigh(self) -> None:
        """Estimate the noise from the unexplained leaves, and sum up every segment."""
        self.weighed = self.alive.sum()
        self._sum_up(0.0)
        self.grain = self._grain()
        if self.leaves.kind == "total":
            self.freedom = EFFICIENCY * float(self.alive.sum())
            return
        self.dispersion = self._over_dispersion()
        self.freedom = self._degrees_of_freedom()
        if self.dispersion:
            self._sum_up(self.dispersion)

    def _weights(self, dispersion: float) -> list[Array]:
        if self.leaves.kind == "total":
            (side,) = self.leaves.sides
            variance, self.bias = binned_noise(side.residual, self.leaves.size, self.alive)
            return [np.where(self.alive, 1 / variance, 0.0)]
        return [np.where(self.alive, 1 / (s.noise + dispersion * s.extra), 0.0) for s in self.leaves.sides]

    def _sum_up(self, dispersion: float) -> None:
        self.rows = self._leaf_rows(self._weights(dispersion))
        self.sums = [self._by(k, m) for k, m in zip(self.cuboids.keys, self.cuboids.sizes, strict=True)]

    def _leaf_rows(self, weights: list[Array]) -> Array:
        """What is summed, per side: weight, weighted residual, and where values are skewed weighted level and cases;
        last the weighted change that all share."""
        sides, skewed = self.leaves.sides, self.leaves.power != 1
        rows = [*weights, *(w * s.residual for w, s in zip(weights, sides, strict=True))]
        if skewed:
            rows += [
                *(w * self.leaves.level for w in weights),
                *((w > 0) * s.n for w, s in zip(weights, sides, strict=True)),
            ]
        return np.stack([*rows, weights[-1] * self.expected])

    def _by(self, key: Array, size: int, members: Array | slice = slice(None)) -> Array:
        return np.stack([np.bincount(key[members], row[members], size) for row in self.rows])

    def _grain(self) -> int:
        """The subset of dimensions with most segments whose typical segment holds enough cases for its change to be
        near normal; medians over thinner ones would mislead."""
        finest = sorted(range(len(self.sums)), key=lambda i: (-(self.sums[i][0] > 0).sum(), i))
        if self.leaves.kind == "total":
            return finest[0]
        spread = self.leaves.sides[0].extra * self.alive
        for i in finest:
            key, size = self.cuboids.keys[i], self.cuboids.sizes[i]
            typical = np.bincount(key, spread, size) / np.maximum(np.bincount(key, self.alive, size), 1)
            cases = typical / self.effects(i)[1]
            if self.leaves.kind == "proportion":
                cases = cases * 4 * typical
            if (cases > 0).any() and weighted_median(cases, np.sqrt(cases)) >= ENOUGH:
                return i
        return finest[-1]

    def _over_dispersion(self) -> float:
        """Variance beyond sampling: the smallest that brings the weighted median of squared standard scores down to
        that of chi-squared."""
        if self._typical_square(0.0) <= CHI2_MEDIAN:
            return 0.0
        low, high = 0.0, 1e-4
        while self._typical_square(high) > CHI2_MEDIAN and high < 1e3:
            low, high = high, 4 * high
        for _ in range(12):
            middle = (low + high) / 2
            low, high = (middle, high) if self._typical_square(middle) > CHI2_MEDIAN else (low, middle)
        return high

    def _degrees_of_freedom(self) -> float:
        """Of the noise, as far as it is estimated: fewer the larger a share of it over-dispersion is."""
        side = self.leaves.sides[-1]
        use = self.alive & np.isfinite(side.noise)
        extra = self.dispersion * side.extra[use]
        share = weighted_median(extra / (extra + side.noise[use]), 1 / (extra + side.noise[use]))
        return EFFICIENCY * float((self.sums[self.grain][0] > 0).sum()) / max(share, 1e-3) ** 2

    def _typical_square(self, dispersion: float) -> float:
        key, size = self.cuboids.keys[self.grain], self.cuboids.sizes[self.grain]
        rows = self._leaf_rows(self._weights(dispersion))
        effect, variance = self._difference(np.stack([np.bincount(key, row, size) for row in rows]))
        use = np.isfinite(variance)
        if not use.any():
            return 0.0
        effect, precision = effect[use], 1 / variance[use]
        off = effect - weighted_median(effect, precision)
        return weighted_median(off * off * precision, precision)

    # -- effects -----------------------------------------------------------------------------------------------

    def effects(self, i: int) -> tuple[Array, Array]:
        """Effect beyond the expected, and variance, of the segments of a subset; inf where a window is empty."""
        return self._difference(self.sums[i])

    def z(self, i: int) -> Array:
        """Standard scores; an effect as small as the skewness of the background can produce counts as none."""
        effect, variance = self.effects(i)
        score = np.sign(effect) * np.maximum(np.abs(effect) - self.bias, 0) / np.sqrt(variance)
        return np.where(self.testable(i), score, 0.0)

    def testable(self, i: int) -> Array:
        """Segments with evidence in every window, and enough of it for a normal score."""
        count, sums = len(self.signs), self.sums[i]
        seen = (sums[:count] > 0).all(0)
        return seen & (sums[3 * count : 4 * count] >= FEWEST).all(0) if self.leaves.power != 1 else seen

    def children(self, members: Array, j: int) -> tuple[Array, Array]:
        """Effects and variances of some leaves by the values of dimension j, those with evidence only."""
        effect, variance = self._difference(self._by(self.cuboids.codes[j], len(self.cuboids.values[j]), members))
        use = np.isfinite(variance)
        return effect[use], variance[use]

    def whole(self) -> tuple[float, float]:
        """Effect and variance of all unexplained leaves together."""
        effect, variance = self._difference(self.rows.sum(1, keepdims=True))
        return float(effect[0]), float(variance[0])

    def _difference(self, sums: Array) -> tuple[Array, Array]:
        count = len(self.signs)
        weight, weighted = sums[:count], sums[count : 2 * count]
        empty = (weight <= 0).any(0)
        safe = np.where(weight > 0, weight, 1.0)
        mean = weighted / safe
        if self.leaves.power != 1:
            mean = _symmetric(mean, sums[2 * count : 3 * count] / safe, self.leaves.power)
        shared = sums[-1] / safe[-1]
        effect = np.where(empty, 0.0, (self.signs * mean).sum(0) - shared)
        return effect, np.where(empty, np.inf, (1 / safe).sum(0) + (self.slack * shared) ** 2)

    def likelihood(self, expected: Array, spread: Array, dispersion: float) -> float:
        """Log-likelihood of the finest telling segments, given the change that each leaf is expected to show, how far
        leaves spread around it, and the over-dispersion."""
        self._sum_up(dispersion)
        effect, variance = self.effects(self.grain)
        off = effect - self.averages(self.grain, expected)
        variance = variance + self.averages(self.grain, spread) ** 2
        use = np.isfinite(variance)
        return float(-0.5 * (np.log(variance[use]) + off[use] ** 2 / variance[use]).sum())

    # -- leaves ------------------------------------------------------------------------------------------------

    def members(self, i: int, e: int) -> Array:
        """The unexplained leaves of a segment."""
        return np.flatnonzero((self.cuboids.keys[i] == e) & self.alive)

    def expect(self, expected: Array | None, slack: float = 0.0) -> None:
        """Set the change that all segments share, and the share of it by which they typically differ from it."""
        self.expected, self.slack = np.zeros(self.cuboids.n) if expected is None else expected, slack
        self.rows[-1] = self.rows[len(self.signs) - 1] * self.expected
        for i, (key, size) in enumerate(zip(self.cuboids.keys, self.cuboids.sizes, strict=True)):
            self.sums[i][-1] = 0.0 if expected is None else np.bincount(key, self.rows[-1], size)

    def averages(self, i: int, values: Array) -> Array:
        """Weighted averages of some values of the leaves over the segments of a subset, in the window after."""
        weight = self.sums[i][len(self.signs) - 1]
        sums = np.bincount(self.cuboids.keys[i], self.rows[len(self.signs) - 1] * values, self.cuboids.sizes[i])
        return np.where(weight > 0, sums / np.where(weight > 0, weight, 1.0), 0.0)

    def average(self, values: Array) -> float:
        """The same over all unexplained leaves."""
        weight = self.rows[len(self.signs) - 1]
        return float((weight * values).sum() / weight.sum())

    def remove(self, members: Array) -> None:
        """Take explained leaves out; once a tenth of the leaves is gone, estimate the noise anew."""
        smallest = 1e-9 * self.rows[: len(self.signs)].max()
        for i, (key, size) in enumerate(zip(self.cuboids.keys, self.cuboids.sizes, strict=True)):
            self.sums[i] -= self._by(key, size, members)
            self.sums[i][: len(self.signs)][self.sums[i][: len(self.signs)] < smallest] = 0
        self.alive[members] = False
        self.rows[:, members] = 0
        if self.alive.sum() < 0.9 * self.weighed and self.alive.any():
            self.weigh()


def _symmetric(residual: Array, level: Array, power: float) -> Array:
    """A residual on the scale where its noise is symmetric, stretched to unit slope at the level (Box & Cox 1964)."""
    safe = np.where(level > 0, level, 1.0)
    return np.where(level > 0, safe / power * (np.maximum(1 + residual / safe, 0) ** power - 1), residual)
