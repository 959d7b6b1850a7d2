"""Known attacks as vendor, issue, agent and event names: a browser runs and requests nothing, a workbook holds text."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from browser import CHROMIUM, opened, without_policy
from injections import TEXTS
from packs import notebook_of, record_of, run_of, source_of
from test_site import COMMON

import rca
from rca.batch.folders import safe_names
from rca.batch.pack import fill
from rca.batch.page import render_page
from rca.batch.record import read_findings
from rca.batch.run import Outcome
from rca.batch.site import write_index


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadingHTTPServer]:
    """A server that answers nothing and remembers what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.server.asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.asked = []
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield listening
        listening.shutdown()


@pytest.fixture(scope="module")
def attacked(server: ThreadingHTTPServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack for each attack, its text as the name of vendor, issue, agent and event; one internal page and index."""
    out, host = tmp_path_factory.mktemp("attacked"), f"http://127.0.0.1:{server.server_port}"
    texts = [text.replace("HOST", host) for text in TEXTS]
    vendors = [f"{text}v{i}" for i, text in enumerate(texts)]  # each once, and none a part of another
    rows = [(f"{v}{k}", v, t, t, k) for v, t in zip(vendors, texts, strict=True) for k in (0, 1)]
    frame = pd.DataFrame(rows, columns=["case_id", "vendor", "issue", "agent", "late"])
    frame = frame.assign(opened_at=pd.Timestamp("2026-01-05"), customer=1, note="")
    everyone, runs = source_of(frame), []
    for vendor, text, name in zip(vendors, texts, safe_names(vendors), strict=True):
        record = record_of(everyone.only({"vendor": vendor}), text)
        task = {"action_id": "A-1", "title": text, "owner": text, "due": "6 Nov", "state": "open", "late": False}
        details = [f"coincides with {text}"]
        record |= {"actions": [task], "common": [{**COMMON, "title": text, "details": details}]}
        run = run_of(out / name, vendor)
        run.folder.mkdir()
        fill(run.pack, run, everyone, notebook_of(everyone, vendor, [], record), read_findings(record))
        runs.append(run)
    inside = source_of(frame, audience="internal")
    notebook = notebook_of(inside, vendors[0], [], record_of(inside.only({"vendor": vendors[0]}), texts[0]))
    for cell in notebook["cells"]:
        if cell["source"] == "pareto":
            agents = rca.pareto(rca.cube(inside, "late", by=["agent"], period="D"), by="agent", top=1000)
            cell["source"] = " ".join(texts)
            stream, _, _, table, error = cell["outputs"]
            stream["text"], error["traceback"] = cell["source"], texts
            table["data"] |= {"text/html": agents._repr_html_(), "text/plain": f"<Pareto: {' '.join(texts)}>"}
    page = {"title": texts[0], "name": texts[1], "parameters": {"scope": texts}, "sentence": texts[2]}
    html = render_page(notebook, **page, status="failed", findings=None)
    (out / "internal.html").write_text(html, encoding="utf-8")
    ended = [Outcome(run.name, run.folder, "failed", text, 0.0) for run, text in zip(runs, texts, strict=True)]
    write_index(runs[0].study, out, runs, ended)
    return out


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed, so that pages cannot be opened in it.")
def test_a_browser_runs_and_requests_nothing(attacked, server, tmp_path):
    """Without the pages' content security policy: the escaping alone must hold. A page that fails is a control."""
    pages = sorted(attacked.rglob("*.html"))
    assert len(pages) == len(TEXTS) + 2
    frames = []
    for number, page in enumerate(pages):
        html = without_policy(page.read_text(encoding="utf-8"))
        (tmp_path / f"{number}.html").write_text(html, encoding="utf-8")
        frames.append(f"<iframe src='{number}.html'></iframe>")
    control = f"<script>fetch('http://127.0.0.1:{server.server_port}/control')</script>"
    (tmp_path / "all.html").write_text("<!doctype html>" + "".join(frames) + control)
    opened(tmp_path / "all.html", tmp_path, seconds=20)
    assert set(server.asked) - {"/favicon.ico"} == {"/control"}


def test_a_workbook_holds_text_only(attacked):
    books = sorted(attacked.rglob("*.xlsx"))
    assert len(books) == len(TEXTS) >= 60
    for path in books:
        book = openpyxl.load_workbook(path)
        found = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
        assert {cell.data_type for cell in found} <= {"s", "n", "d"}
        assert not any(cell.hyperlink for cell in found)
        assert book.defined_names == {}


def test_each_vendor_has_a_folder_of_its_own_in_the_place_for_it(attacked):
    folders = [path.parent for path in attacked.rglob("data.xlsx")]
    assert len({str(folder).casefold() for folder in folders}) == len(TEXTS)
    assert {folder.parent.parent for folder in folders} == {attacked}
