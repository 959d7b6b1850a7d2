"""Headless Chromium for the tests that need one: `opened` gives the page as it stands when its scripts are through."""

import shutil
import subprocess
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
POLICY = 'http-equiv="Content-Security-Policy"'


def opened(page: Path, profile: Path, seconds: int) -> str:
    """The page as HTML after so many seconds of the browser's own clock, which runs ahead while nothing happens."""
    options = [*OPTIONS.split(), f"--virtual-time-budget={1000 * seconds}", f"--user-data-dir={profile}"]
    command = [CHROMIUM, *options, "--dump-dom", page.as_uri()]
    return subprocess.run(command, capture_output=True, timeout=300, check=True, text=True).stdout


def without_policy(html: str) -> str:
    """A page of ours without its content security policy: scripts of a test may run in it."""
    assert html.count(POLICY) == 1
    return html.replace(POLICY, "name=off")
