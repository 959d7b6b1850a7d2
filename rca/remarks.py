"""What is odd about the cases of a source: remarks that are worth reading before a report is believed."""

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rca.columns import MARKERS
from rca.cube import MISSING
from rca.period import PERIODS, day
from rca.profile import MANY, Profile, profile
from rca.sentences import percent, several

if TYPE_CHECKING:
    from rca.source import Source

NEARLY_ONE = 0.98  # share of one value from which on a dimension splits nothing
GAP = 1e-4  # chance of a gap, from how often a value was there before it, below which the value has left or entered
SMALL = 0.002  # share of the volume from which on a value that left is looked for elsewhere
FILLING = 0.6  # the last period has at most this part of what the periods before had
JUMP = 2.0  # times as many cases as before, or half of them
FEW = 30  # cases per period, below which volume is not looked at
SHOWN = 3  # examples


@dataclass(frozen=True)
class Remark:
    """One oddity: `level` is warning (may lead to a wrong conclusion) or note (good to know); `about` names what."""

    level: str
    about: str
    text: str


def remarks(source: "Source") -> tuple[Remark, ...]:
    """The remarks on a source, warnings first. What a scope makes so by itself, such as one vendor only, is none."""
    found = profile(source)
    rules = [_markers, _unknown, _missing, _values, _spellings, _segments, _time, _volume]
    all_of_them = [remark for rule in rules for remark in rule(source, found)]
    return tuple(sorted(all_of_them, key=lambda remark: remark.level != "warning"))


def _markers(source: "Source", found: Profile) -> Iterator[Remark]:
    columns = found.columns[found.columns["markers"] > 0]
    for marker, part in columns.groupby("marker"):
        shares = (part["markers"] / source.cases).sort_values(ascending=False, kind="stable")
        where = several([f"{name} {percent(share)}" for name, share in shares.items()][: 2 * SHOWN])
        more = f" and {len(part) - 2 * SHOWN} more columns" if len(part) > 2 * SHOWN else ""
        text = f"{marker!r} looks like a missing value in {where}{more}: if it is, write missing: [{marker!r}]."
        yield Remark("warning", "missing values", text)


def _unknown(source: "Source", found: Profile) -> Iterator[Remark]:
    """Metrics that leave cases out in silence, and whether one value of a dimension is all that they leave out."""
    for name in [column for column in map(str, found.counts) if column.startswith("metric ")]:
        sums = found.counts.groupby(["dimension", "value"], as_index=False)[[name, "cases"]].sum()
        unknown, cases = (int(sums.loc[sums["dimension"] == "", column].sum()) for column in (name, "cases"))
        if not unknown:
            continue
        alone = sums[(sums["dimension"] != "") & (sums[name] == sums["cases"]) & (sums[name] == unknown)]
        where = [f", exactly where {d} is {v}" for d, v in alone[["dimension", "value"]].itertuples(index=False)]
        text = (
            f"has no value in {percent(unknown / cases)} of the cases{''.join(where[:1])}; they are left out of it."
        )
        label = source.metrics[name.removeprefix("metric ")].label
        yield Remark("warning" if unknown >= 0.01 * cases else "note", label, text)


def _missing(source: "Source", found: Profile) -> Iterator[Remark]:
    shares = found.columns["missing"] / source.cases
    for name in source.dimensions:
        if name in shares and shares[name] == 1:
            yield Remark("warning", name, "is missing in every case.")
        elif name in shares and shares[name] >= 0.01:
            yield Remark("note", name, f"is missing in {percent(shares[name])} of the cases: they are one segment.")


def _values(source: "Source", found: Profile) -> Iterator[Remark]:
    """Dimensions that split nothing, and those that split into crumbs."""
    for name in () if source.scope else source.dimensions:
        if found.columns["values"].get(name, 0) > MANY:
            text = f"has {found.columns['values'][name]:,} values: too many to split by; group them."
            yield Remark("warning", name, text)
            continue
        cases = found.series(name)
        share = cases.sum() / source.cases
        if len(share) and (largest := share.max()) >= NEARLY_ONE and share.idxmax() not in (MISSING, *MARKERS):
            how = "in every case" if largest == 1 else f"in {math.floor(100 * largest)} % of the cases"
            yield Remark("note", name, f"is {share.idxmax()} {how}: a dimension that splits nothing.")


