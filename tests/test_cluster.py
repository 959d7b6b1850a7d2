"""The same runs on a Dask cluster: a real scheduler and two workers on this machine, one killed in the middle."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest
from studies import (
    MOMENTS,
    VENDORS,
    assert_finishes,
    assert_whole,
    command,
    contents,
    left,
    marked,
    write_study,
)

pytest.importorskip("distributed", reason="the extra 'dask' is not installed")


class Cluster:
    """A scheduler and two workers, each a process of its own."""

    def __init__(self, folder):
        self.folder, self.processes = folder, []
        self.file = folder / "scheduler.json"
        self.mark = f"{folder}/worker"

    def start(self):
        self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        for _ in range(2):
            self.worker()
        until = time.monotonic() + 120
        while not self.file.exists() and time.monotonic() < until:
            time.sleep(0.1)
        self.address = json.loads(self.file.read_text())["address"]

    def worker(self):
        self._start("worker", "--nthreads", "1", "--no-nanny", "--no-dashboard")

    def _start(self, what, *arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{what}", "--scheduler-file", self.file, *arguments],
            cwd=self.folder,
            env={**os.environ, "RCA_TEST_MARK": f"{self.mark}{len(self.processes)}"},
            stderr=subprocess.DEVNULL,
        )
        self.processes.append(process)

    def stop(self):
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path):
    made = Cluster(tmp_path)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def test_a_cluster_leaves_the_same_bytes_though_a_worker_is_killed(cluster, tmp_path):
    here = write_study(tmp_path / "here", parameters={"spawn": True})
    assert command("run", here, "--out", here.parent / "outputs", "--quiet").wait(300) == 0

    there = write_study(tmp_path / "there", parameters={"spawn": True})
    batch = command("run", there, "--out", there.parent / "outputs", "--json-lines", "--dask", cluster.address)
    until = time.monotonic() + 60
    while not (killed := _busy(cluster)) and time.monotonic() < until:
        time.sleep(0.02)
    cluster.processes[killed].send_signal(signal.SIGKILL)
    assert left(f"{cluster.mark}{killed}") == []  # with its kernel and what the notebook started
    said = [json.loads(line) for line in batch.stdout]
    assert batch.wait(60) == 0, batch.stderr.read()
    assert {one["name"]: one["status"] for one in said if one["event"] == "ended"} == dict.fromkeys(VENDORS, "done")
    assert contents(there.parent / "outputs") == contents(here.parent / "outputs")


def test_workers_killed_at_random_moments(cluster, tmp_path):
    study, out = write_study(tmp_path / "study", parameters={"spawn": True}), tmp_path / "outputs"
    assert command("run", study, "--out", tmp_path / "undisturbed", "--quiet").wait(300) == 0
    draw, alive, killed = random.Random(3), [1, 2], 0
    while killed < MOMENTS:
        batch = command("run", study, "--out", out, "--quiet", "--force", "--dask", cluster.address)
        while batch.poll() is None:
            time.sleep(draw.uniform(0, 3))
            if killed < MOMENTS:
                number = alive.pop(draw.randrange(2))
                cluster.processes[number].kill()
                cluster.processes[number].wait()
                assert left(f"{cluster.mark}{number}") == []
                cluster.worker()
                alive.append(len(cluster.processes) - 1)
                killed += 1
        assert batch.returncode in (0, 1), batch.stderr.read()  # 1 when a run lost its worker too often
        assert_whole(out)
    assert_finishes(study, out, contents(tmp_path / "undisturbed"))


def _busy(cluster):
    """The number of a worker whose notebook has started its process, three generations down."""
    for number in (1, 2):
        if any("sleep" in _name(pid) for pid in marked(f"{cluster.mark}{number}")):
            return number
    return 0


def _name(pid):
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read()
    except OSError:
        return ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_workers_give_up_when_the_batch_is_over(cluster, tmp_path, number):
    study = write_study(tmp_path / "study", parameters={"spawn": True, "behave": dict.fromkeys(VENDORS, "sleep")})
    batch = command("run", study, "--out", study.parent / "outputs", "--quiet", "--dask", cluster.address)
    until = time.monotonic() + 60
    while not _busy(cluster) and time.monotonic() < until:
        time.sleep(0.02)
    batch.send_signal(number)
    batch.wait(60)
    until = time.monotonic() + 5
    while _busy(cluster) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _busy(cluster)
    assert not list((study.parent / "outputs" / "study").glob("*/report.html"))


def test_no_scheduler_is_a_sentence(tmp_path):
    batch = command("run", write_study(tmp_path), "--out", tmp_path / "outputs", "--dask", "tcp://127.0.0.1:9")
    assert batch.wait(60) == 2
    assert "no Dask scheduler answers at 'tcp://127.0.0.1:9'" in batch.stderr.read()
