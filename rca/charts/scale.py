"""The scale on which series are judged: where a season adds up, with what chance alone explains of their spread."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from rca.charts.limits import dispersion

Way = Callable[[np.ndarray], np.ndarray]
BACK: dict[str, Way] = {"identity": np.asarray, "logit": expit, "log": np.exp}
SLOPE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "identity": np.ones_like,
    "logit": lambda mu: mu * (1 - mu),
    "log": np.asarray,
}  # of the way back


@dataclass(frozen=True)
class Batch:
    """Series with the same holes: `value`, `n`, `total` and `sd` (inside periods), each series x periods."""

    kind: str
    value: np.ndarray
    n: np.ndarray
    total: np.ndarray
    sd: np.ndarray


@dataclass(frozen=True)
class Scale:
    """Series on the scale where a season adds up: values, logits or logs.

    v           series x periods
    by_chance   True where chance's own error is the floor under sigma (counts; means that vary as their cases do)
    within      standard deviation inside periods, pooled over the baseline (means)
    """

    batch: Batch
    link: str
    v: np.ndarray
    by_chance: np.ndarray
    within: np.ndarray

    def back(self, v: np.ndarray) -> np.ndarray:
        return BACK[self.link](v)

    def slope(self, v: np.ndarray) -> np.ndarray:
        """What a unit on this scale is in units of the metric, at `v`."""
        return SLOPE[self.link](self.back(v))

    def error(self, center: np.ndarray) -> np.ndarray:
        """Standard error of each period by chance alone; 1 where chance says nothing."""
        mu, kind = self.back(center), self.batch.kind
        variance = {"proportion": mu * (1 - mu), "rate": mu}.get(kind, self.within**2)
        with np.errstate(divide="ignore", invalid="ignore"):
            se = np.sqrt(variance / np.where(self.batch.n > 0, self.batch.n, np.nan)) / self.slope(center)
        return np.where(self.by_chance, se, np.ones_like(self.v))


def scale(batch: Batch, base: np.ndarray, linked: bool) -> Scale:
    """Counts by chance's own error; means by it too, unless they vary more than their cases explain."""
    kind, n, total = batch.kind, batch.n, batch.total
    link = {"proportion": "logit", "rate": "log"}.get(kind, "identity") if linked else "identity"
    with np.errstate(divide="ignore", invalid="ignore"):
        if link == "logit":
            v = logit(np.clip(total, 0.5, n - 0.5) / n)
        else:
            v = np.log(np.maximum(total, 0.5) / n) if link == "log" else batch.value
        v = np.where(np.isnan(batch.value), np.nan, v)
        if kind != "mean":
            return Scale(batch, link, v, np.ones((len(v), 1), bool), np.ones((len(v), 1)))
        free = np.where(np.isfinite(batch.sd) & base, n - 1, 0)
        pooled = np.sqrt((free * np.nan_to_num(batch.sd) ** 2).sum(axis=1) / free.sum(axis=1))[:, None]
        z = (v - pooled_center(batch, base)) * np.sqrt(n) / pooled
        ratio, p = dispersion(z, base)
        chance = np.isfinite(ratio) & (p > 0.01)
    return Scale(batch, link, v, chance[:, None], np.where(np.isfinite(pooled), pooled, 1.0))


def pooled_center(batch: Batch, base: np.ndarray) -> np.ndarray:
    """The baseline of each series as one large period."""
    return (batch.total[:, base].sum(axis=1) / batch.n[:, base].sum(axis=1))[:, None]


def in_units(away: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Distances in standard errors; 0 where nothing can vary (a share of 0 or 1)."""
    return np.where(error > 0, away / np.where(error > 0, error, 1), np.where(np.isnan(away), np.nan, 0.0))
