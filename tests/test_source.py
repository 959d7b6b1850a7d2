"""Opening a source: every kind of file gives the same cases, nothing is guessed, a mistake is one clear line."""

import gzip
import json
import zlib
from io import StringIO
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import yaml

from rca import unique
from rca.cube_query import cube
from rca.errors import InputError
from rca.files import find_file
from rca.source import open_source

SHARED = Path(__file__).parents[2] / "shared"

ROWS = """case_id,opened_at,vendor,market,csat,seconds,escalated,days
A1,2026-01-05 08:00,Andes,MX,5,120,false,3
A2,2026-01-05 09:30,Andes,ES,,60.5,true,29
A3,2026-01-13 23:30,Baltic,MX,2,300,false,30
A4,2026-01-14 00:30,Baltic,?,4,,false,400
A5,2026-01-21 12:00,Cedar,ES,1,90,true,
"""
CONTRACT = {
    "table": "cases.csv",
    "key": "case_id",
    "time": {"column": "opened_at", "format": "%Y-%m-%d %H:%M"},
    "missing": ["?"],
    "types": {"csat": "integer", "seconds": "number", "escalated": "boolean", "days": "integer"},
    "dimensions": ["vendor", "market", {"tenure": {"bands": "days", "edges": [30, 90]}}],
    "metrics": {
        "csat": {"kind": "proportion", "better": "up", "counts": "csat >= 4", "out_of": "csat is not null"},
        "time": {"kind": "mean", "better": "down", "value": "seconds"},
    },
}

CSAT = {"csat": CONTRACT["metrics"]["csat"]}


def write(folder: Path, rows: str | None = ROWS, file: str = "cases.csv", **fields) -> Path:
    """A contract, and its data where `rows` are given; a field None is left out."""
    if rows is not None:
        (folder / file).write_text(rows, encoding="utf-8", newline="")
    contract = {name: value for name, value in {**CONTRACT, **fields}.items() if value is not None}
    (folder / "cases.yml").write_text(yaml.safe_dump(contract), encoding="utf-8")
    return folder / "cases.yml"


def refused(says: str, path: Path, **options) -> None:
    with pytest.raises(InputError, match=says) as error:
        open_source(path, **options)
    assert "\n" not in str(error.value)


def test_a_source_knows_its_cases_columns_and_extent(tmp_path):
    source = open_source(write(tmp_path))
    assert (source.name, source.time, source.cases, source.rows) == ("cases", "opened_at", 5, 5)
    assert source.dimensions == ("vendor", "market", "tenure")
    assert list(source.metrics) == ["csat", "time"]
    assert source.extent == (pd.Timestamp("2026-01-05"), pd.Timestamp("2026-01-21"))
    frame = source.table.order_by("case_id").execute()
    assert frame["csat"].tolist()[0] == 5
    assert frame["csat"].isna().tolist() == [False, True, False, False, False]
    assert frame["seconds"].iloc[1] == 60.5
    assert frame["escalated"].tolist() == [False, True, False, False, True]
    assert frame["opened_at"].iloc[2] == pd.Timestamp("2026-01-13 23:30")
    assert frame["tenure"].tolist()[:4] == ["0-29", "0-29", "30-89", "90+"]
    assert frame["tenure"].isna().iloc[4]
    assert frame["market"].isna().tolist() == [False, False, False, True, False]
    assert source.values("market").to_dict() == {"ES": 2, "MX": 2, "(missing)": 1}


def test_a_dimension_can_be_computed_and_take_the_place_of_a_column(tmp_path):
    dimensions = [
        {"market": "lower(market)"},
        "vendor",
        {"stage": {"bands": "days", "edges": [1, 2, 30], "labels": ["a", "b", "c", "d"]}},
        {"pace": {"bands": "seconds / 60", "edges": [0.5, 1.5]}},
    ]
    source = open_source(write(tmp_path, dimensions=dimensions), scope={"market": "mx"})
    frame = source.table.order_by("case_id").execute()
    assert frame["market"].tolist() == ["mx", "mx"]
    assert frame["stage"].tolist() == ["c", "d"]
    assert frame["pace"].tolist() == ["1.5+", "1.5+"]


def test_it_shows_itself_in_words(tmp_path):
    source = open_source(write(tmp_path), scope={"vendor": "Andes"})
    assert "cases: 2; rows read: 5" in repr(source)
    assert "5 Jan to 21 Jan 2026" in source._repr_html_()
    assert "vendor Andes" in source._repr_html_()


