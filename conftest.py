"""nbval compares pictures too (it skips them by default), and not what libraries write to stderr."""

from typing import Any


def pytest_collectstart(collector: Any) -> None:
    if hasattr(collector, "skip_compare"):
        collector.skip_compare = (*(kind for kind in collector.skip_compare if kind != "image/png"), "stderr")
