"""What drove it: our answer beside those of wise-pizza and icanexplain, on the same 200,000 cases with known causes.

    python bench/drivers_peers.py [--cases 200000]

Planted: CSAT falls by 28 points for refunds in MX, the share of chat (14 points below the others) rises from 40 to
55 %, nothing else changes. Each tool runs in a process of its own; seconds and memory are those of the analysis, from
cases in a DataFrame to its answer, imports left out. Packages that are not installed are named and left out; they
need `pip install wise-pizza icanexplain "ibis-framework[duckdb]"` (they pull in an older pandas than ours: use an
environment of their own, with this repository on PYTHONPATH). Let nothing else run.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

BY = ["market", "channel", "issue_type", "tenure", "vendor"]
DROP, CHAT, GAP = -0.28, (0.40, 0.55), -0.14
WEEKS = ("2026-01-05", "2026-01-12")


def tickets(count: int) -> pd.DataFrame:
    """Cases of two weeks, one row each: the dimensions, `period` and `good`."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({"period": np.repeat(WEEKS, count // 2)})
    after = (frame["period"] == WEEKS[1]).to_numpy()
    chat = rng.random(len(frame)) < np.where(after, *reversed(CHAT))
    frame["market"] = rng.choice(["MX", *(f"M{i}" for i in range(2, 13))], len(frame), p=_shares(12))
    frame["channel"] = np.where(
        chat, "chat", rng.choice(["email", "phone", "social"], len(frame), p=[0.6, 0.3, 0.1])
    )
    frame["issue_type"] = rng.choice(["refund", *(f"issue {i}" for i in range(2, 13))], len(frame), p=_shares(12))
    frame["tenure"] = rng.choice(["0-2m", "3-5m", "6-11m", "12m+"], len(frame))
    frame["vendor"] = rng.choice([f"V{i:02}" for i in range(1, 41)], len(frame))
    hit = after & (frame["market"] == "MX") & (frame["issue_type"] == "refund")
    rate = 0.86 + GAP * chat - 0.03 * (frame["tenure"] == "0-2m") + DROP * hit
    return frame.assign(good=(rng.random(len(frame)) < rate).astype(int))


def _shares(count: int) -> np.ndarray:
    """The first value holds 15 %, the others share the rest."""
    return np.array([0.15, *[0.85 / (count - 1)] * (count - 1)])


def ours(cases: pd.DataFrame) -> list[str]:
    from rca.cube import Cube
    from rca.localize import localize
    from rca.metric import Metric
    from rca.mix import mix

    csat = Metric(name="csat", label="CSAT", kind="proportion", better="up")
    cube = Cube(cases.rename(columns={"good": "total"}).assign(n=1), csat, by=BY)
    windows = {"before": "last 1 before last 1", "after": "last 1"}
    return [localize(cube, **windows).headline, mix(cube, **windows).headline]


def wise_pizza(cases: pd.DataFrame) -> list[str]:
    from wise_pizza import explain_changes_in_average

    sides = [part.assign(size=1) for _, part in cases.groupby("period")]
    found = explain_changes_in_average(
        *sides, dims=BY, total_name="good", size_name="size", max_segments=5, max_depth=2
    )
    return [f"{s['segment']}: {s['total']:+.4f}" for s in found.segments]


def icanexplain(cases: pd.DataFrame) -> list[str]:
    import icanexplain as ice

    table = ice.MeanExplainer(fact="good", period="period", group=["market", "issue_type"])(cases)
    table = table[table.index.get_level_values("period") == WEEKS[1]] if "period" in table.index.names else table
    largest = table.reindex(table["inner"].abs().sort_values(ascending=False).index).head(3)
    return [f"{name}: inner {row['inner']:+.4f}, mix {row['mix']:+.4f}" for name, row in largest.iterrows()]


TOOLS: dict[str, Callable[[pd.DataFrame], list[str]]] = {
    "rca": ours,
    "wise-pizza": wise_pizza,
    "icanexplain": icanexplain,
}


def measure(tool: str, count: int) -> None:
    """Run one tool and print seconds, megabytes that its analysis added at its peak, and its answer, as JSON."""
    cases = tickets(count)
    TOOLS[tool](cases.groupby("period").head(500))  # imports, and whatever compiles at first use
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    answer = TOOLS[tool](cases)
    seconds = time.perf_counter() - start
    added = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(json.dumps({"seconds": seconds, "megabytes": added, "answer": answer}))


def main(count: int) -> None:
    for tool in TOOLS:
        command = [sys.executable, __file__, "--cases", str(count), "--tool", tool]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{tool}: absent or failed: {done.stderr.strip().splitlines()[-1]}")
            continue
        found = json.loads(done.stdout.splitlines()[-1])
        print(f"{tool}: {found['seconds']:.2f} s, {found['megabytes']:.0f} MB more at its peak")
        for line in found["answer"]:
            print(f"    {line}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=int, default=200_000)
    parser.add_argument("--tool", choices=TOOLS)
    given = parser.parse_args()
    measure(given.tool, given.cases) if given.tool else main(given.cases)
