"""What the sample marketplace is like when nothing is wrong: its vendors, their work, what each metric depends on.

Every level is additive, so a change of mix moves a metric by shares times main effects and by nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

LANGUAGES = {"MX": "es", "BR": "pt", "ES": "es", "DE": "de", "PL": "pl", "TR": "tr"}
TENURE = {"0-29": (0, 30), "30-89": (30, 90), "90+": (90, 390)}  # days since the hire, the end exclusive
STAY = 390  # days that an agent stays
SUBTYPES = {  # issue type -> subtype -> SOP; all refunds follow one SOP
    "refund": {"not received": "SOP-104", "wrong amount": "SOP-104", "declined": "SOP-104", "method": "SOP-104"},
    "delivery": {"late": "SOP-101", "lost": "SOP-102", "address change": "SOP-103"},
    "returns": {"label": "SOP-105", "pickup": "SOP-106"},
    "product": {"damaged": "SOP-107", "wrong item": "SOP-108", "not as described": "SOP-109"},
    "payment": {"charged twice": "SOP-110", "failed": "SOP-111", "invoice": "SOP-112"},
    "account": {"sign-in": "SOP-113", "data change": "SOP-114"},
}
RESPONSE_TARGET = {"chat": 60, "email": 14_400, "phone": 120, "social": 1_800}  # seconds to the first response
WEEKDAYS = (1.15, 1.10, 1.05, 1.05, 1.10, 0.85, 0.70)  # relative volume, Monday to Sunday
ISSUE_SHARES = (0.26, 0.24, 0.16, 0.14, 0.11, 0.09)

DIMENSIONS: dict[str, tuple[str, ...]] = {  # what a case is drawn from
    "market": tuple(LANGUAGES),
    "channel": tuple(RESPONSE_TARGET),
    "issue_type": tuple(SUBTYPES),
    "shift": ("night", "day", "evening"),  # eight hours each, from midnight UTC
    "tenure": tuple(TENURE),
}
SEGMENTS: dict[str, tuple[str, ...]] = {  # what a cause may be restricted to
    **DIMENSIONS,
    "language": tuple(dict.fromkeys(LANGUAGES.values())),
    "issue_subtype": tuple(subtype for subtypes in SUBTYPES.values() for subtype in subtypes),
    "sop": tuple(dict.fromkeys(sop for subtypes in SUBTYPES.values() for sop in subtypes.values())),
}


@dataclass(frozen=True)
class Vendor:
    """One vendor: its volume relative to the others, its work, its staffing, its own levels.

    hire_every must divide 30 and 60 days, so that the tenure bands hold the same number of agents on any day.
    """

    volume: float
    markets: Mapping[str, float]
    channels: tuple[float, ...]  # in the order of RESPONSE_TARGET
    shifts: tuple[float, ...]  # night, day, evening
    hire_every: float
    levels: Mapping[str, float] = field(default_factory=dict)  # metric -> difference from the marketplace

    @property
    def shares(self) -> dict[str, tuple[float, ...]]:
        """Share of each value of each dimension among the vendor's cases."""
        return {
            "market": tuple(self.markets.get(market, 0.0) for market in LANGUAGES),
            "channel": self.channels,
            "issue_type": ISSUE_SHARES,
            "shift": self.shifts,
            "tenure": tuple((end - start) / STAY for start, end in TENURE.values()),
        }


