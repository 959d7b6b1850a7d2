"""The reports of earlier periods: what a new run replaces is kept, and has an index of its own."""

import json
import shutil
from contextlib import suppress
from pathlib import Path

EARLIER = "_earlier"  # a name that no scope's folder can have
KEPT = ("report.html", "findings.json", "run.json")


def keep(old: Path, new: Path) -> None:
    """Move the report in `old` to the folder of its last day, if the one in `new` is about other days."""
    ended, now = _end(old), _end(new)
    if not ended or not now or ended >= now:
        return
    place = new.parent / EARLIER / ended / new.name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name in KEPT:
        with suppress(FileNotFoundError):
            (old / name).rename(place / name)
    (place.parent / "index.html").unlink(missing_ok=True)  # to be written again


def periods(folder: Path) -> list[Path]:
    """The folders of the earlier periods of a study, latest first."""
    return sorted((p for p in (folder / EARLIER).glob("*") if p.is_dir()), reverse=True)


def _end(folder: Path) -> str:
    """The last day of a report that is done; empty for any other."""
    try:
        return str(json.loads((folder / "findings.json").read_text(encoding="utf-8"))["after"][1])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
