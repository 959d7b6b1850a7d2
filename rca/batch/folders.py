"""Folder names for scopes that may be called anything: safe on every file system, readable, no two the same."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}(?<![.-])")
# Device names that Windows keeps for itself (with or without an ending), our own files, and names that look hashed.
_TAKEN = re.compile(r"(con|prn|aux|nul|com\d|lpt\d|index|findings)(\..*)?|.*-[0-9a-f]{10}", re.IGNORECASE)


def safe_names(names: Sequence[str]) -> list[str]:
    """One folder name for each name: a single path part of letters, digits, `.`, `_` and `-`.

    A name that is safe as it is stays; any other, and names that differ by upper and lower case alone, are cut to
    their safe letters and get a hash of the whole name.

    >>> safe_names(["Andes", "a/b", "CON"])
    ['Andes', 'a-b-c14cddc033', 'CON-a3dbc4b644']
    """
    often = Counter(name.casefold() for name in names)
    return [name if _stays(name) and often[name.casefold()] == 1 else _hashed(name) for name in names]


def _stays(name: str) -> bool:
    return bool(_SAFE.fullmatch(name)) and not _TAKEN.fullmatch(name)


def _hashed(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    short = re.sub(r"[^A-Za-z0-9]+", "-", letters)[:40].strip("-")
    return f"{short or 'scope'}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:10]}"
