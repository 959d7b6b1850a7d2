"""The sentences of every kind of finding, word for word, from planted causes whose size the numbers must show."""

import ast
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from test_findings import everyone, report
from test_fix_check import cube, week
from test_incidents import calls, fail, find

import rca
from rca.finding import Evidence, Finding
from rca.metric import THIN

ROOT = Path(__file__).parents[1]
WEEKS = np.arange(40)
SOPS = ("SOP-1", "SOP-2", "SOP-3", "SOP-4")
SOURCE: Any = SimpleNamespace(about_action=False, scope={}, audience="internal", actions=pd.DataFrame())


def in_report(key: str = "findings", **planted: Any) -> dict[str, Any]:
    """The first finding of a report about what was planted."""
    return report(everyone(**planted)).record[key][0]


def of_fix(step: float, weeks: int = 40, answers: int = 10**6, expected: float | None = None) -> Finding:
    """A fix in the 27th week; 80 % without it."""
    level = 0.8 + step * (WEEKS[:weeks] >= 26)
    check = rca.fix_check(cube(level, n=answers), change_at=week(26), ramp=0, expected=expected)
    return next(iter(check.findings(Evidence((check,), SOURCE))))


def side_effect(step: float) -> Finding:
    """The same, of an action that was for another KPI."""
    check = rca.fix_check(cube(0.8 + step * (WEEKS >= 26), n=10**6), change_at=week(26), ramp=0)
    row = {"action_id": "A-1", "title": "Label check", "metric": "late", "segment": "", "status": "done"}
    row |= {"owner": "SOP lead", "due": pd.NaT, "effective": week(26), "expected_effect": np.nan}
    known = SimpleNamespace(scope={"action": "A-1"}, actions=pd.DataFrame([row]), about_action=True, dimensions=())
    return next(iter(check.findings(Evidence((check,), known))))


def of_incidents(kind: str) -> Finding:
    """Twenty calls in ten minutes: 80 minutes in which nine in ten go, an hour without calls, two with thrice."""
    frame = calls()
    fail(frame, "2026-01-22 14:10", "2026-01-22 15:30", "chat")
    gone = frame["period"].between("2026-01-20 09:00", "2026-01-20 09:50")
    more = frame["period"].between("2026-01-28 16:00", "2026-01-28 17:50")
    frame.loc[more, ["n", "total"]] *= 3
    return next(f for f in find(frame[~gone]).findings(Evidence((), SOURCE)) if f.tag == kind)


def of_version(worse: float) -> Finding:
    """A new version of SOP-1 in the 27th week, of four that hold a quarter of the cases each; 10 % are reopened."""
    cells = [(week(i), name, "v2" if name == "SOP-1" and i >= 26 else "v1") for i in WEEKS for name in SOPS]
    frame = pd.DataFrame(cells, columns=["period", "sop", "sop_version"]).assign(n=10**6)
    frame["total"] = (frame["n"] * (0.1 + worse * (frame["sop_version"] == "v2"))).round().astype(int)
    reopened = rca.Metric(name="reopened", kind="proportion", better="down")
    known = SimpleNamespace(extent=(week(0), week(40)))
    checks = rca.version_checks(rca.Cube(frame, reopened, by=["sop", "sop_version"]))
    return next(iter(checks.findings(Evidence((checks,), cast(Any, known)))))


def of_level(worse: float, changed: bool = False) -> Finding:
    """Four vendors of 40 weeks, one of them worse on the phone, of all weeks or of the last eight."""
    cells = [
        (week(i), v, c) for i in WEEKS for v in ("Andes", "Baltic", "Cedar", "Delta") for c in ("chat", "phone")
    ]
    frame = pd.DataFrame(cells, columns=["period", "vendor", "channel"]).assign(n=10**5)
    hit = (frame["vendor"] == "Andes") & (frame["channel"] == "phone")
    hit &= (frame["period"] >= week(32)) | (not changed)
    frame["total"] = (frame["n"] * (0.8 + 0.1 * (frame["channel"] == "phone") - worse * hit)).round().astype(int)
    csat = rca.Metric(name="csat", label="CSAT", kind="proportion", better="up", cases="answers")
    rated = rca.Cube(frame, csat, by=["vendor", "channel"])
    found = rca.compare(rated, by="vendor", adjust_for="channel", within="last 8", before="last 26 before last 8")
    change = rca.localize(rated, before="last 26 before last 8", after="last 8")
    return next(iter(found.findings(Evidence((found, change), SOURCE))))


