"""Scan a series for windows with too many events, or too few: windows of many lengths, each with its own noise."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rca.incident_expectation import Array, Expected, Week

LENGTHS = (1, 2, 3, 4, 6, 8, 12, 18, 24, 36, 48, 72, 144, 288, 432, 720, 1440, 2016)  # of windows, in bins
MOST_DAYS = 14
RATIO = 1.5  # an incident changes the events by at least half
INSIDE = 0.7, 1.074  # share of blocks within the quantile of chi-squared(1) of that share
UNKNOWN = 0.1  # rho where nothing can be measured
ROUNDS = 4


@dataclass(frozen=True)
class Window:
    """Bins `start` to before `end`; side +1 too many events, -1 too few; strength: how far beyond what is reported."""

    start: int
    end: int
    side: int
    strength: float

    def meets(self, other: "Window") -> bool:
        return self.side == other.side and self.start < other.end and other.start < self.end


@dataclass(frozen=True, eq=False)
class Dispersion:
    """How much more blocks of one series vary than chance: variance = V (1 + rho V), rho by length of the block.

    usual  of a series too thin to measure its own
    """

    lengths: Array
    rho: Array
    usual: "Dispersion | None" = None

    def at(self, length: int) -> float:
        """Between the lengths measured by interpolation; beyond a day a level persists less and less."""
        if not len(self.lengths):
            return UNKNOWN if self.usual is None else self.usual.at(length)
        rho = np.exp(np.interp(np.log(length), np.log(self.lengths), np.log(self.rho)))
        return float(rho * min(1.0, (self.lengths[-1] / length) ** 0.5))


def dispersion(
    week: Week, residual: Array, variance: Array, keep: Array, usual: Dispersion | None
) -> list[Dispersion]:
    """Measure it in each series: rho is such that 70 % of a series' own blocks lie where 70 % of normal deviates would.
    It holds bad days and noise with a memory, and the incidents themselves do not move it."""
    day = week.per_day
    lengths = sorted({1, max(2, day // 48), max(3, day // 24), max(4, day // 8), day})
    found: list[Array] = []
    last, at = np.zeros(len(residual)), np.ones(len(residual))
    for length in lengths:
        r, v = ((x * keep).reshape(len(x), -1, length).sum(2) for x in (residual, variance))
        counts = v > 2
        v = np.where(counts, v, 1.0)
        needed = np.where(counts, (r**2 / (INSIDE[1] * v) - 1) / v, np.nan)  # rho that puts a block just inside
        many = counts.sum(1) >= 15
        needed[~many] = 0
        rho = np.clip(np.nanquantile(needed, INSIDE[0], axis=1), 0, 50)
        rho = np.maximum(np.maximum(rho, 1e-6), last * at / length)
        last, at = np.where(many, rho, last), np.where(many, length, at)
        found.append(np.where(many, rho, np.nan))
    rows = np.stack(found, 1)
    known = np.isfinite(rows)
    return [Dispersion(np.array(lengths)[some], row[some], usual) for row, some in zip(rows, known, strict=True)]


def log_likelihood_ratio(k: Array, m: Array, n: Array | None = None) -> Array:
    """Of one changed level against the expected: k events where m are expected, of n cases (Kulldorff 1997, Comm.
    Statist. 26, 1481) or, without n, Poisson.

    >>> float(log_likelihood_ratio(np.array(10.0), np.array(5.0)).round(3))
    1.931
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        events = np.where(k > 0, k * np.log(k / m), 0.0)
        rest = m - k if n is None else np.where(n > k, (n - k) * np.log((n - k) / (n - m)), 0.0)
        return np.where(m > 0, events + rest, 0.0)


