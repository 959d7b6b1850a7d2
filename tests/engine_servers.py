"""PostgreSQL and Spark for the tests: started on temporary data, with the tables that the tests give them."""

import glob
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

PASSWORD = "p@ss:w/rd#1"
Put = Callable[[str, pd.DataFrame], str]  # a table's name and rows -> what `table:` of a contract says


@contextmanager
def postgres() -> Iterator[Put]:
    """A cluster of its own, reached by a socket in its folder; run by an unprivileged user, as it asks for."""
    psycopg = pytest.importorskip("psycopg", reason="no driver for PostgreSQL here: pip install 'psycopg[binary]'")
    programs = sorted(glob.glob("/usr/lib/postgresql/*/bin")) or [str(Path(shutil.which("initdb") or "").parent)]
    if not (Path(programs[-1]) / "initdb").exists():
        pytest.skip("PostgreSQL is not installed here")
    folder = Path(tempfile.mkdtemp(prefix="rca-pg-"))
    user = {"user": "postgres"} if os.geteuid() == 0 else {}
    if user:
        shutil.chown(folder, "postgres")
    (folder / "password").write_text(PASSWORD)

    def run(program: str, *options: str) -> None:
        command = [f"{programs[-1]}/{program}", "-D", str(folder / "data"), *options]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, **user)

    run("initdb", "-U", "rca", "-A", "scram-sha-256", f"--pwfile={folder / 'password'}", "--no-sync", "-E", "UTF8")
    run(
        "pg_ctl", "start", "-w", "-l", str(folder / "log"), "-o", f"-c listen_addresses='' -k {folder} -c fsync=off"
    )
    os.environ["RCA_TEST_PASSWORD"] = PASSWORD
    kinds = {"int": "bigint", "Int": "bigint", "float": "double precision", "bool": "boolean"}
    kinds |= {"datetime64[us, UTC]": "timestamptz", "datetime": "timestamp", "date": "date"}

    def put(name: str, frame: pd.DataFrame) -> str:
        types = {
            c: next((k for kind, k in kinds.items() if str(t).startswith(kind)), "text")
            for c, t in frame.dtypes.items()
        }
        columns = ", ".join(f'"{column}" {kind}' for column, kind in types.items())
        with psycopg.connect(host=str(folder), user="rca", password=PASSWORD, dbname="postgres") as con:
            con.execute(f'drop table if exists "{name}"; create table "{name}" ({columns})')
            with con.cursor().copy(f'copy "{name}" from stdin csv') as copy:
                copy.write(frame.to_csv(index=False, header=False))
        return f"postgres://rca:${{RCA_TEST_PASSWORD}}@/postgres?host={folder}#public.{name}"

    try:
        yield put
    finally:
        run("pg_ctl", "stop", "-m", "immediate")
        shutil.rmtree(folder)


@contextmanager
def spark() -> Iterator[Put]:
    """One session in local mode."""
    pyspark = pytest.importorskip("pyspark", reason="Spark is not installed here: pip install '.[spark]'")
    if not shutil.which("java"):
        pytest.skip("Spark needs Java, which is not installed here")
    folder = tempfile.mkdtemp(prefix="rca-spark-")
    options = {"warehouse.dir": folder, "shuffle.partitions": "2", "session.timeZone": "Asia/Tokyo"}
    builder = pyspark.sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    for name, value in options.items():
        builder = builder.config(f"spark.sql.{name}", value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")

    def put(name: str, frame: pd.DataFrame) -> str:
        frame.to_parquet(f"{folder}/{name}.parquet")
        session.sql(f"drop table if exists {name}")
        session.read.parquet(f"{folder}/{name}.parquet").write.saveAsTable(name)
        return f"pyspark://?spark.master=local[2]#{name}"

    try:
        yield put
    finally:
        session.stop()
        shutil.rmtree(folder)


SERVERS = {"postgres": postgres, "pyspark": spark}
