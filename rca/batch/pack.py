"""The partner pack: what one vendor receives of its report. Closed by default: nothing comes in that is not for it."""

import base64
import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rca.batch.html import dates
from rca.batch.page import render_page
from rca.batch.plan import Run
from rca.batch.pseudonym import pseudonym, secret
from rca.batch.record import MIME, Findings
from rca.batch.workbook import MOST_ROWS, Table, write_csv, write_workbook
from rca.cube_query import cubes
from rca.errors import InputError
from rca.files import find_file
from rca.source import Source, open_source

TAG = "partner"  # of the notebook cells that a partner may see
SHOWN = ("image/png", "text/html", MIME)  # of their outputs
CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")  # of a PNG: the picture, nothing about it
PEERS, PEER_CASES = 5, 30  # fewer others, each with so many cases, would not be anonymous


def write_pack(folder: Path, run: Run, notebook: Any, findings: Findings) -> None:
    """Write the folder that a vendor receives: `report.html`, `data.xlsx` and, for many rows, `data.csv`.

    notebook  as executed for this audience
    InputError where the pack would name another vendor.
    """
    everyone = open_source(find_file(run.study.source, run.study.path.parent), audience="partner")
    fill(folder, run, everyone, notebook, findings)


def fill(folder: Path, run: Run, everyone: Source, notebook: Any, findings: Findings) -> None:
    """The same, from the open source of all scopes."""
    source = everyone.only(run.scope)
    if source.about_action:
        raise InputError("no pack: a report about an action is not about the cases of one vendor alone.")
    _refuse_names(source, [name for name in everyone.values(run.study.for_each).index if name != run.name], run)
    data = raw_data(source, secret())
    medians = peer_medians(everyone, run, findings) if run.study.peer_median else {}
    page = render_page(
        partner_notebook(notebook),
        title=run.study.title,
        name=run.name,
        parameters={},
        status="done",
        sentence="",
        findings=findings,
        internal=False,
    )
    folder.mkdir()
    (folder / "report.html").write_text(page, encoding="utf-8")
    if source.cases > MOST_ROWS:
        write_csv(folder / "data.csv", data)
        data = data[0], [[f"{source.cases:,} cases are more than a sheet holds: see data.csv."]]
    words = definitions(source, findings, data[0])
    sheets = {"Summary": summary(run, findings, medians), "Definitions": words, "Data": data}
    write_workbook(folder / "data.xlsx", sheets)


def partner_notebook(notebook: Any) -> Any:
    """The cells tagged `partner` of an executed notebook, with pictures and tables as their only outputs."""
    cells = [cell for cell in notebook["cells"] if TAG in cell["metadata"].get("tags", [])]
    return {"cells": [{**cell, "outputs": list(_outputs(cell))} for cell in cells]}


def _outputs(cell: Any) -> Iterator[Any]:
    for output in cell.get("outputs", []):
        data = {kind: content for kind, content in output.get("data", {}).items() if kind in SHOWN}
        if not data:
            continue
        if "image/png" in data:
            data["image/png"] = bare_png(data["image/png"])
        if "text/html" in data:
            data["text/html"] = re.sub(r"(?s)<!--.*?(-->|\Z)", "", "".join(data["text/html"]))
            data["text/plain"] = output["data"].get("text/plain", "")  # headlines, for the pictures below
        yield {**output, "data": data}


def bare_png(text: str) -> str:
    """A PNG (in base64) without the chunks that say when, where and with what it was made."""
    content = base64.b64decode(text)
    kept, at = content[:8], 8
    while at < len(content):
        end = at + 12 + struct.unpack(">I", content[at : at + 4])[0]
        kept += content[at:end] if content[at + 4 : at + 8] in CHUNKS else b""
        at = end
    return base64.b64encode(kept).decode()


def raw_data(source: Source, key: bytes | None) -> Table:
    """The cases of a source by time: all columns but the closed ones, or with pseudonyms for the personal ones."""
    contract, table = source.contract, source.table
    personal = [name for name in table.columns if name in set(contract.personal) - set(contract.internal)]
    closed = contract.closed | (set(contract.dimensions) - set(source.dimensions))
    columns = [name for name in table.columns if name not in closed or (key and name in personal)]
    scope = " & ".join(f"{name}={value}" for name, value in source.scope.items())

    def cell(name: str, value: Any) -> Any:
        if key and name in personal and value is not None:
            return pseudonym(key, scope, name, str(value))
        return value

    def rows() -> Iterator[Sequence[Any]]:
        # personal values break only ties: an order by them would tell something of them
        order = dict.fromkeys([source.time, *(name for name in columns if name not in personal), *columns])
        for batch in table.order_by(list(order)).select(columns).to_pyarrow_batches():
            values = zip(*(column.to_pylist() for column in batch.columns), strict=True)
            yield from ([cell(name, value) for name, value in zip(columns, row, strict=True)] for row in values)

    return columns, rows()


