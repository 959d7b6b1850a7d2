"""Answers of an engine that took long, kept so that exploring does not ask it twice.

They stand in a cache folder of the user, `$RCA_CACHE` or `~/.cache/rca` (no folder where it is empty), as Parquet files
whose names are hashes of the question, the contract, the program and what the files of the source hold: a changed file
is another name, so that no answer is ever stale, and what was not asked for longest makes room. Of a table in another
engine, which could change unseen, answers last as long as the source is open.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from rca.digest import digest, program

if TYPE_CHECKING:
    from rca.source import Source

SLOW = 0.5  # seconds from which on an answer is worth a file
ROOM = 500_000_000  # bytes of the folder
FEW = 20  # answers of a source that are kept while it is open


def cached(source: "Source", question: Any, ask: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """`ask()`, or what it answered when the same was asked of the same data."""
    key = digest([question, source.contract.model_dump(mode="json"), dict(source.scope), program()])
    if key in source.answers:
        return source.answers[key]
    folder = os.environ.get("RCA_CACHE", str(Path.home() / ".cache" / "rca"))
    content = source.content if folder else ""
    file = Path(folder) / f"{digest([key, content])}.parquet" if content else None
    began = time.monotonic()
    answer = _read(file) if file and file.exists() else None
    if answer is None:
        answer = ask()
        if file and time.monotonic() - began > SLOW:
            _keep(answer, file)
    while len(source.answers) >= FEW:
        source.answers.pop(next(iter(source.answers)))
    source.answers[key] = answer
    return answer


def _read(file: Path) -> pd.DataFrame | None:
    try:
        file.touch()  # it was of use
        return pd.read_parquet(file)
    except (OSError, ValueError):  # taken away in between, or not written whole
        return None


def _keep(answer: pd.DataFrame, file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(f".{os.getpid()}")
        answer.to_parquet(part)
        part.replace(file)
        files = sorted((kept.stat().st_mtime, kept.stat().st_size, kept) for kept in file.parent.glob("*.parquet"))
        room = sum(size for _, size, _ in files)
        for _, size, old in files:
            if room > ROOM:
                old.unlink(missing_ok=True)
                room -= size
    except OSError:  # a full or read-only disk: the answer itself is right
        return
