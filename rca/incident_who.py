"""Who was hit: all segments of a dimension alike, some of them, or that cannot be told."""

from dataclasses import dataclass

import numpy as np

from rca.incident_expectation import Array
from rca.incident_scan import log_likelihood_ratio


@dataclass(frozen=True)
class Hit:
    """The hit segments of one dimension, and how much better the others fit their usual level than that of the hit.

    evidence  log-likelihood ratio: above 0 the others look spared, below they look hit too
    """

    members: tuple[int, ...]
    evidence: float


def hit_segments(seen: Array, expected: Array, n: Array | None, side: int, noise: float) -> Hit:
    """The segments hit: of all prefixes in the order of seen over expected, the one that differs most from the expected
    (Neill 2012, JRSS B 74: no other subset can differ more).

    seen, expected, n  events, expected events and cases of each segment; without n the events are Poisson
    noise              by how much their log-likelihoods have to be divided for over-dispersion
    """
    live = np.flatnonzero((seen + expected if n is None else n) > 0)
    k, m = seen[live], np.maximum(expected[live], 1e-6)
    cases = None if n is None else n[live]
    m = m if cases is None else np.minimum(m, cases - 1e-6)
    order = np.argsort(-side * k / m, kind="stable")
    k, m, cases = k[order], m[order], None if cases is None else cases[order]
    ratio = log_likelihood_ratio(np.cumsum(k), np.cumsum(m), None if cases is None else np.cumsum(cases))
    first = int(np.argmax(ratio)) + 1
    hits, usual = k[:first].sum(), m[:first].sum()
    if cases is None:
        level = max(hits, 0.05) / usual
        usual_fits = m * (level - 1) - k * np.log(level)
    else:
        total = cases[:first].sum()
        odds = (hits + 0.5) / (total - hits + 0.5) / (usual / (total - usual))
        p = m / cases
        q = odds * p / (1 - p + odds * p)
        usual_fits = (cases - k) * np.log((1 - p) / (1 - q)) - k * np.log(q / p)
    return Hit(tuple(int(i) for i in live[order[:first]]), float(usual_fits[first:].sum() / noise))


def verdict(evidence: float, segments: int) -> str:
    """`some` only on positive evidence that the others were spared, corrected for how many segments there are."""
    return "some" if evidence > 2 + np.log(segments) else "unclear" if evidence > 0 else "all"
