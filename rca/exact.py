"""Exact p-values of a draw by strata: how many of a segment's cases count, where all are alike."""

import numpy as np
import pandas as pd
from scipy.special import gammaln, xlog1py, xlogy
from scipy.stats import norm

from rca.standardise import Mix

FEW = 200.0  # with more cases of either sort the normal distribution is as good
TAILS = 12.0  # standard deviations beyond which nothing is left
Array = np.ndarray


def p_values(mix: Mix, kind: str, inside: Array, found: pd.DataFrame) -> Array:
    """Two-sided p-values of the differences: twice the smaller tail.

    Few cases of a proportion or rate: exact, given how many of each stratum count in all (Mehta, Patel & Gray 1985, J.
    Am. Stat. Assoc. 80): a sum of hypergeometric counts, for rates of binomial ones; of a reference that is known, of
    binomial or Poisson ones. Else, and for means, normal.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        p = np.array(2 * norm.sf(np.abs(found["effect"]) / found["error"].where(found["error"] > 0)))
    p[(found["effect"].notna() & ~(found["error"] > 0)).to_numpy()] = 1.0  # all of them count, or none
    if kind == "mean":
        return p
    drawn, cases = found["drawn"].to_numpy(), mix.n.sum(axis=1)
    few = np.isfinite(p) & (np.minimum(drawn, cases - drawn if kind == "proportion" else drawn) < FEW)
    n, total, _ = mix.drawn_from(inside)
    for i in np.flatnonzero(few & (found["error"] > 0).to_numpy()):
        here = (mix.n[i] > 0) & (n[i] > 0) & ((n[i] > mix.n[i]) | (mix.given is not None))
        k = np.rint(mix.total[i][here].sum())
        start, law = _sum_law(mix.n[i][here], n[i][here], total[i][here], kind, mix.given is not None)
        place = int(k - start)
        p[i] = min(2 * min(law[: max(place + 1, 0)].sum(), law[max(place, 0) :].sum()), 1.0)
    return p


def _sum_law(own: Array, n: Array, total: Array, kind: str, fixed: bool) -> tuple[int, Array]:
    """The smallest sum over the strata, and the probabilities of it and of each one more."""
    if fixed and kind == "rate":
        mean = float((own * total / n).sum())
        k = np.arange(int(mean + TAILS * (mean**0.5 + 1)) + 1)
        return 0, np.exp(xlogy(k, mean) - mean - gammaln(k + 1))
    start, law = 0, np.ones(1)
    for m, whole, counted in zip(own, n, np.rint(total) if not fixed else total, strict=True):
        if kind == "proportion" and not fixed:
            least, most = max(0, round(m + counted - whole)), round(min(m, counted))
            k = np.arange(least, most + 1)
            log = _choose(counted, k) + _choose(whole - counted, m - k) - _choose(whole, m)
        else:
            size, share = (round(m), counted / whole) if fixed else (round(counted), m / whole)
            least, k = 0, np.arange(size + 1)
            log = _choose(size, k) + xlogy(k, share) + xlog1py(size - k, -share)
        start, law = start + least, np.convolve(law, np.exp(log))
    return start, law


def _choose(n: float, k: Array) -> Array:
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