def of_agreement() -> Finding:
    """Two vendors, two policies of 1,000 items each; moderators and auditors differ in 2 %, in one policy in 30 %."""
    cells = [
        (vendor, policy, first, second, 500 * (other if first != second else 1 - other))
        for vendor in ("Andes", "Baltic")
        for policy, other in (("POL-1", 0.02), ("POL-2", 0.3))
        for first in ("keep", "remove")
        for second in ("keep", "remove")
    ]
    frame = pd.DataFrame(cells, columns=["vendor", "policy", "moderator", "auditor", "n"])
    found = rca.agreement(frame, raters=["moderator", "auditor"], by="policy", scope={"vendor": "Andes"})
    known = SimpleNamespace(extent=(week(0), week(40)), audience="internal")
    return next(iter(found.findings(Evidence((found,), cast(Any, known)))))


def of_sellers(bad: dict[str, int]) -> Finding:
    """Forty sellers of 1,000 cases and 200 violations each; `bad`: seller -> its violations."""
    frame = pd.DataFrame({"period": week(0), "seller": [f"S-{i:02d}" for i in range(40)], "n": 1000})
    frame["total"] = frame["seller"].map(bad).fillna(200)
    violations = rca.Metric(name="violation_rate", kind="proportion", better="down")
    found = rca.offenders(rca.Cube(frame, violations, by=["seller"]))
    return next(iter(found.findings(Evidence((found,), cast(Any, SimpleNamespace(extent=(week(0), week(1))))))))


