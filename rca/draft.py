"""From an extract to drafts: a contract, with what was guessed and what must be decided, and a study that uses it."""

import json
import re
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd

from rca.check import cured
from rca.columns import MARKERS, PATTERNS
from rca.contract import Contract
from rca.errors import InputError
from rca.files import engine_errors, find_data
from rca.time_format import FORMATS, reads

ROWS = 200_000  # that are looked at
FEW, CODES = 300, 15  # values of a dimension; of one whose values are numbers
YES_NO = ({"true", "false"}, {"yes", "no"}, {"y", "n"}, {"t", "f"})
ID = re.compile(r"(^|[_ ])(id|number|case|ticket|key)$", re.I)
PERSONAL = re.compile(
    r"(^|[_ ])(agent|caller|customer|user|e?mail|phone|employee|assigned_to|\w+_by)([_ ]id)?$", re.I
)
WHEN = ("open", "creat", "start", "time_hour", "period", "date")  # names of when a case happened, the likely first
FOR_EACH = ("vendor", "partner", "group", "org", "carrier", "team", "market", "agent", "queue")
CODE = re.compile("|".join((*FOR_EACH, "categor", "location", "region", "reason", "type", "code", "status")), re.I)
CALENDAR = re.compile(r"^(year|quarter|month|week|day|hour|minute)$", re.I)  # of the time: reports have periods
MEASURED = re.compile(
    r"delay|duration|second|minute|hours|score|rating|amount|cost|breach|speed|handling|sla", re.I
)
GOOD = re.compile(r"resolved|answered|solved|sla|satisf|csat|score|rating|quality|success|on_time", re.I)


@dataclass
class Guess:
    """What the columns of an extract seem to be."""

    kinds: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    repeated: dict[str, list[str]] = field(default_factory=dict)
    key: list[str] = field(default_factory=list)
    latest_by: list[str] = field(default_factory=list)
    time: str = ""
    each: str = "D"
    dimensions: list[str] = field(default_factory=list)
    personal: list[str] = field(default_factory=list)
    metrics: dict[str, tuple[str, str]] = field(default_factory=dict)  # name: kind, column


def guess(file: Path) -> Guess:
    """Guess what each column of a file is from its first rows; InputError where it has no times or no key."""
    frame, found = _read(file)
    found.missing = sorted(
        {
            v
            for c in frame
            for v in frame[c].dropna().unique()
            if isinstance(v, str) and v.strip().upper() in MARKERS
        }
    )
    frame = frame.replace(found.missing, None) if found.missing else frame
    found.kinds = {name: _kind(frame[name].dropna()) for name in map(str, frame)}
    times = [name for name, kind in found.kinds.items() if kind == "time"]
    if not times:
        raise InputError(f"{file} has no column of times: say in a column when each case happened.")
    found.time = min(times, key=lambda name: next((i for i, t in enumerate(WHEN) if t in name.lower()), len(WHEN)))
    found.key, found.latest_by = _key(frame, found.kinds, found.time)
    if not found.key:
        raise InputError(f"{file} has no columns that tell its rows apart: give each case a number.")
    if found.latest_by:  # what a case is in the end
        frame = frame.sort_values(found.latest_by, key=pd.to_numeric).drop_duplicates(found.key, keep="last")
    found.each = _each(frame[found.time])
    values = {str(name): int(count) for name, count in frame.nunique().items()}
    taken = {*found.key, *times} if len(found.key) == 1 else {*times}
    found.personal = [name for name in found.kinds if PERSONAL.search(name)]
    columns = [name for name in found.kinds if values[name] > 1 and not CALENDAR.search(name)]
    found.dimensions = [
        name
        for name in columns
        if name not in taken and values[name] <= _most(name, found.kinds[name]) and frame[name].isna().mean() < 0.5
    ]
    measured = [n for n in columns if found.kinds[n] == "boolean" and n in found.dimensions]
    measured += [n for n in columns if found.kinds[n] in ("integer", "number") and n not in found.dimensions]
    measured = [n for n in measured if n not in {*found.key, *found.latest_by, *found.personal}]
    measured.sort(key=lambda name: (not MEASURED.search(name), found.kinds[name] != "boolean"))
    found.metrics = {_slug(n): ("proportion" if found.kinds[n] == "boolean" else "mean", n) for n in measured[:4]}
    return found


