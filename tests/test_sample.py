"""The sample marketplace: deterministic, stationary but for what is planted, and planted as its truth says."""

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from rca.errors import InputError
from rca.sample import Cause, make_marketplace, write_marketplace

VENDORS = ["Andes", "Baltic", "Cedar", "Delta", "Ember", "Fjord", "Grove", "Harbor"]
METRICS = ["csat", "service_level", "handling_time", "escalation_rate"]
DIMENSIONS = ["market", "channel", "issue_type", "shift", "tenure"]
BUG = ("2026-10-03", "2026-10-12")


@cache
def sample(seed=1, planted=True):
    return make_marketplace(seed, None if planted else [])


def measured(cases):
    """The cases with one column per metric (missing where it does not count), day, week and tenure band."""
    return cases.assign(
        satisfied=cases["csat"],
        csat=cases["csat"].ge(4).astype("Float64").astype(float),
        service_level=cases["first_response_in_target"].astype(float),
        handling_time=cases["handling_seconds"].astype(float),
        escalation_rate=cases["escalated"].astype(float),
        tenure=pd.cut(cases["tenure_days"], [-1, 29, 89, 10_000], labels=["0-29", "30-89", "90+"]).astype(str),
        day=cases["opened_at"].dt.normalize(),
        week=(cases["opened_at"] - pd.Timestamp("2026-02-09")).dt.days // 7,
    )


@cache
def by_vendor(seed, planted):
    return dict(list(measured(sample(seed, planted).cases).groupby("vendor")))


def of(vendor, seed=1, planted=True):
    return by_vendor(seed, planted)[vendor]


def inside(cases, where):
    return np.logical_and.reduce([cases[dimension] == value for dimension, value in where.items()])


def change(cases, metric, after):
    """Difference of the means after and before, and its standard error."""
    late, early = cases.loc[after, metric].dropna(), cases.loc[~after, metric].dropna()
    return late.mean() - early.mean(), np.sqrt(late.var() / len(late) + early.var() / len(early))


def within_segments(cases, metric, after, strata):
    """Mantel-Haenszel's z: is the metric higher after, at equal strata? Means with the sample variance instead."""
    rows = cases.assign(after=after[cases.index]).dropna(subset=[metric])
    every = rows.groupby(strata)[metric].agg(["size", "mean", "var"])
    late = rows[rows["after"]].groupby(strata)[metric].agg(["size", "sum"]).reindex(every.index, fill_value=0)
    variance = late["size"] * (every["size"] - late["size"]) * every["var"].fillna(0) / every["size"]
    return (late["sum"] - late["size"] * every["mean"]).sum() / np.sqrt(variance.sum())


def test_frames_are_what_an_operation_has():
    cases = sample().cases
    assert len(cases) == 200_000
    assert cases["case_id"].is_unique
    assert cases["opened_at"].is_monotonic_increasing
    assert cases["opened_at"].min().normalize() == pd.Timestamp("2026-02-09")
    assert cases["opened_at"].max().normalize() == pd.Timestamp("2026-11-15")
    assert cases.drop(columns="csat").notna().all(axis=None)
    volumes = cases["vendor"].value_counts()
    assert sorted(volumes.index) == VENDORS
    assert volumes.between(19_000, 31_000).all()
    assert cases.groupby("vendor")["market"].nunique().between(3, 5).all()
    days = pd.crosstab(cases["vendor"], cases["opened_at"].dt.normalize())
    assert days.shape == (8, 280)
    assert (days > 0).all(axis=None)
    assert {column: str(dtype) for column, dtype in cases.dtypes.items()} == {
        "case_id": "str", "opened_at": "datetime64[us]", "vendor": "str", "market": "str", "channel": "str",
        "language": "str", "issue_type": "str", "issue_subtype": "str", "sop": "str", "sop_version": "str",
        "agent": "str", "tenure_days": "int32", "shift": "str", "queue_seconds": "int32",
        "handling_seconds": "int32", "first_response_in_target": "bool", "csat": "Int8", "resolved": "bool",
        "escalated": "bool", "customer": "str",
    }  # fmt: skip


def test_fields_of_a_case_agree_with_each_other():
    cases = sample().cases
    target = cases["channel"].map({"chat": 60, "email": 14_400, "phone": 120, "social": 1_800})
    assert ((cases["queue_seconds"] <= target) == cases["first_response_in_target"]).all()
    hour = cases["opened_at"].dt.hour
    assert (cases["shift"] == np.select([hour < 8, hour < 16], ["night", "day"], "evening")).all()
    one = cases.groupby("market")["language"].nunique()
    assert (one == 1).all()
    assert (cases.groupby("issue_subtype")[["issue_type", "sop"]].nunique() == 1).all(axis=None)
    hired = cases["opened_at"].dt.normalize() - pd.to_timedelta(cases["tenure_days"], "D")
    assert (hired.groupby(cases["agent"]).nunique() == 1).all()
    assert (cases.groupby("agent")["vendor"].nunique() == 1).all()
    assert (cases["customer"].str[:2] == cases["market"]).all()
    assert cases["csat"].dropna().isin(range(1, 6)).all()
    third_version = cases[cases["sop_version"] == "v3"]
    assert third_version.groupby("sop")["opened_at"].min().dt.strftime("%Y-%m-%d").to_dict() == {
        "SOP-104": "2026-09-21", "SOP-105": "2026-04-13", "SOP-110": "2026-07-13", "SOP-113": "2026-10-19",
    }  # fmt: skip


