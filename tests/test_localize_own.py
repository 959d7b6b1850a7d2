"""Causes of other kinds of cases are named, a change of all cases beside them too; the whole: bench/localize_own.py."""

import importlib
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("name", "common"), [("A_both", False), ("R_half", False), ("R_over", False), ("R_all", True), ("C_all", True)]
)
def test_causes_are_named(name: str, common: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six cases of a set: at least 3 in 4 causes, at most one false segment; a common change hides no local cause."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "bench")
    localize, own = importlib.import_module("localize"), importlib.import_module("localize_own")
    hit = wrong = true = 0
    for kind, rows, dimensions, truth in own.cases(name, seed=6, count=6):
        found = localize.names(kind, rows, dimensions) - ({""} if common else set())
        hit, wrong, true = hit + len(found & truth), wrong + len(found - truth), true + len(truth)
    assert hit >= 0.75 * true
    assert wrong <= 1