VENDORS = {
    "Andes": Vendor(29, {"MX": 0.45, "BR": 0.25, "ES": 0.18, "TR": 0.12}, (0.34, 0.26, 0.28, 0.12),
                    (0.17, 0.50, 0.33), 6, {"csat": 0.005, "handling_time": -5}),
    "Baltic": Vendor(28, {"DE": 0.38, "PL": 0.36, "ES": 0.16, "TR": 0.10}, (0.30, 0.30, 0.28, 0.12),
                     (0.15, 0.53, 0.32), 6, {"csat": 0.010, "service_level": 0.010}),
    "Cedar": Vendor(26, {"TR": 0.34, "DE": 0.30, "PL": 0.20, "ES": 0.16}, (0.33, 0.25, 0.32, 0.10),
                    (0.18, 0.48, 0.34), 7.5, {"handling_time": 10}),
    "Delta": Vendor(23, {"ES": 0.40, "MX": 0.32, "BR": 0.28}, (0.28, 0.30, 0.30, 0.12),
                    (0.14, 0.52, 0.34), 7.5, {"csat": -0.005, "escalation_rate": 0.003}),
    "Ember": Vendor(26, {"BR": 0.34, "MX": 0.28, "ES": 0.22, "DE": 0.16}, (0.35, 0.24, 0.27, 0.14),
                    (0.18, 0.49, 0.33), 6, {"service_level": -0.005}),
    "Fjord": Vendor(27, {"BR": 0.40, "MX": 0.24, "PL": 0.14, "TR": 0.12, "ES": 0.10}, (0.32, 0.26, 0.30, 0.12),
                    (0.22, 0.46, 0.32), 6, {"service_level": 0.005, "handling_time": 5}),
    "Grove": Vendor(21, {"DE": 0.44, "PL": 0.32, "TR": 0.24}, (0.31, 0.31, 0.27, 0.11),
                    (0.16, 0.52, 0.32), 10, {"csat": 0.005, "escalation_rate": -0.003}),
    "Harbor": Vendor(20, {"PL": 0.28, "TR": 0.26, "ES": 0.24, "MX": 0.22}, (0.36, 0.25, 0.26, 0.13),
                     (0.17, 0.50, 0.33), 10, {"csat": -0.005, "handling_time": -10}),
}  # fmt: skip

BASE = {"csat": 0.922, "service_level": 0.832, "handling_time": 560.0, "escalation_rate": 0.042}
EFFECTS: dict[str, dict[str, dict[str, float]]] = {  # metric -> dimension -> value -> difference from BASE
    "csat": {
        "market": {"MX": -0.010, "ES": 0.010, "DE": -0.020, "PL": 0.010},
        "channel": {"chat": -0.130, "phone": 0.020, "social": -0.030},
        "issue_type": {"refund": -0.050, "delivery": -0.020, "payment": -0.010, "account": 0.015, "product": 0.010},
        "tenure": {"0-29": -0.120, "30-89": -0.040},
    },
    "service_level": {
        "market": {"BR": -0.010, "DE": 0.010, "TR": -0.010},
        "channel": {"chat": 0.010, "phone": -0.010, "social": -0.010},
        "issue_type": {"payment": 0.010, "refund": -0.005},
        "shift": {"night": -0.030, "evening": -0.010},
    },
    "handling_time": {  # seconds
        "market": {"DE": 20, "BR": 10, "TR": -10},
        "channel": {"chat": -180, "phone": 50, "social": -60},
        "issue_type": {"refund": 30, "returns": -10, "payment": 60, "account": -40, "product": -20},
        "tenure": {"0-29": 165, "30-89": 50},
    },
    "escalation_rate": {
        "market": {"BR": 0.004, "PL": -0.004},
        "channel": {"phone": 0.008, "social": 0.004},
        "issue_type": {"refund": 0.006, "returns": -0.006, "payment": 0.012, "account": 0.004, "product": -0.004},
        "tenure": {"0-29": 0.015, "30-89": 0.005},
    },
}
OWN = [("Ember", "escalation_rate", "issue_type", "delivery", 0.068)]  # what one vendor has always done worse


def shares(dimension: str) -> np.ndarray:
    """Share of each value among each vendor's cases: one row per vendor, one column per value."""
    return np.array([vendor.shares[dimension] for vendor in VENDORS.values()])


def main_effects(metric: str, dimension: str) -> np.ndarray:
    """Difference that each value makes at each vendor: one row per vendor, one column per value.

    >>> main_effects("csat", "tenure")[0].tolist()
    [-0.12, -0.04, 0.0]
    """
    values = EFFECTS[metric].get(dimension, {})
    effects = np.tile([float(values.get(value, 0)) for value in DIMENSIONS[dimension]], (len(VENDORS), 1))
    for vendor, own_metric, own_dimension, value, extra in OWN:
        if (own_metric, own_dimension) == (metric, dimension):
            effects[list(VENDORS).index(vendor), DIMENSIONS[dimension].index(value)] += extra
    return effects


def moved(shares: np.ndarray, column: int, share: float) -> np.ndarray:
    """Shares (one row per case or vendor) with one column at a new share, the others in proportion as before.

    >>> moved(np.array([[0.25, 0.5, 0.25]]), 1, 0.2).tolist()
    [[0.4, 0.2, 0.4]]
    """
    rest = (1 - share) / (1 - shares[:, [column]])
    changed = shares * rest
    changed[:, column] = share
    return changed
