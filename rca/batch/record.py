"""What a run leaves for others: the findings of its notebook (docs/findings.schema.json) and how the run went."""

import datetime as dt
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rca.errors import InputError

MIME = "application/vnd.rca.findings+json"
Number = Annotated[float, Field(allow_inf_nan=False)]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Kpi(Part):
    """One card. `spark` holds a value per period, null where there is none; `signals` are positions in it.

    `status` is "common" where the KPI moved at all scopes alike; `trend` is which way it moved beyond chance;
    `assurance` says whether it hits its target as it is. `periods` are the first days, `lcl`, `center` and `ucl` the
    limits (empty where the chart has none for the KPI itself), `axis` the lowest and highest value in words.
    """

    metric: str
    label: str
    value: Number | None
    text: str
    target: Number | None = None
    target_text: str
    assurance: Literal["always", "never", "hit and miss", ""] = ""
    assurance_text: str = ""
    change_text: str
    status: Literal["worse", "better", "steady", "common"]
    trend: Literal["up", "down", "flat"]
    status_text: str
    spark: list[Number | None]
    signals: list[int]
    periods: list[dt.date] = []
    lcl: list[Number | None] = []
    center: list[Number | None] = []
    ucl: list[Number | None] = []
    axis: list[str] = []


class Finding(Part):
    """One thing that happened. Effects are in units of the metric, `impact` is the effect on the whole KPI.

    `kind` is "rate" (a segment changed), "mix" (volume moved) or that of another analysis; `reach` says whose it is
    ("" where that makes no sense), `since` and `until` are its first and last day, `actions` the ids of those on it,
    `remedy` what setting it right would bring; `weight` is what findings of different KPIs are ranked by.
    """

    rank: int
    metric: str
    label: str
    kind: str
    segment: str
    where: dict[str, str]
    direction: Literal["worse", "better", "neutral"]
    reach: Literal["own", "shared", "common", "unknown", ""]
    title: str
    headline: str
    tag: str
    effect: Number | None
    conf_low: Number | None
    conf_high: Number | None
    p_adj: Number | None
    impact: Number | None
    impact_text: str
    cases: Number | None
    cases_text: str
    weight: Number
    remedy: str
    when: str = ""
    since: dt.date | Literal[""]
    until: dt.date | Literal[""]
    events: str
    actions: list[str]
    details: list[str]


class Action(Part):
    action_id: str
    title: str
    owner: str
    due: str
    state: str
    late: bool


class Fact(Part):
    """A line of the summary, or of the data section: rows read, rows set aside, newest case."""

    label: str
    text: str


class Cause(Part):
    """A dimension, or a value of it, and what it did to the KPI ("" and quiet: it was looked at and did not move)."""

    dimension: str
    text: str
    status: Literal["worse", "better", "neutral", "common", "quiet"]


class Bone(Part):
    family: Literal["people", "process", "policy", "platform", "partner", "place", "other"]
    parts: list[Cause]


class Fishbone(Part):
    """The effect, the families of causes that were searched, what hit all cases, and the families not searched."""

    effect: str
    bones: list[Bone]
    everywhere: list[Cause]
    missing: list[str]


class Findings(Part):
    """The output of a notebook's last cell: everything that the top of the page and the index show.

    `looked` is how many analyses looked for findings: what a batch corrects for.
    """

    version: Literal[2] = Field(alias="schema")
    title: str
    lead: str
    summary: list[Fact] = []
    fishbone: Fishbone | None = None
    looked: int = 1
    scope: dict[str, str]
    before: tuple[dt.date, dt.date] | None
    after: tuple[dt.date, dt.date]
    status: Literal["attention", "better", "quiet"]
    kpis: list[Kpi]
    findings: list[Finding]
    common: list[Finding]
    actions: list[Action]
    quiet_text: str
    definitions: list[Fact] = []
    data: list[Fact]


def read_findings(given: Any) -> Findings:
    """Check findings against the schema; InputError names the first places that do not fit."""
    try:
        return Findings.model_validate(given)
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3]]
        raise InputError(f"the findings do not fit schema 2 ({'; '.join(wrong)}).") from error


def findings_of(folder: Path) -> Findings | None:
    """The findings that the run in a folder left; None where it left none of this schema."""
    try:
        return read_findings(json.loads((folder / "findings.json").read_text(encoding="utf-8")))
    except (OSError, InputError, ValueError):
        return None


Status = Literal["done", "failed", "skipped"]


class Record(Part):
    """`run.json`: how a run went. What changes from one execution to the next is here only.

    inputs      hash of each thing that the report is made from; `key` is the hash of them all
    everything  hash of the rows of all scopes at that time
    outputs     hash of each file that the run left
    """

    version: Literal[1] = Field(default=1, alias="schema")
    title: str
    scope: dict[str, str]
    study: str
    status: Status
    sentence: str
    key: str
    inputs: dict[str, str]
    everything: str
    outputs: dict[str, str]
    versions: dict[str, str]
    started: str
    seconds: float
    cell_seconds: list[float]
    megabytes: float
    tries: int


def read_record(folder: Path) -> Record | None:
    """The record of the run in a folder; None where there is none that can be read."""
    try:
        return Record.model_validate_json((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return None


def write_json(path: Path, content: Any) -> None:
    """JSON for people and programs alike: sorted, indented, UTF-8, never NaN."""
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
