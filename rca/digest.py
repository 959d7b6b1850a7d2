"""Hashes that say whether something is what it was: a file, what a function was given, the program itself."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import rca


@cache
def program() -> str:
    """This package's own source and templates."""
    folder = Path(rca.__path__[0])
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".j2", ".css"))
    return digest([[path.relative_to(folder).as_posix(), file_hash(path)] for path in files])


def file_hash(path: Path) -> str:
    """A hash of what a file holds."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(content: Any) -> str:
    """A hash of anything that JSON can say."""
    text = json.dumps(content, sort_keys=True, default=str, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
