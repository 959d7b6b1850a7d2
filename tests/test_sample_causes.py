"""What is planted in the sample marketplace is there, of the size that its truth says, and nothing else is."""

import numpy as np
import pandas as pd
import pytest
from sampled import BUG, DIMENSIONS, METRICS, VENDORS, change, inside, measured, of, sample, within_segments
from scipy import stats

from rca.errors import InputError
from rca.sample import Cause, make_marketplace


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("vendor", ["Andes", "Ember", "Fjord"])
def test_a_local_cause_changes_its_segment_and_nothing_else(vendor, seed):
    [truth] = [cause for cause in sample(seed).truth if cause["vendor"] == vendor]
    metric, cases = truth["metric"], of(vendor, seed)
    cases = cases[(cases["day"] >= "2026-03-23") & ~cases["day"].between(*BUG)]
    after, hit = cases["day"] >= truth["start"], inside(cases, truth["where"])
    effect, error = change(cases[hit], metric, after[hit])
    assert effect == pytest.approx(truth["effect"], abs=4 * error)
    assert abs(effect) > 5 * error
    free = [dimension for dimension in DIMENSIONS if dimension not in truth["where"]]
    for dimension in free:  # the change is the same wherever in the segment one looks
        for value, part in cases[hit].groupby(dimension):
            effect, error = change(part, metric, after[part.index])
            assert effect == pytest.approx(truth["effect"], abs=4 * error), value
    rest = cases[~hit]
    assert abs(within_segments(rest, metric, after, ["market", "channel", "issue_type"])) < 3.5
    cells = rest.groupby(["market", "issue_type"])
    z = np.array([within_segments(cell, metric, after, ["shift"]) for _, cell in cells])
    assert (z**2).sum() < stats.chi2(len(z)).ppf(0.9995)
    for other in set(METRICS) - {metric}:
        effect, error = change(cases, other, after)
        assert abs(effect) < 4 * error


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("vendor", "dimension"), [("Baltic", "channel"), ("Cedar", "tenure")])
def test_a_mix_moves_shares_and_no_rate(vendor, dimension, seed):
    [truth] = [cause for cause in sample(seed).truth if cause["vendor"] == vendor]
    cases = of(vendor, seed)
    cases = cases[(cases["day"] >= "2026-03-23") & ~cases["day"].between(*BUG)]
    after, hit = cases["day"] >= truth["start"], inside(cases, truth["where"])
    share = hit[after].mean()
    assert share == pytest.approx(truth["effect"], abs=4 * np.sqrt(share * (1 - share) / after.sum()))
    for other in set(DIMENSIONS) - {dimension}:
        assert stats.chi2_contingency(pd.crosstab(after, cases[other])).pvalue > 0.0005
    strata = ["market", "issue_type", *{"channel", "tenure", dimension}]
    for metric in METRICS:
        assert abs(within_segments(cases, metric, after, strata)) < 3.5
    shares, moves = pd.crosstab(cases[dimension], after, normalize="columns"), {}
    for metric in METRICS:
        rates = cases[~after].groupby(dimension)[metric].mean()
        by_mix = ((shares[True] - shares[False]) * rates).sum()
        effect, error = change(cases, metric, after)
        assert effect == pytest.approx(by_mix, abs=4 * error)
        moves[metric] = by_mix
    effect, error = change(cases, "handling_time", after)
    assert abs(effect) > 4 * error
    assert truth["moves"] == {"csat": "down", "handling_time": "up" if effect > 0 else "down"}
    assert moves["csat"] < -0.015
    assert abs(moves["service_level"]) < 0.01
    assert abs(moves["escalation_rate"]) < 0.01


