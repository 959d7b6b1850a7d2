"""From results to ranked findings: the sentences of every kind of report, for causes planted in plain counts."""

import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

import rca
from rca import summary
from rca.batch import record as schema
from rca.cube import Cube
from rca.errors import InputError
from rca.finding import Evidence, Finding, measured
from rca.findings import MIME, SCHEMA, Findings
from rca.kpi_card import kpi_card
from rca.metric import Metric, Target
from rca.result import Many, Result

CSAT = Metric(
    name="csat",
    label="Customer satisfaction",
    kind="proportion",
    better="up",
    cases="answers",
    targets=(Target(value=0.85),),
)
WINDOWS = {"before": "last 26 before last 8", "after": "last 8"}
WEEKS = pd.date_range("2026-03-23", periods=34, freq="7D")
VENDORS = ["Andes", "Baltic", "Cedar", "Delta"]
NO_ACTIONS = pd.DataFrame(
    columns=["action_id", "title", "owner", "metric", "segment", "due", "status", "effective"]
)


def everyone(
    drop: dict[tuple[str, str, str], float], chat: dict[str, float] | None = None, metric: Metric = CSAT
) -> Cube:
    """Four vendors, two markets, three channels; from the 27th week on `drop[vendor, market, channel]` is taken off the
    rate ("" stands for any), and `chat[vendor]` is the share of chat, whose rate is lower than that of phone."""
    rows = []
    for v, vendor in enumerate(VENDORS):
        for i, week in enumerate(WEEKS):
            late = i >= 26
            share = (chat or {}).get(vendor, 0.4) if late else 0.4
            for m, market in enumerate(("BR", "MX")):
                parts = (("chat", share, 0.8), ("phone", (1 - share) / 2, 0.9), ("email", (1 - share) / 2, 0.9))
                for c, (channel, part, rate) in enumerate(parts):
                    keys = [(a, b, d) for a in (vendor, "") for b in (market, "") for d in (channel, "")]
                    lost = sum(drop.get(key, 0) for key in keys) if late else 0
                    n = round(2000 * part)
                    wiggle = 0.01 * (-1) ** (i + v + m + c)  # weeks differ, a little
                    rows.append((week, vendor, market, channel, n, round(n * (rate - lost + wiggle))))
    columns = ["period", "vendor", "market", "channel", "n", "total"]
    return Cube(pd.DataFrame(rows, columns=columns), metric, by=["vendor", "market", "channel"])


def results(cube: Cube) -> list[Many]:
    own = {cube.metric.name: cube.where({"vendor": "Andes"}).over(["market", "channel"])}
    charts = rca.each(rca.control_chart, own, baseline=WINDOWS["before"])
    changes, mixes = (rca.each(f, own, **WINDOWS) for f in (rca.localize, rca.mix))
    reaches = rca.each(rca.reach, {cube.metric.name: cube}, change=changes, scope={"vendor": "Andes"})
    return [charts, changes, mixes, reaches]


def source(actions: pd.DataFrame = NO_ACTIONS, audience: str = "internal") -> Any:
    return SimpleNamespace(
        scope={"vendor": "Andes"},
        audience=audience,
        actions=actions,
        facts={"cases": "many"},
        families={"place": ("market",)},
        extent=(WEEKS[0], WEEKS[-1]),
        contract=SimpleNamespace(closed=frozenset(), dimensions=()),
        dimensions=(),
    )


def report(cube: Cube, actions: pd.DataFrame = NO_ACTIONS) -> Findings:
    return rca.findings(*results(cube), source=source(actions))