def _most(name: str, kind: str) -> int:
    """How many values a column may have and be a dimension; numbers are only where they are codes."""
    if kind == "integer":
        return FEW if CODE.search(name) else CODES
    return FEW if kind in ("text", "boolean") else 0


def _each(times: pd.Series) -> str:
    """M where every time is the first of a month, which then stands for the whole month."""
    found = [str(time) for time in times.dropna().unique()]
    firsts = all(re.match(r"\d{4}-\d\d-01( 00:00:00)?$", time) for time in found)
    return "M" if firsts and len(found) > 2 else "D"


def _read(file: Path) -> tuple[pd.DataFrame, Guess]:
    import ibis

    metric = {"kind": "proportion", "better": "up", "counts": "true"}
    fields = {"table": str(file.resolve()), "key": "x", "time": {"column": "x"}, "metrics": {"x": metric}}
    contract = Contract.model_validate(fields)
    data = find_data(contract.table, file.resolve().parent)
    con = ibis.duckdb.connect()
    con.raw_sql("SET TimeZone = 'UTC'")
    with engine_errors(data):
        try:
            table = data.read(con, contract)
        except InputError as error:  # a name that is there twice
            contract = cured(contract, error.cure)
            table = data.read(con, contract)
        frame = table.limit(ROWS).execute().astype(object)
    if not len(frame):
        raise InputError(f"{file} holds no rows.")
    return frame, Guess(repeated={name: list(names) for name, names in contract.repeated.items()})


