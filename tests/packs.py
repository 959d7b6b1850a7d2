"""Partner packs without a kernel: an open source in memory, a notebook as one would leave it, and what a pack holds."""

import base64
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from test_site import FINDING, RECORD

import rca
from rca.batch.plan import Run
from rca.batch.record import MIME
from rca.batch.study import Study
from rca.contract import Contract
from rca.source import Source

CON = ibis.duckdb.connect()
CONTRACT = {
    "table": "cases.csv",
    "key": "case_id",
    "time": {"column": "opened_at"},
    "dimensions": ["vendor", "issue", "agent"],
    "personal": ["agent", "customer"],
    "internal": ["note"],
    "metrics": {"late": {"kind": "proportion", "better": "down", "counts": "late = 1"}},
}


def source_of(frame: pd.DataFrame, audience: str = "partner", **contract: Any) -> Source:
    """`open_source` for rows that are there already."""
    CON.con.register("given", frame)
    CON.raw_sql("create or replace table cases as from given")
    table = CON.table("cases")
    days = frame["opened_at"].min().normalize(), frame["opened_at"].max().normalize()
    made = Contract.model_validate(CONTRACT | contract)
    size, folder = len(frame), Path("contract-folder")
    size, folder = len(frame), Path("contract-folder")
    return Source("cases", made, table, table, {}, days, days[1], size, size, {}, {}, folder, audience)


def run_of(folder: Path, vendor: str, title: str = "Weekly", **study: Any) -> Run:
    made = Study(title=title, notebook="n.ipynb", source="cases.yml", for_each="vendor", **study)
    return Run(made, Path("n.ipynb"), {"vendor": vendor}, {"audience": "partner"}, folder)


def png(**text: str) -> str:
    """A picture with text chunks, as matplotlib writes them."""
    import io

    file = io.BytesIO()
    Figure(figsize=(0.2, 0.2)).savefig(file, format="png", metadata={"Title": "made by", **text})
    return base64.b64encode(file.getvalue()).decode()


def notebook_of(everyone: Source, vendor: str, others: Sequence[str], record: Mapping[str, Any]) -> Any:
    """As executed for a partner: results of its own in the tagged cells, and all kinds of things around them."""
    source = everyone.only({"vendor": vendor})
    pareto = rca.pareto(rca.cube(source, "late", by=["issue"], period="D"), by="issue")
    name, secrets = f"<{type(pareto).__name__}: {pareto.headline}>", " ".join(others)
    told = {"metadata": {"tags": ["partner"], "note": secrets}}

    def result(html: str, plain: str, **data: Any) -> Any:
        data = {"text/html": html, "text/plain": plain, **data}
        return new_output("execute_result", data, metadata={"note": secrets})

    drawing = f"<svg><text>{secrets}</text></svg>"
    cells = [
        new_code_cell(f"scope = {secrets!r}", metadata={"tags": ["injected-parameters"]}),
        new_markdown_cell(f"## Not for you\n{secrets}"),
        new_code_cell("reach", outputs=[result(f"<p>{secrets}</p>", secrets)]),
        new_markdown_cell("# Weekly\n\nHow to read it.", **told),
        new_code_cell(f"cases  # {secrets}", outputs=[result(source._repr_html_(), repr(source))], **told),
        new_markdown_cell("## Where?", **told),
        new_code_cell(
            "pareto",
            outputs=[
                new_output("stream", name="stderr", text=secrets),
                new_output("display_data", {"text/plain": secrets, "image/svg+xml": drawing}),
                new_output("display_data", {"text/plain": "<Figure>", "image/png": png(Author=secrets)}),
                result(f"<!-- {secrets} -->{pareto._repr_html_()}", name),
                new_output("error", ename="E", evalue=secrets, traceback=[secrets]),
            ],
            **told,
        ),
        new_code_cell("ax = pareto.plot()", outputs=[new_output("display_data", {"image/png": png()})], **told),
        new_code_cell("findings", outputs=[result(f"<p>{secrets}</p>", "<Findings>", **{MIME: record})], **told),
    ]
    return new_notebook(cells=cells, metadata={"papermill": {"parameters": {"others": secrets}}})


def record_of(source: Source, issue: str) -> dict[str, Any]:
    """Findings about an issue of this vendor, as `rca.findings` would write them."""
    where = {"issue": issue}
    finding = {**FINDING, "segment": f"issue={issue}", "where": where, "title": f"Issue {issue}: late 5 % → 9 %"}
    vendor = source.scope.get("vendor", "Nobody")
    facts = [{"label": what, "text": text} for what, text in source.facts.items()]
    told = {"findings": [{**finding, "tag": f"{vendor} only"}], "data": facts, "scope": dict(source.scope)}
    return RECORD | told | {"definitions": [{"label": "Late", "text": "share of cases that were late"}]}


def texts(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Everything that the files of a pack hold, taken out of archives and pictures, with its place."""
    for path in folder.rglob("*"):
        yield "name", path.name.encode()
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                yield from ((f"{path.name}/{part}", book.read(part) + part.encode()) for part in book.namelist())
                yield "comment", book.comment
        elif path.is_file():
            content = path.read_bytes()
            yield path.name, content
            for encoded in re.findall(rb"base64,([A-Za-z0-9+/=]+)", content):
                yield f"picture in {path.name}", base64.b64decode(encoded)