def _spellings(source: "Source", found: Profile) -> Iterator[Remark]:
    for name in source.dimensions:
        values = found.counts.loc[found.counts["dimension"] == name, "value"].unique()
        spelt: dict[str, list[str]] = {}
        for value in values:
            spelt.setdefault(_folded(value), []).append(value)
        same = [group for group in spelt.values() if len(group) > 1]
        if same:
            shown = several([" and ".join(map(repr, group)) for group in same[:SHOWN]])
            text = f"has {len(same)} values in several spellings: {shown}. They count as different segments."
            yield Remark("warning", name, text.replace("1 values", "1 value"))


def _folded(value: str) -> str:
    """A value without capitals, accents of width, spaces at its ends or doubled, and what cannot be seen."""
    plain = unicodedata.normalize("NFKC", value).casefold()
    return " ".join("".join(c for c in plain if unicodedata.category(c) != "Cf").split())


def _segments(source: "Source", found: Profile) -> Iterator[Remark]:
    """Values that begin later than the data or end before it: mergers, renames, partners that joined or left."""
    for name in source.dimensions:
        volume = found.series(name, "volume").reindex(found.body)
        volume = volume.loc[:, (volume > 0).any()].drop(columns=[MISSING, *MARKERS], errors="ignore")
        if len(volume) < 6 or len(volume.columns) < 2:
            continue
        values = [str(value) for value in volume.columns]
        there = (volume > 0).to_numpy()
        first, after = there.argmax(axis=0), there[::-1].argmax(axis=0)
        inside = len(there) - after - first
        # the chance to be away in a period, by the rule of succession
        away = (inside - there.sum(axis=0) + 1) / (inside + 2)
        chance = GAP / len(volume.columns)
        begins = {values[i]: int(first[i]) for i in np.flatnonzero(away**first < chance).tolist()}
        ends = {values[i]: int(len(there) - after[i]) for i in np.flatnonzero(away**after < chance).tolist()}
        if begins or ends:
            yield _moved(name, volume, begins, ends, found.period)


def _moved(name: str, volume: pd.DataFrame, begins: dict[str, int], ends: dict[str, int], period: str) -> Remark:
    """Which values begin and end when (`ends` are the first periods without them), and what took their place."""
    size = volume.sum().sort_values(ascending=False, kind="stable")
    large = [str(value) for value in size.index[size >= SMALL * size.sum()]]
    parts, notes = [], []
    for moved, one, many, word in (
        (begins, "begins later than the data", "begin later than the data", "from"),
        (ends, "ends before it does", "end before it does", "gone from"),
    ):
        shown = [f"{v} {word} {_named(volume.index[moved[v]], period)}" for v in map(str, size.index) if v in moved]
        if moved:
            what = f"value {one}" if len(moved) == 1 else f"values {many}"
            parts.append(f"{len(moved)} {what} ({', '.join(shown[:SHOWN])})")
    for at in sorted(set(ends.values())):
        gone = [value for value in large if ends.get(value) == at]
        new = [value for value in large if begins.get(value) == at]
        if gone and new:
            notes.append(f"{several(gone[:SHOWN])} ended when {several(new[:SHOWN])} began")
        elif gone:
            notes += _grown(volume, at, gone)
    hint = f"; {several(notes[: 2 * SHOWN])}: mergers or renames?" if notes else "."
    away = int((volume == 0).any().sum())
    partly = f"{away} of its {len(size)} values {'is' if away == 1 else 'are'} not there throughout."
    return Remark("warning" if notes else "note", name, f"{' and '.join(parts)}{hint} {partly}")


def _grown(volume: pd.DataFrame, at: int, gone: list[str]) -> Iterator[str]:
    """Values that jumped in the period in which others had ended, by about what one of these had had."""
    if not 3 <= at <= len(volume) - 3:
        return
    before, after = volume.iloc[at - 3 : at].mean(), volume.iloc[at : at + 3].mean()
    grown, steady = after - before, volume.iloc[max(at - 12, 0) : at].std()
    for value in volume.columns[(after > 1.5 * before) & (before > 0) & (grown > 4 * steady)]:
        off = (np.log(grown[value] / before[gone])).abs()
        if off.min() < np.log(2):
            yield f"{value} grew {after[value] / before[value]:.1f}-fold when {off.idxmin()} ended"


