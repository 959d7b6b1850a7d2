"""The whole path on the sample: each planted cause is its vendor's first finding, the bug is common to all."""

import importlib.util
from pathlib import Path
from types import ModuleType


def bench(name: str) -> ModuleType:
    """A benchmark as a module."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / "bench" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


planted, planted_actions = bench("planted"), bench("planted_actions")


def test_every_vendor_of_a_seed_has_its_own_story() -> None:
    """Seed 3; all seeds from 1 to 20: `python bench/planted.py`."""
    found = planted.records(3)
    assert {vendor: planted.verdict(vendor, record)[:3] for vendor, record in found.items()} == dict.fromkeys(
        found, "hit"
    )
    for record in found.values():
        assert [(f["metric"], f["segment"], f["reach"]) for f in record["common"]] == [
            ("service_level", "all cases", "common")
        ]


def test_every_action_of_a_seed_is_judged_as_it_was_planted() -> None:
    """Seed 3; all seeds from 1 to 10: `python bench/planted_actions.py`."""
    found = planted_actions.verdicts(3)
    assert len(found) == 5
    assert {text[:3] for text in found.values()} == {"hit"}
