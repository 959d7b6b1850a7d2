"""Pareto against published counts, exact small-sample tests from elsewhere, brute force and chance."""

from math import comb
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.counted import amounts, counted, counting
from rca.cube import MISSING, Cube
from rca.errors import InputError, TooLittleData
from rca.metric import Metric
from rca.pareto import pareto
from rca.pareto_noise import acceptance_bands, against_rest
from rca.result import Many

CSAT = Metric(name="csat", kind="proportion", better="up", label="CSAT", cases="answers")
ESCALATED = Metric(name="escalation_rate", kind="proportion", better="down")
TIME = Metric(name="handling_time", kind="mean", better="down", unit="s")
CONTACTS = Metric(name="contact_rate", kind="rate", better="down", cases="orders")


def cube(metric: Metric, rows: dict[str | None, tuple[float, ...]], weeks: int = 1) -> Cube:
    """A cube by `reason` from {reason: (n, total[, total_sq])}, the same in each week."""
    frame = pd.DataFrame(
        [(k, *v) for k, v in rows.items()],
        columns=["reason", "n", "total", "total_sq"][: 1 + len(next(iter(rows.values())))],
    )
    frame = pd.concat([frame.assign(period=p) for p in pd.date_range("2026-01-05", periods=weeks, freq="7D")])
    return Cube(frame, metric, by=["reason"])


def test_counts_and_cumulative_percent_are_those_of_qcc():
    """paretoChart's example in R's qcc: 94 contact num., 80 price code, 66 supplier code, 33 part num., 27 date."""
    defect = {"price code": 80, "schedule date": 27, "supplier code": 66, "contact num.": 94, "part num.": 33}
    table = pareto(cube(ESCALATED, {k: (1000, v) for k, v in defect.items()}), by="reason").table
    assert table["segment"].tolist() == [
        "contact num.",
        "price code",
        "supplier code",
        "part num.",
        "schedule date",
    ]
    assert table["count"].tolist() == [94, 80, 66, 33, 27]
    assert (100 * table["share"]).round(6).tolist() == [31.333333, 26.666667, 22, 11, 9]
    assert (100 * table["cumulative"]).round(6).tolist() == [31.333333, 58, 80, 91, 100]
    assert table["abc"].tolist() == ["A", "A", "A", "B", "B"]


@pytest.mark.parametrize(
    ("metric", "rows", "count"),
    [
        (CSAT, {"a": (100, 85), "b": (50, 20)}, [30, 15]),  # the unhappy ones
        (ESCALATED, {"a": (100, 85), "b": (50, 20)}, [85, 20]),
        (CONTACTS, {"a": (100, 130), "b": (50, 20)}, [130, 20]),
        (TIME, {"a": (100, 500.5, 9000), "b": (50, 900, 9000)}, [900, 500.5]),
    ],
)
def test_what_goes_wrong_is_counted(metric, rows, count):
    result = pareto(cube(metric, rows), by="reason")
    assert result.table["count"].tolist() == count
    expected = {k: v[1] / v[0] for k, v in rows.items()}
    assert dict(zip(result.table["segment"], result.table["rate"], strict=True)) == expected


def test_rate_against_rest_is_fishers_exact_test():
    """All tables with the margins of a 2x2 table, written out."""
    rows = pd.DataFrame({"n": [12, 20, 8], "total": [9, 6, 2]})
    found = against_rest(rows, "proportion")
    for i, (n, k) in enumerate(zip(rows["n"], rows["total"], strict=True)):
        ways = [comb(17, j) * comb(40 - 17, n - j) / comb(40, n) for j in range(n + 1)]
        expected = min(1, 2 * min(sum(ways[: k + 1]), sum(ways[k:])))
        assert found["p_value"][i] == pytest.approx(expected, rel=1e-12)
        assert found["rest"][i] == (17 - k) / (40 - n)


def test_rate_of_events_against_rest_is_the_conditional_binomial():
    found = against_rest(pd.DataFrame({"n": [100.0, 300.0], "total": [12, 9]}), "rate")
    tail = sum(comb(21, j) * 0.25**j * 0.75 ** (21 - j) for j in range(12, 22))
    assert found["p_value"].tolist() == pytest.approx([2 * tail] * 2, rel=1e-12)


def test_mean_against_rest_is_welchs_test():
    """R: t.test(extra ~ group, data = sleep) gives t = -1.8608, df = 17.776, p-value = 0.07939."""
    sleep = [
        [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0],
        [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4],
    ]
    rows = pd.DataFrame(
        {"n": 10, "total": [sum(g) for g in sleep], "total_sq": [sum(x * x for x in g) for g in sleep]}
    )
    assert against_rest(rows, "mean")["p_value"].round(5).tolist() == [0.07939, 0.07939]