def _time(source: "Source", found: Profile) -> Iterator[Remark]:
    """How times are read, and cases far away from all others in time."""
    form, name = source.formats.get(source.time, ""), source.time
    if found.skipped:
        text = f"has {found.skipped:,} times that clocks in {source.contract.time.zone} skipped: is the zone right?"
        yield Remark("warning", name, text)
    if "%d" in form and "%m" in form and not form.startswith("%Y"):
        order = "day first" if form.index("%d") < form.index("%m") else "month first"
        other = "month first" if order == "day first" else "day first"
        share = source.table.aggregate(n=(source.table[name].day() <= 12).sum()).execute()["n"].iloc[0]
        text = f"is read {order} ({form!r}); {share:,} of its times could be read {other} as well, and wrongly."
        yield Remark("note", name, text)
    if source.contract.time.zone is None and re.search("%[HI]", form) and not re.search("Z|%z", form):
        yield Remark("note", name, "has no zone: its days are those of whoever wrote the file. Give time: zone.")
    cases = found.series().sum(axis=1)
    for word, cure, far in (
        ("before", "from", found.periods < found.body[0]),
        ("from", "until", found.periods > found.body[-1]),
    ):
        if far.sum() >= max(3, 0.1 * len(far)):
            first = found.body[0] if word == "before" else found.periods[far][0]
            text = f"{word} {_named(first, found.period)} there are {cases[far].sum():,.0f} cases in"
            text += (
                f" {_length(far.sum(), found)}, too few for a chart: leave them out with {cure}: in the contract."
            )
            yield Remark("warning", name, text)


def _volume(source: "Source", found: Profile) -> Iterator[Remark]:
    """Periods without cases, a last period that is still filling, and jumps that stay."""
    counts, body = found.series().sum(axis=1), found.body
    whole = counts[body][body + _step(found.period) <= source.extent[1] + pd.Timedelta(days=1)]
    whole = whole[whole.index >= source.extent[0]]
    usual, one = whole.median(), PERIODS[found.period]
    if len(whole) < 6 or usual < FEW:
        return
    empty = whole.index[whole == 0]
    if len(empty):
        text = f"no cases at all in {_length(len(empty), found)}, the first {_named(empty[0], found.period)}."
        yield Remark("warning", "volume", text)
    before, last = whole.iloc[-9:-1], whole.iloc[-1]
    if body[-1] == found.periods[-1] and last < FILLING * before.min():
        text = (
            f"the last whole {one}, {_named(whole.index[-1], found.period)}, has {last:,.0f} cases, the ones before"
        )
        yield Remark("warning", "volume", f"{text} have {before.median():,.0f}: it may be still filling.")
    if best := _jump(whole):
        at, low, high = best
        text = f"{low:,.0f} cases a {one} before {_named(at, found.period)}, {high:,.0f} from then on"
        yield Remark("note", "volume", f"{text}: more work, or other data?")


def _jump(counts: pd.Series) -> tuple[pd.Timestamp, float, float] | None:
    """The largest lasting step of volume, where all periods of four before and after lie apart by its factor."""
    found = []
    for at in range(4, len(counts) - 3):
        before, after = counts.iloc[at - 4 : at], counts.iloc[at : at + 4]
        low, high = before.median(), after.median()
        apart = after.min() > JUMP * before.max() or JUMP * after.max() < before.min()
        if apart and min(low, high) > 0 and max(low, high) >= FEW:
            found.append((abs(np.log(high / low)), counts.index[at], low, high))
    return max(found)[1:] if found else None


def _step(period: str) -> pd.DateOffset:
    return pd.DateOffset(months=1) if period == "M" else pd.DateOffset(days=7 if period == "W" else 1)


def _length(count: int, found: Profile) -> str:
    one = PERIODS[found.period]
    return f"1 {one}" if count == 1 else f"{count} {one}s"


def _named(when: pd.Timestamp, period: str) -> str:
    """A period by its name.

    >>> _named(pd.Timestamp("2018-07-01"), "M"), _named(pd.Timestamp("2018-07-02"), "W")
    ('Jul 2018', '2 Jul 2018')
    """
    return f"{when:%b %Y}" if period == "M" else day(when, year=True)
