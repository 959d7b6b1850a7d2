"""Incidents: planted outages are found, dated and counted; noise, closed hours, holidays and changed clocks are not."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import rca
from rca.errors import InputError
from rca.incident_expectation import lay_out
from rca.incident_scan import log_likelihood_ratio
from rca.incident_who import hit_segments, verdict

SHARED = Path(__file__).parents[2] / "shared"
ROOT = Path(__file__).parents[1]
CALLS = rca.Metric(name="abandoned", kind="proportion", better="down", cases="calls")


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "bench" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


bench = load("incidents")


def calls(weeks: int = 4, seed: int = 1, v: float = 20.0, start: str = "2026-01-05") -> pd.DataFrame:
    """Bins of a call centre that never closes, two channels, 15 % abandoned."""
    times = pd.date_range(start, periods=weeks * 1008, freq="10min")
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"period": times.repeat(2), "channel": ["chat", "phone"] * len(times)})
    frame["n"] = rng.poisson(np.where(frame["channel"] == "chat", 0.4, 0.6) * v)
    frame["total"] = rng.binomial(frame["n"], 0.15)
    return frame


def fail(frame: pd.DataFrame, start: str, end: str, channel: str | None = None, share: float = 0.9) -> None:
    inside = (frame["period"] >= start) & (frame["period"] < end)
    inside &= (frame["channel"] == channel) if channel else True
    frame.loc[inside, "total"] = (frame.loc[inside, "n"] * share).round()


def find(
    frame: pd.DataFrame, by: tuple[str, ...] = ("channel",), metric: rca.Metric = CALLS, **options
) -> rca.Cube:
    zone = options.pop("zone", None)
    return rca.incidents(
        rca.Cube(frame, metric, by=by, period=options.pop("period", "10min"), zone=zone), **options
    )


# -- the bars in small: bench/incidents.py has them whole ----------------------------------------------------------


def test_outages_are_found_dated_and_counted():
    """40 simulated series a cell, default noise: at 20 cases in ten minutes and at 5, as the bench prints for 300."""
    found, start, end, off, covered, _ = bench.cell(7, 20, 8, "default", 40, bench.Planted(2, 0.9))
    assert found >= 0.95
    assert min(start, end) >= 0.95
    assert abs(off) <= 0.05
    assert covered >= 0.88
    assert bench.cell(7, 5, 8, "default", 40, bench.Planted(6, 0.9))[0] >= 0.9


def test_false_incidents_are_rare():
    assert bench.cell(5, 20, 4, "binomial", 30)[-1] <= 0.15
    assert bench.cell(5, 5, 4, "default", 30)[-1] <= 0.5


def test_log_likelihood_ratio_is_that_of_the_binomial_and_the_poisson_distribution():
    from scipy.stats import binom, poisson

    k, m, n = 18.0, 6.0, 40.0
    assert log_likelihood_ratio(np.array(k), np.array(m), np.array(n)) == pytest.approx(
        binom.logpmf(18, 40, k / n) - binom.logpmf(18, 40, m / n)
    )
    assert log_likelihood_ratio(np.array(k), np.array(m)) == pytest.approx(
        poisson.logpmf(18, k) - poisson.logpmf(18, m)
    )


# -- who, volume, what is not judged -------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["chat", None])
def test_who_was_hit_and_from_when_to_when(channel):
    frame = calls()
    fail(frame, "2026-01-22 14:10", "2026-01-22 15:30", channel)
    found = find(frame)
    [row] = found.table.itertuples()
    assert (row.kind, row.start, row.end) == ("rate", *map(pd.Timestamp, ("2026-01-22 14:10", "2026-01-22 15:30")))
    assert (row.who, row.segment) == (("some", "channel=chat") if channel else ("all", "all cases"))
    excess = frame.loc[frame["period"].between("2026-01-22 14:10", "2026-01-22 15:20")]
    excess = excess[excess["channel"] == channel] if channel else excess
    assert row.seen == excess["total"].sum()
    assert row.lost == pytest.approx((excess["total"] - 0.15 * excess["n"]).sum(), rel=0.08)
    assert row.conf_low < row.lost < row.conf_high
    assert row.kpi_with == frame["total"].sum() / frame["n"].sum()
    assert row.kpi_without == pytest.approx((frame["total"].sum() - row.lost) / frame["n"].sum())


def test_good_cases_are_counted_the_other_way_round():
    frame = calls()
    fail(frame, "2026-01-22 14:10", "2026-01-22 15:30")
    answered = frame.assign(total=frame["n"] - frame["total"])
    better = rca.Metric(name="answered", kind="proportion", better="up", cases="calls")
    one, other = find(frame).table.iloc[0], find(answered, metric=better).table.iloc[0]
    assert (one["start"], one["end"], one["lost"]) == (other["start"], other["end"], other["lost"])
    assert one["value"] == pytest.approx(1 - other["value"])


def test_volume_that_vanished_or_surged():
    frame = calls()
    gone = frame["period"].between("2026-01-20 09:00", "2026-01-20 09:50")
    more = frame["period"].between("2026-01-28 16:00", "2026-01-28 17:20")
    frame.loc[more, ["n", "total"]] *= 2
    found = find(frame[~(gone & (frame["channel"] == "phone"))])
    assert found.table[["kind", "who", "segment"]].to_numpy().tolist() == [
        ["loss", "some", "channel=phone"],
        ["surge", "all", "all cases"],
    ]
    assert found.table["start"].tolist() == [pd.Timestamp("2026-01-20 09:00"), pd.Timestamp("2026-01-28 16:00")]
    ends = found.table["end"] - [pd.Timestamp("2026-01-20 10:00"), pd.Timestamp("2026-01-28 17:30")]
    assert ends.abs().max() <= pd.Timedelta("10min")  # a doubled volume is dated less sharply than an empty line


def test_a_holiday_is_not_a_loss_of_volume_where_the_calendar_knows_it():
    frame = calls()
    day = frame["period"].dt.normalize() == "2026-01-20"
    frame = frame[~day | (np.arange(len(frame)) % 5 == 0)]
    events = pd.DataFrame({"event_id": ["H"], "kind": "holiday", "title": "A day off", "end": [pd.NaT]})
    events["start"] = pd.Timestamp("2026-01-20")
    assert "loss" in set(find(frame).table["kind"])
    known = find(frame, events=events)
    assert known.table.empty
    assert "volume not judged on 1 holiday" in known.headline


def test_nights_in_which_clocks_change_are_no_incident():
    """UTC times of 24 hours a day, seen on clocks in Berlin: 2:00 to 3:00 does not exist on 29 March, and is shown
    twice on 25 October 2026."""
    for start in ("2026-03-09", "2026-10-05"):
        frame = calls(5, start=start)
        shown = frame["period"].dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin").dt.tz_localize(None)
        frame = frame.assign(period=shown).groupby(["period", "channel"], as_index=False).sum()
        assert find(frame, zone="Europe/Berlin").table.empty
        assert not find(frame).table.empty
    week = lay_out(
        pd.date_range("2026-10-19", "2026-11-01 23:50", freq="10min"), pd.Timedelta("10min"), "Europe/Berlin"
    )
    assert week.open.sum() == 14 * 144 + 6


def test_hours_with_hardly_any_cases_are_not_judged():
    frame = calls()
    night = frame["period"].dt.hour < 6
    frame.loc[night, "n"] = (np.random.default_rng(2).random(int(night.sum())) < 0.1).astype(int)
    frame.loc[night, "total"] = frame.loc[night, "n"]
    fail(frame, "2026-01-22 01:00", "2026-01-22 03:00", share=1.0)
    found = find(frame)
    assert found.table.empty
    assert found.closed_hours == 42


def test_events_coincide_and_the_daily_chart_is_silent():
    frame = calls()
    fail(frame, "2026-01-22 14:10", "2026-01-22 14:40", "chat")
    columns = {
        "event_id": ["T-1", "T-2"],
        "kind": "tool_bug",
        "title": "Chat gateway",
        "channel": ["chat", "phone"],
    }
    events = pd.DataFrame({**columns, "end": pd.NaT}).assign(start=pd.Timestamp("2026-01-22"))
    daily = frame.assign(period=frame["period"].dt.normalize())
    chart = rca.control_chart(rca.Cube(daily, CALLS, by=["channel"], period="D"))
    [row] = find(frame, events=events, chart=chart).table.itertuples()
    assert (row.daily_chart, row.events) == ("silent", "T-1 Chat gateway")


def test_sentences_of_the_findings():
    frame = calls()
    fail(frame, "2026-01-22 14:10", "2026-01-22 15:30", "chat")
    gone = frame["period"].between("2026-01-20 09:00", "2026-01-20 09:50")
    more = frame["period"].between("2026-01-28 16:00", "2026-01-28 17:50")
    frame.loc[more, ["n", "total"]] *= 3
    found = find(frame[~gone])
    assert [(f.headline, f.title, f.impact_text, f.tag, f.since) for f in found.findings(None)] == [
        (
            "All cases, Tue 20 Jan, 09:00 to 10:00: 107 calls did not come.",
            "All cases, Tue 20 Jan, 09:00 to 10:00: 0 calls instead of 107",
            "107 calls did not come (80 to 133)",
            "loss of volume",
            "2026-01-20",
        ),
        (
            "Channel chat, Thu 22 Jan, 14:10 to 15:30: 46 calls lost.",
            "Channel chat, Thu 22 Jan, 14:10 to 15:30: 89.1 % instead of 17.3 % on 64 calls",
            "46 calls lost (39 to 53)",
            "incident",
            "2026-01-22",
        ),
        (
            "All cases, Wed 28 Jan, 16:00 to 18:00: 489 calls on top.",
            "All cases, Wed 28 Jan, 16:00 to 18:00: 732 calls instead of 243",
            "489 calls on top (450 to 529)",
            "surge of volume",
            "2026-01-28",
        ),
    ]
    assert (found.card["text"], found.card["status_text"], found.card["signals"]) == ("15.0 %", "1 incident", [17])


def test_the_sheet_has_the_exact_bins():
    frame = calls()
    fail(frame, "2026-01-22 14:10", "2026-01-22 15:30", "chat")
    table = find(frame).sheets()["1"].table
    chat = frame[(frame["channel"] == "chat") & frame["period"].isin(table["period"])]
    assert table["seen: chat"].tolist() == chat["total"].tolist()
    assert table["period"][table["inside"]].tolist() == list(
        pd.date_range("2026-01-22 14:10", "2026-01-22 15:20", freq="10min")
    )
    assert (table["cases: chat"] + table["cases: phone"]).tolist() == table["cases"].tolist()


def test_the_rest_is_spared_only_on_evidence():
    """Two of three segments at 9 of 10; the third as usual, then with so few cases that nobody can tell."""
    seen, usual, n = (np.array(x, dtype=float) for x in ([90, 45, 15], [15, 7.5, 15], [100, 50, 100]))
    hit = hit_segments(seen, usual, n, 1, 1.0)
    assert (sorted(hit.members), verdict(hit.evidence, 3)) == ([0, 1], "some")
    few = hit_segments(np.array([90, 45, 0.0]), np.array([15, 7.5, 0.15]), np.array([100, 50, 1.0]), 1, 1.0)
    assert verdict(few.evidence, 3) == "unclear"


def test_rates_and_means():
    frame = calls()
    fail(frame, "2026-01-22 14:10", "2026-01-22 15:30")
    errors = rca.Metric(name="errors", kind="rate", better="down", cases="requests")
    assert find(frame, metric=errors).table["start"].tolist() == [pd.Timestamp("2026-01-22 14:10")]
    sold = rca.Metric(name="orders", kind="rate", better="up", cases="visits")
    none = frame.assign(total=frame["n"] / 2)
    none.loc[none["period"].between("2026-01-22 14:10", "2026-01-22 15:20"), "total"] = 0
    assert find(none, metric=sold).table[["kind", "end"]].to_numpy().tolist() == [
        ["rate", pd.Timestamp("2026-01-22 15:30")]
    ]


def test_mistakes_are_named():
    frame = calls()
    days = frame.assign(period=frame["period"].dt.normalize())
    with pytest.raises(InputError, match="needs parts of a day, got period 'D'"):
        find(days, period="D")
    with pytest.raises(InputError, match="every case is at 0:00"):
        find(days)
    with pytest.raises(InputError, match="at least two weeks"):
        find(calls(1))


# -- the sample and real data --------------------------------------------------------------------------------------


@pytest.mark.skipif(not SHARED.exists(), reason="the real data lie beside the project, not in it")
def test_the_one_incident_of_the_uci_log_hit_all_groups():
    source = rca.open_source(ROOT / "params/sources/uci_incidents.yml")
    within = ("2016-02-29", "2016-05-29")
    cube = rca.cube(source, "sla_missed", by=["assignment_group"], period="10min", within=within)
    table = rca.incidents(cube).table
    [row] = table[table["kind"] == "rate"].itertuples()
    assert (row.start, row.end) == (pd.Timestamp("2016-03-06 08:00"), pd.Timestamp("2016-03-15 22:00"))
    assert (row.who, row.cases, row.seen) == ("all", 2774, 2653)
    assert row.kpi_without == pytest.approx(0.303, abs=0.001)
