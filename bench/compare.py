"""Are equal vendors of unequal mix told apart? By the adjusted comparison in few runs, without adjusting in nearly all.

    python bench/compare.py [runs of each kind]

Eight vendors of 300 to 6,000 cases share nine combinations of market and channel very unequally; every combination has
its own level, the same for all vendors. A run tells them apart if it calls any worse or better (or any two by rank).
"""

import sys

import numpy as np
import pandas as pd

import rca

METRICS = {
    "proportion": rca.Metric(name="csat", kind="proportion", better="up"),
    "mean": rca.Metric(name="handling", kind="mean", better="down", unit="s"),
    "rate": rca.Metric(name="contacts", kind="rate", better="down"),
}
KEYS = pd.MultiIndex.from_product([list("ABCDEFGH"), ["MX", "BR", "DE"], ["chat", "email", "phone"]])


def run(kind: str, seed: int) -> tuple[bool, bool, bool]:
    """Whether vendors are told apart: adjusted, by rank, unadjusted."""
    rng = np.random.default_rng([seed, list(METRICS).index(kind)])
    cases, level = rng.integers(300, 6000, 8), np.tile(rng.uniform(0.05, 0.95, 9), 8)
    shares = rng.dirichlet(np.full(9, 0.5), 8)
    n = np.array([rng.multinomial(m, share) for m, share in zip(cases, shares, strict=True)]).ravel()
    if kind == "mean":  # seconds, with the long tail that times have
        values = [rng.gamma(2, 300 * mean, size) for mean, size in zip(level, n, strict=True)]
        counts = {"total": [v.sum() for v in values], "total_sq": [(v**2).sum() for v in values]}
    else:
        counts = {"total": rng.binomial(n, level) if kind == "proportion" else rng.poisson(n * level)}
    frame = pd.DataFrame({"n": n, **counts}, index=KEYS.set_names(["vendor", "market", "channel"])).reset_index()
    cube = rca.Cube(frame.assign(period="2026-01-05"), METRICS[kind], by=["vendor", "market", "channel"])
    adjusted = rca.compare(cube, by="vendor", adjust_for=["market", "channel"])
    plain = rca.compare(cube, by="vendor")
    groups = len(rca.ranking(adjusted).groups)
    return adjusted.facts["alike"] < 8, groups > 1, plain.facts["alike"] < 8


def main(runs: int = 500) -> None:
    for kind in METRICS:
        told = np.mean([run(kind, seed) for seed in range(runs)], axis=0)
        parts = zip(("adjusted", "by rank", "unadjusted"), told, strict=True)
        print(f"{kind}, {runs} runs told apart:", ", ".join(f"{name} {100 * share:.1f} %" for name, share in parts))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
