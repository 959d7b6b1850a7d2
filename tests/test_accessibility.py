"""axe-core in a browser: no page has a serious fault, light or dark, wide or narrow."""

import json
import re
from html import unescape
from itertools import product
from pathlib import Path

import nbformat
import pytest
from browser import CHROMIUM, opened, without_policy
from nbformat.v4 import new_code_cell, new_notebook, new_output
from test_site import RECORD, index_of

from rca.batch.pack import partner_notebook
from rca.batch.page import render_page
from rca.batch.record import MIME, read_findings
from rca.batch.site import write_home

ROOT = Path(__file__).parents[1]
AXE = ROOT / "build" / "node_modules" / "axe-core" / "axe.min.js"  # .ci/run puts it there
RUN = """axe.run(document, {iframes: false, resultTypes: ["violations"]}).then(({violations}) => {
  const places = violation => violation.nodes.map(node => node.html.slice(0, 200));
  parent.postMessage(JSON.stringify([name, violations.map(v => [v.impact, v.id, places(v)])]), "*")})"""
HEAR = """addEventListener("message", event => document.querySelector("pre").append(event.data + "\\n"))"""


def pages(folder: Path) -> dict[str, str]:
    """Each kind of page; the report is that of the committed notebook."""
    notebook = nbformat.read(ROOT / "notebooks" / "vendor_performance.ipynb", 4)
    record = next(output["data"][MIME] for output in notebook["cells"][-1]["outputs"] if MIME in output["data"])
    done = {"title": "Weekly", "name": "Andes", "parameters": {}, "status": "done", "sentence": ""}
    done |= {"findings": read_findings(record)}
    error = new_output("error", ename="KeyError", evalue="'late'", traceback=["KeyError: 'late'"])
    broken = new_notebook(cells=[*notebook["cells"][:8], new_code_cell("cube['late']", outputs=[error])])
    failed = {**done, "status": "failed", "sentence": "Cell [5]: KeyError: 'late'", "findings": None}
    index_of(folder, {"North": record, "South": RECORD, "East & <West>": failed["sentence"]})
    return {
        "report": render_page(notebook, **done),
        "partner": render_page(partner_notebook(notebook), **done, internal=False),
        "failed": render_page(broken, **failed),
        "index": (folder / "outputs" / "study" / "index.html").read_text(encoding="utf-8"),
        "home": write_home(folder / "outputs").read_text(encoding="utf-8"),
    }


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed, so that pages cannot be opened in it.")
@pytest.mark.skipif(
    not AXE.exists(), reason="axe-core is not in build/node_modules: npm install --prefix build axe-core."
)
def test_no_page_has_a_serious_fault(tmp_path):
    frames = []
    for name, html in pages(tmp_path).items():
        script = f'<script src="{AXE.as_uri()}"></script><script>{RUN}</script></body>'
        (tmp_path / f"{name}.html").write_text(without_policy(html).replace("</body>", script), encoding="utf-8")
        for scheme, width in product(
            ("light", "dark"), (1280, 390)
        ):  # a frame has the colour scheme of its element
            frame = f'<iframe name="{name}, {scheme}, {width}" src="{name}.html" width="{width}" height="2000"'
            frames.append(f'{frame} style="color-scheme: {scheme}; border: 0"></iframe>')
    every = f"<!doctype html><script>{HEAR}</script><pre></pre>{''.join(frames)}"
    (tmp_path / "every.html").write_text(every, encoding="utf-8")
    heard = re.search(r"(?s)<pre>(.*?)</pre>", opened(tmp_path / "every.html", tmp_path, seconds=60))[1]
    results = dict(json.loads(line) for line in unescape(heard).splitlines())
    assert len(results) == len(frames)
    serious = [
        (page, rule, places)
        for page, violations in results.items()
        for impact, rule, places in violations
        if impact in ("serious", "critical")
    ]
    assert serious == []
