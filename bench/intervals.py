"""How often do the 95 % intervals hold the truth? Terms of the bridge, and the effect of a planted segment.

    python bench/intervals.py [cases of each kind]

Windows are drawn from known shares and rates, again and again; an honest interval holds the truth in 93 to 97 of 100.
"""

import sys

import numpy as np
import pandas as pd

from rca.cube import Cube
from rca.effect import Z95
from rca.localize import localize
from rca.metric import Metric
from rca.split import side, split

KINDS = ("proportion", "mean", "rate")
SIDES = ("before", "after")
SIZES = (900, 600)  # cases of the windows of a bridge
WIDE = 20  # segments of its second design, about 40 cases each
SHAPE = {"market": 6, "issue": 5, "channel": 4}
WEEKS = {"2026-01-05": 100, "2026-01-12": 60}  # cases of a leaf in the windows of a planted segment
EFFECT = {"proportion": -0.2, "mean": 0.3, "rate": 0.2}
Array = np.ndarray


def drawn(rng: np.random.Generator, kind: str, n: Array, rate: Array) -> dict[str, Array]:
    """Measures of cells of n cases: yes or no, gamma values with a standard deviation of .5, or Poisson events."""
    if kind == "proportion":
        return {"n": n, "total": rng.binomial(n, rate)}
    if kind == "rate":
        return {"n": n, "total": rng.poisson(n * rate)}
    cell = np.arange(len(n)).repeat(n)
    values = rng.gamma((rate[cell] / 0.5) ** 2, 0.5**2 / rate[cell])
    return {
        "n": n,
        "total": np.bincount(cell, values, len(n)),
        "total_sq": np.bincount(cell, values**2, len(n)),
    }


def bridge_terms(kind: str, shares: Array, rates: Array, cases: int, seed: int) -> pd.Series:
    """Share of the cases in which the interval of a term holds the truth: the mean over its segments, and of its sum.

    shares, rates  one row per window, one column per segment
    """
    rng = np.random.default_rng(seed)
    values = (shares * rates).sum(1)
    true = {
        "rate_effect": shares.mean(0) * (rates[1] - rates[0]),
        "mix_effect": (shares[1] - shares[0]) * (rates.mean(0) - values.mean()),
    }
    true["effect"] = true["rate_effect"] + true["mix_effect"]
    held: dict[str, list[float]] = {f"{name}{of}": [] for name in true for of in ("", " of all")}
    for _ in range(cases):
        pairs = {}
        for window, size, w, p in zip(SIDES, SIZES, shares, rates, strict=True):
            n = size * w if kind == "rate" else rng.multinomial(size, w)  # exposure is known
            pairs |= {f"{name}_{window}": column for name, column in drawn(rng, kind, n, p).items()}
        sides = tuple(side(pd.DataFrame(pairs), window, kind) for window in SIDES)
        for name, part in split(*sides).items():
            if name in true:
                off = np.abs(part.effect - true[name]) <= Z95 * np.sqrt(part.variance(sides))
                whole = abs(part.effect.sum() - true[name].sum()) <= Z95 * part.variance_of_sum(sides) ** 0.5
                held[name].append(off.mean())
                held[f"{name} of all"].append(whole)
    return pd.Series({name: np.mean(hits) for name, hits in held.items()})


def three() -> tuple[Array, Array]:
    """Shares and rates of three large segments that move against each other."""
    return np.array([[0.5, 0.3, 0.2], [0.4, 0.25, 0.35]]), np.array([[0.9, 0.6, 0.7], [0.8, 0.6, 0.65]])


def wide() -> tuple[Array, Array]:
    """The same of many small segments."""
    rng = np.random.default_rng(1)
    return rng.dirichlet(np.full(WIDE, 20.0), 2), rng.uniform(0.5, 0.9, (2, WIDE))


def planted_segment(kind: str, cases: int, seed: int, spread: float = 0.0) -> tuple[float, float]:
    """Share of the cases in which a planted change of one market is found, and in which its interval then holds it.

    spread  standard deviation by which the rate of each leaf varies beyond sampling, in either window
    """
    rng, metric = np.random.default_rng(seed), Metric(name="kpi", kind=kind, better="up")
    grid = pd.MultiIndex.from_product(map(range, SHAPE.values()), names=list(SHAPE)).to_frame(index=False)
    hit = (grid["market"] == 2).to_numpy()
    level = 0.85 - 0.05 * grid["issue"].to_numpy() - 0.02 * grid["market"].to_numpy()
    held = []
    for _ in range(cases):
        parts = []
        for (week, size), effect in zip(WEEKS.items(), (0.0, EFFECT[kind]), strict=True):
            rate = level + effect * hit + rng.normal(0, spread, len(grid))
            measures = drawn(rng, kind, rng.poisson(size, len(grid)), rate.clip(0.01, 0.99 if spread else None))
            parts.append(grid.assign(period=week, **measures))
        cube = Cube(pd.concat(parts), metric, by=list(SHAPE))
        found = localize(cube, before="last 1 before last 1", after="last 1").table
        row = found[found["segment"] == "market=2"]
        held += [(row["conf_low"].iloc[0] <= EFFECT[kind] <= row["conf_high"].iloc[0])] if len(row) else []
    return len(held) / cases, float(np.mean(held))


def main(cases: int) -> None:
    for kind in KINDS:
        for name, design in (("3 segments", three()), (f"{WIDE} segments", wide())):
            terms = bridge_terms(kind, *design, cases, seed=11)
            print(
                f"bridge {kind}, {name}: {', '.join(f'{k} {100 * v:.1f} %' for k, v in terms.items())}", flush=True
            )
    for kind, spread in (*((kind, 0.0) for kind in KINDS), ("proportion", 0.03)):
        found, held = planted_segment(kind, cases, seed=21, spread=spread)
        leaves = f", leaves vary by {spread}" if spread else ""
        print(f"planted {kind}{leaves}: found in {100 * found:.1f} %, held in {100 * held:.1f} %", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