def _csv(text: str, **options) -> str:
    return pd.read_csv(pd.io.common.StringIO(text), dtype="str", keep_default_na=False).to_csv(
        index=False, **options
    )


def _tables(folder: Path) -> dict[str, str]:
    """The same rows in every kind of table that can be read, by what `table:` has to say."""
    (folder / "plain.csv").write_text(ROWS, encoding="utf-8")
    (folder / "bom crlf.csv").write_bytes(b"\xef\xbb\xbf" + ROWS.replace("\n", "\r\n").encode())
    (folder / "semicolons.csv").write_text(_csv(ROWS, sep=";", quoting=1), encoding="utf-8")
    (folder / "tabs.tsv").write_text(_csv(ROWS, sep="\t"), encoding="utf-8")
    (folder / "small.csv.gz").write_bytes(gzip.compress(ROWS.encode()))
    lines = ROWS.splitlines(keepends=True)
    (folder / "parts").mkdir()
    (folder / "parts" / "1.csv").write_text("".join(lines[:3]), encoding="utf-8")
    (folder / "parts" / "2.csv").write_text("".join([lines[0], *lines[3:]]), encoding="utf-8")
    records = pd.read_csv(pd.io.common.StringIO(ROWS), keep_default_na=False).to_dict("records")
    (folder / "cases.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    typed = pd.read_csv(
        pd.io.common.StringIO(ROWS), parse_dates=["opened_at"], dtype={"csat": "Int64", "days": "Int64"}
    )
    typed.to_parquet(folder / "cases.parquet")
    with duckdb.connect(str(folder / "store.duckdb")) as con:
        con.from_df(typed).create("cases")
    names = ["plain.csv", "bom crlf.csv", "semicolons.csv", "tabs.tsv", "small.csv.gz", "parts", "parts/*.csv"]
    names += ["cases.jsonl", "cases.parquet", "store.duckdb::cases", "store.duckdb::main.cases"]
    return {name: str(folder / name) for name in names}


def test_every_kind_of_table_gives_the_same_cases(tmp_path):
    expected = open_source(write(tmp_path)).table.order_by("case_id").execute()
    for name, table in _tables(tmp_path).items():
        found = open_source(write(tmp_path, rows=None, table=table)).table.order_by("case_id").execute()
        pd.testing.assert_frame_equal(found[expected.columns], expected, check_dtype=False, obj=name)


def test_a_path_is_looked_up_in_the_folder_that_names_it_and_in_each_above(tmp_path, monkeypatch):
    (tmp_path / "params" / "sources").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "cases.csv").write_text(ROWS, encoding="utf-8")
    contract = write(tmp_path / "params" / "sources", rows=None, table="data/cases.csv")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert open_source("params/sources/cases.yml").cases == 5
    assert find_file("data/cases.csv", contract.parent) == tmp_path / "data" / "cases.csv"
    assert find_file("data") == tmp_path / "data"
    with pytest.raises(
        InputError, match=r"no file 'data/case.csv'; looked in .*notebooks and in each folder above"
    ):
        find_file("data/case.csv")


# one row per case

LOG = """id,version,opened,state
1,9,2026-01-05,open
1,10,2026-01-05,closed
2,1,2026-01-06,open
2,1,2026-01-06,waiting
3,,2026-01-07,open
,4,2026-01-08,open
4,2,,open
"""
EVENT_LOG = {
    "key": "id",
    "latest_by": "version",
    "time": {"column": "opened", "format": "%Y-%m-%d"},
    "types": {"version": "integer"},
    "dimensions": ["state"],
    "metrics": {"closed": {"kind": "proportion", "better": "up", "counts": "state = 'closed'"}},
}


def test_an_event_log_keeps_one_row_per_case_and_accounts_for_every_other(tmp_path):
    source = open_source(write(tmp_path, LOG, **EVENT_LOG))
    assert dict(source.table.select("id", "state").order_by("id").execute().to_numpy()) == {
        "1": "closed",
        "2": "waiting",
        "3": "open",
    }
    assert source.set_aside == {"without id": 1, "earlier rows of a case": 2, "without opened": 1}
    assert source.rows == source.cases + sum(source.set_aside.values()) == 7


def test_a_tie_is_broken_the_same_way_whatever_the_order_of_the_rows(tmp_path):
    head, *rows = LOG.splitlines()
    backwards = "\n".join([head, *rows[::-1]]) + "\n"
    forwards = open_source(write(tmp_path, LOG, **EVENT_LOG)).table.order_by("id").execute()
    assert open_source(write(tmp_path, backwards, **EVENT_LOG)).table.order_by("id").execute().equals(forwards)