def definitions(source: Source, findings: Findings, columns: Sequence[str]) -> Table:
    """What the KPIs of the report, in its own words, and the columns are."""
    rows = [[fact.label, "KPI", fact.text] for fact in findings.definitions]
    for name in columns:
        kind = "personal, as a pseudonym" if name in source.contract.personal else str(source.table[name].type())
        what = "key" if name in source.contract.key else "time of the case" if name == source.time else "column"
        rows.append([name, what, kind])
    return ["Name", "What it is", "How it is made"], rows


def summary(run: Run, findings: Findings, medians: Mapping[str, str]) -> Table:
    """The top of the report as cells."""
    rows: list[list[str]] = [["For", run.name], ["Compared", dates(findings.after)]]
    rows += [["with", dates(findings.before)]] if findings.before else []
    rows += [["Result", findings.title], ["", findings.lead], []]
    rows += [["KPI", "Value", "Target", "Change", "Status", *["Median of others"][: len(medians)]]]
    for kpi in findings.kpis:
        texts = [kpi.label, kpi.text, kpi.target_text, kpi.change_text, kpi.status_text]
        rows.append([*texts, medians.get(kpi.metric, "")])
    for title, found in (("Finding", findings.findings), ("Common to all", findings.common)):
        rows += [[], [title, "Effect on the KPI", "Cases"]] if found else []
        rows += [[f.title, f.impact_text, f.cases_text] for f in found]
    rows += [[], ["Action", "Owner", "Due", "State"]]
    rows += [[f"{a.action_id} {a.title}", a.owner, a.due, a.state] for a in findings.actions]
    return [run.study.title], rows


def peer_medians(everyone: Source, run: Run, findings: Findings) -> dict[str, str]:
    """The median of the others' values per metric, where they are enough for nobody to be recognised."""
    dimension, texts = run.study.for_each, {}
    period = str(run.parameters.get("period", "W"))
    found = cubes(everyone, [k.metric for k in findings.kpis], by=[dimension], period=period, within=findings.after)
    for name, cube in found.items():
        others = cube.frame[cube.frame[dimension] != run.name].groupby(dimension)[["n", "total"]].sum()
        others = others[others["n"] >= PEER_CASES]
        if len(others) >= PEERS:
            texts[name] = cube.metric.text((others["total"] / others["n"]).median())
    return texts


def _refuse_names(source: Source, others: Sequence[str], run: Run) -> None:
    """InputError where a text of the pack has another vendor's name in it, as a word.

    Names without a letter, or of one or two letters, are parts of any text and name nobody by themselves.
    """
    names = [words for name in others if re.search(r"[^\W\d_]", words := _words(name)) and len(words.strip()) > 2]
    noun = run.study.for_each.replace("_", " ")
    for place, texts in _texts(source, run) if names else ():
        for text in texts:
            spoken = _words(text).replace(_words(run.name), "  ")  # North Star may be called so beside North
            if any(name in spoken for name in names):
                raise InputError(
                    f"no pack: {place} would name another {noun} ({text!r}). Change the text, or keep the column back:"
                    " internal: in the contract."
                )


def _texts(source: Source, run: Run) -> Iterator[tuple[str, Iterable[str]]]:
    """Every text that goes into the pack, by where it comes from."""
    columns, _ = raw_data(source, None)
    yield "the study", [run.study.title]
    yield "the contract", [str(part) for m in source.metrics.values() for part in m.model_dump().values()]
    yield "the contract", columns
    for place, frame in (("an event", source.events), ("an action", source.actions)):
        yield place, map(str, frame.drop(columns=list(source.scope), errors="ignore").to_numpy().ravel())
    for name in columns:
        if source.table[name].type().is_string() and name not in source.scope:
            yield f"column {name}", source.table.select(name).distinct().execute()[name].dropna()


def _words(text: str) -> str:
    """A text as words with a space around each: what is in it as a word is in it with its spaces.

    >>> " bay co " in _words("Moved to Bay-Co."), " bay " in _words("eBay")
    (True, False)
    """
    words = re.findall(r"\w+", text.casefold())
    return f" {' '.join(words)} "
