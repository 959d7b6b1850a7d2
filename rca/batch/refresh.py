"""Execute committed notebooks again, in place and repeatably: `python -m rca.batch.refresh notebooks/*.ipynb`."""

import sys
import tempfile
from pathlib import Path

import nbformat

from rca.batch.execute import Limits, execute
from rca.batch.fork import start_server
from rca.batch.repeatable import steady


def refresh(path: Path) -> str:
    """Execute a notebook as it is and write it back; returns what went wrong, empty when nothing did."""
    with tempfile.TemporaryDirectory() as folder:
        went = execute(path, Path(folder) / path.name, {}, Limits(), lambda: False)
    notebook = steady(went.notebook)
    for part in (notebook, *notebook["cells"]):
        part["metadata"].pop("papermill", None)
    errors = [o for cell in notebook["cells"] for o in cell.get("outputs", []) if o["output_type"] == "error"]
    if went.trouble or errors:
        return went.trouble or f"{errors[0]['ename']}: {errors[0]['evalue']}"
    nbformat.write(notebook, path)
    return ""


def main(paths: list[Path]) -> int:
    """Refresh notebooks; returns the exit code."""
    start_server()
    failed = 0
    for path in paths:
        trouble = refresh(path)
        failed += bool(trouble)
        print(f"{path}: {trouble or 'executed'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main([Path(argument) for argument in sys.argv[1:]]))