def test_a_text_cannot_say_which_row_is_the_latest(tmp_path):
    refused(
        r"latest_by: version is text.*types: \{version: integer\}",
        write(tmp_path, LOG, **EVENT_LOG | {"types": {}}),
    )


def test_cases_outside_the_time_range_are_set_aside_and_counted(tmp_path):
    time = {
        **CONTRACT["time"],
        "from": pd.Timestamp("2026-01-06").date(),
        "until": pd.Timestamp("2026-01-14").date(),
    }
    source = open_source(write(tmp_path, time=time))
    assert (source.cases, source.set_aside) == (2, {"before 6 Jan 2026": 2, "after 14 Jan 2026": 1})
    assert source.extent == (pd.Timestamp("2026-01-13"), pd.Timestamp("2026-01-14"))


# times


def _times(folder: Path, *times: str, **time) -> Path:
    rows = "".join(f"{number},{text}\n" for number, text in enumerate(times))
    metric = {"kind": "proportion", "better": "up", "counts": "true"}
    fields = dict.fromkeys(["missing", "types", "dimensions"], None)
    return write(
        folder, f"id,at\n{rows}", key="id", time={"column": "at", **time}, metrics={"all": metric}, **fields
    )


@pytest.mark.parametrize(
    ("times", "first"),
    [
        (["13/2/2026", "1/3/2026"], "2026-02-13"),
        (["2/13/2026 9:05", "3/1/2026 10:00"], "2026-02-13 09:05"),
        (["2026-03-01T10:00:00Z", "2026-03-02T10:00:00Z"], "2026-03-01 10:00"),
        (["2026-03-01 01:02:03.250", "2026-03-02 01:02:03.000"], "2026-03-01 01:02:03.250"),
        (["31.12.2025 08:00", "01.01.2026 08:00"], "2025-12-31 08:00"),
        (["02/02/2026", "03/03/2026"], "2026-02-02"),
    ],
)
def test_a_format_is_inferred_where_only_one_reads_every_time(tmp_path, times, first):
    table = open_source(_times(tmp_path, *times)).table
    assert table.order_by("id").execute()["at"].iloc[0] == pd.Timestamp(first)


def test_a_day_that_could_be_a_month_is_refused_with_both_readings(tmp_path):
    refused(
        r"at '5/3/2026' can be 5 March 2026 \('%d/%m/%Y'\) or 3 May 2026 \('%m/%d/%Y'\)",
        _times(tmp_path, "5/3/2026"),
    )


def test_a_time_that_does_not_fit_is_named_with_its_row_and_a_cure(tmp_path):
    path = _times(tmp_path, "1/2/2026", "", "29/2/2028", format="%m/%d/%Y")
    refused(
        r"cases.csv, row 3 of the data: at '29/2/2028' does not fit the format '%m/%d/%Y'. It fits '%d/%m/%Y'.",
        path,
    )
    refused(
        r"cases.csv, row 2 of the data: at '1/2/2026' .* '%Y-%m-%d'", _times(tmp_path, "2026-01-01", "1/2/2026")
    )
    refused("no known format reads at 'soon'", _times(tmp_path, "soon"))
    refused("row 1 of the data: at '1/2/16' does not fit", _times(tmp_path, "1/2/16", format="%d/%m/%Y"))


def test_the_row_of_a_bad_time_is_counted_in_its_own_file(tmp_path):
    for part, times in {"a": ["1/2/2026", "2/2/2026"], "b": ["3/2/2026", "soon"]}.items():
        (tmp_path / f"{part}.csv").write_text(
            "id,at\n" + "".join(f"{part}{t},{t}\n" for t in times), encoding="utf-8"
        )
    path = _times(tmp_path, format="%d/%m/%Y")
    path.write_text(path.read_text().replace("cases.csv", "?.csv"))
    refused("b.csv, row 2 of the data: at 'soon' does not fit", path)


def test_days_are_those_of_the_local_zone(tmp_path):
    # Madrid is an hour ahead of UTC in winter and two in summer
    times = ["2026-03-28 23:30", "2026-03-29 21:59", "2026-03-29 22:00"]
    source = open_source(_times(tmp_path, *times, format="%Y-%m-%d %H:%M", zone="UTC", local="Europe/Madrid"))
    assert source.extent == (pd.Timestamp("2026-03-29"), pd.Timestamp("2026-03-30"))
    day = pd.Timestamp("2026-03-29").date()
    ranged = _times(
        tmp_path, *times, format="%Y-%m-%d %H:%M", zone="UTC", local="Europe/Madrid", **{"from": day, "until": day}
    )
    assert open_source(ranged).cases == 2


