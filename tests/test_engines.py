"""Other engines give the cubes that DuckDB gives; credentials stay in the environment."""

import os
import traceback
from pathlib import Path

import pandas as pd
import pytest
import yaml
from engine_servers import PASSWORD, SERVERS
from test_expression import FRAME, SAME_AS_DUCKDB

from rca import engines
from rca.batch.key import data_of
from rca.cube_query import cubes
from rca.engines import open_data
from rca.errors import InputError
from rca.expression import translate
from rca.sample import make_marketplace
from rca.source import open_source

SAMPLE = Path(__file__).parents[1] / "params" / "sources" / "service_cases.yml"
METRICS = {
    "queue_share": {"kind": "rate", "better": "down", "counts": "queue_seconds", "out_of": "handling_seconds"},
    "slow": {"kind": "mean", "better": "down", "value": "handling_seconds / 60.0", "out_of": "csat is not null"},
    "angry": {"kind": "proportion", "better": "down", "counts": "csat <= 2 and not resolved", "out_of": "csat > 0"},
    "again_24h": {
        "kind": "proportion",
        "better": "down",
        "repeat": {"same": ["customer", "issue_type"], "within": "24 h"},
        "out_of": "channel in ('chat', 'phone')",
    },
}


@pytest.fixture(scope="module", params=SERVERS)
def put(request):
    with SERVERS[request.param]() as put:
        yield put


def opened(folder: Path, contract: dict, scope=None):
    path = folder / f"{len(list(folder.iterdir()))}.yml"
    path.write_text(yaml.safe_dump(contract), encoding="utf-8")
    return open_source(path, scope=scope)


def same(found, expected) -> None:
    assert set(found) == set(expected)
    for name, one in found.items():
        frame, by = expected[name].frame, list(expected[name].by)
        pd.testing.assert_frame_equal(one.frame[["period", *by]], frame[["period", *by]])
        exact = expected[name].metric.kind == "proportion"
        pd.testing.assert_frame_equal(
            one.frame, frame, check_dtype=False, check_exact=exact, rtol=0 if exact else 1e-9
        )
        assert one.partial == expected[name].partial


@pytest.fixture(scope="module")
def cases() -> pd.DataFrame:
    frame = make_marketplace(cases=5_000).cases
    blank = frame.index % 97 == 0
    return frame.assign(market=frame["market"].mask(blank), customer=frame["customer"].mask(blank))


@pytest.mark.parametrize("zoned", [False, True])
def test_every_kind_of_metric_has_the_same_cubes_as_in_duckdb(put, cases, tmp_path, zoned):
    if zoned:
        cases = cases.assign(opened_at=cases["opened_at"].dt.tz_localize("UTC"))
    cases.to_parquet(tmp_path / "cases.parquet")
    contract = yaml.safe_load(SAMPLE.read_text(encoding="utf-8"))
    contract = {**contract, "table": "cases.parquet", "metrics": contract["metrics"] | METRICS}
    contract["time"] = {"column": "opened_at", "zone": "UTC", "local": "Europe/Madrid", "until": "2026-11-12"}
    there = {**contract, "table": put("cases", cases)}
    for scope in [None] if zoned else [{"vendor": "Andes"}, {"market": "(missing)"}]:
        ours, theirs = opened(tmp_path, contract, scope), opened(tmp_path, there, scope)
        assert (theirs.rows, theirs.cases, theirs.set_aside) == (ours.rows, ours.cases, ours.set_aside)
        assert (theirs.extent, theirs.ends) == (ours.extent, ours.ends)
        metrics = list(contract["metrics"])
        same(cubes(theirs, metrics, by=["market", "tenure"]), cubes(ours, metrics, by=["market", "tenure"]))
    for period in ("10min", "D") if zoned else ("h", "M"):
        options = {"period": period, "within": ("2026-10-20", "2026-10-31")}
        same(cubes(theirs, metrics, **options), cubes(ours, metrics, **options))
    pd.testing.assert_series_equal(theirs.values("issue_type"), ours.values("issue_type"), check_dtype=False)


def test_an_expression_means_the_same(put):
    frame = FRAME.assign(id=range(len(FRAME)))
    con, data = open_data(put("expressions", frame), Path())
    rows = con.table(data.inner.rpartition(".")[2])
    found = rows.select("id", **{f"v{i}": translate(text, rows, text) for i, text in enumerate(SAME_AS_DUCKDB)})
    found = found.execute().sort_values("id").drop(columns="id")
    import ibis

    ours = ibis.memtable(frame)
    expected = ours.select(
        **{f"v{i}": translate(text, ours, text) for i, text in enumerate(SAME_AS_DUCKDB)}
    ).execute()
    differ = {}
    for column, text in zip(found, SAME_AS_DUCKDB, strict=True):
        one, other = (f[column].astype(object).where(f[column].notna(), None).tolist() for f in (found, expected))
        if one != other:
            differ[text] = (one, other)
    assert not differ