GOLDEN = {
    "own": (
        {"drop": {("Andes", "MX", "chat"): 0.25}},
        "Customer satisfaction fell by 5.0 points; channel chat, market MX explains it all.",
        "No other vendor shows it for the same cases. At the former level there, customer satisfaction would be"
        " 86.0 %, on target.",
        [("channel=chat & market=MX", "rate", "own", "worse")],
        "Channel chat, market MX: customer satisfaction 80.0 % → 55.0 %",
    ),
    "part": (
        {"drop": {("Andes", "MX", "chat"): 0.3, ("Andes", "BR", "phone"): 0.1}},
        "Customer satisfaction fell by 7.5 points; channel chat, market MX explains 6.0 points of it.",
        "No other vendor shows it for the same cases. At the former level there, customer satisfaction would be"
        " 84.5 %, 0.5 points short of the target of 85.0 %.",
        [
            ("channel=chat & market=MX", "rate", "own", "worse"),
            ("channel=phone & market=BR", "rate", "own", "worse"),
        ],
        "Channel chat, market MX: customer satisfaction 80.0 % → 50.0 %",
    ),
    "better": (
        {"drop": {("Andes", "MX", "phone"): -0.08}},
        "Customer satisfaction rose by 1.2 points; channel phone, market MX explains it all.",
        "No other vendor shows it for the same cases.",
        [("channel=phone & market=MX", "rate", "own", "better")],
        "Channel phone, market MX: customer satisfaction 90.0 % → 98.0 %",
    ),
    "everywhere": (
        {"drop": {("Andes", "", ""): 0.1}},
        "Customer satisfaction fell by 10.0 points in all cases alike.",
        "No other vendor shows it for the same cases. At the former level, customer satisfaction would be"
        " 86.0 %, on target.",
        [("all cases", "rate", "own", "worse")],
        "All cases: customer satisfaction 86.0 % → 76.0 %",
    ),
    "mix": (
        {"drop": {}, "chat": {"Andes": 0.7}},
        "More cases with channel chat: customer satisfaction fell by 3.0 points through mix alone.",
        "",
        [("channel=chat", "mix", "own", "worse")],
        "More cases with channel chat: 40 % → 70 % of cases",
    ),
    "common": (
        {"drop": {("", "", ""): 0.1}},
        "No change of its own; customer satisfaction fell by 10.0 points, common to all.",
        "",
        [],
        "All cases: customer satisfaction 86.0 % → 76.0 %",
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_sentences(name: str) -> None:
    planted, title, lead, found, first = GOLDEN[name]
    record = report(everyone(**planted)).record
    assert record["title"] == title
    if lead:
        assert record["lead"] == lead
    assert [(f["segment"], f["kind"], f["reach"], f["direction"]) for f in record["findings"]] == found
    assert [*record["findings"], *record["common"]][0]["title"] == first


def test_a_quiet_scope_has_no_finding_and_says_what_could_have_been_missed() -> None:
    record = report(everyone({})).record
    assert record["title"] == "No change beyond noise."
    assert record["status"] == "quiet"
    assert record["findings"] == record["common"] == []
    assert record["lead"] == record["quiet_text"]
    assert "points over all cases would have been seen" in record["lead"]


def test_the_own_cause_comes_before_the_common_one_and_holds_it_apart() -> None:
    record = report(everyone({("", "", ""): 0.05, ("Andes", "MX", "chat"): 0.25})).record
    assert [f["segment"] for f in record["findings"]] == ["channel=chat & market=MX"]
    assert [f["segment"] for f in record["common"]] == ["all cases"]
    assert "Common to all and not counted against it: customer satisfaction" in record["lead"]


def test_the_common_change_is_told_without_the_own_one() -> None:
    """5 points off everywhere and 25 more where 20 % of the cases are: the whole falls by 10, the common part by 5."""
    common = report(everyone({("", "", ""): 0.05, ("Andes", "MX", "chat"): 0.25})).record["common"][0]
    assert common["title"] == "All cases: customer satisfaction 86.0 % → 81.0 %"
    assert common["impact_text"] == "−5.0 points"
    assert common["conf_low"] < common["effect"] < common["conf_high"]
    assert (
        common["remedy"]
        == "Without it, customer satisfaction would be 81.0 %, 4.0 points short of the target of 85.0 %."
    )


def test_more_than_was_promised_is_above_the_target_where_less_is_better() -> None:
    metric = CSAT.model_copy(update={"better": "down", "label": "SLA missed", "targets": (Target(value=0.8),)})
    record = report(everyone({("Andes", "MX", "chat"): -0.15}, metric=metric)).record
    assert record["lead"].endswith("SLA missed would be 86.0 %, 6.0 points above the target of 80.0 %.")


def test_a_rate_counts_events_not_its_exposure() -> None:
    metric = Metric(name="contacts", label="Contacts per order", kind="rate", better="down", cases="orders")
    found = report(everyone({("Andes", "MX", "chat"): -0.25}, metric=metric)).record["findings"]
    assert found[0]["cases_text"] == "≈ 200 events a week"  # a quarter of 800 orders


def test_effect_and_interval_of_a_mix_shift_are_in_units_of_the_kpi() -> None:
    """Share of chat 40 % to 70 %, and chat 10 points below the rest: 3 points."""
    found = report(everyone({}, chat={"Andes": 0.7})).record["findings"][0]
    assert found["effect"] == pytest.approx(-0.03, abs=1e-3)
    assert found["conf_low"] < found["effect"] < found["conf_high"]


def test_a_value_with_a_colon_is_said_whole() -> None:
    cube = everyone({}, chat={"Andes": 0.7})
    frame = cube.frame.replace({"channel": {"chat": "chat: app"}})
    assert report(Cube(frame, CSAT, by=cube.by)).headline.startswith("More cases with channel chat: app: customer")


def test_a_kpi_that_never_moved_before_is_ranked_all_the_same() -> None:
    """Every answer good for 26 weeks: the chart has no sigma."""
    cube = everyone({})
    late = (cube.frame["period"] >= WEEKS[26]) & (cube.frame["vendor"] == "Andes") & (cube.frame["market"] == "MX")
    frame = cube.frame.assign(total=cube.frame["n"].where(~late, cube.frame["n"] // 2))
    found = report(Cube(frame, CSAT, by=cube.by)).record["findings"]
    assert [(f["segment"], f["direction"]) for f in found] == [("market=MX", "worse")]


def test_every_kind_of_result_may_be_absent() -> None:
    charts, changes, mixes, _ = results(everyone({("Andes", "MX", "chat"): 0.25}))
    for some in ([charts], [changes], [mixes], [charts, mixes], [changes, mixes]):
        record = rca.findings(*some, source=source()).record
        assert schema.read_findings(json.loads(json.dumps(record)))
        assert bool(record["findings"]) == (changes in some)
        assert bool(record["kpis"]) == (charts in some)


def test_a_reach_without_what_it_compares_and_nothing_at_all_are_refused() -> None:
    charts, _, _, reaches = results(everyone({}))
    with pytest.raises(InputError, match="the reach of csat, but not the localization"):
        rca.findings(charts, reaches, source=source())
    with pytest.raises(InputError, match="got none"):
        rca.findings(source=source())


@dataclass(frozen=True, eq=False, repr=False)
class Checked(Result):
    """A kind of result that the package does not know."""

    def findings(self, evidence: Evidence) -> list[Finding]:
        return [
            Finding(
                **measured(self.metric, 0.02, 0.01, 0.03, p_value, 0.02), kind="check", where={}, reach="",
                title=f"{action} worked", headline=f"{action} worked.", tag="worked",
            )
            for action, p_value in (("A-1", 0.001), ("A-2", 0.04), ("A-3", float("nan")))
        ]  # fmt: skip


def test_a_new_kind_of_result_brings_its_own_findings() -> None:
    """Two analyses looked, so that 0.04 is not enough; what was not tested (A-3) stays."""
    checked = [Checked(pd.DataFrame(), CSAT), Checked(pd.DataFrame(), CSAT)]
    record = rca.findings(*checked, source=source()).record
    assert sorted(f["title"] for f in record["findings"]) == [
        "A-1 worked",
        "A-1 worked",
        "A-3 worked",
        "A-3 worked",
    ]
    assert (record["title"], record["status"], record["before"]) == ("A-1 worked.", "better", None)
    assert schema.read_findings(json.loads(json.dumps(record)))


def test_a_partner_is_told_what_is_its_own_or_common_and_nothing_of_others() -> None:
    """Its own cause, and one that is common, no event and no action that it may see: of those it is told nothing."""
    cube = everyone({("", "", ""): 0.05, ("Andes", "MX", "chat"): 0.25})
    ours = report(cube).record
    theirs = rca.findings(*results(cube), source=source(audience="partner")).record
    assert {"elsewhere −5.0 points", "3 of 3 others show it too"} < set(ours["common"][0]["details"])
    told = json.dumps(theirs)
    assert not [
        words
        for words in ("elsewhere", "others", "other vendor", "only", "action is", "known", "tool")
        if words in told
    ]
    assert [f["tag"] for f in theirs["findings"] + theirs["common"]] == ["", "common to all"]
    assert ours["findings"][0]["tag"] == "Andes only"
    same = ("title", "headline", "impact_text", "remedy", "conf_low", "p_adj")
    for mine, shown in zip(ours["findings"] + ours["common"], theirs["findings"] + theirs["common"], strict=True):
        assert [mine[key] for key in same] == [shown[key] for key in same]


def test_a_partner_is_not_told_expressions_over_columns_that_are_closed_to_it() -> None:
    late = CSAT.model_copy(update={"counts": "late and agent <> 'Bo'", "out_of": "late is not null"})
    given = source(audience="partner")
    assert "share of answers where late and agent <> 'Bo'" in summary.definition(late, given)["text"]
    given.contract.closed = frozenset({"agent"})
    assert summary.definition(late, given)["text"].startswith("share of answers; more is better; target")
    given.audience = "internal"
    assert "agent" in summary.definition(late, given)["text"]


def test_a_rare_event_is_told_as_a_count_of_cases() -> None:
    """One escalation in 26 weeks of 100 cases in every second week, then one in every week of 8."""
    rare = Metric(name="escalated", kind="proportion", better="down")
    total = [i % 2 for i in range(26)] + [1] * 8
    weeks = pd.date_range("2026-03-23", periods=34, freq="7D")
    frames = [
        pd.DataFrame({"period": weeks, "market": m, "n": 50, "total": t}) for m, t in (("MX", total), ("BR", 0))
    ]
    cube = Cube(pd.concat(frames, ignore_index=True), rare, by=["market"])
    chart = rca.control_chart(cube, baseline=WINDOWS["before"])
    card = kpi_card(chart, rca.localize(cube, **WINDOWS), common=False)
    assert (chart.chart, card["text"]) == ("g", "8 of 800")
    assert card["change_text"] == ("steady" if card["status"] == "steady" else "13 of 2,600 before")


def test_actions_follow_their_finding_with_their_state() -> None:
    actions = pd.DataFrame(
        {
            "action_id": ["A-1", "A-2", "A-3"],
            "title": ["Train chat", "Other", "Read chats"],
            "owner": ["Quality lead", "SOP lead", "SOP lead"],
            "metric": "csat",
            "segment": ["channel=chat & market=MX", "", "channel=chat & market=MX"],
            "due": pd.to_datetime(["2026-11-06", "2026-11-20", None]),
            "status": "open",
            "effective": pd.NaT,
        }
    )
    record = report(everyone({("Andes", "MX", "chat"): 0.25}), actions).record
    assert record["findings"][0]["details"][-2:] == [
        "action A-1 Train chat: 9 days overdue, due 6 Nov (Quality lead)",
        "action A-3 Read chats: open (SOP lead)",
    ]
    assert [(a["action_id"], a["state"], a["late"]) for a in record["actions"]] == [
        ("A-1", "9 days overdue", True),
        ("A-2", "open", False),
        ("A-3", "open", False),
    ]


def test_the_record_is_json_of_the_published_schema() -> None:
    found = report(everyone({("Andes", "MX", "chat"): 0.25}))
    bundle = found._repr_mimebundle_()
    assert schema.Findings.model_validate(json.loads(json.dumps(bundle[MIME], allow_nan=False)))
    assert found.headline in bundle["text/html"]


def test_the_published_schema_is_the_one_that_reads_the_record() -> None:
    """Made by `json.dumps(Findings.model_json_schema(), indent=1)` of rca.batch.record."""
    published = json.loads((Path(__file__).parents[1] / "docs" / "findings.schema.json").read_text())
    assert published == json.loads(json.dumps(schema.Findings.model_json_schema()))
    assert published["properties"]["schema"]["const"] == SCHEMA


SUMMARY = {
    "own": [
        ("What", "Customer satisfaction 81.0 %, 5.0 points lower; target 85.0 %."),
        (
            "Where",
            "Channel chat, market MX: customer satisfaction 80.0 % → 55.0 %, −5.0 points (≈ 200 answers a week).",
        ),
        ("When and why", "No start could be dated."),
        ("Whose", "Andes only."),
        (
            "Next",
            "No action is open. At the former level there, customer satisfaction would be 86.0 %, on target.",
        ),
    ],
    "mix": [
        ("What", "Customer satisfaction 83.0 %, 3.0 points lower; target 85.0 %."),
        ("Where", "More cases with channel chat: 40 % → 70 % of cases, −3.0 points on customer satisfaction."),
        ("When and why", "No start could be dated."),
        ("Next", "No action is open. With the former mix, customer satisfaction would be 86.0 %, on target."),
    ],
    "common": [
        ("What", "No change of its own beyond noise."),
        ("Whose", "Common to all: customer satisfaction −10.0 points; look at the clock, the policy or the tool."),
        ("How sure", "A change of customer satisfaction by 0.9 points over all cases would have been seen."),
        ("Next", "No action is open."),
    ],
}


@pytest.mark.parametrize("name", SUMMARY)
def test_the_summary_has_at_most_five_lines(name: str) -> None:
    lines = report(everyone(**GOLDEN[name][0])).record["summary"]
    assert [(line["label"], line["text"]) for line in lines] == SUMMARY[name]


def test_the_fishbone_tells_what_moved_from_what_was_looked_at_and_did_not() -> None:
    fish = report(everyone({("Andes", "MX", ""): 0.2})).record["fishbone"]
    assert fish["effect"] == "Customer satisfaction −10.0 points"
    assert [
        (bone["family"], [(p["dimension"], p["text"], p["status"]) for p in bone["parts"]])
        for bone in fish["bones"]
    ] == [
        ("place", [("market MX", "−10.0 points", "worse")]),
        ("other", [("channel", "", "quiet")]),
    ]
    assert fish["missing"] == ["people", "process", "policy", "platform", "partner"]
    assert report(everyone({})).record["fishbone"] is None


def test_a_rate_and_a_mix_that_began_on_different_days_keep_their_own_dates() -> None:
    """Chat goes worse from the 29th week on, and there is more of it from the 27th."""
    frame = everyone({}, chat={"Andes": 0.7}).frame
    worse = (frame["vendor"] == "Andes") & (frame["channel"] == "chat") & (frame["period"] >= WEEKS[29])
    cube = Cube(
        frame.assign(total=frame["total"] - (0.3 * frame["n"] * worse).round()),
        CSAT,
        by=["vendor", "market", "channel"],
    )
    charts, changes, mixes, reaches = results(cube)
    own = {"csat": cube.where({"vendor": "Andes"}).over(["market", "channel"])}
    starts = [rca.each(rca.onset, own, change=found) for found in (changes, mixes)]
    found = rca.findings(charts, changes, mixes, *starts, reaches, source=source()).record["findings"]
    since = {f["kind"]: f["since"] for f in found if f["segment"] == "channel=chat"}
    assert since == {"rate": WEEKS[29].date().isoformat(), "mix": WEEKS[26].date().isoformat()}


def test_names_from_data_cannot_become_markup() -> None:
    cube = everyone({("Andes", "MX", "chat"): 0.25})
    frame = cube.frame.replace({"market": {"MX": "<script>alert(1)</script>"}})
    html = report(Cube(frame, CSAT, by=cube.by))._repr_mimebundle_()["text/html"]
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