def test_a_time_with_a_z_is_in_utc(tmp_path):
    refused(
        "the Z in at says UTC: write zone: UTC and local: Europe/Madrid",
        _times(tmp_path, "2026-01-05T23:30:00Z", zone="Europe/Madrid"),
    )
    path = _times(tmp_path, "2026-01-05T23:30:00Z", zone="UTC", local="Europe/Madrid")
    assert open_source(path).extent[0] == pd.Timestamp("2026-01-06")


@pytest.mark.parametrize("times", [("2026-01-01", "2026-02-01"), ("2026-01-31", "2026-02-28")])
def test_a_monthly_figure_stands_for_its_whole_month(tmp_path, times):
    source = open_source(_times(tmp_path, *times, each="M"))
    assert source.extent == (pd.Timestamp("2026-01-01"), pd.Timestamp("2026-02-28"))
    found = cube(source, "all", period="M")
    assert found.partial == ()
    assert cube(source, "all", period="M", within="last 1").frame["n"].tolist() == [1]
    with pytest.raises(InputError, match="period 'W' is too fine: each time stands for a whole month"):
        cube(source, "all", period="W")


def test_an_offset_in_the_text_is_respected(tmp_path):
    path = _times(tmp_path, "2026-01-05 23:30:00-0600", format="%Y-%m-%d %H:%M:%S%z", zone="UTC")
    assert open_source(path).extent[0] == pd.Timestamp("2026-01-06")


# mistakes


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"key": "case"}, "key: unknown column 'case'. Did you mean 'case_id'?"),
        ({"time": {"column": "opend_at"}}, "time: unknown column 'opend_at'. Did you mean 'opened_at'?"),
        ({"types": {"cast": "integer"}}, "types: unknown column 'cast'. Did you mean 'csat'?"),
        ({"types": {"csat": "int"}}, "types.csat: Input should be 'text', 'integer'.*got 'int'"),
        ({"personal": ["agent"]}, "personal: unknown column 'agent'"),
        ({"mediators": ["days"]}, "mediators: 'days' is no dimension of this source"),
        ({"dimensions": ["vendr"]}, "dimensions: unknown column 'vendr'. Did you mean 'vendor'?"),
        ({"dimensions": {"v": "upper(vendr)"}}, "dimension v: .*unknown column 'vendr'. Did you mean 'vendor'?"),
        ({"dimensions": ["vendor", "vendor"]}, "'vendor' is given twice"),
        ({"dimensions": {"total": "vendor"}}, "'total' cannot be the name of a dimension"),
        (
            {"dimensions": {"t": {"bands": "vendor", "edges": [1]}}},
            "dimension t: 'vendor' is string, bands need a number",
        ),
        ({"dimensions": {"t": {"bands": "days", "edges": [9, 3]}}}, r"edges must rise, got \[9, 3\]"),
        ({"dimensions": {"t": {"bands": "days", "edges": [9], "labels": ["a"]}}}, "1 edges need 2 labels, got 1"),
        ({"metrics": {}}, "metrics: "),
        ({"metrics": {"m": {"kind": "proportion", "better": "up"}}}, "metrics: m: a proportion needs 'counts'"),
        (
            {"metrics": {"m": {"kind": "mean", "better": "up", "value": "vendor"}}},
            "metric m, value: 'vendor' is string",
        ),
        (
            {"metrics": {"m": {"kind": "proportion", "better": "up", "counts": "csat"}}},
            "'csat' is int64, a proportion needs",
        ),
        ({"metrics": {"m": {"kind": "mean", "better": "op", "value": "days"}}}, "metrics.m.better: .*got 'op'"),
        (
            {"metrics": {"m": {"kind": "mean", "beter": "up", "value": "days"}}},
            "metrics.m.beter: unknown field. Did you mean 'better'\\?.*and 1 more mistake",
        ),
        ({"tabel": "x.csv"}, "tabel: unknown field. Did you mean 'table'?"),
        ({"table": None}, "table: is missing"),
        ({"table": "case.csv"}, "no file 'case.csv'; looked in"),
        ({"table": "*.parquet"}, r"no file '\*.parquet'; looked in"),
        ({"table": "cases.yml"}, "unknown ending '.yml'"),
        ({"time": {"column": "opened_at", "zone": "Mars"}}, "time.zone: 'Mars' is not a time zone"),
        ({"time": {"column": "opened_at", "local": "UTC"}}, "needs zone as well"),
        ({"time": {"column": "opened_at", "colum": "x"}}, "time.colum: unknown field. Did you mean 'column'?"),
        ({"key": "vendor"}, "2 keys occur in more than one row .4 rows in all., such as vendor 'Andes'"),
        (
            {"types": {**CONTRACT["types"], "vendor": "integer"}},
            "cases.csv, row 1 of the data: vendor 'Andes' is not an integer",
        ),
        (
            {"types": {**CONTRACT["types"], "seconds": "integer"}},
            "row 2 of the data: seconds '60.5' is not an integer",
        ),
        ({"types": {"opened_at": "text"}}, "opened_at is the time column"),
        (
            {"metrics": {"m": {"kind": "proportion", "better": "up", "counts": "null"}}},
            "m, counts: 'null' is null, a proportion needs a condition",
        ),
        ({"dimensions": {"t": {"bands": "days", "edges": [3, float("nan")]}}}, "edges must rise"),
        ({"repeated": {"vendr": ["a", "b"]}}, "repeated names an unknown column 'vendr'. Did you mean 'vendor'?"),
    ],
)
def test_a_mistake_in_the_contract_is_one_clear_line(tmp_path, fields, says):
    refused(says, write(tmp_path, **fields))


