"""The exact split of a change into rate, mix, entered and left, and the sampling variance of each part."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

Array = np.ndarray


@dataclass(frozen=True)
class Side:
    """One window: per segment cases, share, rate and variance inside; for the whole `value` and `variance`."""

    n: Array
    share: Array
    rate: Array
    inside: Array
    value: float
    variance: float
    random_shares: bool  # the exposure of a rate is known, not drawn

    @property
    def cases(self) -> float:
        return float(self.n.sum())


@dataclass(frozen=True)
class Slope:
    """How a part moves with one window's share and rate of its segment, and with the value of the whole."""

    share: Array
    rate: Array
    value: Array


@dataclass(frozen=True)
class Part:
    """One part of the split: an effect per segment, and its slopes in the windows before and after.

    twice  where both factors of an effect may be 0: the product of their sampling variances, which slopes taken at
           estimates count twice (Goodman 1960, JASA 55, 708-713). It makes up for slopes that happen to be near 0; in a
           sum over segments these average out, and it is taken off
    """

    effect: Array
    slopes: tuple[Slope, Slope]
    twice: Array | float = 0.0

    def variance(self, sides: tuple[Side, Side]) -> Array:
        """Sampling variance per segment by the delta method: the squared influence of each case drawn."""
        return np.sum([_variance(s, side) for s, side in zip(self.slopes, sides, strict=True)], axis=0)

    def variance_of_sum(self, sides: tuple[Side, Side]) -> float:
        """Sampling variance of the sum over all segments."""
        spread = sum(_variance_of_sum(s, side) for s, side in zip(self.slopes, sides, strict=True))
        twice = float(np.sum(self.twice))
        return max(spread - twice, twice)


def side(pairs: pd.DataFrame, window: str, kind: str) -> Side:
    """One window of `Cube.pair` as shares, rates and variances."""
    n, total = (pairs[f"{name}_{window}"].to_numpy(float) for name in ("n", "total"))
    seen, value = np.maximum(n, np.finfo(float).tiny), float(total.sum() / n.sum())
    if kind == "mean":
        squares = pairs[f"total_sq_{window}"].to_numpy(float)
        spread, freedom = np.maximum(squares - total**2 / seen, 0), np.maximum(n - 1, 0)
        pooled = spread.sum() / max(freedom.sum(), 1)
        inside = (spread + pooled) / (freedom + 1)
        variance = max(squares.sum() - total.sum() * value, 0) / max(n.sum() - 1, 1)
    elif kind == "rate":
        inside, variance = (total + 0.5) / seen, value  # Poisson
    else:
        p = (total + 2 * value) / (n + 2)  # as Agresti & Caffo (2000) add cases, so that 5 of 5 is not certain
        inside, variance = p * (1 - p), value * (1 - value)
    return Side(n, n / n.sum(), np.where(n > 0, total / seen, 0.0), inside, value, variance, kind != "rate")


def split(before: Side, after: Side) -> dict[str, Part]:
    """rate_effect, mix_effect, entered, left and their sum `effect`, with symmetric weights.

    Kitagawa (1955), JASA 50, 1168-1194; Das Gupta (1993), US Census P23-186. Every share is measured against the
    middle of the two values of the whole: shares move at each other's expense, so this does not change the sums.
    """
    w1, w2, p1, p2 = before.share, after.share, before.rate, after.rate
    both, new, gone = (w1 > 0) & (w2 > 0), (w1 == 0) & (w2 > 0), (w1 > 0) & (w2 == 0)
    middle = (before.value + after.value) / 2
    moved, off, none = w2 - w1, (p1 + p2) / 2 - middle, np.zeros(len(w1))

    def slope(where: Array, share: Array, rate: Array, value: Array) -> Slope:
        return Slope(*(np.where(where, x, 0.0) for x in (share, rate, value)))

    rise, weight = p2 - p1, (w1 + w2) / 2
    half, one = np.full(len(w1), 0.5), np.ones(len(w1))
    noise_moved, noise_off = (
        np.sum([_variance(slope, side) for side in (before, after)], axis=0)
        for slope in (Slope(one, none, none), Slope(none, half, -half))
    )
    parts = {
        "rate_effect": Part(
            np.where(both, weight * rise, 0.0),
            (slope(both, rise / 2, -weight, none), slope(both, rise / 2, weight, none)),
        ),
        "mix_effect": Part(
            np.where(both, moved * off, 0.0),
            (slope(both, -off, moved / 2, -moved / 2), slope(both, off, moved / 2, -moved / 2)),
            np.where(both, noise_moved * noise_off, 0.0),
        ),
        "entered": Part(
            np.where(new, w2 * (p2 - middle), 0.0),
            (slope(new, none, none, -w2 / 2), slope(new, p2 - middle, w2, -w2 / 2)),
        ),
        "left": Part(
            np.where(gone, -w1 * (p1 - middle), 0.0),
            (slope(gone, middle - p1, -w1, w1 / 2), slope(gone, none, none, w1 / 2)),
        ),
    }
    return parts | {"effect": _sum(list(parts.values()))}


def _sum(parts: list[Part]) -> Part:
    def slopes(w: int) -> Slope:
        each = [p.slopes[w] for p in parts]
        return Slope(*(np.sum([getattr(s, name) for s in each], axis=0) for name in ("share", "rate", "value")))

    return Part(np.sum([p.effect for p in parts], axis=0), (slopes(0), slopes(1)))


def _variance(slope: Slope, side: Side) -> Array:
    """Of one segment's part: a case drawn moves its segment's share and rate, and the value of the whole."""
    w, seen = side.share, np.where(side.share > 0, side.share, 1.0)
    a = slope.share if side.random_shares else 0 * slope.share
    b, c = slope.rate, slope.value
    spread = a**2 * w * (1 - w) + b**2 * side.inside / seen + c**2 * side.variance
    together = a * c * w * (side.rate - side.value) + b * c * side.inside
    return np.maximum(spread + 2 * together, 0) / side.cases


def _variance_of_sum(slope: Slope, side: Side) -> float:
    w, seen = side.share, np.where(side.share > 0, side.share, 1.0)
    a = slope.share if side.random_shares else 0 * slope.share
    b, c = slope.rate, slope.value.sum()
    spread = (w * a**2).sum() - (w * a).sum() ** 2 + (b**2 * side.inside / seen).sum() + c**2 * side.variance
    together = c * (w * a * (side.rate - side.value)).sum() + c * (b * side.inside).sum()
    return float(max(spread + 2 * together, 0) / side.cases)
