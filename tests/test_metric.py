"""Numbers as a reader wants them: few digits, a real minus sign, never "0.0" for a change that there was."""

import numpy as np
import pytest

from rca.metric import THIN, Metric

CSAT = Metric(name="csat", kind="proportion", better="up")
TIME = Metric(name="handling_time", kind="mean", better="down", unit="s")
CONTACTS = Metric(name="contact_rate", kind="rate", better="down")


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        (CSAT, 0.8449, f"84.5{THIN}%"),
        (CSAT, -1e-12, f"0.0{THIN}%"),
        (TIME, 99.97, f"100{THIN}s"),
        (TIME, 9.996, f"10.0{THIN}s"),
        (TIME, -24.04, f"−24.0{THIN}s"),
        (CONTACTS, 0.456, "0.46"),
        (CONTACTS, 0.0412, "0.041"),
        (CONTACTS, 0.000512, "0.0005"),
        (CONTACTS, 0.0, "0"),
        (CONTACTS, np.nan, "no data"),
    ],
)
def test_values(metric: Metric, value: float, text: str) -> None:
    assert metric.text(value) == text


@pytest.mark.parametrize(
    ("metric", "effect", "signed", "unsigned"),
    [
        (CSAT, -0.0324, "−3.2 points", "3.2 points"),
        (CSAT, 0.0004, "0.0 points", "less than 0.1 points"),
        (CSAT, 0.0, "0.0 points", "0.0 points"),
        (TIME, 24.04, "+24.0 s", "24.0 s"),
        (CONTACTS, -0.0034, "−0.0034", "0.0034"),
        (CONTACTS, 1e-6, "0", "less than 0.0001"),
        (CONTACTS, np.nan, "unknown", "unknown"),
    ],
)
def test_changes(metric: Metric, effect: float, signed: str, unsigned: str) -> None:
    assert (metric.change(effect), metric.change(effect, signed=False)) == (signed, unsigned)


def test_intervals() -> None:
    assert CSAT.interval(-0.041, -0.023) == "−4.1 to −2.3 points"
    assert CONTACTS.interval(-0.002, 0.01) == "−0.0020 to +0.010"
    assert TIME.interval(np.nan, 1) == "unknown"
