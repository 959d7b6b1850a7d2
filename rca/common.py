"""The change that all segments share: is there one, how large, and on which scale is it the same for all?"""

from dataclasses import dataclass

import numpy as np

from rca.children import some_over_all
from rca.robust import CHI2_MEDIAN, center, weighted_median
from rca.segments import SLACKS, Segments

GATE = 0.0
CLOSE = 2.0  # standard errors within which the mean, which uses all cases, may stand for the robust middle
LOSS = 9.0  # a value that is off by more than three standard errors counts no more than that
MEDIAN_VARIANCE = 1.571  # of the median against that of the mean: pi / 2
CLEARER = 4.0  # loss by which another scale must beat points
Array = np.ndarray


@dataclass(frozen=True)
class Common:
    """A change that all segments share.

    expected  what it is for each leaf, in KPI units
    slack     how far segments typically differ from it, as a share of it
    z         its standard score
    """

    expected: Array
    slack: float
    z: float


def common(segments: Segments, need: float) -> Common | None:
    """The typical change of the unexplained segments, if it is beyond noise and, on one of the scales, along every
    dimension 'all values changed' beats 'some did'; else None."""
    segments.expect(None)
    points, *bent = _shapes(segments)
    plain = _fit(segments, points)
    if plain is None or abs(plain.z) < need:
        return None
    fits = [fit for fit in (plain, *(_fit(segments, shape) for shape in bent)) if fit and fit.everywhere]
    if not fits:
        return None
    best = min(fits, key=lambda fit: (fit.loss + CLEARER * fit.bent, fit.bent))
    return Common(best.expected, best.slack, best.z)


@dataclass(frozen=True)
class _Fit:
    """A change of one shape over the leaves, and how well the values of the single dimensions agree with it."""

    expected: Array
    slack: float
    z: float
    loss: float
    everywhere: bool
    bent: bool  # not the same number of points for all


def _shapes(segments: Segments) -> list[Array]:
    """The scales a change may be the same on: points, in proportion to the level or to what is left to the ceiling,
    or in odds."""
    level, kind = segments.leaves.level, segments.leaves.kind
    shapes = [np.ones(len(level))]
    if kind in ("mean", "rate") and level.min() > 0:
        shapes += [level]
    if kind == "proportion":
        shapes += [level, 1 - level, level * (1 - level)]
    return shapes


def _fit(segments: Segments, shape: Array) -> _Fit | None:
    size, variance, _ = _per_unit(segments, segments.grain, shape)
    if not len(size):
        return None
    unit = segments.average(shape)
    middle, noise = _middle(segments, size, variance, unit)
    singles = [i for i, subset in enumerate(segments.cuboids.subsets) if len(subset) == 1]
    values = [_per_unit(segments, i, shape) for i in singles]
    off = np.concatenate([s - center(s, v) for s, v, _ in values])
    spread = np.concatenate([v for _, v, _ in values])
    slack = _slack(off, spread, abs(middle), np.concatenate([w for _, _, w in values]))
    loss = np.minimum(off**2 / (spread + (SLACKS[0] * middle) ** 2), LOSS).sum()
    some = any(_some_did(s * np.sign(middle), v, len(singles)) for s, v, _ in values)
    return _Fit(
        shape * middle, slack, middle * unit / float(np.sqrt(noise)), float(loss), not some, np.ptp(shape) > 0
    )


def _middle(segments: Segments, size: Array, variance: Array, unit: float) -> tuple[float, float]:
    """The typical change per unit of the shape, and the variance of the change of the whole that it makes.

    The ratio of two totals is skewed, so its mean is off: the median. Else the mean of all cases, unless the robust
    middle contradicts it.
    """
    whole, noise = segments.whole()
    if segments.leaves.kind == "total":
        return weighted_median(size, 1 / np.sqrt(variance)), MEDIAN_VARIANCE * noise
    middle = center(size, variance)
    return (whole / unit if abs(whole / unit - middle) < CLOSE * np.sqrt(noise) / unit else middle), noise


def _per_unit(segments: Segments, i: int, shape: Array) -> tuple[Array, Array, Array]:
    """Changes of a subset's segments in units of the shape, their variances, and the weight of the segments."""
    effect, variance = segments.effects(i)
    unit = segments.averages(i, shape)
    use = np.isfinite(variance) & (unit > 0)
    return effect[use] / unit[use], variance[use] / unit[use] ** 2, unit[use] ** 2 / variance[use]


def _slack(off: Array, variance: Array, size: float, weight: Array) -> float:
    """The smallest share of the change that, as a standard deviation between segments, brings the weighted median of
    squared standard scores down to that of chi-squared."""
    for slack in SLACKS:
        if weighted_median(off**2 / (variance + (slack * size) ** 2), np.sqrt(weight)) <= CHI2_MEDIAN:
            return slack
    return SLACKS[-1]


def _some_did(means: Array, variances: Array, dims: int) -> bool:
    if len(means) < 2:
        return False
    order = np.argsort(-means, kind="stable")
    return some_over_all(means[order], variances[order], dims, 0.0) > GATE
