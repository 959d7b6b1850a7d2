"""Reports as PDF, printed by Chromium where there is one."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = ("--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
LIMIT = 120  # seconds that one report may take


def print_reports(folders: Iterable[Path]) -> str:
    """Print `report.html` of each folder to `report.pdf` beside it, where that is not done; a sentence on the rest."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    todo = [f for f in folders if (f / "report.html").is_file() and not (f / "report.pdf").exists()]
    if browser is None:
        return f"No PDF: Chromium was not found (looked for {', '.join(BROWSERS)})." if todo else ""
    failed = [folder.name for folder in todo if not _print(browser, folder)]
    return f"No PDF of {', '.join(failed)}: {browser} could not print it." if failed else ""


def _print(browser: str, folder: Path) -> bool:
    """Whether the PDF is there now; a draft becomes `report.pdf` only when whole."""
    draft = folder / ".report.pdf"
    with tempfile.TemporaryDirectory() as profile:
        # the page loads nothing and runs nothing, so that the sandbox, which containers lack, is not missed
        command = [browser, *QUIET, "--no-sandbox", f"--user-data-dir={profile}", "--no-pdf-header-footer"]
        try:
            subprocess.run(
                [*command, f"--print-to-pdf={draft}", (folder / "report.html").absolute().as_uri()],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=LIMIT, check=True,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError):
            return False
    if not draft.is_file():
        return False
    draft.replace(folder / "report.pdf")
    return True
