"""Does localisation name the known causes? F1 on published and own cases, false segments in null cases, seconds a case.

    python bench/localize.py [folder]

The folder holds NAME.parquet (one row per leaf and case) and NAME.labels.csv (case, causes): S and L from RiskLoc's
generator, B0 of Squeeze, RS of RobustSpot, OPS simulated with sampling noise and a decoy of mix. Score: exact match of
segment names, summed over the cases of a set, F1 = 2TP / (2TP + FP + FN). A null case has both windows pooled and
split again at random: no segment may be found.
"""

import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from rca.cuboids import Cuboids
from rca.leaves import evidence
from rca.search import search

SETS = ("S", "L", "B0", "OPS", "RS")
MEASURES = ("n_before", "n_after", "total_before", "total_after")
ALPHA = 0.01
Case = tuple[str, pd.DataFrame, list[str], set[str]]  # kind of metric, leaves, dimensions, true segments
FOLDER = Path(__file__).parents[2] / "shared" / "bench" / "localize"


def names(kind: str, pairs: pd.DataFrame, dimensions: list[str]) -> set[str]:
    """The segments found, as the labels write them."""
    cuboids = Cuboids(pairs, dimensions)
    found = search(evidence(kind, pairs, cuboids), cuboids, ALPHA).found
    return {"&".join(f"{d}={f.where[d]}" for d in sorted(f.where)) for f in found if not f.minor}


def cases(folder: Path, name: str) -> Iterator[Case]:
    """The cases of a set."""
    frame = pd.read_parquet(folder / f"{name}.parquet")
    labels = pd.read_csv(folder / f"{name}.labels.csv", dtype=str).set_index("case")["causes"]
    kind = "proportion" if "n_before" in frame else "total"
    for case, rows in frame.groupby("case", sort=False):
        dimensions = [str(c) for c in rows if c not in ("case", *MEASURES) and rows[c].notna().any()]
        yield kind, rows.reset_index(drop=True), dimensions, set(labels[str(case)].split(";"))


def score(name: str, cases: Iterable[Case]) -> str:
    """One line: F1 with its counts, and the median and the largest time of a case."""
    hit = wrong = missed = 0
    seconds = []
    for kind, rows, dimensions, truth in cases:
        start = time.perf_counter()
        found = names(kind, rows, dimensions)
        seconds.append(time.perf_counter() - start)
        hit, wrong, missed = hit + len(found & truth), wrong + len(found - truth), missed + len(truth - found)
    f1 = 2 * hit / (2 * hit + wrong + missed)
    counts = f"{name:8} F1 {f1:.3f} ({hit}/{wrong}/{missed})"
    return f"{counts}, {np.median(seconds):.3f} s a case, at most {max(seconds):.3f}"


def null_case(kind: str, rng: np.random.Generator, spread: float = 0.0) -> tuple[pd.DataFrame, list[str]]:
    """A cube of four dimensions in which nothing changed; `spread` is the over-dispersion of each leaf's logit."""
    dimensions = ["a", "b", "c", "d"]
    index = pd.MultiIndex.from_product([range(k) for k in (6, 5, 4, 3)], names=dimensions)
    rows = pd.DataFrame(index=index).reset_index().astype(str)
    size = len(rows)
    level = rng.normal(0, 0.5, size)
    if kind == "total":
        usual = rng.lognormal(4, 1, size)
        for side in ("before", "after"):
            rows[f"total_{side}"] = usual * np.exp(rng.normal(0, 0.1, size))
        return rows, dimensions
    for side, cases_of in (("before", 60), ("after", 30)):
        n = rng.poisson(cases_of, size)
        rows[f"n_{side}"] = n
        if kind == "proportion":
            rate = 1 / (1 + np.exp(-(1.5 + level + rng.normal(0, spread, size))))
            rows[f"total_{side}"] = rng.binomial(n, rate)
        else:
            values = [rng.lognormal(6 + 0.3 * mu, 0.55, k) for mu, k in zip(level, n, strict=True)]
            rows[f"total_{side}"] = [v.sum() for v in values]
            rows[f"total_sq_{side}"] = [(v**2).sum() for v in values]
    return rows, dimensions


def false_segments(kind: str, spread: float = 0.0, count: int = 200) -> int:
    """Null cases, of `count`, in which a segment was found."""
    rng = np.random.default_rng(11)
    return sum(bool(names(kind, *null_case(kind, rng, spread))) for _ in range(count))


def main(folder: Path) -> None:
    if folder.is_dir():
        for name in SETS:
            print(score(name, cases(folder, name)), flush=True)
    else:
        print(f"no cases in {folder}: the scores are left out")
    for what, kind, spread in (
        ("additive", "total", 0.0),
        ("proportion", "proportion", 0.0),
        ("mean", "mean", 0.0),
        ("overdispersed .1", "proportion", 0.1),
        ("overdispersed .3", "proportion", 0.3),
    ):
        false = false_segments(kind, spread)
        print(f"null {what}: a false segment in {false} of 200 cases at alpha {ALPHA}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
