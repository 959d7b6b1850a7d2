"""Repeat contacts: who comes again in time, against plain Python and pandas; nobody is judged too early."""

from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.batch.key import data_of
from rca.cube_query import cube, cubes
from rca.errors import InputError
from rca.sample import make_marketplace
from rca.source import open_source

REPEAT = {"kind": "proportion", "better": "down", "repeat": {"same": "customer", "within": "7 d"}}
CONTRACT = {
    "table": "cases.parquet",
    "key": "id",
    "time": {"column": "at"},
    "dimensions": ["vendor"],
    "metrics": {"again": REPEAT, "all": {"kind": "proportion", "better": "up", "counts": "true"}},
}


def source_of(frame: pd.DataFrame, folder: Path, scope=None, **fields):
    frame.to_parquet(folder / "cases.parquet")
    (folder / "cases.yml").write_text(yaml.safe_dump({**CONTRACT, **fields}), encoding="utf-8")
    return open_source(folder / "cases.yml", scope=scope)


def contacts(*rows: tuple, zone: str | None = None) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["at", "vendor", "customer"]).assign(id=range(len(rows)))
    return frame.assign(at=pd.to_datetime(frame["at"], format="ISO8601").dt.tz_localize(zone))


def by_hand(frame: pd.DataFrame, same: list[str], within: pd.Timedelta) -> dict[tuple, tuple]:
    """Every case compared with every other: (day, vendor) -> cases asked, followed by another."""
    found: dict[tuple, list[bool]] = {}
    rows = frame.to_dict("records")
    for one in rows:
        if one["at"] + within > frame["at"].max() or any(pd.isna(one[name]) for name in same):
            continue
        later = [
            other
            for other in rows
            if (other["at"], other["id"]) > (one["at"], one["id"])
            and other["at"] <= one["at"] + within
            and all(other[name] == one[name] for name in same)
        ]
        found.setdefault((one["at"].normalize(), one["vendor"]), []).append(bool(later))
    return {cell: (len(answers), sum(answers)) for cell, answers in found.items()}


CASE = st.tuples(
    st.integers(0, 20 * 24).map(lambda hours: pd.Timestamp("2026-01-05") + pd.Timedelta(hours=hours)),
    st.sampled_from(["Andes", "Baltic"]),
    st.sampled_from(["a", "b", "c", None]),
)


@settings(max_examples=15, deadline=None)
@given(
    cases=st.lists(CASE, min_size=1, max_size=30),
    within=st.sampled_from(["1 h", "24 h", "7 d"]),
    same=st.sampled_from([["customer"], ["customer", "vendor"]]),
    vendor=st.sampled_from([None, "Andes", "Baltic"]),
)
def test_who_comes_again_is_what_comparing_every_pair_gives(tmp_path_factory, cases, within, same, vendor):
    frame = contacts(*cases)
    if vendor and vendor not in set(frame["vendor"]):
        return
    metrics = {"again": {**REPEAT, "repeat": {"same": same, "within": within}}}
    scope = {"vendor": vendor} if vendor else None
    source = source_of(frame, tmp_path_factory.mktemp("repeats"), scope, metrics=metrics)
    found = cube(source, "again", by="vendor", period="D").frame
    cells = {(row.period, row.vendor): (row.n, row.total) for row in found.itertuples()}
    expected = by_hand(frame, same, pd.Timedelta(within.upper() if within.endswith("d") else within))
    assert cells == {cell: counts for cell, counts in expected.items() if vendor in (None, cell[1])}


def test_the_sample_gives_what_pandas_gives_and_each_vendor_its_part():
    source = open_source(Path(__file__).parents[1] / "params" / "sources" / "service_cases.yml")
    cases = make_marketplace().cases.sort_values(["customer", "opened_at", "case_id"])
    following = cases.groupby("customer")["opened_at"].shift(-1)
    week = pd.Timedelta(days=7)
    asked = cases[cases["opened_at"] + week <= cases["opened_at"].max()]
    again = (following - cases["opened_at"] <= week)[asked.index]
    monday = asked["opened_at"].dt.normalize() - pd.to_timedelta(asked["opened_at"].dt.day_of_week, unit="D")
    expected = again.groupby([monday, asked["vendor"]]).agg(["size", "sum"])
    found = cube(source, "repeat_contacts", by="vendor").frame
    assert found[["n", "total"]].to_numpy().tolist() == expected.to_numpy().tolist()
    assert 0.05 < found["total"].sum() / found["n"].sum() < 0.2
    andes = cube(open_source(source.folder / "service_cases.yml", scope={"vendor": "Andes"}), "repeat_contacts")
    assert andes.frame["total"].tolist() == expected.xs("Andes", level="vendor")["sum"].tolist()


def test_the_cost_of_a_repeat_is_that_of_the_next_contact(tmp_path):
    """Costs are the ids 0 to 4: of a's first contact the next cost 2, b's next came too late."""
    days = [("05", "a"), ("05", "b"), ("07", "a"), ("16", "b"), ("30", "c")]
    frame = contacts(*((f"2026-01-{day} 10:00", "Andes", who) for day, who in days))
    cost = {**REPEAT, "kind": "mean", "value": "id"}
    series = cube(source_of(frame, tmp_path, metrics={"cost": cost}), "cost").series()
    assert series[["n", "total"]].to_numpy().tolist()[:2] == [[3, 2], [1, 0]]


