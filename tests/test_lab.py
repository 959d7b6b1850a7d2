"""A person's JupyterLab in Chromium: both notebooks run without an error, and a picture follows a widget."""

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket
from test_injection import CHROMIUM

from rca.sample import write_marketplace

ROOT = Path(__file__).parents[1]
PATIENCE = 240  # seconds; a busy machine is slow, and nothing here asserts a time
BROWSER = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --window-size=1280,1600 --remote-debugging-port=0"
)
# Opens a notebook, runs all of its cells, and returns the outputs of each code cell.
RUN = """(async () => {
  const app = window.jupyterapp;
  const panel = await app.commands.execute('docmanager:open', {path: '%s'});
  await panel.context.ready; await panel.sessionContext.ready;
  await app.commands.execute('notebook:run-all-cells');
  window.outputs = () => [...panel.content.model.cells].filter(c => c.type == 'code').map(c => c.outputs.toJSON());
  return JSON.stringify(window.outputs());
})()"""
# Chooses an option of the dropdown with a label, as a person does.
CHOOSE = """(() => {
  const box = [...document.querySelectorAll('.widget-dropdown')].find(b => b.textContent.startsWith('%s'));
  const select = box.querySelector('select');
  select.selectedIndex = [...select.options].findIndex(o => o.textContent.replaceAll('\\u00a0', ' ') == '%s');
  select.dispatchEvent(new Event('change', {bubbles: true}));
})()"""


def until(found: Callable[[], Any]) -> Any:
    """What is found, as soon as there is anything."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if value := found():
                return value
        except (OSError, ValueError):
            pass
        time.sleep(0.2)
    raise TimeoutError


class Page:
    """A tab of Chromium, driven by the DevTools protocol."""

    def __init__(self, address: str):
        self.socket = websocket.create_connection(address, suppress_origin=True, timeout=PATIENCE)
        self.number = 0

    def ask(self, method: str, **params: Any) -> Any:
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while (answer := json.loads(self.socket.recv())).get("id") != self.number:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def run(self, script: str) -> Any:
        """The value of a script, waited for."""
        got = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in got, got
        return got["result"].get("value")

    def picture(self, file: Path) -> None:
        file.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot")["data"]))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """JupyterLab over the notebooks, studies and sample in a folder of its own, open in Chromium."""
    folder = tmp_path_factory.mktemp("lab")
    for name in ("notebooks", "params"):
        shutil.copytree(ROOT / name, folder / name)
    write_marketplace(folder / "data" / "sample", seed=1)
    own = {f"JUPYTER_{what}_DIR": str(folder / what) for what in ("CONFIG", "DATA", "RUNTIME")}
    environment = {**os.environ, **own, "JUPYTER_PATH": str(ROOT / "rca/batch/jupyter")}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = f"--ServerApp.port={port} --IdentityProvider.token= --ServerApp.root_dir={folder}"
    command = f"-m jupyterlab --no-browser --allow-root --expose-app-in-browser {settings}".split()
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    browser = [str(CHROMIUM), *BROWSER.split(), f"--user-data-dir={folder / 'browser'}", "about:blank"]
    with (
        subprocess.Popen([sys.executable, *command], env=environment, cwd=folder, **quiet) as server,
        subprocess.Popen(browser, **quiet) as chromium,
    ):
        try:
            where = until(lambda: (folder / "browser/DevToolsActivePort").read_text().split()[0])
            tabs = until(lambda: json.load(urllib.request.urlopen(f"http://127.0.0.1:{where}/json")))
            page = Page(next(t["webSocketDebuggerUrl"] for t in tabs if t["type"] == "page"))
            until(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/api").status == 200)
            page.ask("Page.navigate", url=f"http://127.0.0.1:{port}/lab?reset")
            until(lambda: page.run("!!(window.jupyterapp && document.querySelector('.jp-Launcher'))"))
            yield page
        finally:
            chromium.terminate()
            server.terminate()


def pictures(outputs: list[list[dict[str, Any]]]) -> list[str]:
    return [o["data"]["image/png"] for cell in outputs for o in cell if "image/png" in o.get("data", {})]


def ran(outputs: list[list[dict[str, Any]]]) -> None:
    assert len(outputs) >= 8
    assert [o for cell in outputs for o in cell if o["output_type"] == "error"] == []


@pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed, so that JupyterLab cannot be opened in it."
)
def test_notebooks_run_in_jupyterlab_and_a_picture_follows_a_widget(lab: Page, tmp_path: Path) -> None:
    vendor = json.loads(lab.run(RUN % "notebooks/vendor_performance.ipynb"))
    ran(vendor)
    assert len(pictures(vendor)) == 3

    before = json.loads(lab.run(RUN % "notebooks/explore.ipynb"))
    ran(before)
    assert len(pictures(before)) == 4
    until(lambda: lab.run("document.querySelectorAll('.widget-dropdown').length > 4"))
    lab.picture(tmp_path / "before.png")
    lab.run(CHOOSE % ("metric", "Handling time"))

    def followed() -> Any:
        now = json.loads(lab.run("JSON.stringify(window.outputs())"))
        new, old = pictures(now), pictures(before)
        return now if len(new) == 4 and not set(new) & set(old) else None

    after = until(followed)
    lab.picture(tmp_path / "after.png")
    ran(after)
    said = json.dumps(after[2:6])
    assert "Handling time" in said
    assert "Customer satisfaction" not in said
    assert "rca.cube(cases, 'handling_time'" in said