def _kind(values: pd.Series) -> str:
    """integer, number, boolean, time or text; a number that begins with a zero is a name."""
    if not len(values) or not isinstance(values.iloc[0], str):
        first = values.iloc[0] if len(values) else ""
        named = (("boolean", "bool"), ("time", "Timestamp"), ("integer", "int"), ("number", "float"))
        return next((kind for kind, of in named if type(first).__name__.startswith(of)), "text")
    text = pd.Series(values.unique()).str.strip()
    if any(set(text.str.lower()) <= pair for pair in YES_NO):
        return "boolean"
    if not text.str.match(r"^0\d").any():
        for kind, pattern in PATTERNS.items():
            if text.str.match(pattern).all():
                return kind
    sample = text.sort_values().iloc[:: max(len(text) // 20, 1)]
    return "time" if any(all(reads(value, form) for value in sample) for form in FORMATS) else "text"


def _key(frame: pd.DataFrame, kinds: dict[str, str], time: str) -> tuple[list[str], list[str]]:
    """The columns that tell cases apart, and for a log of events those that say which row is a case's last."""
    whole = [
        n for n in map(str, frame) if frame[n].notna().all() and kinds[n] != "number" and frame[n].nunique() > 1
    ]
    values = {str(name): int(count) for name, count in frame[whole].nunique().items()}
    for name in whole:
        if values[name] == len(frame) and kinds[name] in ("text", "integer"):
            return [name], []
    for name in [n for n in whole if ID.search(n)]:
        for count in [n for n in whole if kinds[n] == "integer" and n != name]:
            if 1 - frame.duplicated([name, count]).mean() > 0.999:
                return [name], [count]
    others = sorted([n for n in whole if n != time], key=lambda n: (kinds[n] == "integer", -values[n]))[:8]
    small = frame.head(5000)
    for size in (1, 2, 3):
        for some in combinations(others, size):
            columns = [*([time] if time in whole else []), *some]
            if not small.duplicated(columns).any() and not frame.duplicated(columns).any():
                return columns, []
    return [], []


def contract_text(file: Path, found: Guess) -> str:
    """The contract as YAML, with a comment for each guess and each decision."""
    types = {n: k for n, k in found.kinds.items() if k != "text" and n != found.time and _used(n, found)}
    lines = [
        f"# A draft from {file.name}. DECIDE marks what only you can know; the rest was guessed from the data.",
        f"table: {_y(str(file.resolve()))}",
        f"key: {_y(found.key)}    # tells cases apart",
    ]
    if found.latest_by:
        lines.append(f"latest_by: {_y(found.latest_by)}    # one row per event was found: the last one is the case")
    lines += ["time:", f"  column: {_y(found.time)}    # DECIDE: the day, week and month that a case belongs to"]
    lines.append("  # zone: Europe/Madrid    # DECIDE: whose clocks wrote these times")
    if found.each == "M":
        lines.append("  each: M    # every time is the first of a month: it stands for the whole month")
    if found.missing:
        lines.append(f"missing: {_y(found.missing)}    # these look as if they stood for nothing")
    if found.repeated:
        lines.append(f"repeated: {_y(found.repeated)}    # a header was there twice: better names?")
    lines.append(f"types: {_y(types)}")
    lines.append(
        "dimensions:    # what reports split by; numbers can be cut: tenure: {bands: tenure_days, edges: [30, 90]}"
    )
    lines += [f"  - {_y(name)}" for name in found.dimensions]
    lines.append(f"personal: {_y(found.personal)}    # DECIDE: columns that name people; guessed from their names")
    lines.append("metrics:    # DECIDE: what is measured, and which way is better")
    for name, (kind, column) in found.metrics.items():
        quoted = column if re.fullmatch(r"[a-z_]+\d*", column) else f'"{column}"'
        better = "up" if GOOD.search(name) else "down"
        lines += [f"  {name}:", f"    kind: {kind}", f"    better: {better}    # DECIDE"]
        lines.append(f"    {'counts' if kind == 'proportion' else 'value'}: {_y(quoted)}")
    return "\n".join(lines) + "\n"


def study_text(name: str, found: Guess, days: int) -> str:
    """A study of the source `name`, of which there are so many days."""
    measured = {column for _, column in found.metrics.values()}
    dimensions = [d for d in found.dimensions if d not in measured]
    each = min(
        dimensions, key=lambda d: next((i for i, word in enumerate(FOR_EACH) if word in d.lower()), len(FOR_EACH))
    )
    period, length = ("W", 7) if 70 < days <= 730 else ("M", 30.5) if days > 730 else ("D", 1)
    after = max(min(int(days / length) // 4, 8), 1)
    before = max(min(int(days / length) - after - 2, 26), 2)
    parameters = {
        "metrics": [*found.metrics],
        "by": [d for d in dimensions if d != each][:5],
        "period": period,
        "before": f"last {before} before last {after}",
        "after": f"last {after}",
    }
    fields = {"title": name.replace("_", " ").capitalize(), "notebook": "notebooks/vendor_performance.ipynb"}
    fields |= {"source": f"params/sources/{name}.yml", "for_each": each}
    lines = [f"{field}: {_y(value)}" for field, value in fields.items()]
    lines += ["largest: 10    # DECIDE: a report for each of these, or for all", "parameters:"]
    return "\n".join([*lines, *(f"  {n}: {_y(v)}" for n, v in parameters.items())]) + "\n"


def _used(name: str, found: Guess) -> bool:
    return name in {*found.latest_by, *(column for _, column in found.metrics.values())}


def _slug(name: str) -> str:
    return re.sub(r"\W+", "_", name.lower()).strip("_")


def _y(value: Any) -> str:
    """A value in YAML, on one line: JSON is YAML, and a plain word needs no quotes."""
    plain = isinstance(value, str) and re.fullmatch(r"[A-Za-z_/.][\w/.\- ]*", value)
    return (
        value
        if plain and value.lower() not in ("y", "n", "yes", "no", "true", "false", "null")
        else json.dumps(value, ensure_ascii=False)
    )