def test_of_very_many_keys_a_part_is_compared_and_a_join_that_multiplied_rows_shows(tmp_path, monkeypatch):
    monkeypatch.setattr(unique, "COMPARED", 100)
    head, *_ = ROWS.splitlines()
    rows = [f"K{i},2026-01-05 08:00,Andes,MX,5,120,false,3" for i in range(1000)]
    assert open_source(write(tmp_path, "\n".join([head, *rows]) + "\n")).cases == 1000
    says = "of the keys compared, one in 21, .* keys occur in more than one row .* such as case_id 'K"
    refused(says, write(tmp_path, "\n".join([head, *rows, *rows]) + "\n"))


def test_a_mistake_in_the_contract_is_told_before_the_data_is_read(tmp_path):
    metrics = {"m": {"kind": "mean", "better": "up", "value": "secs"}}
    refused("unknown column 'secs'. Did you mean 'seconds'?", write(tmp_path, ROWS + "A6,soon\n", metrics=metrics))


def test_a_single_name_or_marker_needs_no_list(tmp_path):
    path = write(tmp_path, key=["case_id", "case_id"], missing="?", personal="vendor", mediators="market")
    assert open_source(path).contract.personal == ("vendor",)
    assert cube(open_source(path), "csat").mediators == ("market",)


def test_a_key_can_be_two_columns(tmp_path):
    assert open_source(write(tmp_path, key=["vendor", "market"])).set_aside == {"without vendor and market": 1}


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("", "cases.csv is empty"),
        ("case_id,opened_at,vendor,market,csat,seconds,escalated,days\n", "holds no rows"),
        (
            ROWS.replace("seconds", "vendor"),
            r"'vendor' appears 2 times.*repeated: \{vendor: \[vendor, vendor_2\]\}",
        ),
        (ROWS.replace("seconds", "Vendor"), "'vendor' appears 2 times"),
        (ROWS.replace("MX,5,120", "MX,5,1,120"), "cases.csv, row 1 of the data: 9 fields, the header has 8"),
        (ROWS.replace("MX,5,120", "MX,120"), "cases.csv, row 1 of the data: 7 fields, the header has 8"),
        (ROWS.replace("Andes", '"Andes', 1), "row 1 of the data: a quote does not end where its cell ends"),
        (ROWS.replace("days", "da\0ys"), "cases.csv is not UTF-8 text"),
        (ROWS.replace("days", '"days').replace("3\n", "3" * 200_000), "'days'. Known: case_id, .* days A1,2026"),
        (ROWS.replace("vendor", "rca_failed"), "the name 'rca_failed' is taken"),
        (ROWS.replace(",300", ",1_000"), "row 3 of the data: seconds '1_000' is not a number"),
        (ROWS.replace(",300", ",nan"), "row 3 of the data: seconds 'nan' is not a number"),
    ],
)
def test_a_fault_in_the_data_is_one_clear_line(tmp_path, rows, says):
    refused(says, write(tmp_path, rows))


