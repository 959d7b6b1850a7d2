"""The same vendor reports (notebook and HTML) made by `rca run` and by the best stock ways: time and peak memory.

    python bench/batch.py                     all ways, 24 reports
    python bench/batch.py --reports 2 --ways rca again pool

rca    `rca run` with warm kernels, index included      again  the same once more, with nothing changed
pool   one process, a pool of two `papermill.execute_notebook`, nbconvert in it
cli    the commands `papermill` and `jupyter nbconvert`, one report after the other
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import yaml

from rca.batch.processes import family
from rca.sample import make_marketplace

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "notebooks" / "vendor_performance.ipynb"
BIN = Path(sys.executable).parent


def prepare(folder: Path, reports: int) -> list[Path]:
    """A source of so many vendors (the sample of several seeds, vendors renamed), a study of it, parameter files."""
    made = [make_marketplace(seed) for seed in range(1, -(-reports // 8) + 1)]
    cases = [
        one.cases.assign(vendor=one.cases["vendor"] + f" {i}", case_id=one.cases["case_id"] + f"-{i}")
        for i, one in enumerate(made, start=1)
    ]
    (folder / "data" / "sample").mkdir(parents=True)
    pd.concat(cases).to_parquet(folder / "data" / "sample" / "cases.parquet", index=False)
    for name in ("events", "actions"):
        getattr(made[0], name).to_csv(folder / "data" / "sample" / f"{name}.csv", index=False)
    (folder / "source.yml").write_text((ROOT / "params" / "sources" / "service_cases.yml").read_text())
    study = yaml.safe_load((ROOT / "params" / "vendor_performance.yml").read_text())
    study |= {"notebook": str(NOTEBOOK), "source": str(folder / "source.yml")}
    vendors = sorted({vendor for one in cases for vendor in one["vendor"]})[:reports]
    (folder / "study.yml").write_text(yaml.safe_dump(study | {"only": vendors}))
    files = []
    for number, vendor in enumerate(vendors):
        given = {"source": study["source"], "scope": {"vendor": vendor}, **study["parameters"]}
        files.append(folder / f"{number:03d}.parameters.yml")
        files[-1].write_text(yaml.safe_dump(given))
    return files


def measure(commands: list[list[str]], folder: Path) -> tuple[float, float, float]:
    """Of the commands, one after the other: seconds, seconds of processors, and the largest memory (PSS, MB).

    The seconds of processors are of all that they start, and say more than the clock where others work as well.
    """
    peak, over = 0.0, threading.Event()
    running: list[subprocess.Popen] = []
    used: dict[int, float] = {}

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.1):
            for process in running[-1:]:
                members = family(process.pid)
                peak = max(peak, sum(proportional(pid) for pid in members))
                used[process.pid] = max(used.get(process.pid, 0.0), sum(map(processor, members)))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    begun = time.monotonic()
    with (folder / "log").open("a") as log:
        for command in commands:
            running.append(subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=environment()))
            if running[-1].wait():
                raise SystemExit(f"failed: {command}\n{(folder / 'log').read_text()[-2000:]}")
    seconds = time.monotonic() - begun
    over.set()
    watcher.join()
    return seconds, sum(used.values()), peak


def environment() -> dict[str, str]:
    """One thread per process for everybody: the best for a pool of two on two processors."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def proportional(pid: int) -> float:
    """The memory of a process in MB, a page that several share counted in parts."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000
    except (OSError, StopIteration):
        return 0.0


def processor(pid: int) -> float:
    """Seconds of processors that a process and its children that have ended took."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0.0


def pool(files: list[Path]) -> None:
    """The best stock way that research found: threads suffice, because the work is in the kernels."""
    import nbformat
    import papermill
    from nbconvert import HTMLExporter

    def one(file: Path) -> None:
        target = str(file.with_suffix(".pool.ipynb"))
        parameters = yaml.safe_load(file.read_text())
        papermill.execute_notebook(NOTEBOOK, target, parameters, progress_bar=False, shutdown_kernel="immediate")
        html, _ = exporter.from_notebook_node(nbformat.read(target, as_version=4))
        file.with_suffix(".pool.html").write_text(html)

    exporter = HTMLExporter()
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(one, files))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--reports", type=int, default=24)
    options.add_argument("--ways", nargs="+", default=["rca", "again", "pool", "cli"])
    options.add_argument("--pool", nargs="+", type=Path, help=argparse.SUPPRESS)  # this script as the stock pool
    given = options.parse_args()
    if given.pool:
        return pool(given.pool)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        files = prepare(folder, given.reports)
        ours = [[str(BIN / "rca"), "run", "study.yml", "--out", "outputs", "--jobs", "2"]]
        convert = [str(BIN / "jupyter"), "nbconvert", "--to", "html"]
        commands = {
            "rca": ours,
            "again": ours,
            "pool": [[sys.executable, __file__, "--pool", *map(str, files)]],
            "cli": [
                command
                for file in files
                for target in [str(file.with_suffix(".cli.ipynb"))]
                for command in (
                    [str(BIN / "papermill"), str(NOTEBOOK), target, "-f", str(file)],
                    [*convert, target],
                )
            ],
        }
        print(f"{given.reports} reports on {os.cpu_count()} processors")
        print("        seconds   times  of processors   times   peak MB")
        first: tuple[float, float] = (0.0, 0.0)
        for way in given.ways:
            seconds, work, peak = measure(commands[way], folder)
            first = first if any(first) else (seconds, work)
            print(
                f"{way:6} {seconds:8.1f} {seconds / first[0]:7.1f} {work:14.1f} {work / first[1]:7.1f} {peak:9.0f}",
                flush=True,
            )
    return None


if __name__ == "__main__":
    main()
