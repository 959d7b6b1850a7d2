"""A fishbone (Ishikawa) of one KPI, drawn from the evidence: what moved, and what was looked at and did not."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from rca import sentences as say
from rca.contract import Family
from rca.finding import Finding
from rca.localize import NUMBERS, Localization

FAMILIES = get_args(Family)


def fishbone(
    found: Sequence[Finding], changes: Mapping[str, Localization], families: Mapping[Family, Iterable[str]]
) -> dict[str, Any] | None:
    """The bones of the KPI of the first finding; None where nothing was found or no dimension was searched.

    families  the dimensions of each family, as the source's contract declares them; the rest is under "other"
    """
    top = next((f for f in found if f.metric in changes), None)
    if top is None:
        return None
    change = changes[top.metric]
    searched = [str(d) for d in change.table.columns[1 : change.table.columns.get_loc(NUMBERS[0])]]
    of = {dimension: family for family, names in families.items() for dimension in names}
    bones = []
    for family in (*FAMILIES, "other"):
        names = [name for name in searched if of.get(name, "other") == family]
        if names:
            bones.append({"family": family, "parts": [_part(name, found, top.metric) for name in names]})
    size = change.metric.change(change.value_after - change.value_before)
    everywhere = [f for f in found if f.metric == top.metric and not f.where]
    return {
        "effect": f"{top.label} {size}",
        "bones": bones,
        "everywhere": [
            {"dimension": say.segment_words({}), "text": f.impact_text, "status": _status(f)} for f in everywhere
        ],
        "missing": [name for name in FAMILIES if name not in {bone["family"] for bone in bones}],
    }


def _part(dimension: str, found: Sequence[Finding], metric: str) -> dict[str, str]:
    """The heaviest finding on a dimension, or that nothing moved there."""
    first = next((f for f in found if f.metric == metric and dimension in f.where), None)
    words = dimension.replace("_", " ")
    if first is None:
        return {"dimension": words, "text": "", "status": "quiet"}
    others = say.segment_words({d: v for d, v in first.where.items() if d != dimension})
    more = f"with {others}, " * (len(first.where) > 1)
    text = f"{more}{'mix, ' * (first.kind == 'mix')}{first.impact_text}"
    return {"dimension": f"{words} {first.where[dimension]}", "text": text, "status": _status(first)}


def _status(finding: Finding) -> str:
    return "common" if finding.reach == "common" else finding.direction