def test_a_file_that_is_no_whole_text_is_refused(tmp_path):
    path = write(tmp_path)
    (tmp_path / "cases.csv").write_bytes(ROWS.replace("Andes", "Añdes").encode("latin-1"))
    refused("cases.csv, row 1 of the data: byte 0xf1 .* is not utf-8: .* encoding: cp1252", path)
    # cut at the end of a line, which looks whole to a reader that does not check
    path = write(tmp_path, rows=None, table="cut.csv.gz")
    whole = zlib.compressobj(wbits=31)
    (tmp_path / "cut.csv.gz").write_bytes(whole.compress(ROWS.encode()) + whole.flush(zlib.Z_SYNC_FLUSH))
    refused("cut.csv.gz is not a whole gzip file", path)


def test_parquet_files_that_differ_are_refused(tmp_path):
    frame = pd.DataFrame({"case_id": ["A", "B"], "opened_at": pd.Timestamp("2026-01-05"), "csat": [5, 4]})
    others = [frame.assign(csat=[3.5, 2.5]), frame.drop(columns="csat"), frame.assign(more=1)]
    for other, name in zip(others, ["csat", "csat", "more"], strict=True):
        for part, rows in {"a": frame, "b": other.assign(case_id=["C", "D"])}.items():
            rows.to_parquet(tmp_path / f"{part}.parquet")
        path = write(tmp_path, None, table="*.parquet", types=None, dimensions=None, metrics=CSAT)
        refused(f"b.parquet and .*a.parquet have different columns or types: {name}", path)
    frame.assign(case_id=["C", "D"], csat=pd.array([5, None], "Int8")).to_parquet(tmp_path / "b.parquet")
    assert open_source(path).table.csat.sum().execute() == 14


def test_a_missing_time_is_set_aside_and_counted(tmp_path):
    source = open_source(write(tmp_path, ROWS.replace("2026-01-13 23:30", "")))
    assert (source.cases, source.set_aside) == (4, {"without opened_at": 1})


def test_a_whole_number_may_be_written_as_pandas_writes_it_beside_a_missing_one(tmp_path):
    rows = ROWS.replace("MX,5,", "MX,5.0,")
    assert open_source(write(tmp_path, rows)).table.csat.max().execute() == 5
    refused("csat '5.1' is not an integer", write(tmp_path, rows.replace("5.0", "5.1")))


def test_a_delimiter_inside_quotes_is_none(tmp_path):
    rows = ROWS.replace(",", ";").replace(
        "seconds", '"seconds, of work, as a number, by hand, in all, or so, then"'
    )
    types = {name: kind for name, kind in CONTRACT["types"].items() if name != "seconds"}
    assert open_source(write(tmp_path, rows, metrics=CSAT, types=types)).cases == 5


def test_lines_that_are_no_objects_are_refused(tmp_path):
    for text in ("", "[1, 2]\n"):
        refused("cases.jsonl holds no rows", write(tmp_path, text, file="cases.jsonl", table="cases.jsonl"))


def test_a_repeated_header_cannot_take_the_name_of_another_column(tmp_path):
    rows = ROWS.replace("seconds", "vendor")
    refused("header 'market' appears 2 times", write(tmp_path, rows, repeated={"vendor": ["vendor", "market"]}))


def test_a_column_may_be_called_as_a_part_of_a_query(tmp_path):
    for name in ("times", "when", "value", "cases", "rows"):
        source = open_source(write(tmp_path, ROWS.replace("case_id", name), key=name, dimensions=[name]))
        assert source.values(name).sum() == 5
        assert cube(source, "time", by=name, within=("2026-01-05", "2026-01-13")).frame[name].tolist() == [
            "A1",
            "A2",
            "A3",
        ]


def test_a_repeated_header_can_be_named(tmp_path):
    rows = ROWS.replace("seconds", "vendor")
    types = {"csat": "integer", "second_vendor": "number"}
    metrics = {"time": {"kind": "mean", "better": "down", "value": "second_vendor"}}
    dimensions = ["vendor"]
    path = write(
        tmp_path,
        rows,
        repeated={"vendor": ["vendor", "second_vendor"]},
        types=types,
        metrics=metrics,
        dimensions=dimensions,
    )
    assert open_source(path).table.second_vendor.max().execute() == 300


def test_yaml_that_is_none_or_says_a_thing_twice_is_refused(tmp_path):
    path = write(tmp_path)
    path.write_text("table: a\nkey: b\ntable: c\n")
    refused("not valid YAML.*'table' is given twice", path)
    path.write_text("table: [a\n")
    refused("not valid YAML", path)
    path.write_bytes(b"\xff\xfe")
    refused("not a file in YAML", path)
    refused("not a file in YAML", tmp_path)
    path.write_text("[" * 3000)
    refused("not a file in YAML", path)
    path.write_text("just words")
    refused("holds no fields", path)