def test_a_case_is_asked_only_when_the_time_is_over(tmp_path):
    rows = [
        ("2026-01-05 10:00", "Andes", "a"),
        ("2026-01-08 10:00", "Andes", "b"),
        ("2026-01-19 09:59", "Andes", "b"),
    ]
    found = cubes(source_of(contacts(*rows, ("2026-01-12 09:59", "Baltic", "a")), tmp_path), ["again", "all"])
    series = found["again"].series()
    assert series[["n", "total"]].to_numpy().tolist() == [
        [2, 1],
        [1, 0],
    ]  # 12 January 09:59 is exactly a week before
    # the week of the 12th has a case that is known, but not all of them are
    assert found["again"].whole.tolist() == [pd.Timestamp("2026-01-05")]
    assert pd.Timestamp("2026-01-12") in found["all"].whole
    short = cube(source_of(contacts(*rows[:2]), tmp_path), "again")
    assert short.frame.empty


def test_words_for_a_window_count_back_from_the_last_period_that_is_known(tmp_path):
    days = pd.date_range("2026-01-05", "2026-02-01", freq="D")
    source = source_of(contacts(*((day, "Andes", "a") for day in days)), tmp_path)
    assert cube(source, "again", within="last 2").frame["n"].tolist() == [7, 7]
    assert cube(source, "all", within="last 2").frame["period"].min() == pd.Timestamp("2026-01-19")
    assert cube(source, "again", within="last 2").frame["period"].min() == pd.Timestamp("2026-01-12")


@pytest.mark.parametrize("zone", [None, "Europe/Madrid"])
def test_a_day_has_24_hours_also_when_clocks_change(tmp_path, zone):
    # in Madrid, clocks went from 2:00 to 3:00 on 29 March: from 12:30 to 13:00 of the next day are 23.5 hours
    rows = [
        ("2026-03-28 12:30", "Andes", "a"),
        ("2026-03-29 13:00", "Andes", "a"),
        ("2026-04-05 00:00", "Andes", "b"),
    ]
    metrics = {"again": {**REPEAT, "repeat": {"same": "customer", "within": "24 h"}}}
    time = {"column": "at", **({} if zone is None else {"zone": zone})}
    for column_zone in {None, zone}:  # of a time as clocks showed it, and of a moment
        source = source_of(contacts(*rows, zone=column_zone), tmp_path, metrics=metrics, time=time)
        assert cube(source, "again").frame["total"].sum() == (0 if zone is None else 1)


def test_out_of_limits_who_is_asked_and_not_who_comes_again(tmp_path):
    rows = [("2026-01-05", "Andes", "a"), ("2026-01-06", "Baltic", "a"), ("2026-02-01", "Baltic", "b")]
    metrics = {"again": {**REPEAT, "out_of": "vendor = 'Andes'"}}
    found = cube(source_of(contacts(*rows), tmp_path, metrics=metrics), "again", by="vendor").frame
    assert found[["vendor", "n", "total"]].to_numpy().tolist() == [["Andes", 1, 1]]


def test_a_run_is_made_again_when_another_vendor_answers_its_customers(tmp_path):
    rows = [("2026-01-05", "Andes", "a"), ("2026-01-06", "Baltic", "b"), ("2026-02-01", "Cedar", "c")]
    before = data_of(source_of(contacts(*rows), tmp_path), "vendor")
    rows[1] = ("2026-01-06", "Baltic", "a")
    after = data_of(source_of(contacts(*rows), tmp_path), "vendor")
    assert {name for name in before if before[name] != after[name]} == {"Andes", "Baltic"}


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"repeat": {"same": "custmer", "within": "7 d"}}, "again, repeat: unknown column 'custmer'. Did you mean"),
        ({"repeat": {"same": "customer", "within": "soon"}}, "within: 'soon' is no time such as '24 h' or '7 d'"),
        ({"repeat": {"same": "customer", "within": "0 d"}}, "within: '0 d' is no time such as"),
        ({"counts": "true"}, "a proportion of repeat takes no 'counts'"),
        ({"kind": "rate", "counts": "id", "out_of": "id"}, "a rate of counts, out_of takes no 'repeat'"),
        ({"kind": "mean", "value": "customer"}, "a mean needs a number"),
    ],
)
def test_a_mistake_is_named(tmp_path, fields, says):
    with pytest.raises(InputError, match=says):
        source_of(contacts(("2026-01-05", "Andes", "a")), tmp_path, metrics={"again": {**REPEAT, **fields}})


def test_monthly_figures_have_no_repeats(tmp_path):
    with pytest.raises(InputError, match="again: repeat needs the time of each case"):
        source_of(contacts(("2026-01-01", "Andes", "a")), tmp_path, time={"column": "at", "each": "M"})
