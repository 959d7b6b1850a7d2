"""Checking sources and studies: everything that is wrong, then what is odd, the serious first."""

import shutil
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rca.contract import Contract, read_contract
from rca.errors import InputError
from rca.files import find_file
from rca.remarks import Remark
from rca.source import Source, open_contract
from rca.yaml_file import read_fields

MOST = 9  # mistakes that are told at once


@dataclass(frozen=True)
class Check:
    """A source as it was found: its mistakes (`source` was opened with likely cures of them), then its remarks.

    Who checks a study has looked at the source before, and sees the warnings only, without the notes.
    """

    path: Path
    errors: tuple[str, ...]
    source: Source | None
    notes: bool = True

    @property
    def remarks(self) -> tuple[Remark, ...]:
        found = self.source.remarks if self.source else ()
        return tuple(remark for remark in found if self.notes or remark.level == "warning")


def is_source(path: Path) -> bool:
    """Whether a YAML file is the contract of a source; a study is no less a mapping."""
    return path.is_file() and "table" in read_fields(path, Contract)


def check_source(path: Path) -> Check:
    """Open a source; where a mistake has a likely cure, note it and go on with the cure."""
    file = find_file(str(path))
    try:
        contract = read_contract(file)
    except InputError as error:
        return Check(path, (str(error),), None)
    return check_contract(contract, file)


def check_contract(contract: Contract, file: Path) -> Check:
    """The same for a contract that is, or is to be, in the YAML file `file`."""
    errors: list[str] = []
    while True:
        try:
            return Check(file, tuple(errors), open_contract(contract, file))
        except InputError as error:
            errors.append(str(error))
            before, contract = contract, cured(contract, error.cure)
            if contract == before or len(errors) == MOST:
                return Check(file, tuple(errors), None)


def lines(check: Check) -> Iterator[str]:
    """A check in words, for a terminal."""
    if check.source:
        facts = check.source.facts
        yield (
            f"{check.path}: {facts['rows read']} rows, {facts['cases']} cases, {facts['data from']};"
            f" set aside: {facts['set aside']}."
        )
    said = [("error", text) for text in check.errors]
    said += [(remark.level, f"{remark.about}: {remark.text}") for remark in check.remarks]
    width = max(shutil.get_terminal_size((110, 20)).columns, 60)
    for level, text in said:
        start = f"  {level:<9}"
        yield textwrap.fill(
            text,
            width,
            initial_indent=start,
            subsequent_indent=" " * 11,
            break_on_hyphens=False,
            break_long_words=False,
        )


def summary(checks: Sequence[Check]) -> str:
    """How much was found: `1 error, 2 warnings`, `nothing wrong, 1 note`."""
    levels = [remark.level for check in checks for remark in check.remarks]
    levels += ["error" for check in checks for _ in check.errors]
    counts = {level: levels.count(level) for level in ("error", "warning", "note")}
    wrong = [] if counts["error"] or counts["warning"] else ["nothing wrong"]
    return ", ".join(wrong + [f"{n} {level}{'' if n == 1 else 's'}" for level, n in counts.items() if n])


def cured(contract: Contract, cure: dict[str, Any]) -> Contract:
    """A contract with a cure: markers and names are added to those that it has."""
    changes = {}
    for name, value in cure.items():
        had = getattr(contract, name)
        changes[name] = {**had, **value} if isinstance(had, dict) else tuple(dict.fromkeys([*had, *value]))
    return contract.model_copy(update=changes)
