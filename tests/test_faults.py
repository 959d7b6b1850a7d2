"""SIGKILL at random moments: nothing runs on, nothing half done stands at its place, the rest is finished.

`RCA_MOMENTS=30 pytest tests/test_faults.py tests/test_cluster.py` kills more often (test_cluster.py kills workers).
"""

import os
import random
import shutil
import signal
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
    reports,
    write_study,
)


@pytest.fixture
def study(tmp_path):
    return write_study(tmp_path / "study", parameters={"spawn": True})


@pytest.fixture
def undisturbed(study, tmp_path):
    """What the batch gives, and how long it takes."""
    begun = time.monotonic()
    assert command("run", study, "--out", tmp_path / "undisturbed", "--quiet").wait(300) == 0
    return contents(tmp_path / "undisturbed"), time.monotonic() - begun


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