def of_drift(limit: float) -> Finding:
    """One of two categories of 10,000 cases rises by a point a week, from 20 to 45 %."""
    cells = [(week(i), name, 10_000) for i in WEEKS[:26] for name in ("toys", "home")]
    frame = pd.DataFrame(cells, columns=["period", "category", "n"])
    frame["total"] = np.where(frame["category"] == "toys", 2000 + 100 * (frame.index // 2), 2000)
    wrong = rca.Metric(name="wrong", label="Wrong enforcement", kind="proportion", better="down")
    found = rca.early_warning(rca.Cube(frame, wrong, by=["category"]), limit=limit)
    return next(iter(found.findings(Evidence((found,), SOURCE))))


def of_capacity(decisions: int) -> Finding:
    """A hundred cases come in a day."""
    frame = pd.DataFrame({"period": pd.date_range(week(0), periods=182), "n": 100, "total": 2})
    hit = rca.Metric(name="wrongly_hit", label="Wrongly hit sellers", kind="proportion", better="down")
    limits = {"backlog": 500, "days_to_decision": 4}
    found = rca.stress(rca.Cube(frame, hit, period="D"), {}, capacity=decisions, limits=limits)
    return next(iter(found.findings(Evidence((found,), SOURCE))))


GOLDEN = {
    "a vendor that is worse than the others": (
        lambda: of_level(0.06),
        "level | Vendor Andes: CSAT 82.0 %, others 85.0 % on the same mix"
        " | Vendor Andes: CSAT is 3.0 points below the others on the same mix. | worse than the others | −0.8 points"
        " | on 1,600,000 answers | With vendor Andes at the level of the others, CSAT would be 85.0 %."
        " | difference −3.0 points (95 % interval −3.1 to −2.9 points) · before −3.0 points",
    ),
    "a vendor that became better": (
        lambda: of_level(-0.06, changed=True),
        "level | Vendor Andes: CSAT 88.0 %, others 85.0 % on the same mix"
        " | Vendor Andes: CSAT is 3.0 points above the others on the same mix. | better than the others | +0.8 points"
        " | on 1,600,000 answers |  | difference +3.0 points (95 % interval +2.9 to +3.1 points)"
        " · before 0.0 points",
    ),
    "a policy that is ambiguous to all": (
        of_agreement,
        "ambiguity | Policy POL-2 is ambiguous: agreement 70 %, on the rest 98 %"
        " | Policy POL-2 is ambiguous to all: agreement 70 %, on the rest 98 %."
        " | common to all | −14.0 points | on 1,000 items"
        " | If it were as clear as the rest, agreement would be 98.0 %."
        " | Gwet's AC1 .40 (95 % interval .34 to .46); so at 1 of 1 others"
        " · rewrite the policy before training anybody",
    ),
    "a repeat offender": (
        lambda: of_sellers({"S-07": 600}),
        "offenders | S-07 holds 7.1 % of cases that raise violation rate with 2.5 % of all cases: violation rate "
        "60.0 % instead of 20.0 % | S-07 holds 7.1 % of cases that raise violation rate with 2.5 % of all cases. "
        "| repeat offender | +1.0 points | 400 cases beyond the usual | With this seller as others are, violation"
        " rate would be 20.0 %. | S-07 57.6 % (54.7 % to 60.6 %) on 1,000 cases",
    ),
    "repeat offenders": (
        lambda: of_sellers({"S-07": 600, "S-09": 500}),
        "offenders | S-07 and S-09 hold 13 % of cases that raise violation rate with 5.0 % of all cases: "
        "violation rate 55.0 % instead of 20.0 % | S-07 and S-09 hold 13 % of cases that raise violation rate "
        "with 5.0 % of all cases. | repeat offenders | +1.7 points | 700 cases beyond the usual | With these "
        "sellers as others are, violation rate would be 20.0 %. | S-07 58.5 % (55.5 % to 61.5 %) on 1,000 cases ·"
        " S-09 48.9 % (45.9 % to 51.9 %) on 1,000 cases",
    ),
    "a drift towards its limit": (
        lambda: of_drift(0.55),
        "drift | Category toys drifts towards its limit: wrong enforcement 20.0 % → 45.0 % | Category toys: wrong"
        " enforcement drifts towards its limit of 55.0 %, there in 10 weeks (9 to 11). | early warning | +12.5 "
        "points | on 260,000 cases | If it goes on so, the limit is met about 7 Sep 2026. | there in 10 weeks (9 "
        "to 11) · 95 % interval +24.4 to +25.6 points",
    ),
    "a drift past its limit": (
        lambda: of_drift(0.4),
        "drift | Category toys drifted past its limit: wrong enforcement 20.0 % → 45.0 % | Category toys: wrong "
        "enforcement drifted past its limit of 40.0 %. | early warning | +12.5 points | on 260,000 cases |  "
        "| 95 % interval +24.4 to +25.6 points",
    ),
    "too little capacity": (
        lambda: of_capacity(90),
        "capacity | Usual weeks break a limit: backlog and days to a decision | Usual weeks break a limit as they"
        " are: backlog and days to a decision. | capacity | 111 % of the capacity needed | backlog of up to 1,820"
        " cases | 90 decisions a day are too few for what comes in. | 20.2 days to a decision at the worst",
    ),
    "one's own, in a segment": (
        lambda: in_report(drop={("Andes", "MX", "chat"): 0.25}),
        "rate | Channel chat, market MX: customer satisfaction 80.0 % → 55.0 %"
        " | Customer satisfaction fell by 5.0 points; channel chat, market MX explains it all."
        " | Andes only | −5.0 points | ≈ 200 answers a week"
        " | At the former level there, customer satisfaction would be 86.0 %, on target."
        " | 95 % interval −26.3 to −23.7 points · elsewhere 0.0 points",
    ),
    "one's own, in all cases": (
        lambda: in_report(drop={("Andes", "", ""): 0.1}),
        "rate | All cases: customer satisfaction 86.0 % → 76.0 %"
        " | Customer satisfaction fell by 10.0 points in all cases alike."
        " | Andes only | −10.0 points | ≈ 400 answers a week"
        " | At the former level, customer satisfaction would be 86.0 %, on target."
        " | 95 % interval −10.5 to −9.5 points · elsewhere 0.0 points",
    ),
    "common to all": (
        lambda: in_report("common", drop={("", "", ""): 0.1}),
        "rate | All cases: customer satisfaction 86.0 % → 76.0 %"
        " | No change of its own; customer satisfaction fell by 10.0 points, common to all."
        " | common to all | −10.0 points | on all answers"
        " | Without it, customer satisfaction would be 86.0 %, on target."
        " | 95 % interval −10.5 to −9.5 points · elsewhere −10.0 points · 3 of 3 others show it too",
    ),
    "mix": (
        lambda: in_report(drop={}, chat={"Andes": 0.7}),
        "mix | More cases with channel chat: 40 % → 70 % of cases"
        " | More cases with channel chat: customer satisfaction fell by 3.0 points through mix alone."
        " | mix | −3.0 points | on customer satisfaction"
        " | With the former mix, customer satisfaction would be 86.0 %, on target."
        " | mix alone: inside each channel cases go as before",
    ),
    "a fix that worked": (
        lambda: of_fix(0.06),
        "fix | The fix worked: CSAT 80.0 % → 86.0 % | The fix worked: CSAT rose by 6.0 points."
        " | worked | +6.0 points | ≈ 840,000 answers since | Without it, CSAT would be 80.0 % there."
        " | in effect since 6 Jul · +6.0 points (95 % interval +5.9 to +6.0 points)",
    ),
    "a fix that made it worse": (
        lambda: of_fix(-0.06),
        "fix | The fix made it worse: CSAT 80.0 % → 74.0 % | The fix made it worse: CSAT fell by 6.0 points."
        " | got worse | −6.0 points | ≈ 840,000 answers since | Without it, CSAT would be 80.0 % there."
        " | in effect since 6 Jul · −6.0 points (95 % interval −6.1 to −6.0 points)",
    ),
    "a fix without effect": (
        lambda: of_fix(0.0, expected=0.06),
        "fix | The fix had no effect: CSAT changed by less than 0.1 points"
        " | The fix had no effect: CSAT changed by less than 0.1 points."
        " | no effect | 0.0 points |  | An improvement of more than 0.1 points is excluded. | in effect since 6 Jul"
        " · 0.0 points (95 % interval −0.1 to 0.0 points), less than the +6.0 points expected",
    ),
    "a fix of which nothing can be told": (
        lambda: of_fix(0.0, answers=60),
        "fix | Whether “The fix” worked cannot be told yet: CSAT 77.9 % → 80.7 %"
        " | Whether “The fix” worked cannot be told yet. | cannot be told yet | +2.8 points | "
        " | Another year would not be enough to show an effect of 5.3 points; siblings without the fix, or a longer"
        " history, would help. | in effect since 6 Jul · +2.8 points (95 % interval −3.5 to +9.0 points)",
    ),
    "a fix of two weeks ago": (
        lambda: of_fix(0.0, weeks=28),
        "fix | Whether “The fix” worked cannot be told yet | Whether “The fix” worked cannot be told yet."
        " | cannot be told yet |  |  | 2 weeks after it, 4 are needed: 2 more weeks. | in effect since 6 Jul",
    ),
    "a side effect": (
        lambda: side_effect(-0.06),
        "fix | Side effect: CSAT 80.0 % → 74.0 % | Label check had a side effect: CSAT fell by 6.0 points."
        " | side effect, got worse | −6.0 points | ≈ 840,000 answers since | Without it, CSAT would be 80.0 % there."
        " | in effect since 6 Jul · −6.0 points (95 % interval −6.1 to −6.0 points)",
    ),
    "an incident": (
        lambda: of_incidents("incident"),
        "incident | Channel chat, Thu 22 Jan, 14:10 to 15:30: 89.1 % instead of 17.3 % on 64 calls"
        " | Channel chat, Thu 22 Jan, 14:10 to 15:30: 46 calls lost."
        " | incident | 46 calls lost (39 to 53) |  | Without it, abandoned would be 15.0 %. | ",
    ),
    "volume that vanished": (
        lambda: of_incidents("loss of volume"),
        "volume | All cases, Tue 20 Jan, 09:00 to 10:00: 0 calls instead of 107"
        " | All cases, Tue 20 Jan, 09:00 to 10:00: 107 calls did not come."
        " | loss of volume | 107 calls did not come (80 to 133) |  |  | ",
    ),
    "volume that surged": (
        lambda: of_incidents("surge of volume"),
        "volume | All cases, Wed 28 Jan, 16:00 to 18:00: 732 calls instead of 243"
        " | All cases, Wed 28 Jan, 16:00 to 18:00: 489 calls on top."
        " | surge of volume | 489 calls on top (450 to 529) |  |  | ",
    ),
    "a new version that made it worse": (
        lambda: of_version(0.06),
        "version | SOP-1 v2 made it worse: reopened 10.0 % → 16.0 %"
        " | SOP-1 v2 made it worse: reopened 10.0 % → 16.0 %."
        " | new version | +1.5 points | on 12,000,000 cases since"
        " | With the former version, reopened would be 10.0 %. | 95 % interval +6.0 to +6.0 points",
    ),
    "a new version that made it better": (
        lambda: of_version(-0.06),
        "version | SOP-1 v2 made it better: reopened 10.0 % → 4.0 %"
        " | SOP-1 v2 made it better: reopened 10.0 % → 4.0 %."
        " | new version | −1.5 points | on 12,000,000 cases since |  | 95 % interval −6.0 to −6.0 points",
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_sentences(name: str) -> None:
    make, expected = GOLDEN[name]
    made = make()
    found = made if isinstance(made, dict) else asdict(made)
    fields = [found[name] for name in ("kind", "title", "headline", "tag", "impact_text", "cases_text", "remedy")]
    assert " | ".join([*fields, " · ".join(found["details"])]).replace(THIN, " ") == expected


def test_no_kind_of_finding_is_without_golden_sentences() -> None:
    """The kinds are what `Finding(kind=...)` is given anywhere in the package."""
    calls = [
        node
        for path in (ROOT / "rca").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding"
    ]
    given = [word.value for call in calls for word in call.keywords if word.arg == "kind"]
    kinds = {
        node.value
        for value in given
        for part in ([value.body, value.orelse] if isinstance(value, ast.IfExp) else [value])
        for node in ast.walk(part)
        if isinstance(node, ast.Constant)
    }
    assert len(given) == len(calls)
    assert {expected.partition(" | ")[0] for _, expected in GOLDEN.values()} == kinds