def test_new_hires_of_a_wave_are_new_people():
    cases = of("Cedar")
    new = cases[cases["tenure"] == "0-29"].groupby("week")["agent"].nunique()
    assert new[:32].max() <= 6
    assert new[33:].min() >= 12  # from 28 September on


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_drift_grows_from_nothing_to_its_effect(seed):
    cases = of("Delta", seed)
    start, last = pd.Timestamp("2026-08-17"), pd.Timestamp("2026-11-15")
    usual = cases.loc[cases["day"] < start, "handling_time"].mean()
    ramp = np.clip((cases["day"] - start) / (last - start), 0, None)
    slope = stats.linregress(ramp, cases["handling_time"])
    assert slope.slope / usual == pytest.approx(0.14, abs=4 * slope.stderr / usual)
    months = cases[cases["day"] >= start].groupby(cases["day"].dt.month)["handling_time"].mean()
    assert months.is_monotonic_increasing
    before = cases[cases["day"] < start]
    assert abs(stats.linregress(before["day"].astype("int64") / 1e6, before["handling_time"]).rvalue) < 0.03


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_bug_hits_every_vendor_alike(seed):
    effects, errors = [], []
    for vendor in VENDORS:
        cases = of(vendor, seed)
        if vendor == "Fjord":
            cases = cases[~inside(cases, {"market": "BR", "shift": "night"})]
        effect, error = change(cases, "service_level", cases["day"].between(*BUG))
        assert effect == pytest.approx(-0.20, abs=4 * error), vendor
        effects.append(effect)
        errors.append(error)
    z = (np.array(effects) + 0.20) / errors
    assert (z**2).sum() < stats.chi2(8).ppf(0.9995)


def test_causes_touch_only_what_they_say():
    """The random numbers do not depend on the causes, so every other case is the same without them."""
    with_causes, without = sample().cases, sample(planted=False).cases
    differs = ~(with_causes.fillna(0) == without.fillna(0))
    quiet = with_causes["vendor"].isin(["Grove", "Harbor"])
    in_bug = with_causes["opened_at"].dt.normalize().between(*BUG)
    assert not differs[quiet & ~in_bug].any(axis=None)
    touched = differs[quiet].any()
    assert set(touched[touched].index) == {"queue_seconds", "first_response_in_target"}
    andes = differs[(with_causes["vendor"] == "Andes") & ~in_bug].drop(columns="sop_version")
    segment = with_causes.loc[andes.index, ["market", "issue_type"]].eq(["MX", "refund"]).all(axis=1)
    assert not andes[~segment].any(axis=None)
    assert set(andes.columns[andes.any()]) == {"csat"}


OTHERS = [
    Cause(kind="rate", vendor="Harbor", metric="handling_time", where={"channel": "phone"},
          start="2026-08-03", effect=0.25),
    Cause(kind="rate", vendor="Delta", metric="escalation_rate", where={"tenure": "0-29"},
          start="2026-06-01", effect=0.15),
    Cause(kind="rate", metric="csat", where={"language": "es", "sop": "SOP-105"}, start="2026-07-06", effect=-0.20),
    Cause(kind="common", vendor="Cedar", metric="csat", start="2026-09-21", effect=-0.12),
    Cause(kind="drift", vendor="Grove", metric="service_level", where={"market": "DE"},
          start="2026-06-01", effect=-0.40),
    Cause(kind="rate", vendor="Fjord", metric="service_level", where={"issue_subtype": "late"},
          start="2026-05-04", end="2026-06-28", effect=-0.30),
]  # fmt: skip


@pytest.mark.parametrize("cause", OTHERS, ids=lambda cause: f"{cause.kind} {cause.metric}")
def test_other_causes_can_be_planted(cause):
    made = make_marketplace(4, [cause], cases=100_000)
    cases = measured(made.cases)
    hit = inside(cases, cause.where) if cause.where else np.ones(len(cases), dtype=bool)
    cases = cases[hit & (cases["vendor"] == cause.vendor if cause.vendor else True)]
    during = cases["day"].between(cause.start, cause.end or "2026-11-15")
    effect, error = change(cases, cause.metric, during)
    share = 0.5 if cause.kind == "drift" else 1.0  # a drift does half of its effect on average
    usual = cases.loc[~during, cause.metric].mean() if cause.metric == "handling_time" else 1.0
    assert effect == pytest.approx(share * cause.effect * usual, abs=4 * error)
    assert abs(effect) > 5 * error
    assert [(t["kind"], t["metric"], t["where"]) for t in made.truth] == [(cause.kind, cause.metric, cause.where)]
    assert "INC-552" not in set(made.events["event_id"])


