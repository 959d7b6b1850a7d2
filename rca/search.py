"""The search: which segments, over all dimensions and their combinations, changed beyond sampling noise.

Greedy: take the segment that stands out most over all combinations of dimensions, generalise it to its parent while
"all children of the parent changed, unequally" is likelier than "only some did", take its leaves out, repeat until
nothing is significant. A change that all segments share is taken out first, where that gives the better account.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import t

from rca.children import some_over_all
from rca.common import Common, common
from rca.cuboids import Cuboids
from rca.leaves import Leaves
from rca.segments import MANY, Segments

ALL = 0.2  # share of alpha for a change of all cases
COST = 2.5  # nats that naming one more child costs, against naming the parent
MINOR = 0.10  # a movement below this share of the largest found effect is background drift
WEAK, SMALL = 0.25, 0.10  # so is one below these shares of the largest effect and of the largest impact
MOST_SEGMENTS = 20


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

    common     whether a change that all share was taken out at any time
    drift      change of the typical segment, too small to be reported as common
    precision  of the change of the whole
    over       variance of each leaf's mean beyond sampling
    tried      segments looked at, per number of dimensions, times the shares that alpha is split into
    expected   change that each leaf shows according to what was found
    price      nats: half the squared score that each finding had to exceed, summed up
    """

    found: list[Found]
    common: bool
    drift: float
    precision: float
    over: np.ndarray
    tried: dict[int, float]
    expected: np.ndarray
    price: float


def search(leaves: Leaves, cuboids: Cuboids, alpha: float) -> Search:
    """Find the segments that changed; `alpha` is the chance of any false one when nothing changed."""
    segments = Segments(leaves, cuboids)
    account = _account(segments, alpha)
    if not segments.over.any() or segments.full.sum() >= MANY:
        return account
    # among few segments a cause can pass for over-dispersion of all: is it likelier to be a cause?
    sampled = _account(Segments(leaves, cuboids, dispersed=False), alpha)
    return sampled if _likelier(sampled, account, segments) else account


def _account(segments: Segments, alpha: float) -> Search:
    """The findings, with a change common to all and its exceptions where that is the likelier account."""
    shared = _Greedy(segments.copy(), alpha).run(with_common=True)
    if not shared.common:
        return shared
    local = _Greedy(segments.copy(), alpha).run(with_common=False)
    return shared if not local.found or _likelier(shared, local, segments) else local


def _likelier(one: Search, other: Search, segments: Segments) -> bool:
    """Whether one account is likelier than another, each less the price of its findings, at the noise that suits it."""
    levels = (one.over, other.over)
    scores = [max(segments.likelihood(s.expected, over) for over in levels) - s.price for s in (one, other)]
    return scores[0] > scores[1]


