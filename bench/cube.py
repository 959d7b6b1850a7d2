"""The cube of three metrics by six dimensions and week, ours and by hand: time, peak memory, the same numbers.

    python bench/cube.py                                     1 and 10 million cases, in a temporary folder
    python bench/cube.py --millions 1 10 100 --folder big    also 100 million (2 GB of Parquet, kept in `big`)

open    `rca.open_source`: all checks of the data      cube    `rca.cubes`, the one query, 552,960 rows at most
sql     the same query written by hand for DuckDB      pandas  read_parquet of the columns needed, groupby
polars  scan_parquet, group_by (pip install polars)

Each way runs in a process of its own, `--times` times over (the median counts); its memory is the largest that the
process ever had; seconds of the processor count all threads, and vary less on a busy machine. pandas is left out above
`--pandas` million cases, where it needs more memory than most machines have.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import yaml

DIMENSIONS = {"vendor": 8, "market": 6, "channel": 4, "issue_type": 8, "shift": 3, "tenure": 3}
WEEKS = 40
METRICS = {
    "csat": {"kind": "proportion", "better": "up", "counts": "csat >= 4", "out_of": "csat is not null"},
    "escalation_rate": {"kind": "proportion", "better": "down", "counts": "escalated"},
    "handling_time": {"kind": "mean", "better": "down", "value": "handling_seconds"},
}
BY = list(DIMENSIONS)
NEEDED = ["opened_at", *BY, "csat", "escalated", "handling_seconds"]
Ask = Callable[[], Any]


def make(file: Path, millions: float) -> None:
    """Cases drawn by hashes of their number, the same on every machine."""
    labels = ", ".join(
        f"'{name} ' || (hash(i, {salt}) % {size}) as {name}" for salt, (name, size) in enumerate(DIMENSIONS.items())
    )
    duckdb.sql(f"""
        copy (
            select 'C' || lpad(i::varchar, 10, '0') as case_id,
                   timestamp '2026-02-09' + to_seconds(hash(i, 10) % {WEEKS * 7 * 86_400}) as opened_at, {labels},
                   case when hash(i, 11) % 3 = 0 then 1 + hash(i, 12) % 5 end::tinyint as csat,
                   hash(i, 13) % 20 = 0 as escalated, (60 + hash(i, 14) % 1000)::integer as handling_seconds
            from range({int(millions * 1e6)}) t(i)
        ) to '{file}' (format parquet, compression zstd)""")


def ours(file: Path) -> tuple[Ask, Ask]:
    import rca

    os.environ["RCA_CACHE"] = ""
    contract = {"table": str(file), "key": "case_id", "time": {"column": "opened_at"}, "dimensions": BY}
    path = file.with_suffix(".yml")
    path.write_text(yaml.safe_dump({**contract, "metrics": METRICS}))
    source = rca.open_source(path)

    def ask() -> Any:
        source.answers.clear()  # so that every question is asked
        return rca.cubes(source, METRICS, by=BY)

    return lambda: rca.open_source(path), ask


def sql(file: Path) -> tuple[None, Ask]:
    query = f"""
        select date_trunc('week', opened_at) as period, {", ".join(BY)},
               count(csat) as csat_n, count(*) filter (where csat >= 4) as csat_total,
               count(*) as escalation_n, count(*) filter (where escalated) as escalation_total,
               count(handling_seconds) as handling_n, sum(handling_seconds) as handling_total,
               sum(handling_seconds::bigint * handling_seconds) as handling_total_sq
        from read_parquet('{file}') group by all"""
    return None, lambda: duckdb.sql(query).df()


def pandas(file: Path) -> tuple[None, Ask]:
    import pandas as pd

    def ask() -> Any:
        cases = pd.read_parquet(file, columns=NEEDED)
        day = cases["opened_at"].dt.normalize()
        cases["period"] = day - pd.to_timedelta(day.dt.day_of_week, unit="D")
        cases["good"], cases["square"] = cases["csat"] >= 4, cases["handling_seconds"].astype("int64") ** 2
        return cases.groupby(["period", *BY], observed=True).agg(
            csat_n=("csat", "count"), csat_total=("good", "sum"), escalation_n=("escalated", "count"),
            escalation_total=("escalated", "sum"), handling_n=("handling_seconds", "count"),
            handling_total=("handling_seconds", "sum"), handling_total_sq=("square", "sum"),
        )  # fmt: skip

    return None, ask


def polars(file: Path) -> tuple[None, Ask]:
    import polars as pl

    value = pl.col("handling_seconds").cast(pl.Int64)
    query = (
        pl.scan_parquet(file)
        .group_by(pl.col("opened_at").dt.truncate("1w").alias("period"), *BY)
        .agg(
            csat_n=pl.col("csat").count(), csat_total=(pl.col("csat") >= 4).sum(), escalation_n=pl.len(),
            escalation_total=pl.col("escalated").sum(), handling_n=value.count(), handling_total=value.sum(),
            handling_total_sq=(value * value).sum(),
        )
    )  # fmt: skip
    return None, lambda: query.collect(engine="streaming").to_pandas()


WAYS = {"ours": ours, "sql": sql, "pandas": pandas, "polars": polars}


def sums(way: str, answer: Any) -> list[float]:
    """What every way has to agree on: the sums of the measures, and how many rows the cube has."""
    if way == "ours":
        frames = [cube.frame for cube in answer.values()]
        return [float(frame[c].sum()) for frame in frames for c in frame if c in ("n", "total", "total_sq")]
    columns = [c for c in answer if c.endswith(("_n", "_total", "_total_sq"))]
    return [float(answer[c].sum()) for c in columns]


def run(way: str, file: Path, times: int) -> dict[str, Any]:
    """Measured in this process: seconds of each part, the largest memory (MB), the sums."""
    opening, ask = WAYS[way](file)
    seconds: dict[str, list[float]] = {}
    for _ in range(times):
        for name, part in (("open", opening), ("cube", ask)):
            if part:
                began, worked = time.perf_counter(), time.process_time()
                answer = part()
                seconds.setdefault(name, []).append(time.perf_counter() - began)
                seconds.setdefault(f"{name} cpu", []).append(time.process_time() - worked)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**{n: statistics.median(s) for n, s in seconds.items()}, "memory": peak, "sums": sums(way, answer)}


def compare(millions: float, folder: Path, times: int, most_pandas: float) -> None:
    file = folder / f"cases-{millions:g}m.parquet"
    if not file.exists():
        make(file, millions)
    print(f"\n{millions:g} million cases, {file.stat().st_size / 1e6:.0f} MB of Parquet")
    found: dict[str, dict[str, Any]] = {}
    for way in WAYS:
        if (way == "polars" and not find_spec("polars")) or (way == "pandas" and millions > most_pandas):
            continue
        command = [sys.executable, __file__, "--way", way, "--file", str(file), "--times", str(times)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"  {way:8}failed: {(done.stderr.splitlines() or [f'signal {-done.returncode}'])[-1]}")
            continue
        found[way] = json.loads(done.stdout.splitlines()[-1])
        assert found[way]["sums"] == found["ours"]["sums"], (way, found[way]["sums"], found["ours"]["sums"])
        opening = ", open {open:.2f} s ({open cpu:.2f})".format_map(found[way]) if "open" in found[way] else ""
        ratio = found[way]["cube"] / found["ours"]["cube"]
        print(
            f"  {way:8}{found[way]['cube']:8.2f} s {ratio:6.2f} x ours, processor {found[way]['cube cpu']:.2f} s,"
            f" {found[way]['memory']:.0f} MB at most{opening}",
            flush=True,
        )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--millions", type=float, nargs="+", default=[1, 10])
    options.add_argument("--folder", type=Path, help="where the data is kept, else a temporary one")
    options.add_argument("--times", type=int, default=3)
    options.add_argument("--pandas", type=float, default=10, help="million cases that pandas can hold")
    options.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.way:
        print(json.dumps(run(given.way, given.file, given.times)))
        return
    with tempfile.TemporaryDirectory(prefix="rca-cube-") as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for millions in given.millions:
            compare(millions, folder, given.times, given.pandas)


if __name__ == "__main__":
    main()
