"""Rates of many units of unequal size: each drawn to what is usual, the more so the fewer cases it has.

Empirical Bayes: the spread of the units' true rates is estimated from all of them (a beta distribution for shares, a
gamma distribution for events by exposure), and is the prior of each (Efron & Hastie 2016, chapter 6; Gelman et al.
2013, section 5.1).
"""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special, stats

Array = np.ndarray
SAME = 1e6  # cases from which a prior counts as "all units are alike"


@dataclass(frozen=True)
class Prior:
    """How true rates differ between units: Beta(a, b) for shares, Gamma(a, rate b) for events by exposure."""

    kind: str
    a: float
    b: float

    @property
    def mean(self) -> float:
        return self.a / (self.a + self.b if self.kind == "proportion" else self.b)

    def posterior(self, total: Array, n: Array) -> tuple[Array, Array, Array]:
        """Mean of each unit's rate, and its 95 % interval.

        >>> [round(float(x), 3) for x in Prior("proportion", 1.4, 8.6).posterior(np.array(4), np.array(14))]
        [0.225, 0.085, 0.408]
        """
        if self.kind == "proportion":
            a, b = self.a + total, self.b + n - total
            return a / (a + b), stats.beta.ppf(0.025, a, b), stats.beta.ppf(0.975, a, b)
        a, b = self.a + total, self.b + n
        return a / b, stats.gamma.ppf(0.025, a, scale=1 / b), stats.gamma.ppf(0.975, a, scale=1 / b)

    def tail(self, total: Array, n: Array, more: bool) -> Array:
        """The chance that a unit drawn from the prior has at least (`more`), or at most, this total.

        >>> Prior("proportion", 1, 1).tail(np.array([8]), np.array([9]), more=True)    # all of 0 to 9 are as likely
        array([0.2])
        """
        if self.kind != "proportion":
            predicted = stats.nbinom(self.a, self.b / (self.b + n))
            return np.asarray(predicted.sf(total - 1) if more else predicted.cdf(total))
        a, b, k = (self.a, self.b, total) if more else (self.b, self.a, n - total)
        count = (n - k).astype(int) + 1  # the beta-binomial chances of k to n, one unit behind the other
        start = np.cumsum(count) - count
        size, place = np.repeat(n, count), np.arange(count.sum()) - np.repeat(start - k, count)
        ways = -special.betaln(size - place + 1, place + 1) - np.log(size + 1)
        chance = np.exp(ways + special.betaln(a + place, b + size - place) - special.betaln(a, b))
        return np.add.reduceat(chance, start)


def prior(total: Array, n: Array, kind: str) -> Prior:
    """The prior under which the totals of all units are likeliest: a beta-binomial, or a gamma-Poisson, fit.

    >>> prior(np.array([1, 9, 5, 2, 8]), np.full(5, 10), "proportion").mean.__round__(2)
    0.5
    """
    level = float((total.sum() + 0.5) / (n.sum() + 1))

    def at(x: Array) -> tuple[float, float]:
        mean, size = np.exp(x)
        if kind == "proportion":
            mean = 1 / (1 + 1 / mean)  # x[0] is a logit
            return mean * size, (1 - mean) * size
        return mean * size, size

    def surprise(x: Array) -> float:
        a, b = at(x)
        if kind == "proportion":
            likelihood = special.betaln(a + total, b + n - total) - special.betaln(a, b)
        else:
            ratio = a * np.log(b) - (a + total) * np.log(b + n)
            likelihood = special.gammaln(a + total) - special.gammaln(a) + ratio
        return -float(likelihood.sum())

    scale = 1.0 if kind == "proportion" else 1 / level  # exposure is counted in what brings one event
    start = np.log([level / (1 - level) if kind == "proportion" else level, 20 * scale])
    bounds = [(start[0] - 5, start[0] + 5), (np.log(0.05 * scale), np.log(SAME * scale))]
    return Prior(kind, *(float(v) for v in at(optimize.minimize(surprise, start, bounds=bounds).x)))
