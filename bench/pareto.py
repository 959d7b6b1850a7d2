"""How often does a comparative Pareto claim a change that is none? Two windows drawn from one distribution.

    python bench/pareto.py [runs a cell]

Eight weeks against four, 200 events a week over 6 alike, 8 unlike and 30 segments; `burst`: the weekly shares
scatter more than chance alone would let them (Dirichlet). `order`: per cent of runs that claim a changed order;
`share`: that claim a changed share; `power`: that see two of the large segments change places, 40 and 25 %.
"""

import sys

import numpy as np
import pandas as pd

from rca.cube import Cube
from rca.metric import Metric
from rca.pareto import pareto
from rca.pareto_change import ParetoChange

ESCALATED = Metric(name="escalation_rate", kind="proportion", better="down")
WEEKS = pd.date_range("2026-02-02", periods=12, freq="7D")
SHARES = {
    "6 alike": [1 / 6] * 6,
    "8 unlike": [0.4, 0.25, 0.13, 0.08, 0.07, 0.04, 0.02, 0.01],
    "30 falling": list(np.arange(30, 0, -1) / 465),
}


def compared(
    rng: np.random.Generator, then: list[float], now: list[float], burst: int, size: int = 200
) -> ParetoChange:
    """Eight weeks of `then` against four of `now`."""
    names = [f"s{i}" for i in range(len(then))]
    frames = []
    for week, shares in zip(WEEKS, [then] * 8 + [now] * 4, strict=True):
        p = rng.dirichlet(np.array(shares) * burst) if burst else shares
        counts = rng.multinomial(size, p)
        frames.append(pd.DataFrame({"period": week, "reason": names, "n": 10 * counts, "total": counts}))
    cube = Cube(pd.concat(frames), ESCALATED, by=["reason"])
    before = pareto(cube, by="reason", within="last 8 before last 4")
    return pareto(cube, by="reason", within="last 4").against(before)


def main(runs: int) -> None:
    """Print a line per cell."""
    print(f"{runs} runs a cell, seed 1\n{'segments':12}{'burst':>8}{'order':>8}{'share':>8}{'power':>8}")
    worst = 0.0
    for name, shares in SHARES.items():
        swapped = [shares[1], shares[0], *shares[2:]]
        for burst in (0, 150):
            rng = np.random.default_rng(1)
            found = [compared(rng, shares, shares, burst).facts for _ in range(runs)]
            order = 100 * np.mean([bool(f["overtook"]) for f in found])
            share = 100 * np.mean([bool(f["moved"]) for f in found])
            seen = [compared(rng, shares, swapped, burst).facts["overtook"] for _ in range(runs // 4)]
            power = f"{100 * np.mean([bool(s) for s in seen]):8.1f}" if name == "8 unlike" else ""
            print(f"{name:12}{burst or 'none':>8}{order:8.1f}{share:8.1f}{power}", flush=True)
            worst = max(worst, order)
    print(f"At most {worst:.1f} % of runs claim a changed order (bar: 5 %).")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