@pytest.mark.parametrize(
    ("scope", "says"),
    [
        ({"vendor": "Andess"}, r"scope vendor='Andess' matches no cases \(3 vendors\). Did you mean 'Andes'?"),
        ({"vendr": "Andes"}, "unknown scope column 'vendr'. Did you mean 'vendor'?"),
        ({"vendor": "Cedar", "market": "MX"}, "matches no cases: each part exists, but not together"),
    ],
)
def test_a_scope_without_cases_is_refused(tmp_path, scope, says):
    refused(says, write(tmp_path), scope=scope)


def test_a_scope_restricts_the_cases_but_not_the_extent(tmp_path):
    source = open_source(write(tmp_path), scope={"vendor": "Baltic", "market": "(missing)"})
    assert source.table.case_id.execute().tolist() == ["A4"]
    assert (source.cases, source.extent[0]) == (1, pd.Timestamp("2026-01-05"))


# events and actions

EVENTS = """event_id,kind,title,start,end,vendor
E1,release,New tool,2026-01-06,,
E2,sop_update,SOP-1,2026-01-07,2026-01-09,Andes
E3,campaign,Sale,2026-01-08,,Baltic
"""
ACTIONS = """action_id,vendor,title,owner,metric,segment,due,status,effective,expected_effect
T1,Andes,Coach,SOP lead,csat,market=MX,2026-02-01,open,,0.05
T2,Baltic,Fix,Tool lead,,,2026-02-01,done,2026-01-20,
"""


def _with_records(folder: Path, events: str = EVENTS, actions: str = ACTIONS) -> Path:
    (folder / "events.csv").write_text(events, encoding="utf-8")
    (folder / "actions.csv").write_text(actions, encoding="utf-8")
    return write(folder, events="events.csv", actions="actions.csv")


def test_events_and_actions_are_those_of_the_scope(tmp_path):
    path = _with_records(tmp_path)
    assert open_source(path).events["event_id"].tolist() == ["E1", "E2", "E3"]
    source = open_source(path, scope={"vendor": "Andes"})
    assert source.events["event_id"].tolist() == ["E1", "E2"]
    assert source.events["start"].tolist() == [pd.Timestamp("2026-01-06"), pd.Timestamp("2026-01-07")]
    assert source.events["end"].isna().tolist() == [True, False]
    assert source.actions["action_id"].tolist() == ["T1"]
    assert source.actions["expected_effect"].tolist() == [0.05]
    assert open_source(path, scope={"market": "MX"}).events["event_id"].tolist() == ["E1", "E2", "E3"]


def test_the_segment_of_an_action_is_written_as_the_analyses_write_it(tmp_path):
    path = _with_records(tmp_path, actions=ACTIONS.replace("market=MX", " vendor=R&D&market = MX "))
    assert open_source(path).actions["segment"].tolist() == ["market=MX & vendor=R&D", ""]


def test_a_source_without_events_has_none(tmp_path):
    source = open_source(write(tmp_path))
    assert len(source.events) == len(source.actions) == 0
    assert {"start", "end", "kind"} <= set(source.events)
    assert source.actions["due"].dtype == "datetime64[us]"


