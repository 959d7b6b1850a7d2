"""Answers of an engine that took long, and what opening a source found, kept so that nobody asks twice.

They stand in a cache folder of the user, `$RCA_CACHE` or `~/.cache/rca` (no folder where it is empty), as files
whose names are hashes of the question, the contract, the program and what the files of the source hold: a changed file
is another name, so that no answer is ever stale, and what was not asked for longest makes room. Of a table in another
engine, which could change unseen, answers last as long as the source is open.
"""

import json
import os
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from rca.digest import digest, file_hash, program

if TYPE_CHECKING:
    from rca.source import Source

SLOW = 0.5  # seconds from which on an answer is worth a file
ROOM, MOST = 500_000_000, 2_000  # bytes and files of the folder
Answer = TypeVar("Answer")
FEW = 20  # answers of a source that are kept while it is open


def cached(source: "Source", question: Any, ask: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """`ask()`, or what it answered when the same was asked of the same data."""
    key = digest([question, source.contract.hash, dict(source.scope), program()])
    if key in source.answers:
        return source.answers[key]
    file = _place([key, source.content], "parquet") if source.content else None
    began = time.monotonic()
    answer = _read(file, pd.read_parquet) if file else None
    if answer is None:
        answer = ask()
        if file and time.monotonic() - began > SLOW:
            _keep(file, answer.to_parquet)
    while len(source.answers) >= FEW:
        source.answers.pop(next(iter(source.answers)))
    source.answers[key] = answer
    return answer


def remembered(content: str, question: Any, ask: Callable[[], Answer]) -> Answer:
    """`ask()`, or what it said of files with the same `content` before: something that JSON can hold."""
    if not content:
        return ask()
    file = _place([content, question, program()], "json")
    kept = _read(file, lambda path: json.loads(path.read_text(encoding="utf-8")))
    if kept is None:
        kept = {"answer": ask()}
        _keep(file, lambda path: path.write_text(json.dumps(kept), encoding="utf-8"))
    return kept["answer"]


def content_of(files: Collection[Path]) -> str:
    """A hash of what files hold; empty where there are none, or no cache."""
    return digest([file_hash(file) for file in files]) if files and _folder() else ""


def _folder() -> str:
    return os.environ.get("RCA_CACHE", str(Path.home() / ".cache" / "rca"))


def _place(what: Any, kind: str) -> Path:
    return Path(_folder()) / f"{digest(what)}.{kind}"


def _read(file: Path, read: Callable[[Path], Answer]) -> Answer | None:
    try:
        os.utime(file)  # it was of use
        return read(file)
    except (OSError, ValueError):  # taken away in between, or not written whole
        return None


def _keep(file: Path, write: Callable[[Path], Any]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(f".{os.getpid()}")
        write(part)
        part.replace(file)
        files = sorted((kept.stat().st_mtime, kept.stat().st_size, kept) for kept in file.parent.glob("*.*"))
        room = sum(size for _, size, _ in files)
        for later, (_, size, old) in zip(range(len(files), 0, -1), files, strict=True):
            if room > ROOM or later > MOST:
                old.unlink(missing_ok=True)
                room -= size
    except OSError:  # a full or read-only disk: the answer itself is right
        return