def test_an_event_log_keeps_the_same_row_of_each_case(put, tmp_path):
    log = pd.DataFrame({"id": list("aabbcd"), "version": pd.array([1, 10, 2, 2, None, 3], "Int64")})
    log = log.assign(
        at=pd.date_range("2026-01-05", periods=6), state=["x", "y", "x", "z", None, "?"], gone=[None] * 6
    )
    contract = {
        "key": "id",
        "latest_by": "version",
        "time": {"column": "at"},
        "dimensions": ["state"],
        "missing": ["?"],
    }
    contract["metrics"] = {"all": {"kind": "proportion", "better": "up", "counts": "state = 'z'"}}
    log.drop(columns="gone").to_parquet(tmp_path / "log.parquet")
    ours = opened(tmp_path, {**contract, "table": "log.parquet"})
    theirs = opened(tmp_path, {**contract, "table": put("log", log.drop(columns="gone"))})
    assert theirs.set_aside == ours.set_aside == {"earlier rows of a case": 2}
    same(cubes(theirs, ["all"], by="state"), cubes(ours, ["all"], by="state"))


def test_a_changed_row_changes_the_fingerprint_of_its_scope_only(put, cases, tmp_path):
    contract = {**yaml.safe_load(SAMPLE.read_text(encoding="utf-8")), "table": put("prints", cases[:500])}
    before = data_of(opened(tmp_path, contract), "vendor")
    assert data_of(opened(tmp_path, contract), "vendor") == before
    changed = cases[:500].copy()
    changed.loc[3, "csat"] = 6 - changed["csat"].fillna(5)[3]
    put("prints", changed)
    after = data_of(opened(tmp_path, contract), "vendor")
    assert {vendor for vendor in before if before[vendor] != after[vendor]} == {changed["vendor"][3]}


def test_a_mistake_is_one_line(put, cases, tmp_path):
    contract = {**yaml.safe_load(SAMPLE.read_text(encoding="utf-8")), "table": put("cases_1", cases[:9])}
    for table, says in ((f"{contract['table']}2", "no table '.*cases_12'. (Did you mean|Known:)"),):
        with pytest.raises(InputError, match=says):
            opened(tmp_path, {**contract, "table": table})
    texts = {**contract, "table": put("cases_2", cases[:9].astype({"opened_at": "str"}))}
    with pytest.raises(InputError, match="opened_at is text: make a view that casts it to a time"):
        opened(tmp_path, texts)


def hidden(error: BaseException, *secrets: str) -> None:
    shown = "".join(traceback.format_exception(error))
    assert "\n" not in str(error)
    assert not any(secret in shown for secret in secrets)


def test_a_refused_password_is_in_no_error(tmp_path, monkeypatch):
    with SERVERS["postgres"]() as put:
        table = put("t", pd.DataFrame({"id": [1]}))
        monkeypatch.setenv("RCA_TEST_PASSWORD", "wr@ng one")
        for url in (table, "${RCA_TEST_URL}#public.t"):
            monkeypatch.setenv(
                "RCA_TEST_URL", table.partition("#")[0].replace("${RCA_TEST_PASSWORD}", "wr%40ng%20one")
            )
            with pytest.raises(InputError, match=r"cannot be reached: .*password authentication failed") as found:
                open_data(url, tmp_path)
            hidden(found.value, "wr@ng one", "wr%40ng")


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("postgres://rca:hunter2@db/service#cases", r"put it into an environment variable and write \$\{NAME\}"),
        ("postgres://db/service?password=hunter2#cases", "put it into an environment variable"),
        ("postgres://db/service?sslpassword=${RCA_X}hunter2#cases", "put it into an environment variable"),
        (
            "postgres://${RCA_NOT_SET}@db/service#cases",
            "needs the environment variable RCA_NOT_SET, which is not set",
        ),
        ("postgras://db/service#cases", "unknown engine in table: 'postgras'. Did you mean 'postgres'?"),
        ("s3://bucket/cases.csv", "is read as Parquet from an object store"),
    ],
)
def test_credentials_come_from_the_environment_only(tmp_path, table, says):
    with pytest.raises(InputError, match=says) as found:
        open_data(table, tmp_path)
    hidden(found.value, "hunter2")


def test_whatever_a_driver_says_is_cleaned(monkeypatch):
    monkeypatch.setenv("RCA_TEST_PASSWORD", PASSWORD)
    engines._resolved("postgres://rca:${RCA_TEST_PASSWORD}@db/service")

    class DriverError(Exception):
        pass

    with pytest.raises(InputError) as found, engines.asking("source x"):
        raise DriverError(f"no route with {PASSWORD} to postgres://rca:other@db/service")
    assert str(found.value) == "source x cannot be read: no route with *** to postgres://***@db/service."
    hidden(found.value, PASSWORD, "other")
    with pytest.raises(ZeroDivisionError), engines.asking("source x"):
        _ = 1 / 0


def test_parquet_at_an_address_is_read(tmp_path, cases):
    cases[:100].to_parquet(tmp_path / "cases.parquet")
    contract = yaml.safe_load(SAMPLE.read_text(encoding="utf-8"))
    assert opened(tmp_path, {**contract, "table": f"file://{tmp_path}/cases.parquet"}).cases == 100


def test_a_long_query_says_so_at_a_terminal_only(monkeypatch, capsys):
    import io
    import sys
    import time

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(engines, "PATIENCE", 0.05)
    for stream, shown in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setattr(sys, "__stderr__", stream)
        with engines.asking("source x"):
            time.sleep(0.2)
        assert ("source x: 0 s" in stream.getvalue()) is shown
    assert os.linesep not in stream.getvalue()
