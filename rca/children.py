"""All children of a segment, or only some of them? The comparison that decides which level of detail to name."""

import numpy as np
from scipy.special import gammaln, log_ndtr

SPREAD = 0.10  # children of a cause differ by at least this share of its effect
SLACK = 0.20  # a child that is not hit may still move by this share of the effect
TINY = 1e-18
Array = np.ndarray


def some_over_all(means: Array, variances: Array, dims: int, cost: float) -> float:
    """Log-likelihood by which 'the first k children are hit' beats 'all K are', at the best k below K.

    means, variances  of the children, hit side positive, largest first
    dims, cost        the price of naming k children: ln C(K, k) + ln dims + cost (k - 1) nats

    The effects of hit children are N(mu, tau^2), random effects as in DerSimonian & Laird (1986), mu and tau by maximum
    likelihood (fixed-point iteration, tau at least SPREAD mu), of one sign; those of the others N(0, (SLACK mu)^2).

    >>> means, variances = np.array([5.0, 0.1, 0.0]), np.full(3, 0.25)
    >>> some_over_all(means, variances, dims=2, cost=0) > 0
    True
    >>> some_over_all(np.array([5.2, 5.0, 4.7]), variances, dims=2, cost=0) > 0
    False
    """
    total = len(means)
    k = np.arange(1, total + 1)
    hit = (np.arange(total)[None, :] < k[:, None]).astype(float)
    mu = (hit * means).sum(1) / k
    tau2 = (hit * (means - mu[:, None]) ** 2).sum(1) / k
    for _ in range(6):
        weight = hit / (variances + tau2[:, None] + TINY)
        mu = (weight * means).sum(1) / weight.sum(1)
        moment = (weight**2 * ((means - mu[:, None]) ** 2 - variances)).sum(1) / (weight**2).sum(1)
        tau2 = np.maximum(moment, (SPREAD * mu) ** 2)
    likelihood = (
        hit * _hit(means, variances + TINY, mu[:, None], tau2[:, None] + TINY)
        + (1 - hit) * _normal(means, variances + (SLACK * mu[:, None]) ** 2)
    ).sum(1)
    price = gammaln(total + 1) - gammaln(k + 1) - gammaln(total - k + 1) + np.log(dims) + cost * (k - 1)
    advantage = np.where(mu > 0, likelihood - likelihood[-1] - price, -np.inf)
    return float(advantage[:-1].max())


def _hit(means: Array, variances: Array, mu: Array, tau2: Array) -> Array:
    """Log-density of means whose effects are normal, but all of one sign: a child that moved against the others speaks
    against 'all are hit' more than one that did not move."""
    posterior = 1 / (1 / variances + 1 / tau2)
    one_sign = log_ndtr((means / variances + mu / tau2) * np.sqrt(posterior)) - log_ndtr(mu / np.sqrt(tau2))
    return _normal(means - mu, variances + tau2) + one_sign


def _normal(off: Array, variance: Array) -> Array:
    return -0.5 * (np.log(variance + TINY) + off * off / (variance + TINY))
