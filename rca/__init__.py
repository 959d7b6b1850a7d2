"""Root-cause analysis workbench: the public names, grouped by the question they answer.

They load when first used, so that the command line answers at once.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

_HOME = {
    # the data
    "open_source": "source",
    "cube": "cube_query",
    "cubes": "cube_query",
    "Cube": "cube",
    "Metric": "metric",
    "each": "result",
    "InputError": "errors",
    # did it change?
    "control_chart": "control_chart",
    "screen": "screen",
    "incidents": "incidents",
    "early_warning": "early_warning",
    # where does it concentrate?
    "pareto": "pareto",
    "drill_down": "drill_down",
    "offenders": "offenders",
    # who does better or worse?
    "compare": "compare",
    "ranking": "ranking",
    # what drove it?
    "localize": "localize",
    "mix": "mix",
    "bridge": "bridge",
    "key_drivers": "key_drivers",
    "onset": "onset",
    # do they decide alike?
    "agreement": "agreement",
    "audits_needed": "audits_needed",
    # did the fix work?
    "fix_check": "fix_check",
    "version_checks": "version_checks",
    "action": "action",
    # what if?
    "stress": "stress",
    # the vendor, or everyone?
    "reach": "reach",
    # look closer
    "explore": "explore",
    # what to act on
    "findings": "findings",
}
__all__ = list(_HOME)


class _Package(ModuleType):
    """`rca.pareto` is the function, also after its module of the same name was imported."""

    def __getattr__(self, name: str) -> Any:
        if name not in _HOME:
            raise AttributeError(f"module 'rca' has no attribute {name!r}")
        return getattr(import_module(f"rca.{_HOME[name]}"), name)

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return list(_HOME)


sys.modules[__name__].__class__ = _Package