def test_acceptance_bands_of_two_segments_follow_the_binomial():
    low, high = acceptance_bands(20, 2)
    larger = np.array([comb(20, k) * (2 if k > 10 else 1) / 2**20 for k in range(10, 21)]).cumsum()
    quantiles = [(10 + int((larger < q).sum())) / 20 for q in (0.025, 0.975)]
    assert [low[0], high[0]] == quantiles
    assert [low[1], high[1]] == [1 - quantiles[1], 1 - quantiles[0]]


def test_the_largest_is_not_called_the_worst():
    result = pareto(
        cube(CSAT, {"a": (9000, 8100), "b": (1000, 700), "c": (2000, 1820), "d": (900, 820)}), by="reason"
    )
    assert result.facts["vital"] == ["a"]
    assert result.facts["volume_only"] == ["a"]
    assert result.facts["worst"] == "b"
    assert result.headline == (
        "By reason, a holds 62 % of 1,460 answers that lower CSAT; worst CSAT: b (70.0 %, elsewhere 90.3 %);"
        " a is large by volume only."
    )


def test_no_vital_few_where_chance_explains_the_bars():
    result = pareto(cube(ESCALATED, {"a": (500, 52), "b": (500, 47), "c": (500, 50), "d": (500, 49)}), by="reason")
    assert result.vital.empty
    assert result.headline == (
        "By reason, no vital few: chance alone would spread 198 cases that raise escalation rate like this over"
        " 4 segments; no segment's escalation rate is worse than the rest beyond noise."
    )


def test_no_vital_few_among_many_small_ones():
    result = pareto(cube(ESCALATED, {f"r{i:02}": (1000, 20 + i) for i in range(40)}), by="reason")
    assert result.headline.startswith("By reason, no vital few: r39, the largest of 40, holds 3.7 % of 1,580 cases")


def test_catch_alls_are_never_vital_and_stand_last():
    result = pareto(
        cube(ESCALATED, {"Other": (500, 300), None: (500, 250), "a": (900, 90), "b": (900, 60)}), by="reason"
    )
    assert result.table["segment"].tolist() == ["a", "b", "Other", MISSING]
    last = result.table.iloc[2:]
    assert not last["vital"].any()
    assert set(last["abc"]) == {"C"}
    assert result.facts["worst"] is None
    assert result.headline.endswith("; 36 % has no reason.")


def test_many_segments_leave_one_other_row_that_reconciles():
    rng = np.random.default_rng(3)
    rows = {f"r{i}": (1000, int(k)) for i, k in enumerate(rng.integers(1, 90, 500))}
    result = pareto(cube(ESCALATED, rows), by="reason")
    assert len(result.table) == 500
    assert len(result.shown) == 9
    other = result.shown.iloc[-1]
    assert other["segment"] == "Other (492)"
    assert not other["vital"]
    assert result.shown["count"].sum() == sum(k for _, k in rows.values())
    assert result.shown["n"].sum() == 500_000
    assert other["rate"] == pytest.approx(other["count"] / other["n"])


def test_ties_are_stable_and_rows_may_come_in_any_order():
    rows = {"b": (100, 10), "a": (100, 10), "d": (200, 10), "c": (100, 30)}
    first = pareto(cube(ESCALATED, rows), by="reason").table
    assert first["segment"].tolist() == ["c", "d", "a", "b"]
    again = pareto(cube(ESCALATED, dict(reversed(rows.items()))), by="reason").table
    pd.testing.assert_frame_equal(first, again)


def test_within_counts_only_its_window():
    subject = cube(ESCALATED, {"a": (100, 10), "b": (100, 40)}, weeks=6)
    assert pareto(subject, by="reason").table["count"].tolist() == [240, 60]
    result = pareto(subject, by="reason", within="last 2")
    assert result.table["count"].tolist() == [80, 20]
    assert result.facts["within"] == ["2026-02-02", "2026-02-15"]


def test_needed_counts_the_segments_for_the_goal():
    even = pareto(cube(ESCALATED, dict.fromkeys("abcde", (100, 20))), by="reason")
    assert even.needed == 4
    assert pareto(cube(ESCALATED, {"a": (100, 90), "b": (100, 10)}), by="reason").needed == 1