class Scan:
    """The windows of some series (S, T): events seen, cases, what is expected, how noisy they are."""

    def __init__(
        self, week: Week, seen: Array, n: Array, expected: Expected, noise: list[Dispersion], target: float
    ):
        """target: false incidents a month in each series, spread over the lengths."""
        self.week, self.seen, self.n, self.expected, self.noise = week, seen, n, expected, noise
        columns = (seen, expected.mean, expected.variance, n)
        self.sums = [np.concatenate([np.zeros((len(x), 1)), np.cumsum(x, 1)], 1) for x in columns]
        longest = min(week.length // 4, MOST_DAYS * week.per_day)
        self.lengths = [length for length in LENGTHS if length <= longest]
        self.places = len(self.lengths) * 28 * week.per_day / target

    def score(self, series: Array | int, start: Array | int, end: Array | int, rho: Array | float) -> Array:
        """Log-likelihood ratio over its noise (chance, error of the expectation, over-dispersion), beyond the bound
        that chance passes `target` times a month: a union bound over lengths and places."""
        k, m, v, n = (c[series, end] - c[series, start] for c in self.sums)
        ratio = log_likelihood_ratio(k, m, None if self.expected.rate is None else n)
        length = end - start
        error = 1 / self.week.others + 1.5 * length / (29 * self.week.per_day)
        return ratio / (1 + error + rho * v) - np.log(self.places / length)

    def one(self, series: int, start: int, end: int) -> float:
        return float(self.score(series, start, end, self.noise[series].at(end - start)))

    def windows(self, least: Mapping[int, Array]) -> list[list[Window]]:
        """The windows of each series that chance does not explain, without overlaps, joined where they touch.

        least  per side the events beyond the expected that make an incident, one number per series
        """
        found = [np.zeros((0, 5))]
        k, m = self.sums[:2]
        for length in self.lengths:
            rho = np.array([noise.at(length) for noise in self.noise])
            inside, usual = k[:, length:] - k[:, :-length], m[:, length:] - m[:, :-length]
            for side, floor in least.items():
                many, few = (inside, usual) if side > 0 else (usual, inside)
                enough = np.maximum(few * RATIO, few + np.reshape(floor, (-1, 1)))
                series, start = np.nonzero((many >= enough) & (usual > 0))
                score = self.score(series, start, start + length, rho[series])
                columns = (series, start, start + length, np.full(len(start), side), score)
                found.append(np.stack(columns, 1)[score > 0])
        every = np.concatenate(found)
        every = every[np.argsort(-every[:, 4], kind="stable")]
        return [self._choose(s, every[every[:, 0] == s, 1:4].astype(int)) for s in range(len(self.seen))]

    def _choose(self, series: int, windows: Array) -> list[Window]:
        """Of windows (start, end, side), best first, those that do not overlap, with their likeliest start and end."""
        used = np.zeros(self.seen.shape[1], dtype=bool)
        some = self.n[series] + self.expected.mean[series] > 0
        chosen: list[Window] = []
        while len(windows):
            start, end, side = windows[0]
            windows = windows[1:]
            start, end = self._refine(series, start, end)
            free = np.flatnonzero((~used & some)[start:end])
            if not len(free):
                continue
            start, end = start + int(free[0]), start + int(free[-1]) + 1
            strength = self.one(series, start, end)
            if strength >= 0 and not used[start:end].any():
                used[start:end] = True
                chosen.append(Window(start, end, int(side), strength))
                windows = windows[(windows[:, 1] <= start) | (windows[:, 0] >= end)]
        return self._join(series, chosen)

    def _refine(self, series: int, start: int, end: int) -> tuple[int, int]:
        """Start and end of the highest likelihood given the changed level: the run with the largest sum of the bins'
        log-likelihoods, a few rounds."""
        k, m, n = self.seen[series], self.expected.mean[series], self.n[series]
        for _ in range(ROUNDS):
            a, b = max(0, 2 * start - end - 2), min(len(k), 2 * end - start + 2)
            hits, usual, cases = (float(x[start:end].sum()) for x in (k, m, n))
            if self.expected.rate is None:
                odds = max(hits, 0.05) / max(usual, 1e-9)
                gain = k[a:b] * np.log(odds) - m[a:b] * (odds - 1)
            else:
                odds = (hits + 0.5) / (cases - hits + 0.5) / (usual / max(cases - usual, 1e-9))
                p = self.expected.rate[series, a:b]
                q = odds * p / (1 - p + odds * p)
                gain = k[a:b] * np.log(q / p) + (n[a:b] - k[a:b]) * np.log((1 - q) / (1 - p))
            total = np.concatenate([[0.0], np.cumsum(gain)])
            low = np.minimum.accumulate(total)
            j = int(np.argmax(total - low))
            i = int(np.flatnonzero(total[: j + 1] == low[j])[-1])
            start, end = (a + i, a + j) if j > i else (start, end)
        return start, end

    def _join(self, series: int, windows: list[Window]) -> list[Window]:
        """Neighbours become one where the two and what lies between pass together."""
        joined: list[Window] = []
        for w in sorted(windows, key=lambda w: w.start):
            if joined and joined[-1].side == w.side:
                last = joined[-1]
                near = max(2, 0.25 * max(w.end - w.start, last.end - last.start))
                if w.start - last.end <= near and (strength := self.one(series, last.start, w.end)) > 0:
                    joined[-1] = Window(last.start, w.end, w.side, strength)
                    continue
            joined.append(w)
        return joined
