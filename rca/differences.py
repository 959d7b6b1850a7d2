"""Each segment against the others on the same mix: who differs, how surely, and what is left of it when shrunken."""

import numpy as np
import pandas as pd
from scipy.stats import norm

from rca.effect import Z95, between, pool
from rca.exact import p_values
from rca.funnel import dispersion
from rca.standardise import Mix, divided, one_case

FEWEST = 20  # values that a mean needs: of fewer nobody knows how far they scatter
Array = np.ndarray


def peeled(mix: Mix, kind: str, limits: str, alpha: float) -> tuple[pd.DataFrame, Array, Array, float, float]:
    """The differences, when those who differ most are taken out of what the others are compared with, one by one:
    two slow vendors make no other a fast one, who is the farther from the middle goes first, and half remain."""
    inside = np.ones(len(mix.names), dtype=bool)
    least = max(2, -(-len(inside) // 2))
    factor = None
    while True:
        found, weight = differences(mix, kind, inside)
        sure = (found["error"] > 0).to_numpy()
        if factor is None:
            factor, spread = dispersion(*found.loc[sure, ["effect", "error"]].to_numpy().T)
            spread = spread if limits == "overdispersed" else 0.0
        if spread:
            found["p_value"] = 2 * norm.sf(np.abs(found["effect"]) / np.hypot(found["error"], spread))
        else:
            found["p_value"] = p_values(mix, kind, inside, found)
        if kind == "mean":
            found.loc[mix.n.sum(axis=1) < FEWEST, "p_value"] = np.nan
        found["p_adj"] = np.minimum(found["p_value"] * max(found["p_value"].notna().sum(), 1), 1.0)
        middle = np.nanmedian(found.loc[inside & sure, "effect"]) if (inside & sure).any() else 0.0
        far = np.abs(found["effect"] - middle) / found["error"]
        z = np.where(inside & (found["p_adj"] < alpha), far, 0.0)
        if mix.given or not z.any() or inside.sum() - 1 < least:
            return found, inside, weight, factor, spread
        inside[int(np.argmax(z))] = False


def differences(mix: Mix, kind: str, inside: Array) -> tuple[pd.DataFrame, Array]:
    """Each segment against the others on its mix (Mantel & Haenszel 1959): against those `inside` but itself, or
    against the reference given. Also the weights of its strata in this difference.

    effect, error   the difference in KPI units, and its standard error where both are alike
    observed, drawn, variance   what counts of its cases, and mean and variance of a draw from those of both
    comparable      the share of its cases of which the others have such as well
    """
    n, total, sq = mix.drawn_from(inside)
    weight = np.where(n > 0, mix.n, 0.0) if mix.given else mix.n * (1 - divided(mix.n, n, 1.0))
    shared, drawn = weight > 0, mix.n * divided(total, n)
    base = weight.sum(axis=1)
    base = np.where(base > 0, base, np.nan)
    variance = (weight * one_case(n, total, sq, kind, fixed=mix.given is not None)).sum(axis=1)
    observed, expected = (np.where(shared, x, 0.0).sum(axis=1) for x in (mix.total, drawn))
    found = {"effect": (observed - expected) / base, "error": np.sqrt(variance) / base}
    found |= {"observed": observed, "drawn": expected, "variance": variance}
    found["comparable"] = np.where(shared, mix.n, 0.0).sum(axis=1) / mix.n.sum(axis=1)
    return pd.DataFrame(found), weight / base[:, None]


def covariance(mix: Mix, kind: str, inside: Array, weight: Array) -> Array:
    """Of the differences: each is a weighted sum of the rates of all cells, of its own and of those it is against."""
    n, total, sq = (x.sum(axis=0) for x in (mix.n, mix.total, mix.sq))
    cell = divided(one_case(n, total, sq, kind, fixed=False), mix.n)  # of the rate of each cell
    size, strata = mix.n.shape
    sums = np.zeros((size, size, strata))
    if mix.given is None:
        against = np.where(inside[:, None], mix.n, 0.0)
        rest = against.sum(axis=0) - against
        sums -= weight[:, None, :] * divided(against[None, :, :], rest[:, None, :])
    sums[np.arange(size), np.arange(size)] = weight
    flat = sums.reshape(size, -1)
    return (flat * cell.ravel()) @ flat.T


def shrunken(center: float, effect: pd.Series, error: pd.Series) -> pd.DataFrame:
    """Each level drawn towards all by how sure it is: the mean of a normal prior and the estimate (empirical Bayes)."""
    sure = error.notna() & effect.notna()
    tau_sq, middle, unsure = 0.0, 0.0, 0.0
    if sure.any():
        tau_sq = between(effect[sure], error[sure] ** 2)
        middle, unsure = pool(effect[sure], error[sure] ** 2)
    keep = (tau_sq / (tau_sq + error**2)).where(sure, 0.0)
    level = center + middle + keep * (effect.where(sure, middle) - middle)
    half = Z95 * np.sqrt((1 - keep) * tau_sq + ((1 - keep) * unsure) ** 2)
    return pd.DataFrame({"estimate": level, "estimate_low": level - half, "estimate_high": level + half})