def test_nobody_is_named():
    made = sample()
    assert made.cases["agent"].str.fullmatch(r"[A-Z]{3}-\d{3}").all()
    assert made.cases["customer"].str.fullmatch(r"[A-Z]{2}-\d{6}").all()
    assert set(made.actions["owner"]) == {"Quality lead", "SOP lead", "Training lead", "Workforce planner"}


def test_levels_are_those_of_a_usual_operation():
    cases = measured(sample(planted=False).cases)
    levels = cases[METRICS].mean()
    assert levels["csat"] == pytest.approx(0.85, abs=0.01)
    assert levels["service_level"] == pytest.approx(0.82, abs=0.01)
    assert levels["handling_time"] == pytest.approx(545, rel=0.03)
    assert levels["escalation_rate"] == pytest.approx(0.05, abs=0.005)
    assert cases["resolved"].mean() == pytest.approx(0.92, abs=0.01)
    answered = cases["satisfied"].notna()
    assert answered.mean() == pytest.approx(1 / 3, abs=4 * np.sqrt(2 / 9 / len(cases)))
    assert stats.chi2_contingency(pd.crosstab(cases["week"], answered)).pvalue > 0.001
    assert stats.chi2_contingency(pd.crosstab(cases["escalated"], answered)).pvalue > 0.001
    tenure = cases.groupby("vendor")["tenure"].value_counts(normalize=True).unstack()
    assert tenure["0-29"].between(0.07, 0.09).all()
    assert tenure["30-89"].between(0.14, 0.17).all()
    slow = cases.groupby("tenure")["handling_time"].mean()
    assert 1.2 < slow["0-29"] / slow["90+"] < 1.35
    assert cases.groupby(["vendor", "week"])["agent"].nunique().between(30, 75).all()
    repeats = cases["customer"].duplicated().mean()
    assert 0.1 < repeats < 0.4


def test_without_causes_nothing_moves():
    """80 p-values, of volume, shares and metrics of 8 vendors over 40 weeks, should be uniform."""
    p_values = []
    for vendor in VENDORS:
        cases = of(vendor, planted=False)
        p_values.append(stats.chisquare(cases["week"].value_counts()).pvalue)
        p_values += [stats.chi2_contingency(pd.crosstab(cases["week"], cases[d])).pvalue for d in DIMENSIONS]
        for metric in METRICS:
            weeks = [values.dropna() for _, values in cases.groupby("week")[metric]]
            p_values.append(stats.f_oneway(*weeks).pvalue)
    assert len(p_values) == 80
    assert min(p_values) > 0.05 / 80 / 5
    assert stats.kstest(p_values, "uniform").pvalue > 0.01


def test_the_same_seed_gives_the_same_frames_and_bytes(tmp_path):
    small = {"cases": 3_000, "weeks": 12}
    one, two, other = make_marketplace(1, **small), make_marketplace(1, **small), make_marketplace(2, **small)
    pd.testing.assert_frame_equal(one.cases, two.cases)
    assert not one.cases.drop(columns="case_id").equals(other.cases.drop(columns="case_id"))
    folders = [write_marketplace(tmp_path / name, seed, **small) for name, seed in (("a", 1), ("b", 1), ("c", 2))]
    files = ["actions.csv", "cases.parquet", "events.csv", "truth.json"]
    a, b, c = ({f.name: f.read_bytes() for f in sorted(folder.iterdir())} for folder in folders)
    assert list(a) == files
    assert a == b
    assert a["cases.parquet"] != c["cases.parquet"]


def test_files_read_back(tmp_path):
    made = make_marketplace(cases=500)
    folder = write_marketplace(tmp_path / "deep" / "sample", cases=500)
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "cases.parquet"), made.cases)
    assert json.loads((folder / "truth.json").read_text()) == made.truth
    events = pd.read_csv(folder / "events.csv", parse_dates=["start", "end"])
    bug = events.set_index("event_id").loc["INC-552"]
    assert (bug["kind"], bug["start"], bug["end"]) == ("tool_bug", *map(pd.Timestamp, BUG))
    assert events["kind"].isin(["sop_update", "tool_bug", "release", "campaign"]).all()
    actions = pd.read_csv(folder / "actions.csv", parse_dates=["due", "effective"]).set_index("action_id")
    overdue = actions[(actions["status"] == "open") & (actions["due"] <= "2026-11-15")]
    assert overdue["vendor"].tolist() == ["Cedar"]
    assert actions.loc[["A-19", "A-22"], "effective"].tolist() == [
        pd.Timestamp("2026-09-21"),
        pd.Timestamp("2026-10-12"),
    ]


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


def test_fewer_weeks_end_on_the_same_day():
    cases = make_marketplace(causes=[], cases=2_000, weeks=4).cases
    days = cases["opened_at"].dt.normalize()
    assert (days.min(), days.max()) == (pd.Timestamp("2026-10-19"), pd.Timestamp("2026-11-15"))


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


def test_an_empty_sample_is_refused():
    with pytest.raises(InputError, match="at least 1 case and 1 week, got cases=0"):
        make_marketplace(cases=0)
