"""The whole path on the sample: each planted cause is its vendor's first finding, the bug is common to all."""

import importlib.util
from pathlib import Path

SPEC = importlib.util.spec_from_file_location("planted", Path(__file__).parents[1] / "bench" / "planted.py")
assert SPEC is not None
assert SPEC.loader is not None
planted = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(planted)


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
