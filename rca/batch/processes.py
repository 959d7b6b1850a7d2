"""Processes of Linux: whose child they are, what memory they hold, how to end them."""

import ctypes
import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

DIE_WITH_PARENT, SUBREAPER = 1, 36  # PR_SET_PDEATHSIG and PR_SET_CHILD_SUBREAPER of linux/prctl.h


def prctl(option: int, value: int) -> None:
    """Set a property of this process."""
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def end_children() -> None:
    """End all children of this process; theirs become ours, and end in a later round."""
    while True:
        for pid in family(os.getpid())[1:]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.002)


def end_named(name: str) -> None:
    """End what a kernel of this name has started, when the keeper that should have done so is gone."""
    for place in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if f"RCA_KERNEL={name}".encode() in place.read_bytes().split(b"\0"):
                os.kill(int(place.parent.name), signal.SIGKILL)


def family(pid: int) -> list[int]:
    """A process and all that descend from it, parents first."""
    children: dict[int, list[int]] = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            # The parent is the second field after the name, which stands in brackets and may hold anything.
            parent = int(place.read_text(errors="replace").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(place.parent.name))
    found = [pid]
    for member in found:
        found += children.get(member, [])
    return found


def megabytes(pids: Iterable[int]) -> float:
    """Resident memory of some processes; pages that they share are counted for each of them."""
    pages = 0
    for pid in pids:
        with suppress(OSError):
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