class _Greedy:
    def __init__(self, segments: Segments, alpha: float):
        self.segments, self.leaves, self.cuboids, self.alpha = segments, segments.leaves, segments.cuboids, alpha
        layer = np.array([len(s) for s in self.cuboids.subsets])
        tested = np.array([segments.testable(i).sum() for i in range(len(layer))])
        # the layers share what "all cases" leaves of alpha, and inside a layer its segments
        shares = layer.max() / (1 - ALL)
        self.per_layer = {int(k): shares * max(tested[layer == k].sum(), 1) for k in np.unique(layer)}
        self.tried = np.array([self.per_layer[int(k)] for k in layer])
        self.refused: list[list[int]] = [[] for _ in layer]  # segments too thin to convince

    def run(self, with_common: bool) -> Search:
        segments = self.segments
        found: list[Found] = []
        precision, price, used = 1 / segments.whole()[1], 0.0, False
        shared: Common | None = None
        while segments.alive.any() and len(found) < MOST_SEGMENTS:
            if with_common:
                shared = common(segments, float(self._needed(1 / ALL)))
                used |= shared is not None
            segments.expect(shared.expected if shared else None, shared.slack if shared else 0.0)
            self.need = self._needed(self.tried)
            start = self._best()
            if start is None:
                break
            i, e = self._generalise(*start)
            found.append(self._take(i, e))
            price += 0.5 * self.need[i] ** 2
            segments.remove(found[-1].leaves)
        expected = np.where(segments.alive, shared.expected, 0.0) if shared else np.zeros(self.cuboids.n)
        judged, drift = self._judge(found, shared)
        for f in found:
            expected[f.leaves] = f.effect
        price += 0.5 * float(self._needed(1 / ALL)) ** 2 if shared else 0.0
        return Search(judged, used, drift, precision, segments.over, self.per_layer, expected, price)

    def _needed(self, tried: float | np.ndarray) -> np.ndarray:
        """The score that a finding must exceed, among so many tried."""
        return np.asarray(t.isf(self.alpha / 2 / tried, self.segments.freedom))

    def _p_adj(self, z: float, tried: float) -> float:
        return min(1.0, float(2 * t.sf(abs(z), self.segments.freedom) * tried))

    # -- one step ----------------------------------------------------------------------------------------------

    def _best(self) -> tuple[int, int] | None:
        """The segment whose score exceeds what its layer needs by most; ties go to fewer dimensions."""
        while True:
            top, best = 0.0, None
            for i in range(len(self.cuboids.subsets)):
                z = np.abs(self.segments.z(i))
                z[self.refused[i]] = 0.0
                e = int(z.argmax())
                if z[e] - self.need[i] > top + 1e-9:
                    top, best = z[e] - self.need[i], (i, e)
            if best is None or self.segments.convincing(*best, self.tried[best[0]], self.alpha):
                return best
            self.refused[best[0]].append(best[1])

    def _generalise(self, i: int, e: int) -> tuple[int, int]:
        start, sign = (i, e), float(np.sign(self.segments.z(i)[e]))
        at: tuple[int, int] | None = start
        while at:
            i, e = at
            at = self._wider(i, self.segments.members(i, e), sign)
        return (i, e) if abs(self.segments.z(i)[e]) >= self.need[i] else start

    def _wider(self, i: int, members: np.ndarray, sign: float) -> tuple[int, int] | None:
        """The parent for which 'all children' wins by most, or None. A parent with the same leaves wins a tie."""
        best, parent = 0.0, None
        subset = self.cuboids.subsets[i]
        for j in subset if len(subset) > 1 else ():
            up = self.cuboids.index[tuple(k for k in subset if k != j)]
            e = int(self.cuboids.keys[up][members[0]])
            if sign * self.segments.z(up)[e] < self.need[up]:
                continue
            wider = self.segments.members(up, e)
            gain = self._all_over_some(wider, j, sign) if len(wider) > len(members) else 1e-6
            if gain > best:
                best, parent = gain, (up, e)
        return parent

    def _all_over_some(self, members: np.ndarray, j: int, sign: float) -> float:
        means, variances = self.segments.children(members, j)
        if len(means) < 2:
            return np.inf
        order = np.argsort(-sign * means, kind="stable")
        return -some_over_all(sign * means[order], variances[order], len(self.cuboids.dims), COST)

    def _take(self, i: int, e: int) -> Found:
        members, z = self.segments.members(i, e), float(self.segments.z(i)[e])
        effect = self.segments.effects(i)[0][e] + self.segments.averages(i, self.segments.expected)[e]
        where = self.cuboids.where(i, members[0])
        return Found(where, members, float(effect), z, self._p_adj(z, self.tried[i]))

    # -- what is worth telling ---------------------------------------------------------------------------------

    def _judge(self, found: list[Found], shared: Common | None) -> tuple[list[Found], float]:
        """Findings with the small ones marked, the change of all cases among them if worth telling; else as drift."""
        size = [self.leaves.size[f.leaves].sum() for f in found]
        effect = np.abs([f.effect for f in found])
        off = np.abs([f.effect - self._share(shared, f.leaves) for f in found])
        top, most = max(effect, default=0.0), max(effect * size, default=0.0)
        minor = (off < MINOR * top) | ((off < WEAK * top) & (off * size < SMALL * most))
        judged = [replace(f, minor=bool(m)) for f, m in zip(found, minor, strict=True)]
        rest = np.flatnonzero(self.segments.alive)
        drift = self._share(shared, rest)
        beyond_skewness = (abs(drift) - self.segments.bias) * self.leaves.size[rest].sum()
        if not shared or (abs(drift) < MINOR * top and beyond_skewness <= most):
            return judged, drift
        return [*judged, Found({}, rest, drift, shared.z, self._p_adj(shared.z, 1 / ALL))], 0.0

    def _share(self, shared: Common | None, leaves: np.ndarray) -> float:
        """What some leaves have of the change that all share, on average over their cases."""
        weight = self.leaves.size[leaves]
        return float((weight * shared.expected[leaves]).sum() / weight.sum()) if shared and weight.any() else 0.0