def test_a_market_can_enter_and_a_channel_can_leave():
    causes = [
        Cause(kind="mix", vendor="Harbor", where={"market": "BR"}, start="2026-10-05", effect=0.2),
        Cause(kind="mix", where={"channel": "social"}, start="2026-11-02", end="2026-11-08", effect=0),
    ]
    cases = measured(make_marketplace(5, causes, cases=40_000).cases)
    shares = cases.groupby(["vendor", cases["day"] >= "2026-10-05"])["market"].value_counts(normalize=True)
    assert ("Harbor", False, "BR") not in shares.index
    assert shares["Harbor", True, "BR"] == pytest.approx(0.2, abs=0.07)
    assert (cases.loc[cases["market"] == "BR", "language"] == "pt").all()
    social = cases[cases["channel"] == "social"]["day"]
    assert not social.between("2026-11-02", "2026-11-08").any()
    assert (social > "2026-11-08").any()


FINE = {"kind": "rate", "metric": "csat", "effect": -0.1, "start": "2026-09-21"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "rates"}, "unknown kind of cause 'rates'. Did you mean 'rate'?"),
        ({"vendor": "Ande"}, "unknown vendor 'Ande'. Did you mean 'Andes'?"),
        ({"metric": "casat"}, "unknown metric 'casat'. Did you mean 'csat'?"),
        ({"metric": None}, "unknown metric 'None'. Known: csat"),
        ({"where": {"chanel": "chat"}}, "unknown dimension 'chanel'. Did you mean 'channel'?"),
        ({"where": {"channel": "chats"}}, "unknown channel 'chats'. Did you mean 'chat'?"),
        ({"start": "21.9.2026"}, "'21.9.2026' is not a date"),
        ({"end": "2026-09-01"}, "a rate from 2026-09-21 to 2026-09-01 has no time to act"),
        ({"kind": "drift", "end": "2026-09-21"}, "a drift from 2026-09-21 to 2026-09-21 has no time to act"),
        ({"effect": float("nan")}, "the effect of a cause is a number"),
        ({"kind": "common", "where": {"market": "MX"}}, "a common cause hits every segment"),
        ({"kind": "mix", "where": {"channel": "chat"}}, "leave out metric='csat'"),
        ({"kind": "mix", "metric": None}, "moves the share of one value"),
        ({"kind": "mix", "metric": None, "where": {"language": "es"}}, "unknown dimension of a mix 'language'"),
        ({"kind": "mix", "metric": None, "where": {"channel": "chat"}, "effect": 1.2}, "is the new share"),
    ],
)
def test_a_wrong_cause_is_refused(fields, message):
    with pytest.raises(InputError) as error:
        Cause(**{**FINE, **fields})
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"vendor": "Andes", "where": {"market": "DE"}}, "Andes has no case in market=DE from 2026-09-21 on"),
        ({"metric": "escalation_rate"}, "the causes bring escalation_rate of some cases to -0.0"),
        ({"start": "2026-01-01", "end": "2026-01-31"}, "lies outside the data, 2026-02-09 to 2026-11-15"),
        ({"start": "2027-01-01", "end": "2027-01-31"}, "lies outside the data, 2026-02-09 to 2026-11-15"),
    ],
)
def test_a_cause_that_cannot_act_is_refused(fields, message):
    with pytest.raises(InputError) as error:
        make_marketplace(causes=[Cause(**{**FINE, **fields})], cases=1_000)
    assert message in str(error.value)