@pytest.mark.parametrize(
    ("events", "actions", "says"),
    [
        (EVENTS.replace("kind", "knd"), ACTIONS, "events.csv has no column 'kind'"),
        (
            EVENTS.replace(",vendor", ",vendr"),
            ACTIONS,
            "column 'vendr' is no dimension of cases. Did you mean 'vendor'?",
        ),
        (EVENTS.replace("2026-01-07", "7/1/2026"), ACTIONS, "row 2 of the data: start '7/1/2026' is not a date"),
        (
            EVENTS,
            ACTIONS.replace("csat", "cast"),
            "row 1 of the data: metric: unknown metric 'cast'. Did you mean 'csat'?",
        ),
        (
            EVENTS,
            ACTIONS.replace("done", "finished"),
            "row 2 of the data: status: unknown status 'finished'. Known: open, done.",
        ),
        (EVENTS, ACTIONS.replace("0.05", "5 %"), "row 1 of the data: expected_effect '5 %' is not a number"),
        (EVENTS, ACTIONS.replace("0.05", "nan"), "row 1 of the data: expected_effect 'nan' is not a number"),
        (
            EVENTS,
            ACTIONS.replace("market=MX", "markt=MX"),
            "row 1 of the data: segment: unknown dimension 'markt'. Did",
        ),
        (
            EVENTS,
            ACTIONS.replace("market=MX", "market="),
            "row 1 of the data: segment 'market=' is not a segment such",
        ),
        (EVENTS, ACTIONS.replace("SOP lead", ""), "actions.csv, row 1 of the data: owner is empty."),
        (EVENTS, ACTIONS.replace("2026-02-01", ""), "actions.csv, row 1 of the data: due is empty."),
        (EVENTS.replace("Sale", ""), ACTIONS, "row 3 of the data: title is empty."),
        (EVENTS.replace("vendor", "audience"), ACTIONS, "row 2 of the data: audience: unknown audience 'Andes'"),
        (EVENTS.replace("Andes\n", "Andes,\n"), ACTIONS, "row 2 of the data: 7 fields, the header has 6"),
        (EVENTS.replace("vendor", "kind"), ACTIONS, "events.csv: the header 'kind' appears 2 times"),
        (EVENTS.replace("E2", "E1"), ACTIONS, "events.csv, row 2 of the data: event_id 'E1' is taken."),
        ("", ACTIONS, "events.csv has no column 'event_id'"),
        (EVENTS.replace("2026-01-09", "2026-01-02"), ACTIONS, "event E2 ends before it starts"),
    ],
)
def test_a_mistake_in_events_or_actions_is_one_clear_line(tmp_path, events, actions, says):
    source = open_source(_with_records(tmp_path, events, actions))
    with pytest.raises(InputError, match=says):
        _ = source.events, source.actions


@pytest.mark.parametrize("table", ["actions.parquet", "actions.jsonl", "actions.duckdb::tasks"])
def test_actions_may_be_any_table_that_a_source_may_be(tmp_path, table):
    con = duckdb.connect(tmp_path / "actions.duckdb")
    con.register("given", pd.read_csv(StringIO(ACTIONS), parse_dates=["due", "effective"]))
    con.sql("create table tasks as from given")
    con.sql(f"copy tasks to '{tmp_path / 'actions.parquet'}'")
    days = "due::date as due, effective::date as effective"
    con.sql(f"copy (select * replace ({days}) from tasks) to '{tmp_path / 'actions.jsonl'}'")
    con.close()
    expected = open_source(_with_records(tmp_path)).actions
    found = open_source(write(tmp_path, actions=table)).actions
    pd.testing.assert_frame_equal(found[expected.columns], expected)


def test_a_partner_is_told_only_what_is_marked_for_it_and_nothing_of_others(tmp_path):
    marked = ACTIONS.replace("effect\n", "effect,audience\n").replace("0.05\n", "0.05,partner\n")
    path = _with_records(tmp_path, actions=marked.replace("2026-01-20,\n", "2026-01-20,,\n"))
    assert open_source(path).actions["action_id"].tolist() == ["T1", "T2"]
    source = open_source(path, scope={"vendor": "Andes"}, audience="partner")
    assert source.actions["action_id"].tolist() == ["T1"]
    assert len(source.events) == 0  # their table marks none
    assert {"rows read", "set aside"} & set(source.facts) == set()
    with pytest.raises(InputError, match="unknown audience 'public'"):
        open_source(path, audience="public")


def test_a_partner_sees_no_dimension_that_is_made_of_a_personal_column(tmp_path):
    how = {"vendor": None, "case_id": None, "team": "upper(case_id)", "market": None}
    path = write(tmp_path, dimensions=how, personal=["case_id"])
    assert set(open_source(path).dimensions) == set(how)
    assert set(open_source(path, audience="partner").dimensions) == {"vendor", "market"}


# the contracts that come with the project


def test_the_incident_log_is_read_at_case_grain():
    if not (SHARED / "data" / "uci_incident_events.csv.gz").exists():
        pytest.skip("the UCI incident log is not beside this checkout")
    source = open_source(Path(__file__).parents[1] / "params" / "sources" / "uci_incidents.yml")
    # published: 141,712 events of 24,918 incidents (UCI Machine Learning Repository, 2019)
    assert (source.rows, source.cases) == (141_712, 24_918)
    assert source.set_aside == {"earlier rows of a case": 141_712 - 24_918}
    assert source.extent == (pd.Timestamp("2016-02-29"), pd.Timestamp("2017-02-16"))
    groups = source.values("assignment_group")
    assert len(groups) == 71  # 70 named groups, and no group
    assert source.table.number.length().min().execute() == 7  # '0000045' keeps its zeros
