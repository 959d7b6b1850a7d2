"""How long many reports take on many workers: by the rule of docs/scale.md, and by playing it through.

    python bench/scale.py outputs/vendor_performance --reports 5000 --workers 2 8 32

Seconds and memory of a report are drawn from the runs found in the folder (`run.json`, written by `rca run`).
"""

import argparse
import heapq
import random
import statistics
from pathlib import Path

from rca.batch.record import Record, read_record

START = 6.0  # seconds until a worker has done its imports
DEATHS = 0.001  # share of runs whose kernel dies and that are tried again
NIGHTS = 20  # how often it is played through


def measured(folder: Path) -> list[Record]:
    """The runs below a folder that were made, not skipped."""
    found = [read_record(path.parent) for path in sorted(folder.rglob("run.json"))]
    return [record for record in found if record and record.status == "done"]


def rule(seconds: list[float], reports: int, workers: int) -> float:
    """The paper's answer: all work, evenly shared, after the start; the last report has nobody to share with."""
    mean = statistics.fmean(seconds)
    return START + reports * (1 + DEATHS) * mean / workers + max(seconds) / 2


def night(seconds: list[float], reports: int, workers: int, draw: random.Random) -> float:
    """One night played through: whoever is free takes the next report; a report whose kernel dies is begun again."""
    free = [START] * workers
    for _ in range(reports):
        took = draw.choice(seconds)
        if draw.random() < DEATHS:
            took += draw.uniform(0, took)
        heapq.heappush(free, heapq.heappop(free) + took)
    return max(free)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("--reports", type=int, default=5000)
    options.add_argument("--workers", type=int, nargs="+", default=[2, 4, 8, 16, 32, 64])
    given = options.parse_args()
    runs = measured(given.folder)
    if not runs:
        raise SystemExit(f"no runs in {given.folder}; make some with `rca run`.")
    seconds = [record.seconds for record in runs]
    memory = max(record.megabytes for record in runs)
    print(
        f"{len(runs)} runs measured: {statistics.fmean(seconds):.2f} s on average, {max(seconds):.2f} s at most, ",
        end="",
    )
    print(f"{memory:.0f} MB at most, shared pages included")
    print(f"{given.reports} reports   workers   rule, min   played, min   longest of {NIGHTS} nights, min")
    for workers in given.workers:
        nights = [night(seconds, given.reports, workers, random.Random(seed)) / 60 for seed in range(NIGHTS)]
        by_rule = rule(seconds, given.reports, workers) / 60
        print(f"{workers:25} {by_rule:11.1f} {statistics.fmean(nights):13.1f} {max(nights):20.1f}")


if __name__ == "__main__":
    main()
