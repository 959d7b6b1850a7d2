"""The whole path on the sample: in every study what was planted is the first finding of its report."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


def bench(name: str) -> ModuleType:
    """A benchmark as a module."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / "bench" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


planted = bench("planted")


SOME = {  # one with a story, and one in which nothing is to be found
    "incidents": ["ES", "TR"],
    "escalations": ["MX", "TR"],
    "moderation_quality": ["Cedar", "Ember"],
    "seller_governance": ["PL", "TR"],
}


COMMON = {
    "vendor_performance": {("service_level", "all cases", "common")},
    "portfolio": {("service_level", "all cases", "common")},
    "moderation_quality": {("audit_agreement", "policy=misleading", "common")},
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seed 3; seeds 1 to 10: `python bench/planted.py`."""
    folder = tmp_path_factory.mktemp("planted")
    planted.make(folder, 3)
    return folder


@pytest.mark.parametrize("study", planted.STUDIES)
def test_what_was_planted_is_the_first_finding(study: str, sample: Path) -> None:
    records = planted.reports(study, sample, SOME.get(study))
    assert set(SOME.get(study, planted.STUDIES[study])) <= set(records)
    assert {scope: text[:3] for scope, text in planted.verdicts(study, records).items()} == dict.fromkeys(
        records, "hit"
    )
    common = {(f["metric"], f["segment"], f["reach"]) for record in records.values() for f in record["common"]}
    assert common == COMMON.get(study, set())
