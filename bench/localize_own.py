"""Does localisation name the causes of other kinds of cases? Simulated, a set for each known weakness of such methods.

    python bench/localize_own.py [seed] [cases of each set]

Scored as in bench/localize.py. A case has four dimensions (2,400 leaves) and one to three causes that fix one to three.

A_leaf    total: the severity of a cause varies by leaf (8 %), noise of up to 20 %
A_child   the same as A_leaf, the severity of a cause differs by child (20 %)
A_both    the same as A_leaf, rises and falls
A_count   the same as A_leaf, Poisson counts, causes that overlap
A_half    the same as A_leaf, causes in three of the five values of a dimension
R         proportion: severities that differ by child (25 %), a value whose share moves
R_both    the same as R, rises and falls
R_over    the same as R, leaves vary in both windows (logit sd .3)
R_points  the same as R, leaves vary in both windows by 4 points, whatever their level
R_all     the same as R, and 3 points lost everywhere
R_half    the same as R, causes in three of the five values of a dimension
R_new     the same as R, 20 % of the leaves exist in one window only
R_small   the same as R, 20,000 cases a window
R_thin    the same as R, one case a leaf and window
R_wide    the same as R, a dimension of 300 values
M, M_all  mean of skewed values; and 5 % more everywhere
C, C_all  events by exposure; and 8 % more everywhere
"""

import sys
from collections.abc import Iterator

import numpy as np
import pandas as pd
from localize import Case, score

KINDS = {"A": "total", "R": "proportion", "M": "mean", "C": "rate"}
SETS = [
    "A_leaf", "A_child", "A_both", "A_count", "A_half", "R", "R_both", "R_over", "R_points", "R_all", "R_half",
    "R_new", "R_small", "R_thin", "R_wide", "M", "M_all", "C", "C_all",
]  # fmt: skip
DIMS = ["a", "b", "c", "d"]
SIZES, WIDE = (10, 8, 6, 5), (300, 4, 3, 2)
CASES = {"R_small": 20_000, "R_thin": 2_400, "C": 2_000_000, "C_all": 2_000_000}  # in a window; else 200,000
DEEPEST = {"R_small": 2, "R_thin": 1, "R_wide": 2}  # dimensions that a cause fixes at most; else 3
SEVERITY = {"A": (0.2, 0.8), "R": (0.15, 0.4), "M": (0.15, 0.5), "C": (0.5, 1.2)}  # points for R, else a share
EVERYWHERE = {"R_all": -0.03, "M_all": 0.05, "C_all": 0.08}
Array = np.ndarray


def case(name: str, rng: np.random.Generator) -> Case:
    """Kind of metric, leaves, dimensions and true segments of a case of a set."""
    sizes, kind = WIDE if name == "R_wide" else SIZES, KINDS[name[0]]
    rows = pd.MultiIndex.from_product([range(k) for k in sizes], names=DIMS).to_frame(index=False)
    change, truth = causes(name, rows, rng)
    shares = np.prod([rng.dirichlet(np.full(k, 5.0))[rows[d]] for d, k in zip(DIMS, sizes, strict=True)], axis=0)
    level = np.sum([rng.normal(0, 0.3, k)[rows[d]] for d, k in zip(DIMS, sizes, strict=True)], axis=0)
    moving, noise = (rows["d"] == 4 % sizes[-1]).to_numpy(), rng.uniform(0, 0.2)
    gone = np.where(rng.random(len(rows)) < 0.2 * (name == "R_new"), rng.choice(["before", "after"], len(rows)), "")
    for side, now in (("before", 0 * change), ("after", change + EVERYWHERE.get(name, 0.0))):
        cases = CASES.get(name, 200_000) * shares
        if kind == "total":
            mean = cases * np.exp(level) * (1 + now)
            rows[f"total_{side}"] = (
                rng.poisson(mean) if name == "A_count" else mean * np.exp(rng.normal(0, noise, len(rows)))
            )
            continue
        n = rng.poisson(cases * (1 + 0.8 * (moving & (side == "after")))) * (gone != side)
        rows[f"n_{side}"] = n
        usual = level - 0.5 * moving
        if kind == "proportion":
            rate = 1 / (1 + np.exp(-(1.5 + usual + rng.normal(0, 0.3, len(rows)) * (name == "R_over")))) + now
            rate += rng.normal(0, 0.04, len(rows)) * (name == "R_points")
            rows[f"total_{side}"] = rng.binomial(n, rate.clip(0.005, 0.995))
        elif kind == "rate":
            rows[f"total_{side}"] = rng.poisson(n * 0.05 * np.exp(usual) * (1 + now))
        else:
            leaf = np.arange(len(rows)).repeat(n)
            values = rng.lognormal(np.log(500 * np.exp(usual) * (1 + now))[leaf], 0.6)
            rows[f"total_{side}"] = np.bincount(leaf, values, len(rows))
            rows[f"total_sq_{side}"] = np.bincount(leaf, values**2, len(rows))
    return kind, rows.astype(dict.fromkeys(DIMS, str)), DIMS, truth


def causes(name: str, rows: pd.DataFrame, rng: np.random.Generator) -> tuple[Array, set[str]]:
    """The change of each leaf, and the segments that cause it."""
    change, truth = np.zeros(len(rows)), set()
    half, additive = name.endswith("_half"), name[0] == "A"
    for number in range(3 if half else int(rng.integers(1, 4))):
        inside = np.zeros(len(rows), bool)
        while not inside.any() or (change[inside].any() and name != "A_count"):
            dims = sorted(rng.choice(DIMS, rng.integers(1, DEEPEST.get(name, 3) + 1), replace=False))
            where = {"d": number} if half else {d: rng.integers(rows[d].max() + 1) for d in dims}
            inside = np.all([rows[d] == value for d, value in where.items()], axis=0)
        truth.add("&".join(f"{d}={value}" for d, value in where.items()))
        by = np.arange(len(rows)) if additive and name != "A_child" else rows[min(set(DIMS) - set(where))]
        spread = rng.normal(0, 0.08 if additive and name != "A_child" else 0.2 if additive else 0.25, len(rows))[by]
        rises = name[0] in "MC" or (name.endswith("_both") and number % 2)
        severity = rng.uniform(*SEVERITY[name[0]]) * (1 + spread) * (1 if rises else -1)
        if additive:
            change = np.where(inside, (1 + change) * (1 + severity).clip(0) - 1, change)
        else:
            change = np.where(inside, change + severity, change)
    return change, truth


def cases(name: str, seed: int, count: int) -> Iterator[Case]:
    """Cases of a set, each seed others."""
    rng = np.random.default_rng([seed, SETS.index(name)])
    return (case(name, rng) for _ in range(count))


def main(seed: int, count: int) -> None:
    for name in SETS:
        print(score(name, cases(name, seed, count)), flush=True)


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:3]) if len(sys.argv) > 2 else (3, 40))
