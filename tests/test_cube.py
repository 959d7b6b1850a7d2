"""The cube query: one query, and the same counts as a plain computation in pandas."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from test_expression import conditions, numbers

from rca import cube_query
from rca.cube_query import cube, cubes
from rca.errors import InputError
from rca.source import open_source

SHARED = Path(__file__).parents[2] / "shared"
METRICS = {
    "good": {"kind": "proportion", "better": "up", "counts": "score >= 4", "out_of": "score is not null"},
    "flagged": {"kind": "proportion", "better": "down", "counts": "flag"},
    "seconds": {"kind": "mean", "better": "down", "value": "seconds", "unit": "s"},
    "open_seconds": {"kind": "mean", "better": "down", "value": "seconds", "out_of": "not flag"},
    "contacts": {"kind": "rate", "better": "down", "counts": "contacts", "out_of": "orders"},
}
CONTRACT = {
    "table": "cases.csv",
    "key": "id",
    "time": {"column": "at", "format": "%Y-%m-%d %H:%M:%S"},
    "types": {
        "score": "integer",
        "flag": "boolean",
        "seconds": "number",
        "contacts": "integer",
        "orders": "number",
    },
    "dimensions": ["vendor", "market", {"size": {"bands": "orders", "edges": [2, 5], "labels": ["S", "M", "L"]}}],
    "metrics": METRICS,
}


def source_of(frame: pd.DataFrame, folder: Path, scope=None, file: str = "cases.csv", **fields):
    if file.endswith(".parquet"):
        frame.to_parquet(folder / file, row_group_size=10_000)
    else:
        frame.to_csv(folder / file, index=False, date_format="%Y-%m-%d %H:%M:%S")
    (folder / "cases.yml").write_text(yaml.safe_dump({**CONTRACT, "table": file, **fields}), encoding="utf-8")
    return open_source(folder / "cases.yml", scope=scope)


def missing_or(values: st.SearchStrategy) -> st.SearchStrategy:
    return st.one_of(st.none(), values)


CASE = st.fixed_dictionaries(
    {
        "at": st.datetimes(pd.Timestamp("2026-01-01"), pd.Timestamp("2026-03-20")).map(
            lambda t: t.replace(microsecond=0)
        ),
        "vendor": missing_or(st.sampled_from(["Andes", "Baltic", "O'Cedar, Inc", 'the "best"', "Łódź", "-1"])),
        "market": missing_or(st.sampled_from(["MX", "ES"])),
        "score": missing_or(st.integers(1, 5)),
        "flag": missing_or(st.booleans()),
        "seconds": missing_or(st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 3))),
        "contacts": missing_or(st.integers(0, 9)),
        "orders": missing_or(st.integers(0, 9)),
    }
)


def frame_of(cases: list[dict]) -> pd.DataFrame:
    kinds = {"score": "Int64", "flag": "boolean", "seconds": "float64", "contacts": "Int64", "orders": "Float64"}
    frame = pd.DataFrame(cases, columns=list(cases[0])).astype(kinds).astype({"at": "datetime64[us]"})
    return frame.assign(id=[f"{i:04}" for i in range(len(frame))])


def by_hand(frame: pd.DataFrame, name: str, by: list[str], period: str) -> dict[tuple, tuple]:
    """The cube as plain Python over the rows of a frame: (period, *dimensions) -> measures."""
    found: dict[tuple, list] = {}
    for row in frame.astype(object).where(frame.notna(), None).to_dict("records"):
        day = pd.Timestamp(row["at"]).normalize()
        first = {"D": day, "W": day - pd.Timedelta(days=day.weekday()), "M": day.replace(day=1)}[period]
        orders = row["orders"]
        row["size"] = None if orders is None else "S" if orders < 2 else "M" if orders < 5 else "L"
        cell = (first, *(row[dimension] or "(missing)" for dimension in by))
        if name == "good":
            added = (row["score"] is not None, row["score"] is not None and row["score"] >= 4)
        elif name == "flagged":
            added = (True, row["flag"] is True)
        elif name == "contacts":
            both = row["contacts"] is not None and orders is not None
            added = (orders, row["contacts"]) if both else (0, 0)
        else:
            known = row["seconds"] is not None and (name == "seconds" or row["flag"] is False)
            added = (1, row["seconds"], row["seconds"] ** 2) if known else (0, 0, 0)
        found.setdefault(cell, []).append(added)
    sums = {cell: tuple(math.fsum(column) for column in zip(*rows, strict=True)) for cell, rows in found.items()}
    return {cell: values for cell, values in sums.items() if values[0] or values[1]}


@settings(max_examples=25, deadline=None)
@given(
    cases=st.lists(CASE, min_size=1, max_size=40),
    by=st.lists(st.sampled_from(["vendor", "market", "size"]), unique=True),
    period=st.sampled_from(["D", "W", "M"]),
    file=st.sampled_from(["cases.csv", "cases.parquet"]),
)
def test_a_cube_is_what_counting_by_hand_gives(tmp_path_factory, cases, by, period, file):
    frame = frame_of(cases)
    found = cubes(source_of(frame, tmp_path_factory.mktemp("cube"), file=file), METRICS, by=by, period=period)
    for name, one in found.items():
        check(one.frame, by_hand(frame, name, by, period))


def check(frame: pd.DataFrame, expected: dict[tuple, tuple]) -> None:
    size = len(next(iter(expected), ()))
    cells = {tuple(row[:size]): tuple(row[size:]) for row in frame.itertuples(index=False)}
    assert set(cells) == set(expected)
    for cell, values in cells.items():
        assert values == pytest.approx(expected[cell], rel=1e-9, abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999), counts=conditions(2), out_of=conditions(2), value=numbers(2))
def test_a_cube_of_random_expressions_is_what_pandas_gives(tmp_path_factory, seed, counts, out_of, value):
    draw = np.random.default_rng(seed)
    choices = {"n": range(-9, 10), "small": range(-9, 10), "x": [-1.25, 0, 0.5, 3], "yes": [True, False]}
    columns = {name: draw.choice([*map(float, some), np.nan, np.nan], 30) for name, some in choices.items()}
    kinds = {"n": "Int64", "small": "Int8", "yes": "boolean"}
    frame = pd.DataFrame(columns).astype(kinds).assign(id=range(30), vendor=draw.choice(["Andes", "Baltic"], 30))
    frame["at"] = draw.choice(pd.date_range("2026-01-01", "2026-02-20"), 30)
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    of = {"better": "up", "out_of": out_of[0]}
    metrics = {"share": {**of, "kind": "proportion", "counts": counts[0]}}
    metrics["mean"] = {**of, "kind": "mean", "value": value[0]}
    fields = {"metrics": metrics, "types": {}, "time": {"column": "at"}, "dimensions": ["vendor"]}
    found = cubes(
        source_of(frame, tmp_path_factory.mktemp("cube"), file="cases.parquet", **fields), metrics, by="vendor"
    )

    asked = pd.Series([out_of[1](row) is True for row in rows])
    values = {"share": pd.Series([counts[1](row) is True for row in rows]).where(asked).astype("Float64")}
    values["mean"] = pd.Series([value[1](row) for row in rows], dtype="Float64").where(asked)
    week = frame["at"].dt.to_period("W-SUN").dt.start_time
    for name, one in found.items():
        by = values[name].groupby([week, frame["vendor"]])
        expected = pd.DataFrame({"n": by.count(), "total": by.sum()})
        if name == "mean":
            expected["total_sq"] = (values[name] ** 2).groupby([week, frame["vendor"]]).sum()
        expected = expected[expected["n"] > 0]
        check(one.frame, dict(expected.apply(tuple, axis=1)))


@settings(max_examples=10, deadline=None)
@given(
    cases=st.lists(CASE, min_size=1, max_size=30),
    data=st.data(),
    file=st.sampled_from(["cases.csv", "cases.parquet"]),
)
def test_a_cube_of_an_event_log_counts_the_last_row_of_each_case(tmp_path_factory, cases, data, file):
    versions = data.draw(st.permutations(range(len(cases))))
    keys = data.draw(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=len(cases), max_size=len(cases)))
    log = frame_of(cases).assign(id=keys, version=versions)
    last = {key: row for row, key in sorted(enumerate(keys), key=lambda pair: versions[pair[0]]) if key}
    if not last:
        return
    fields = {"types": {**CONTRACT["types"], "version": "integer"}, "latest_by": "version"}
    source = source_of(log, tmp_path_factory.mktemp("cube"), file=file, **fields)
    expected = by_hand(log.iloc[sorted(last.values())], "seconds", ["vendor"], "W")
    check(cube(source, "seconds", by="vendor").frame, expected)
    assert source.rows == source.cases + sum(source.set_aside.values())


def weeks(*days: str, **columns) -> pd.DataFrame:
    count = len(days)
    frame = pd.DataFrame({"id": [f"{i}" for i in range(count)], "at": pd.to_datetime(list(days), format="ISO8601")})
    values = {
        "vendor": "Andes",
        "market": "MX",
        "score": 5,
        "flag": False,
        "seconds": 1.5,
        "contacts": 1,
        "orders": 1,
    }
    return frame.assign(**{**values, **columns})


def test_one_query_answers_for_all_metrics(tmp_path):
    source = source_of(weeks("2026-01-05", "2026-01-12"), tmp_path)
    engine = source.table.get_backend()
    engine.raw_sql("CALL enable_logging('QueryLog')")

    def asked() -> list[str]:
        log = engine.raw_sql("select message from duckdb_logs where type = 'QueryLog'").fetchall()
        return [text for (text,) in log if "GROUP BY" in text.upper() or "cases" in text]

    before = len(asked())
    cubes(source, METRICS, by=["vendor", "market"])
    assert len(asked()) - before == 1
    cube(source, "good", by="vendor", within=("2026-01-05", "2026-01-11"))
    assert len(asked()) - before == 2


def test_a_text_file_is_parsed_once(tmp_path):
    source = source_of(weeks("2026-01-05", "2026-01-12"), tmp_path)
    (tmp_path / "cases.csv").unlink()
    assert cube(source, "good").frame["n"].sum() == 2


def test_weeks_begin_on_monday_and_a_week_half_covered_is_partial(tmp_path):
    source = source_of(weeks("2026-01-07", "2026-01-12", "2026-01-18 23:59:59", "2026-01-19"), tmp_path)
    found = cube(source, "good")
    assert found.frame["period"].dt.day.tolist() == [5, 12, 19]
    assert found.frame["n"].tolist() == [1, 2, 1]
    assert found.partial == (pd.Timestamp("2026-01-05"), pd.Timestamp("2026-01-19"))
    assert cube(source, "good", period="D").partial == ()
    assert cube(source, "good", period="M").partial == (pd.Timestamp("2026-01-01"),)


def test_a_scope_without_cases_in_the_first_week_does_not_make_its_own_first_week_partial(tmp_path):
    frame = weeks("2026-01-05", "2026-01-14", "2026-01-25", vendor=["Andes", "Baltic", "Andes"])
    found = cube(source_of(frame, tmp_path, scope={"vendor": "Baltic"}), "good")
    assert (found.partial, found.scope) == ((), {"vendor": "Baltic"})


def test_within_limits_the_cube_in_dates_or_words(tmp_path):
    source = source_of(weeks("2026-01-05", "2026-01-11", "2026-01-12", "2026-01-18", "2026-01-25"), tmp_path)
    found = cube(source, "good", within=("2026-01-11", "2026-01-18"))
    assert found.frame["n"].tolist() == [1, 2]
    assert found.partial == (pd.Timestamp("2026-01-05"),)
    assert cube(source, "good", within="last 2").frame["n"].tolist() == [2, 1]
    with pytest.raises(InputError, match="lies outside the data: 2026-01-05 to 2026-01-25"):
        cube(source, "good", within=("2025-01-01", "2025-02-01"))


def test_periods_are_local(tmp_path):
    # Mexico City is six hours behind UTC: Monday 05:59 UTC is still Sunday there
    frame = weeks("2026-01-12 05:59:59", "2026-01-12 06:00:00")
    time = {**CONTRACT["time"], "zone": "UTC", "local": "America/Mexico_City"}
    found = cube(source_of(frame, tmp_path, time=time), "good")
    assert found.frame["period"].dt.day.tolist() == [5, 12]
    whole = cube(source_of(frame, tmp_path, time=time), "good", within=("2026-01-12", "2026-01-12"))
    assert whole.frame["n"].tolist() == [1]


@pytest.mark.parametrize("file", ["cases.csv", "cases.parquet"])
def test_parts_of_a_day_follow_each_market_s_clocks(tmp_path, file):
    """Clocks in Spain showed 2:00 to 3:00 twice on 25 October 2026; those in Mexico are six hours behind UTC."""
    frame = weeks("2026-10-25 00:09:59", "2026-10-25 00:10:00", "2026-10-25 01:15:00", "2026-10-25 06:20:00")
    frame["market"] = ["ES", "ES", "ES", "MX"]
    zones = {"market": {"ES": "Europe/Madrid", "MX": "America/Mexico_City"}}
    time = {**CONTRACT["time"], "zone": "UTC", "local": zones}
    source = source_of(frame, tmp_path, file=file, time=time)
    found = cube(source, "good", by=["market"], period="10min")
    assert found.frame[["market", "n"]].to_numpy().tolist() == [["MX", 1], ["ES", 1], ["ES", 2]]
    assert found.frame["period"].astype(str).str[11:16].tolist() == ["00:20", "02:00", "02:10"]
    assert cube(source, "good", by=["market"], period="h").frame["n"].tolist() == [1, 3]
    assert found.zone is None
    assert cube(open_source(tmp_path / "cases.yml", scope={"market": "ES"}), "good").zone == "Europe/Madrid"


def test_windows_of_parts_of_a_day_are_whole_days(tmp_path):
    source = source_of(weeks("2026-01-05 08:00", "2026-01-06 23:59", "2026-01-07 00:00"), tmp_path)
    found = cube(source, "good", period="10min")
    assert found.partial == ()
    assert len(found.periods) == 1 + 40 * 6
    assert found.within("last 1 before last 1").frame["period"].tolist() == [pd.Timestamp("2026-01-06 23:50")]
    assert cube(source, "good", period="15min", within="last 2").frame["n"].tolist() == [1, 1]
    source = source_of(weeks("2026-01-05"), tmp_path, time={**CONTRACT["time"], "each": "15min"})
    with pytest.raises(InputError, match="each time stands for a whole 15 minutes"):
        cube(source, "good", period="10min")


@pytest.mark.parametrize(
    "kind", ["datetime64[s]", "datetime64[ns]", "datetime64[us, UTC]", "datetime64[ms, Asia/Tokyo]"]
)
def test_every_kind_of_time_column_gives_the_same_local_weeks(tmp_path, kind):
    frame = weeks("2026-01-12 05:59:59", "2026-01-12 06:00:00")
    zone = getattr(pd.Series([], dtype=kind).dtype, "tz", None)
    frame["at"] = frame["at"].dt.tz_localize("UTC").astype(kind) if zone else frame["at"].astype(kind)
    time = {"column": "at", "zone": "UTC", "local": "America/Mexico_City"}
    source = source_of(frame, tmp_path, file="cases.parquet", time=time)
    found = cube(source, "good")
    assert found.frame["period"].dt.day.tolist() == [5, 12]
    assert found.frame["period"].dtype == "datetime64[us]"
    assert cube(source, "good", within=("2026-01-12", "2026-01-12")).frame["n"].tolist() == [1]


def test_a_column_of_dates_is_a_time_column(tmp_path):
    frame = weeks("2026-01-05", "2026-01-12")
    frame["at"] = frame["at"].dt.date
    found = cube(source_of(frame, tmp_path, file="cases.parquet", time={"column": "at"}), "good")
    assert found.frame["period"].dt.day.tolist() == [5, 12]


def test_a_constant_is_an_expression_too(tmp_path):
    metrics = {
        "ones": {"kind": "mean", "better": "up", "value": "1"},
        "per_case": {"kind": "rate", "better": "down", "counts": "contacts", "out_of": "1"},
        "all": {"kind": "proportion", "better": "up", "counts": "true", "out_of": "true"},
    }
    found = cubes(source_of(weeks("2026-01-05", "2026-01-06"), tmp_path, metrics=metrics), metrics)
    assert [one.frame[["n", "total"]].to_numpy().tolist() for one in found.values()] == [[[2, 2]]] * 3


def test_a_period_with_cases_but_no_answers_has_no_row(tmp_path):
    frame = weeks("2026-01-05", "2026-01-12", score=[None, 5])
    assert cube(source_of(frame, tmp_path), "good").frame["n"].tolist() == [1]


@pytest.mark.parametrize(
    ("metric", "options", "says"),
    [
        ("god", {}, "unknown metric 'god'. Did you mean 'good'?"),
        ("good", {"by": ["vendr"]}, "unknown dimension 'vendr'. Did you mean 'vendor'?"),
        ("good", {"period": "Q"}, "unknown period 'Q'"),
        ("good", {"within": "last 9"}, "needs 9 whole weeks"),
    ],
)
def test_a_mistake_is_named(tmp_path, metric, options, says):
    with pytest.raises(InputError, match=says):
        cube(source_of(weeks("2026-01-05"), tmp_path), metric, **options)


def test_sums_of_fractions_do_not_depend_on_the_number_of_threads(tmp_path):
    rng = np.random.default_rng(5)
    days = pd.to_datetime("2026-01-05") + pd.to_timedelta(rng.integers(0, 14, 400_000), unit="D")
    frame = pd.DataFrame({"id": np.arange(len(days)).astype(str), "at": days, "vendor": "Andes", "market": "MX"})
    frame = frame.assign(score=5, flag=False, contacts=1, orders=1, seconds=rng.lognormal(6, 1, len(days)))
    source = source_of(frame, tmp_path, file="cases.parquet")
    first = cube(source, "seconds").frame
    for _ in range(5):
        pd.testing.assert_frame_equal(cube(source, "seconds").frame, first, check_exact=True)


# --- the incident log, against figures computed elsewhere


@pytest.fixture(scope="module")
def incidents():
    if not (SHARED / "data" / "uci_incident_events.csv.gz").exists():
        pytest.skip("the UCI incident log is not beside this checkout")
    return open_source(Path(__file__).parents[1] / "params" / "sources" / "uci_incidents.yml")


def test_the_miss_rate_is_per_case_not_per_event(incidents):
    found = cube(incidents, "sla_missed", by=["assignment_group", "priority"])
    assert found.frame["n"].sum() == 24_918
    assert found.frame["total"].sum() / 24_918 == pytest.approx(0.3658, abs=5e-5)
    events = pd.read_csv(SHARED / "data" / "uci_incident_events.csv.gz", dtype=str, keep_default_na=False)
    assert (events["made_sla"] == "false").mean() == pytest.approx(0.0650, abs=5e-5)  # what a naive count gives


def test_the_week_that_hit_every_group(incidents):
    series = cube(incidents, "sla_missed").series().set_index("period")
    assert series.loc["2016-03-07", "value"] == pytest.approx(0.958, abs=5e-4)
    in_march = cube(incidents, "sla_missed", period="D", within=("2016-03-06", "2016-03-15")).frame
    assert (in_march["n"].sum(), round(in_march["total"].sum() / in_march["n"].sum(), 3)) == (2_970, 0.957)


def test_hours_to_resolve_are_those_of_pandas(incidents):
    events = pd.read_csv(SHARED / "data" / "uci_incident_events.csv.gz", dtype=str, keep_default_na=False)
    last = events.assign(count=events["sys_mod_count"].astype(int)).sort_values("count", kind="stable")
    last = last.drop_duplicates("number", keep="last")
    opened, resolved = (
        pd.to_datetime(last[c].where(last[c] != "?"), format="%d/%m/%Y %H:%M") for c in ("opened_at", "resolved_at")
    )
    hours = ((resolved - opened).dt.total_seconds() / 3600).dropna()
    found = cube(incidents, "resolution_hours").frame
    assert found["n"].sum() == len(hours)
    assert found["total"].sum() == pytest.approx(hours.sum(), rel=1e-12)
    assert found["total_sq"].sum() == pytest.approx((hours**2).sum(), rel=1e-12)


def test_too_many_rows_put_small_values_together_and_lose_no_case(tmp_path, monkeypatch):
    draw = np.random.default_rng(3)
    agents = np.minimum(draw.geometric(0.02, 3000), 400)
    frame = weeks(
        *np.datetime_as_string(draw.choice(pd.date_range("2026-01-05", periods=70), 3000).astype("M8[D]"))
    )
    frame = frame.assign(vendor=[f"agent {i}" for i in agents], market=draw.choice(["MX", None], 3000))
    whole = cube(source_of(frame, tmp_path), "seconds", by=["vendor", "market"])
    monkeypatch.setattr(cube_query, "MOST", 900)
    cut = cube(source_of(frame, tmp_path), "seconds", by=["vendor", "market"])
    kept = frame["vendor"].value_counts(sort=False).sort_index().sort_values(ascending=False, kind="stable").index
    kept = kept[: cut.frame["vendor"].nunique() - 1]
    assert len(kept) in cube_query.KEPT
    assert set(cut.frame["vendor"]) == {*kept, "(other)"}
    assert set(cut.frame["market"]) == {"MX", "(missing)"}
    named = cut.frame[cut.frame["vendor"] != "(other)"].reset_index(drop=True)
    expected = whole.frame[whole.frame["vendor"].isin(kept)].reset_index(drop=True)
    pd.testing.assert_frame_equal(named, expected)
    sums = [one.frame.groupby(["period", "market"])[["n", "total", "total_sq"]].sum() for one in (cut, whole)]
    pd.testing.assert_frame_equal(*sums)
    monkeypatch.setattr(cube_query, "MOST", 5)
    with pytest.raises(InputError, match="a cube by vendor, market and week has too many rows"):
        cube(source_of(frame, tmp_path), "seconds", by=["vendor", "market"])