@given(st.lists(st.tuples(st.integers(1, 500), st.floats(0, 1)), min_size=1, max_size=30), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_shares_add_up_and_never_increase(parts, top):
    rows = {f"r{i}": (n, round(n * share)) for i, (n, share) in enumerate(parts)}
    result = pareto(cube(CSAT, rows), by="reason", top=top)
    wrong = sum(n - k for n, k in rows.values())
    assert result.table["count"].sum() == result.shown["count"].sum() == wrong
    assert (result.table["share"].diff().dropna() <= 0).all()
    assert result.table["share"].sum() == pytest.approx(1 if wrong else 0)
    assert not result.table.drop(columns="rest").isna().any().any()
    assert "nan" not in result.headline


def test_noise_is_rarely_called_worst_or_vital():
    """100 draws of ten segments alike in size and rate: at most 5 % name a worst one, at most 5 % a vital few."""
    rng = np.random.default_rng(11)
    worst = vital = 0
    for _ in range(100):
        result = pareto(
            cube(ESCALATED, {f"r{i}": (300, k) for i, k in enumerate(rng.binomial(300, 0.1, 10))}), by="reason"
        )
        worst += result.facts["worst"] is not None
        vital += bool(result.facts["vital"])
    assert worst <= 5
    assert vital <= 5


def test_nothing_wrong_is_a_sentence():
    result = pareto(cube(CSAT, {"a": (10, 10), "b": (5, 5)}), by="reason")
    assert result.headline == "CSAT: nothing to count among 15 answers."
    assert result.table["share"].tolist() == [0, 0]
    assert result.needed == 0


def test_one_segment_and_one_case():
    result = pareto(cube(CSAT, {"a": (10, 9)}), by="reason")
    assert result.headline == "By reason, a alone holds 1 answer that lowers CSAT."
    assert result.facts["p_even"] == 1
    assert pareto(cube(CSAT, {"Other": (10, 9)}), by="reason").vital.empty


def test_incident_log_names_the_worst_group_and_the_one_that_is_only_large():
    """UCI incident log, April and May, a row per incident; counts and rates counted independently from the file."""
    path = Path(__file__).parents[2] / "shared" / "data" / "uci_incident_events.csv.gz"
    if not path.exists():
        pytest.skip("the UCI incident log is not beside this checkout")
    log = pd.read_csv(path, dtype=str)
    log["changes"] = log["sys_mod_count"].astype(int)
    log = log.sort_values("changes", kind="stable").drop_duplicates("number", keep="last").replace("?", None)
    log["period"] = pd.to_datetime(log["opened_at"], format="%d/%m/%Y %H:%M").dt.normalize()
    log = log.assign(n=1, total=(log["made_sla"] == "false").astype(int))
    missed = Metric(name="sla_missed", kind="proportion", better="down", label="SLA missed", cases="incidents")
    subject = Cube(log, missed, by=["assignment_group"], period="D")
    result = pareto(subject, by="assignment_group", within=["2016-04-01", "2016-05-31"])
    named = result.table.set_index("segment")
    assert result.facts["count"] == 3537
    assert named["count"][["70", "25", "39", "66", "24", MISSING]].tolist() == [607, 325, 152, 141, 138, 155]
    assert named["rate"][["70", "25", "39", "66"]].round(3).tolist() == [0.086, 0.451, 0.203, 0.691]
    assert result.facts["worst"] == "66"
    assert result.facts["volume_only"] == ["70"]


def test_words():
    assert counting(CONTACTS) == "events of contact rate"
    assert counted(TIME, 7200) == "7,200 s of handling time"
    assert amounts(TIME, pd.Series([72_000, 3600])) == ["20 h", "1 h"]


def test_mistakes_are_named():
    subject = cube(ESCALATED, {"a": (100, 10)})
    with pytest.raises(InputError, match=r"unknown dimension 'raeson'\. Did you mean 'reason'"):
        pareto(subject, by="raeson")
    with pytest.raises(InputError, match="goal=80"):
        pareto(subject, by="reason", goal=80)
    with pytest.raises(InputError, match="0 or more"):
        pareto(cube(TIME, {"a": (3, -5.0, 25.0)}), by="reason")
    with pytest.raises(TooLittleData, match="no cases to count by reason"):
        pareto(cube(ESCALATED, {"a": (0, 0)}), by="reason")


@pytest.mark.parametrize("segments", [1, 3, 8, 500])
def test_no_text_of_the_picture_overlaps_another_or_is_cut(segments):
    rng = np.random.default_rng(segments)
    rows = {
        f"a rather long reason for a contact {i}": (5000, int(k))
        for i, k in enumerate(rng.integers(9, 4000, segments))
    }
    results = {f"{i}": pareto(cube(ESCALATED, rows), by="reason") for i in range(2)}
    axes = Many(results).plot()
    assert_texts_apart(axes)
    plt.close(axes[0].figure)


def assert_texts_apart(axes) -> None:
    figure = axes[0].figure
    figure.canvas.draw()
    texts = [t for ax in axes for t in [*ax.texts, *ax.get_yticklabels(), ax.title] if t.get_text()]
    boxes = [(t.get_text(), t.get_window_extent()) for t in texts]
    page = figure.bbox
    for text, box in boxes:
        assert box.x0 >= page.x0, text
        assert box.x1 <= page.x1 + 1, text
    for i, (text, box) in enumerate(boxes):
        for other, second in boxes[i + 1 :]:
            assert not box.overlaps(second), (text, other)


def test_a_dimension_may_be_called_like_a_column_of_the_table():
    subject = cube(ESCALATED, {"a": (100, 60), "b": (100, 20)}, weeks=2).frame
    for name in ("count", "segment", "share", "last"):
        named = Cube(subject.rename(columns={"reason": name}), ESCALATED, by=[name])
        assert pareto(named, by=name).table["count"].tolist() == [120, 40]
