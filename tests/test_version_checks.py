"""What new versions of SOPs did: planted steps are told with their version, noise is not, pilots do not count."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rca
from rca.errors import InputError
from rca.version_checks import VersionChecks

WEEKS = pd.date_range("2026-02-09", periods=40, freq="7D")
SOPS = [f"SOP-{number}" for number in range(101, 109)]
METRIC = rca.Metric(
    name="reopened", label="Reopening rate", kind="proportion", better="down", targets=[{"value": 0.1}]
)
SOURCE: Any = SimpleNamespace(extent=(WEEKS[0], WEEKS[-1]))


def cube(seed: int, changes: dict[str, tuple[int, float]], pilot: str = "") -> rca.Cube:
    """Eight SOPs of 200 cases a week, 12 % reopened; `changes`: SOP -> the week of its v3, and what that does."""
    rng = np.random.default_rng(seed)
    rows = []
    for sop in SOPS:
        at, effect = changes.get(sop, (len(WEEKS), 0.0))
        for i, week in enumerate(WEEKS):
            parts = {"v3": 200} if i >= at else {"v2": 170, "v3": 30} if sop == pilot and i > 30 else {"v2": 200}
            rows += [
                (week, sop, version, n, rng.binomial(n, 0.12 + effect * (i >= at))) for version, n in parts.items()
            ]
    frame = pd.DataFrame(rows, columns=["period", "sop", "sop_version", "n", "total"])
    return rca.Cube(frame, METRIC, by=["sop", "sop_version"])


def test_a_planted_change_is_told_with_its_version_size_and_impact() -> None:
    found = rca.version_checks(cube(1, {"SOP-103": (28, 0.1), "SOP-105": (26, -0.08), "SOP-108": (25, 0.0)}))
    rows = found.table.set_index("segment")
    assert rows["verdict"].to_dict() | {"sop=SOP-108": ""} == {
        "sop=SOP-103": "worse",
        "sop=SOP-105": "better",
        "sop=SOP-108": "",
    }
    assert rows.loc["sop=SOP-108", "direction"] == "neutral"
    worse = rows.loc["sop=SOP-103"]
    assert (worse["version"], worse["since"]) == ("v3", WEEKS[28])
    assert worse["conf_low"] < 0.1 < worse["conf_high"]
    assert worse["impact"] == pytest.approx(worse["effect"] / 8)  # an eighth of the cases
    [first, second] = found.findings(SimpleNamespace(source=SOURCE))  # type: ignore[arg-type]
    assert (first.where, first.direction, second.direction) == ({"sop": "SOP-103"}, "worse", "better")
    assert first.title.startswith("SOP-103 v3 made it worse: reopening rate 1")
    assert first.remedy.startswith("With the former version, reopening rate would be 1")
    assert second.remedy == ""


def test_a_pilot_is_no_change_and_without_a_change_that_is_said() -> None:
    found = rca.version_checks(cube(2, {}, pilot="SOP-104"))
    assert found.table.empty
    assert found.headline == "Reopening rate: no sop got a new version that can be compared."
    assert found.plot().texts[0].get_text() == "No new version that can be compared yet"


def test_changes_without_an_effect_are_seldom_told() -> None:
    """Four of eight SOPs changed, nothing happened: of 8 reports about .4 may tell one."""
    changes = {sop: (20 + i, 0.0) for i, sop in enumerate(SOPS[:4])}
    told = [not rca.version_checks(cube(seed, changes)).moved.empty for seed in range(8)]
    assert sum(told) <= 2


def test_one_sop_alone_is_compared_with_itself() -> None:
    alone = cube(3, {"SOP-101": (25, 0.1)}).where({"sop": "SOP-101"})
    assert rca.version_checks(alone).table["verdict"].tolist() == ["worse"]


def test_too_young_a_version_waits() -> None:
    found = rca.version_checks(cube(4, {"SOP-101": (38, 0.3)}))
    assert isinstance(found, VersionChecks)
    assert found.table["verdict"].tolist() == ["cannot be told yet"]
    assert found.headline.endswith("SOP-101 v3 cannot be told yet.")


def test_a_wrong_dimension_is_named() -> None:
    with pytest.raises(InputError, match="Did you mean 'sop'"):
        rca.version_checks(cube(1, {}), of="sops")
