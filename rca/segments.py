"""The change of every segment of every combination of dimensions, from sums over its unexplained leaves."""

from copy import copy

import numpy as np

from rca.cuboids import Cuboids
from rca.effect import exact_p
from rca.leaves import Leaves, symmetric
from rca.robust import CHI2_MEDIAN, EFFICIENCY, MEDIAN_ERROR, loss, noise_of_totals, weighted_median

SLACKS = (0.1, 0.2, 0.3, 0.4, 0.5)  # shares of a change by which segments may differ from it
FEWEST = 10  # cases of either window below which the mean of a skewed value tells nothing
THIN = 10.0  # expected events, or cases of the rarer outcome, in the smaller window, below which a score misleads
ENOUGH = 5.0  # cases or events that make a segment's change near normal
FEW = 8  # segments that are too few: a cause in one of them would pass for the noise of all
MANY = 100  # segments that are enough to tell the noise by
Array = np.ndarray


class Segments:
    """Effects and variances of segments.

    dispersed whether leaves may vary beyond sampling
    alive     the leaves that no finding explains yet
    expected  the change that all segments share, per leaf of the window after; `slack`: how far they differ from it
    over      variance of each leaf's mean beyond sampling
    freedom   degrees of freedom of the estimated noise (inf where it is the known noise of counts)
    """

    def __init__(self, leaves: Leaves, cuboids: Cuboids, dispersed: bool = True):
        self.leaves, self.cuboids, self.dispersed = leaves, cuboids, dispersed
        self.signs = np.array([side.sign for side in leaves.sides])[:, None]
        self.alive = leaves.seen.copy()
        self.largest = np.argsort(-leaves.size, kind="stable")
        self.expected, self.slack = np.zeros(cuboids.n), 0.0
        self.over, self.bias, self.freedom = np.zeros(cuboids.n), 0.0, np.inf
        self.weigh()

    def copy(self) -> "Segments":
        """The same state, to work on separately."""
        twin = copy(self)
        twin.alive, twin.rows, twin.sums = self.alive.copy(), self.rows.copy(), [s.copy() for s in self.sums]
        return twin

    # -- noise -------------------------------------------------------------------------------------------------

    def weigh(self) -> None:
        """Estimate the noise from the unexplained leaves, and sum up every segment."""
        self.weighed = self.alive.sum()
        self._sum_up(np.zeros(self.cuboids.n))
        self._choose_cells()
        if self.leaves.kind == "total":
            self.freedom = EFFICIENCY * float(self.alive.sum())
            return
        self.over = self._over_dispersion() if self.dispersed else np.zeros(self.cuboids.n)
        self.freedom = self._degrees_of_freedom()
        if self.over.any():
            self._sum_up(self.over)

    def _weights(self, over: Array) -> list[Array]:
        if self.leaves.kind == "total":
            (side,) = self.leaves.sides
            used, weight = self.largest[self.alive[self.largest]], np.zeros(self.cuboids.n)
            variance, self.bias = noise_of_totals(side.residual[used])
            weight[used] = 1 / variance
            return [weight]
        return [np.where(self.alive, 1 / (s.noise + over), 0.0) for s in self.leaves.sides]

    def _sum_up(self, over: Array) -> None:
        self.rows = self._leaf_rows(self._weights(over))
        self.sums = self.cuboids.sums(self.rows)

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

    def _cases(self, i: int) -> Array:
        """What makes the change of each segment of a subset near normal: the cases behind it, times 4 p (1 - p) for a
        proportion, the events for a rate."""
        if self.leaves.kind == "total":
            return np.where(self.sums[i][0] > 0, np.inf, 0.0)
        key, size = self.cuboids.keys[i], self.cuboids.sizes[i]
        spread: Array = np.bincount(key, self.leaves.spread * self.alive, size)
        spread = spread / np.maximum(np.bincount(key, self.alive, size), 1)
        per_case = {"proportion": 4 * spread, "rate": spread}.get(self.leaves.kind, 1.0)
        return spread / self.effects(i)[1] * per_case

    def _choose_cells(self) -> None:
        """`grain`: the subset of dimensions with most segments whose typical segment is not thin; medians over thinner
        ones would mislead. `fine`, `full`: the subset and those of its segments that tell the noise; the leaves that
        are not thin where there are MANY."""
        finest = sorted(range(len(self.sums)), key=lambda i: (-(self.sums[i][0] > 0).sum(), i))
        self.grain = next((i for i in finest if _typical(self._cases(i)) >= ENOUGH), finest[-1])
        full = self._cases(finest[0]) >= 2 * ENOUGH
        many = full.sum() >= MANY
        self.fine, self.full = (finest[0], full) if many else (self.grain, self._cases(self.grain) > 0)

    def _over_dispersion(self) -> Array:
        """Variance of each leaf's mean beyond sampling, in the likeliest of the forms it may take; none where the
        typical segment does not vary clearly more than sampling explains."""
        none = np.zeros(self.cuboids.n)
        clear = CHI2_MEDIAN + MEDIAN_ERROR / np.sqrt(max(self.full.sum(), 1))
        if self.full.sum() < FEW or self._typical_square(none) <= clear:
            return none
        fits = [form * self._smallest(form) for form in self.leaves.forms]
        return min(fits, key=self._loss)

    def _smallest(self, form: Array) -> float:
        """The smallest multiple that brings the weighted median of squared standard scores down to chi-squared's."""
        low, high = 0.0, 1e-4 * self.leaves.spread.mean() / form.mean()
        while self._typical_square(high * form) > CHI2_MEDIAN and high < np.inf:
            low, high = high, 4 * high
        for _ in range(12):
            middle = (low + high) / 2
            low, high = (middle, high) if self._typical_square(middle * form) > CHI2_MEDIAN else (low, middle)
        return high

    def _typical_square(self, over: Array) -> float:
        effect, variance = self._cells(over)
        return weighted_median(effect**2 / variance, 1 / np.sqrt(variance)) if len(effect) else 0.0

    def _loss(self, over: Array) -> float:
        """Twice the negative log-likelihood, no segment counting for more than one that is off by LOSS."""
        effect, variance = self._cells(over)
        return loss(effect**2, variance)

    def _cells(self, over: Array) -> tuple[Array, Array]:
        """Effects, less the typical one, and variances of the finest full segments under an over-dispersion."""
        key, size = self.cuboids.keys[self.fine], self.cuboids.sizes[self.fine]
        rows = self._leaf_rows(self._weights(over))
        effect, variance = self._difference(np.stack([np.bincount(key, row, size) for row in rows]))
        use = np.isfinite(variance) & self.full
        effect, variance = effect[use], variance[use]
        return effect - (weighted_median(effect, 1 / variance) if len(effect) else 0.0), variance

    def _degrees_of_freedom(self) -> float:
        """Of the noise, as far as it is estimated: fewer the larger a share of it over-dispersion is."""
        side = self.leaves.sides[-1]
        use = self.alive & np.isfinite(side.noise)
        whole = self.over[use] + side.noise[use]
        share = weighted_median(self.over[use] / whole, 1 / whole) if use.any() else 0.0
        return EFFICIENCY * max(float(self.full.sum()), 1.0) / max(share, 1e-3) ** 2

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
        seen: Array = np.all(sums[:count] > 0, axis=0)
        return seen & np.all(sums[3 * count : 4 * count] >= FEWEST, axis=0) if self.leaves.kind == "mean" else seen

    def children(self, members: Array, j: int) -> tuple[Array, Array]:
        """Effects and variances of some leaves by the values of dimension j, those with evidence only."""
        code, size = self.cuboids.codes[j][members], len(self.cuboids.values[j])
        effect, variance = self._difference(np.stack([np.bincount(code, row[members], size) for row in self.rows]))
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
            mean = symmetric(mean, 1 / safe, sums[2 * count : 3 * count] / safe, self.leaves.power)
        shared = sums[-1] / safe[-1]
        effect = np.where(empty, 0.0, (self.signs * mean).sum(0) - shared)
        return effect, np.where(empty, np.inf, (1 / safe).sum(0) + (self.slack * shared) ** 2)

    def likelihood(self, expected: Array, over: Array) -> float:
        """Log-likelihood of the finest telling segments, given the change that each leaf is expected to show and the
        over-dispersion; segments differ from the expected by the likeliest share of it."""
        self._sum_up(over)
        effect, variance = self.effects(self.grain)
        use = np.isfinite(variance)
        mean = self.averages(self.grain, expected)[use]
        off, variance = (effect[use] - mean) ** 2, variance[use]
        spreads = (variance + (slack * mean) ** 2 for slack in SLACKS)
        return max(float(-0.5 * (np.log(spread) + off / spread).sum()) for spread in spreads)

    def convincing(self, i: int, e: int, tried: float, alpha: float) -> bool:
        """Whether a segment's change stands where its counts are too thin for a normal score: an exact test."""
        if self.leaves.kind not in ("proportion", "rate"):
            return True
        members = self.members(i, e)
        n = [side.n[members].sum() for side in self.leaves.sides]
        hits = [(s.n * (self.leaves.level + s.residual))[members].sum() for s in self.leaves.sides]
        rarer = sum(hits) if self.leaves.kind == "rate" else min(sum(hits), sum(n) - sum(hits))
        return rarer * min(n) / sum(n) >= THIN or exact_p(self.leaves.kind, n, hits) * tried <= alpha

    # -- leaves ------------------------------------------------------------------------------------------------

    def members(self, i: int, e: int) -> Array:
        """The unexplained leaves of a segment."""
        return np.flatnonzero((self.cuboids.keys[i] == e) & self.alive)

    def expect(self, expected: Array | None, slack: float = 0.0) -> None:
        """Set the change that all segments share, and the share of it by which they typically differ from it."""
        self.expected, self.slack = np.zeros(self.cuboids.n) if expected is None else expected, slack
        self.rows[-1] = self.rows[len(self.signs) - 1] * self.expected
        shared = self.cuboids.sums(self.rows[-1:]) if self.expected.any() else [np.zeros((1, 1))] * len(self.sums)
        for sums, of_shared in zip(self.sums, shared, strict=True):
            sums[-1] = of_shared[0]

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
        self.alive[members] = False
        self.rows[:, members] = 0
        if self.alive.sum() < 0.9 * self.weighed and self.alive.any():
            self.weigh()
        else:
            self.sums = self.cuboids.sums(self.rows)


def _typical(cases: Array) -> float:
    return weighted_median(cases, np.sqrt(np.minimum(cases, 1e9))) if (cases > 0).any() else 0.0
