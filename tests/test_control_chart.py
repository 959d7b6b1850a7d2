"""The chart of a cube: which chart, which limits, what signals, what sentence."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import geom, norm

from rca import charts, rules
from rca.charts import p_chart, xmr_chart
from rca.control_chart import control_chart
from rca.cube import Cube
from rca.errors import InputError, TooLittleData
from rca.metric import Metric, Target

CSAT = Metric(
    name="csat", kind="proportion", better="up", label="CSAT", cases="answers", targets=(Target(value=0.85),)
)
HANDLING = Metric(name="handling", kind="mean", better="down", unit="s", label="Handling time")
CONTACTS = Metric(name="contacts", kind="rate", better="down", label="Contacts per order", cases="orders")
ESCALATED = Metric(name="escalated", kind="proportion", better="down", label="Escalation rate")


def weeks(count, first="2026-02-09"):
    return pd.date_range(first, periods=count, freq="7D")


def cube_of(totals, n, metric, period=None, partial=(), **more):
    period = weeks(len(totals)) if period is None else period
    frame = pd.DataFrame({"period": period, "n": n, "total": totals, **more})
    step = "D" if (period[1] - period[0]).days == 1 else "M" if (period[1] - period[0]).days > 7 else "W"
    return Cube(frame, metric, period=step, partial=[period[i] for i in partial])


def csat(count=40, seed=1, n=600, rate=0.86):
    return np.random.default_rng(seed).binomial(n, rate, count)


def handling(count=40, seed=1, n=300, mean=560.0, between=0.0):
    """Totals and sums of squares of gamma handling times, and what the periods add."""
    rng = np.random.default_rng(seed)
    cases = rng.gamma(4, mean / 4, (count, n)) + rng.normal(0, between, (count, 1))
    return cases.sum(axis=1), (cases**2).sum(axis=1)


# which chart


def test_a_share_that_varies_as_chance_says_is_a_p_chart_and_says_so():
    chart = control_chart(cube_of(csat(), 600, CSAT))
    assert chart.chart == "p"
    assert chart.reason == "a share of about 600 answers a week; weeks vary as chance explains"


def test_large_volumes_that_vary_more_than_chance_are_a_p_prime_chart():
    rng = np.random.default_rng(2)
    rate = np.clip(rng.normal(0.86, 0.021, 40), 0, 1)  # 15 % of the miss rate
    chart = control_chart(cube_of(rng.binomial(5000, rate), 5000, CSAT))
    assert chart.chart == "p'"
    # chance alone gives sqrt(.86 * .14 / 5000) = 0.0049; 0.021 more is 4.4 times as much
    assert chart.sigma_z == pytest.approx(4.4, rel=0.25)
    assert "as much as chance explains" in chart.caption
    assert not chart.table["beyond_limits"].any()


def test_a_mean_is_an_xbar_chart_while_its_cases_explain_the_spread_and_individuals_where_not():
    total, squares = handling()
    assert control_chart(cube_of(total, 300, HANDLING, total_sq=squares)).chart == "xbar_s"
    total, squares = handling(between=60)
    chart = control_chart(cube_of(total, 300, HANDLING, total_sq=squares))
    assert chart.chart == "xmr"
    assert "weeks vary more than the cases within them explain" in chart.reason


def test_a_rate_is_a_u_chart():
    events = np.random.default_rng(3).poisson(0.3 * 400, 40)
    assert control_chart(cube_of(events, 400, CONTACTS)).chart == "u"


def test_rare_events_are_charted_by_the_cases_between_them():
    rng = np.random.default_rng(4)
    events = rng.binomial(300, 0.005, 40)
    chart = control_chart(cube_of(events, 300, ESCALATED))
    assert chart.chart == "g"
    assert len(chart.table) == events.sum()  # gaps between them, and the one that is still open
    assert chart.table["partial"].tolist() == [False] * (events.sum() - 1) + [True]
    assert chart.metric.better == "up"  # the longer between escalations the better
    assert chart.metric.label == "Escalation rate: cases between events"
    # the gaps and the events tile the cases from the first event on
    assert chart.table["value"].sum() + events.sum() <= 40 * 300
    assert chart.table["value"].sum() + events.sum() == pytest.approx(40 * 300, rel=0.05)


def test_limits_between_rare_events_are_quantiles_of_chance():
    events = np.random.default_rng(4).binomial(300, 0.005, 40)
    chart = control_chart(cube_of(events, 300, ESCALATED))
    whole = chart.table[~chart.table["partial"]]
    per_case = 1 / (1 + whole["value"].mean())
    # scipy counts trials up to the event; a quantile of whole cases lies within one of the continuous one
    upper = geom.ppf(norm.cdf(3), per_case) - 1
    assert chart.facts["ucl"] == pytest.approx(upper, abs=1)
    assert chart.facts["center"] == pytest.approx(geom.median(per_case) - 1, abs=1)
    far = whole["value"].idxmax()
    assert norm.sf(whole["z"][far]) == pytest.approx(geom.sf(whole["value"][far] + 0.5, per_case), rel=2 * per_case)


def test_rare_events_per_exposure_are_charted_by_the_exposure_between_them():
    events = np.random.default_rng(5).poisson(1.0, 40)
    assert control_chart(cube_of(events, 50, CONTACTS)).chart == "t"


def test_textbook_limits_are_one_argument_away():
    totals = csat()
    chart = control_chart(cube_of(totals, 600, CSAT), adjust=False, rules="nelson")
    plain = p_chart(totals, 600, rules="nelson")
    for column in ("center", "lcl", "ucl", "z", "beyond_limits", "eight_outside"):
        np.testing.assert_array_equal(chart.table[column], plain.table[column])


# limits and signals


def test_plain_default_limits_are_those_of_the_book_times_what_the_baseline_does_not_know():
    values = np.random.default_rng(12).normal(500, 10, 60)
    frame = cube_of(values, 1.0, HANDLING, total_sq=values**2)  # one value a week: individuals
    chart = control_chart(frame, baseline=[weeks(60)[0], weeks(60)[29]])
    base, phi = values[:30], chart.phi
    sigma = np.abs(np.diff(base)).mean() / 1.128 / np.sqrt(1 - phi)
    half = 3 * sigma * np.sqrt(1 + (1 + phi) / ((1 - phi) * 30))
    np.testing.assert_allclose(chart.table["ucl"], base.mean() + half, rtol=1e-12)
    np.testing.assert_allclose(chart.table["lcl"], base.mean() - half, rtol=1e-12)
    assert (chart.table["beyond_limits"] == (np.abs(values - base.mean()) > half)).all()


def test_a_short_baseline_is_provisional_and_wider():
    chart = control_chart(cube_of(csat(), 600, CSAT), baseline=[weeks(40)[0], weeks(40)[11]])
    assert "limits are provisional, from 12 weeks" in chart.caption
    assert chart.headline.endswith("; limits are provisional, from 12 weeks.")
    base = csat()[:12].sum() / (12 * 600)
    sigma = np.sqrt(base * (1 - base) / 600)
    widened = np.sqrt(1 + (1 + chart.phi) / ((1 - chart.phi) * 12)) * (1 + 3 / 12)
    np.testing.assert_allclose(chart.table["ucl"], base + 3 * chart.sigma_z * sigma * widened, rtol=1e-9)


def test_limits_of_a_baseline_stay_frozen_as_weeks_are_added():
    totals = csat(60)
    window = [weeks(60)[0], weeks(60)[25]]
    short = control_chart(cube_of(totals[:40], 600, CSAT), baseline=window).table
    long = control_chart(cube_of(totals, 600, CSAT), baseline=window).table
    for column in ("center", "lcl", "ucl", "z"):
        np.testing.assert_array_equal(short[column], long[column][:40])


def test_a_drop_after_the_baseline_is_worse_and_dated():
    totals = csat()
    totals[30:] -= 48  # 8 points
    chart = control_chart(cube_of(totals, 600, CSAT), baseline="last 26 before last 10")
    facts = chart.facts
    assert facts["status"] == "worse"
    assert facts["level_change"]["date"] == "2026-09-07"
    assert facts["level_change"]["size"] == pytest.approx(-0.08, abs=0.01)
    assert facts["level_change"]["level"] == pytest.approx(totals[30:].sum() / 6000)
    assert set(chart.signals["judgement"]) == {"worse"}
    assert chart.signals["rule"].value_counts()["level_change"] == 1
    assert "worse: it fell by" in chart.headline
    json.dumps(facts)


def test_a_drift_is_called_a_drift():
    totals = csat(60, n=2000) + np.arange(60) * 2.5  # 0.125 points a week
    chart = control_chart(cube_of(totals, 2000, CSAT))
    assert chart.level_change["kind"] == "drift"
    assert chart.level_change["size"] == pytest.approx(0.0738, abs=0.015)
    assert "better: it rose by" in chart.headline
    assert "little by little" in chart.headline


def test_every_rule_that_a_point_breaks_is_kept():
    values = [50, 51, 49, 50, 52, 48, 51, 49, 50, 51, 49, 50, 65, 66, 67, 68]
    chart = xmr_chart(values, baseline=12, rules="nelson")
    at_14 = chart.signals[chart.signals["period"] == 14]
    assert set(at_14["rule"]) == {"beyond_limits", "two_of_three"}
    at_16 = set(chart.signals[chart.signals["period"] == 16]["rule"])
    assert at_16 == {"beyond_limits", "two_of_three", "four_of_five", "trend_of_six"}
    assert (chart.signals["direction"] == "up").all()
    assert (chart.signals["judgement"] == "").all()  # nobody said which way is better


def test_scaling_and_shifting_move_limits_alike_and_signals_not():
    values = np.random.default_rng(8).normal(100, 5, 60)
    values[40] += 30
    one, two = xmr_chart(values, rules="nelson"), xmr_chart(4 * values + 10, rules="nelson")
    np.testing.assert_allclose(two.table["ucl"], 4 * one.table["ucl"] + 10, rtol=1e-12)
    pd.testing.assert_frame_equal(one.signals, two.signals)


def test_the_order_of_the_rows_does_not_matter():
    cube = cube_of(csat(), 600, CSAT)
    shuffled = Cube(cube.frame.sample(frac=1, random_state=0), CSAT, period="W")
    pd.testing.assert_frame_equal(control_chart(cube).table, control_chart(shuffled).table)


# time


def test_a_partial_week_is_drawn_and_not_judged():
    totals = csat()
    totals[-1] = 300
    chart = control_chart(cube_of(totals, 600, CSAT, partial=[39]))
    assert chart.table["value"].iloc[-1] == 0.5
    assert len(chart.signals) == 0
    assert chart.facts["last_period"] == "2026-11-02"
    full = control_chart(cube_of(csat()[:39], 600, CSAT))
    np.testing.assert_array_equal(chart.table["ucl"][:39], full.table["ucl"])


def test_a_missing_week_keeps_its_place_and_makes_no_moving_range():
    series = pd.Series([10.0, 12, 11, 30, 31, 29], index=weeks(7).delete(3))
    chart = xmr_chart(series)
    assert chart.table["period"].tolist() == list(weeks(7))
    assert np.isnan(chart.table["value"][3])
    assert chart.facts["sigma"] == pytest.approx(np.mean([2, 1, 1, 2]) / 1.128)  # not |30 - 11|
    assert np.isnan(chart.spread["value"].iloc[[3, 4]]).all()


def test_unsorted_dates_are_put_in_order_and_repeated_ones_refused():
    values = pd.Series(np.arange(20.0), index=weeks(20))
    pd.testing.assert_frame_equal(xmr_chart(values.sample(frac=1, random_state=1)).table, xmr_chart(values).table)
    with pytest.raises(InputError, match="period 2026-02-09 appears twice"):
        xmr_chart(pd.concat([values, values[:1]]))


def daily(weeks_of_history, dip=0.0, seed=3):
    """Shares of 2,000 cases a day, 4 points lower on Sundays; `dip`: what the last day lacks."""
    days = pd.date_range("2026-01-05", periods=7 * weeks_of_history, freq="D")
    rate = 0.86 - 0.04 * (days.day_of_week == 6)
    rate = rate - dip * (np.arange(len(days)) == len(days) - 4)
    return cube_of(np.random.default_rng(seed).binomial(2000, rate), 2000, CSAT, days)


def test_the_weekday_pattern_is_taken_out_from_six_weeks_on():
    assert control_chart(daily(5)).season == ""
    chart = control_chart(daily(10))
    assert chart.season == "weekday"
    assert "weekday pattern taken out" in chart.caption
    center = chart.table["center"].to_numpy()
    assert center[:6].mean() - center[6] == pytest.approx(0.04, abs=0.005)
    assert len(chart.signals) == 0
    # without it the Sundays hide what happens on a Thursday
    found, blind = control_chart(daily(10, dip=0.04)), control_chart(daily(10, dip=0.04), season=False)
    assert "beyond_limits" in set(found.signals["rule"])
    assert "beyond_limits" not in set(blind.signals["rule"])


def monthly(years=3, step_at=None, seed=6, n=200_000, scatter=0.03):
    """Breach shares with a winter peak in logits; `step_at`: a month from which 0.5 logits are added."""
    months = pd.date_range("2022-01-01", periods=12 * years, freq="MS")
    logit = -2 + 0.35 * np.cos(2 * np.pi * (months.month - 1) / 12)
    logit = logit + np.random.default_rng(seed).normal(0, scatter, len(months))
    if step_at is not None:
        logit = logit + 0.5 * (np.arange(len(months)) >= step_at)
    breach = Metric(name="breach", kind="proportion", better="down", label="Breaches")
    return cube_of(np.round(n / (1 + np.exp(-logit))), n, breach, months)


def test_a_yearly_pattern_is_taken_out_from_two_years_on_and_does_not_pass_for_a_change():
    chart = control_chart(monthly())
    assert chart.season == "yearly"
    assert chart.level_change is None
    assert len(chart.signals) == 0
    assert control_chart(monthly(years=1)).season == ""
    moved = control_chart(monthly(step_at=20)).level_change
    assert moved["date"] == "2023-09-01"
    share = 1 / (1 + np.exp(2))
    assert moved["size"] == pytest.approx(1 / (1 + np.exp(1.5)) - share, rel=0.15)


def test_a_short_series_takes_the_season_of_the_total_off():
    total, unit = monthly(), monthly(seed=7, n=5000)
    young = unit.within(["2023-06-01", "2024-12-31"])
    chart = control_chart(young, season=total)
    assert "the total’s pattern taken out" in chart.caption
    assert len(chart.signals) == 0
    center = chart.table.set_index(chart.table["period"].dt.month)["center"]
    assert center[1].mean() > 1.5 * center[7].mean()
    with pytest.raises(TooLittleData, match="too few to show a season"):
        control_chart(unit, season=young)


def ar(phi, count, rng):
    noise = rng.normal(size=count + 50)
    for i in range(1, count + 50):
        noise[i] = phi * noise[i - 1] + np.sqrt(1 - phi**2) * noise[i]
    return noise[50:]


def test_autocorrelation_widens_limits_and_a_shift_does_not_pass_for_it():
    rng = np.random.default_rng(9)
    phis, shifted = [], []
    for _ in range(40):
        values = 500 + 10 * ar(0.5, 104, rng)
        phis.append(control_chart(cube_of(values, 1.0, HANDLING, total_sq=values**2), season=False).phi)
        values = 500 + 10 * rng.normal(size=104) + 30 * (np.arange(104) >= 60)
        shifted.append(control_chart(cube_of(values, 1.0, HANDLING, total_sq=values**2), season=False))
    assert np.mean(phis) == pytest.approx(0.47, abs=0.06)
    assert np.mean([c.phi for c in shifted]) < 0.1
    assert np.mean([c.level_change is not None for c in shifted]) > 0.95


# phases, causes, targets


def two_levels():
    totals = csat()
    totals[20:] += 40
    return totals


def test_phases_have_their_own_limits_with_a_reason_and_end_the_suggestion():
    cube = cube_of(two_levels(), 600, CSAT)
    assert control_chart(cube).level_change["date"] == "2026-06-29"
    chart = control_chart(cube, phases=[{"start": "2026-07-01", "reason": "new SOP"}])
    assert chart.table["phase"].tolist() == [1] * 20 + [2] * 20
    centers = chart.table.groupby("phase")["center"].first()
    assert centers[1] == pytest.approx(two_levels()[:20].sum() / 12000)
    assert centers[2] == pytest.approx(two_levels()[20:].sum() / 12000)
    assert chart.level_change is None
    assert chart.phases[1] == {"start": "2026-06-29", "reason": "new SOP"}
    assert "set anew 1 Jul 2026 (new SOP)" in chart.caption


def test_frozen_baseline_and_phases_together():
    cube = cube_of(two_levels(), 600, CSAT)
    second = {"start": "2026-06-29", "baseline": ["2026-06-29", "2026-09-20"]}
    chart = control_chart(cube, baseline=["2026-02-09", "2026-05-03"], phases=[second])
    centers = chart.table.groupby("phase")["center"].first()
    assert centers[1] == pytest.approx(two_levels()[:12].sum() / 7200)
    assert centers[2] == pytest.approx(two_levels()[20:32].sum() / 7200)


def test_a_phase_too_young_keeps_the_earlier_limits_and_says_so():
    cube = cube_of(two_levels(), 600, CSAT)
    chart = control_chart(cube, phases=[{"start": "2026-10-26", "reason": "new team"}])
    assert set(chart.table["phase"]) == {1}
    assert "too few weeks since 26 Oct 2026 for limits of their own" in chart.caption


def test_known_causes_are_drawn_and_set_no_limits():
    totals = csat()
    totals[10:12] = 420
    events = pd.DataFrame(
        {"kind": ["tool_bug"], "start": ["2026-04-21"], "end": ["2026-04-27"], "title": ["Chat down"]}
    )
    chart = control_chart(cube_of(totals, 600, CSAT), exclude=events[events["kind"] == "tool_bug"])
    assert chart.table.index[chart.table["excluded"]].tolist() == [10, 11]
    assert chart.table["note"][10] == "Chat down"
    assert chart.table["value"][10] == 0.7
    assert not chart.table["beyond_limits"].any()
    rest = np.delete(totals, [10, 11])
    assert chart.facts["center"] == pytest.approx(rest.sum() / (38 * 600))
    assert "2 weeks with a known cause excluded (Chat down)" in chart.caption
    same = control_chart(cube_of(totals, 600, CSAT), exclude=[{"start": "2026-04-21", "end": "2026-04-27"}])
    np.testing.assert_array_equal(same.table["ucl"], chart.table["ucl"])


def test_events_of_others_are_not_marked():
    events = pd.DataFrame({
        "start": ["2026-03-02", "2026-03-09", "2026-03-16", "2027-01-01"], "end": None,
        "title": ["ours", "theirs", "everyone's", "later"], "vendor": ["Andes", "Baltic", None, None]})  # fmt: skip
    cube = cube_of(csat(), 600, CSAT)
    scoped = Cube(cube.frame, CSAT, period="W", scope={"vendor": "Andes"})
    assert control_chart(scoped, events=events).events["title"].tolist() == ["ours", "everyone's"]


def test_targets_are_dated_and_judged_on_the_current_phase():
    targets = (Target(value=0.80), Target(value=0.88, since="2026-06-29"))
    cube = cube_of(two_levels(), 600, CSAT.model_copy(update={"targets": targets}))
    chart = control_chart(cube, phases=[{"start": "2026-06-29"}])
    assert chart.table["target"].tolist() == [0.80] * 20 + [0.88] * 20
    second = two_levels()[20:] / 600
    met = (second >= 0.88).sum()
    assurance = chart.assurance
    assert (assurance["periods"], assurance["share"]) == (20, met / 20)
    # Wilson's interval from its formula
    z, p, n = 1.959964, met / 20, 20
    middle, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert assurance["low"] == pytest.approx((middle - half) / (1 + z**2 / n), rel=1e-6)
    assert assurance["high"] == pytest.approx((middle + half) / (1 + z**2 / n), rel=1e-6)
    assert assurance["verdict"] == "hit and miss"
    assert control_chart(cube).target == 0.88


# what cannot be charted


def test_too_short_a_baseline_is_a_sentence():
    with pytest.raises(
        TooLittleData, match="CSAT: the baseline has 6 whole weeks with answers; limits need at least 12"
    ):
        control_chart(cube_of(csat(), 600, CSAT), baseline="last 6")


def test_one_point_is_a_sentence():
    with pytest.raises(TooLittleData, match="the chart has 1 point; limits need at least 2"):
        xmr_chart([5.0])


def test_nothing_is_a_sentence():
    with pytest.raises(TooLittleData, match="values is empty"):
        xmr_chart([])
    with pytest.raises(TooLittleData, match="has 0 points"):
        xmr_chart([np.nan] * 20)
    with pytest.raises(TooLittleData, match="CSAT: there are no answers"):
        control_chart(Cube(pd.DataFrame(columns=["period", "n", "total"]), CSAT))
    with pytest.raises(TooLittleData, match="has 0 whole weeks with answers"):
        control_chart(cube_of([0] * 20, 0, CSAT))


def test_a_constant_series_has_no_signal_and_says_that_it_does_not_vary():
    for chart in (xmr_chart([5.0] * 30), control_chart(cube_of([600] * 30, 600, HANDLING, total_sq=[600.0] * 30))):
        assert len(chart.signals) == 0
        assert chart.level_change is None
        assert "the baseline does not vary" in chart.caption
        assert chart.table[["value", "center", "lcl", "ucl", "z"]].notna().all(axis=None)


def test_a_week_without_cases_is_a_gap():
    n = np.full(40, 600)
    n[5] = 0
    chart = control_chart(cube_of(np.where(n, csat(), 0), n, CSAT))
    assert np.isnan(chart.table["value"][5])
    assert chart.table["value"].isna().sum() == 1
    assert p_chart([5, 0, 7, 6], [50, 0, 60, 55]).table["value"].isna().tolist() == [False, True, False, False]


def test_every_second_week_has_no_moving_range():
    with pytest.raises(TooLittleData, match="no two neighbouring periods"):
        control_chart(cube_of(csat() * ([1, 0] * 20), [600, 0] * 20, CSAT))


@pytest.mark.parametrize(("values", "n", "message"), [
    ([1, np.inf, 2], None, r"infinite number \(entry 2\)"), (["a", 1], None, "values must be numbers"),
])  # fmt: skip
def test_values_that_are_no_numbers(values, n, message):
    with pytest.raises(InputError, match=message):
        xmr_chart(values)


@pytest.mark.parametrize(("counts", "n", "message"), [
    ([5, 60, 7], 50, "more cases count than there are"), ([5, -1, 7], 50, "a count is negative"),
    ([5, 6, 7], [50, -50, 50], "n is negative"), ([5, 6, 7], [50, 50], "one entry per period; got 3, 2, 3"),
])  # fmt: skip
def test_counts_that_cannot_be(counts, n, message):
    with pytest.raises(InputError, match=message):
        p_chart(counts, n)


def test_no_event_at_all_is_a_sentence():
    with pytest.raises(
        TooLittleData, match="Escalation rate: no events in 12,000 cases; there is nothing to chart"
    ):
        control_chart(cube_of([0] * 40, 300, ESCALATED))


@pytest.mark.parametrize(("options", "message"), [
    ({"rules": "nelsen"}, "unknown rule 'nelsen'"), ({"phases": [{"begin": "2026-05-04"}]}, "phase has no 'begin'"),
    ({"phases": [{"start": "2031-05-04"}]}, "outside the chart"), ({"exclude": [{"start": "soon"}]}, "not a date"),
    ({"baseline": "last year"}, "not a window"),
    ({"exclude": pd.DataFrame({"start": ["2026-03-02"], "end": [None], "title": ["SOP"]})}, "'SOP' has no end"),
])  # fmt: skip
def test_mistakes_are_named(options, message):
    with pytest.raises(InputError, match=message):
        control_chart(cube_of(csat(), 600, CSAT), **options)


def test_expected_false_signals_are_about_what_noise_shows():
    rng = np.random.default_rng(10)
    found, expected = 0, 0.0
    for _ in range(300):
        values = rng.normal(size=80)
        chart = xmr_chart(values, baseline=26, rules="beyond_limits")
        found, expected = found + len(chart.signals), expected + chart.expected
    assert found == pytest.approx(expected, rel=0.15)


def test_the_baseline_of_a_chart_of_gaps_is_in_weeks_and_young_phases_are_told():
    events = np.random.default_rng(4).binomial(300, 0.005, 40)
    cube = cube_of(events, 300, ESCALATED)
    chart = control_chart(cube, baseline="last 20 before last 10")
    assert chart.baseline[0] >= pd.Timestamp("2026-04-20")
    assert chart.baseline[1] <= pd.Timestamp("2026-09-06")
    assert "gaps (" in chart.caption
    with pytest.raises(TooLittleData, match="the baseline has 4 whole weeks with cases; limits need at least 12"):
        control_chart(cube, baseline="last 4")


def test_individuals_and_xbar_charts_have_a_panel_for_their_spread():
    total, squares = handling(between=60)
    chart = control_chart(cube_of(total, 300, HANDLING, total_sq=squares))
    np.testing.assert_allclose(chart.spread["value"][1:], np.abs(np.diff(total / 300)), rtol=1e-12)
    assert "run_of_nine" not in chart.spread  # run rules are never applied to moving ranges
    total, squares = handling()
    chart = control_chart(cube_of(total, 300, HANDLING, total_sq=squares))
    rng = np.random.default_rng(1)
    sd = rng.gamma(4, 560 / 4, (40, 300)).std(axis=1, ddof=1)
    np.testing.assert_allclose(chart.spread["value"], sd, rtol=1e-9)
    with pytest.raises(InputError, match="has no panel for its spread"):
        control_chart(cube_of(csat(), 600, CSAT)).plot_spread()


def test_the_page_names_every_chart_and_rule():
    page = (Path(__file__).parents[1] / "docs" / "control-charts.md").read_text(encoding="utf-8")
    for name in [*charts.__all__, *rules.RULES, *rules.SETS]:
        assert f"`{name}`" in page, name
