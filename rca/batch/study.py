"""A study: which notebook, for which source, for each vendor or market, with which parameters. One YAML file."""

import datetime as dt
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator

from rca.errors import InputError, hint
from rca.yaml_file import read_yaml

Value = str | int | float | bool


class Study(BaseModel):
    """What one YAML file in `params/` says.

    title       what readers call the report
    notebook    path of the notebook, looked for in the study's folder and in each above it
    source      path of the contract of the data, looked for in the same way
    for_each    the dimension that a report is made for each value of; `action`: each action that is in effect; one
                report on all cases when not given
    only        those values only
    largest     the values with most cases only
    parameters  for the notebook's parameters cell; `source` and `scope` come from the study itself
    reads       whose rows make a report old. `scope`: its own; of the others only which days they cover, so that a
                correction in one scope does not run all again, and comparisons with the others may lag behind it.
                `all`: everyone's
    peer_median  whether a partner is told the median of the others, without names and where they are many

    With the parameter `audience: partner` each run also leaves the folder that the vendor receives.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    title: str
    notebook: str
    source: str
    for_each: str = ""
    only: list[Value] | None = None
    largest: int | None = Field(default=None, ge=1)
    parameters: dict[str, Any] = Field(default_factory=dict)
    reads: Literal["scope", "all"] = "scope"
    peer_median: bool = False
    _path: Path = PrivateAttr(default=Path())

    @field_validator("parameters")
    @classmethod
    def _dates_as_text(cls, given: dict[str, Any]) -> dict[str, Any]:
        return {name: _plain(value) for name, value in given.items()}

    @property
    def path(self) -> Path:
        """The file it was read from."""
        return self._path

    @property
    def name(self) -> str:
        """The name of its folder in `outputs/`."""
        return self._path.stem


def read_study(path: Path) -> Study:
    """Read a study; InputError names the mistake in the file."""
    if not path.is_file():
        raise InputError(f"no study {str(path)!r}. {hint(path.name, (p.name for p in path.parent.glob('*.yml')))}")
    study = read_yaml(path, Study)
    study._path = path
    return study


def _plain(value: Any) -> Any:
    """YAML reads 2026-02-09 as a date; notebooks get it as text, because parameters travel as JSON."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, dt.date) else value
