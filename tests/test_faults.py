"""SIGKILL at random moments: nothing runs on, nothing half done stands at its place, the rest is finished."""

import hashlib
import json
import os
import random
import shutil
import signal
import time

import pytest
from studies import VENDORS, command, contents, left, marked, write_study

MOMENTS = 15  # of each kind


@pytest.fixture
def study(tmp_path):
    return write_study(tmp_path / "study", parameters={"spawn": True})


@pytest.fixture
def undisturbed(study, tmp_path):
    """What the batch gives, and how long it takes."""
    begun = time.monotonic()
    assert command("run", study, "--out", tmp_path / "undisturbed", "--quiet").wait(120) == 0
    return contents(tmp_path / "undisturbed"), time.monotonic() - begun


def reports(out):
    return [path for path in (out / "study").glob("[!.]*") if path.is_dir()]


def assert_whole(out):
    for folder in reports(out):
        outputs = json.loads((folder / "run.json").read_text())["outputs"]
        found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
        found.pop("run.json")
        assert found == outputs


def assert_finishes(study, out, expected):
    """The next call finishes the rest, and the result is that of an undisturbed batch."""
    batch = command("run", study, "--out", out, "--quiet")
    assert batch.wait(120) == 0, batch.stderr.read()
    found = contents(out)
    assert [name for name in found if "/." in name] == []
    index = "study/index.html"  # says also how many were unchanged
    assert {**found, index: b""} == {**expected, index: b""}


def test_the_batch_killed(study, undisturbed, tmp_path):
    expected, seconds = undisturbed
    draw, out = random.Random(1), tmp_path / "outputs"
    for moment in range(MOMENTS):
        mark = f"{tmp_path}/{moment}"
        batch = command("run", study, "--out", out, "--quiet", mark=mark)
        time.sleep(draw.uniform(0, seconds))
        batch.kill()
        batch.wait()
        assert left(mark) == []
        assert_whole(out)
        if len(reports(out)) == len(VENDORS):
            shutil.rmtree(out)  # begin again, so that there is something to disturb
    assert_finishes(study, out, expected)


def test_kernels_their_keepers_and_their_server_killed(study, undisturbed, tmp_path):
    expected, seconds = undisturbed
    draw, out, killed = random.Random(2), tmp_path / "outputs", 0
    while killed < MOMENTS:
        mark = f"{tmp_path}/{killed}"
        batch = command("run", study, "--out", out, "--quiet", "--force", mark=mark)
        time.sleep(draw.uniform(0, seconds))
        while batch.poll() is None:
            others = [pid for pid in marked(mark) if pid != batch.pid]
            if others and killed < MOMENTS:
                os.kill(draw.choice(others), signal.SIGKILL)
                killed += 1
            time.sleep(draw.uniform(0, seconds / 3))
        assert batch.returncode in (0, 1)  # 1 when a run lost its kernel twice
        assert left(mark) == []
        assert_whole(out)
    assert_finishes(study, out, expected)
