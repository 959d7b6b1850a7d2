"""The notebooks' style as code: short cells without logic, parameters typed and commented, only public names."""

import ast
import json
import re
from pathlib import Path

import pytest

import rca

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
LOGIC = (ast.FunctionDef, ast.For, ast.While, ast.If, ast.Try, ast.Lambda, ast.ListComp, ast.DictComp)


def cells(path: Path, kind: str) -> list[dict]:
    return [c for c in json.loads(path.read_text())["cells"] if c["cell_type"] == kind]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
class TestNotebook:
    def test_cells_are_short_and_hold_no_logic(self, path: Path) -> None:
        code = cells(path, "code")
        assert 8 <= len(code) <= 16
        for cell in code:
            source = "".join(cell["source"])
            assert len(source.splitlines()) <= (12 if "parameters" in cell["metadata"].get("tags", []) else 8)
            assert not [node for node in ast.walk(ast.parse(source)) if isinstance(node, LOGIC)]

    def test_every_parameter_is_typed_and_explained(self, path: Path) -> None:
        tagged = [c for c in cells(path, "code") if "parameters" in c["metadata"].get("tags", [])]
        assert len(tagged) == 1
        for line in "".join(tagged[0]["source"]).splitlines():
            assert re.fullmatch(r"\w+: [\w |]+ = .+  # \S.+", line), line

    def test_only_public_names_are_used(self, path: Path) -> None:
        source = "\n".join("".join(c["source"]) for c in cells(path, "code"))
        assert set(re.findall(r"\brca\.(\w+)", source)) <= set(rca.__all__)

    def test_markdown_states_no_number(self, path: Path) -> None:
        """What happened is said by headlines, which are computed; Markdown tells how to read."""
        for cell in cells(path, "markdown"):
            assert not re.search(r"\d+(\.\d+)? ?(%|points|cases)", "".join(cell["source"]))

    def test_committed_executed_without_error_and_names_no_machine(self, path: Path) -> None:
        text = path.read_text()
        assert all(c["execution_count"] for c in cells(path, "code"))
        assert '"output_type": "error"' not in text
        assert not re.search(r"/(home|root|Users|tmp|work)/", text)


def test_there_are_notebooks() -> None:
    assert {p.stem for p in NOTEBOOKS} >= {
        "vendor_performance",
        "incidents",
        "escalations",
        "seller_governance",
        "portfolio",
        "explore",
    }
