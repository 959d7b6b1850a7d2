"""The start of a planted change is dated, its interval holds it as often as it says, and its end is seen."""

import numpy as np
import pandas as pd
import pytest

from rca.cube import Cube
from rca.localize import localize
from rca.metric import Metric
from rca.mix import mix
from rca.onset import Onset, onset

CSAT = Metric(name="csat", kind="proportion", better="up")
WEEKS = pd.date_range("2026-03-23", periods=34, freq="7D")
WINDOWS = {"before": "last 26 before last 8", "after": "last 8"}
EVENTS = pd.DataFrame(
    {
        "event_id": ["E1", "E2", "E3", "E4"],
        "title": ["SOP v3", "Campaign", "SOP for BR", "Early"],
        "start": pd.to_datetime(["2026-10-06", "2026-08-01", "2026-10-06", "2026-05-01"]),
        "market": ["", "", "BR", ""],
    }
)


def dropped(start: int, stop: int, drop: float, n: int = 300, seed: int = 0) -> Cube:
    """MX, BR and ES, with `drop` off the rate of MX in the periods from `start` up to `stop`."""
    rng = np.random.default_rng(seed)
    rows = [
        (week, market, n, rng.binomial(n, 0.85 - drop * (market == "MX" and start <= i < stop)))
        for market in ("MX", "BR", "ES")
        for i, week in enumerate(WEEKS)
    ]
    return Cube(pd.DataFrame(rows, columns=["period", "market", "n", "total"]), CSAT, by=["market"])


def dated(cube: Cube) -> Onset:
    return onset(cube, localize(cube, **WINDOWS), events=EVENTS)


def test_a_clear_step_is_dated_to_the_week_with_its_event() -> None:
    found = dated(dropped(28, 34, 0.25))
    row = found.table.iloc[0]
    assert row["segment"] == "market=MX"
    assert row["since"] == row["earliest"] == row["latest"] == WEEKS[28]
    assert pd.isna(row["until"])
    assert row["events"] == "E1 SOP v3"
    assert found.headline == "Csat: market=MX since 5 Oct."


def test_a_change_that_has_ended_has_an_end() -> None:
    row = dated(dropped(27, 30, 0.35)).table.iloc[0]
    assert row["since"] == WEEKS[27]
    assert row["until"] == WEEKS[30] - pd.Timedelta(days=1)


def test_a_change_before_what_it_is_compared_with_is_dated_too() -> None:
    """Two bad weeks early on, compared with the quiet weeks after them."""
    cube = dropped(4, 6, 0.35)
    change = localize(cube, before="last 26", after=[WEEKS[4], WEEKS[5]])
    row = onset(cube, change).table.iloc[0]
    assert (row["since"], row["until"]) == (WEEKS[4], WEEKS[6] - pd.Timedelta(days=1))


def test_the_interval_covers_the_start_about_as_often_as_it_says() -> None:
    """A weak change, where the week is hard to tell: 95 % intervals of 200 series, binomial noise alone."""
    held, found = 0, 0
    for seed in range(200):
        cube = dropped(26, 34, 0.1, n=150, seed=seed)
        change = localize(cube, **WINDOWS)
        if change.table["segment"].tolist() == ["market=MX"]:
            row = onset(cube, change).table.iloc[0]
            found += 1
            held += row["earliest"] <= WEEKS[26] <= row["latest"]
    assert found > 100
    assert held / found == pytest.approx(0.95, abs=0.05)


def test_a_shift_of_mix_is_dated_by_its_share() -> None:
    rng = np.random.default_rng(5)
    rows = []
    for i, week in enumerate(WEEKS):
        chat = rng.binomial(1000, 0.5 if i >= 28 else 0.3)
        rows += [
            (week, "chat", chat, rng.binomial(chat, 0.75)),
            (week, "mail", 1000 - chat, rng.binomial(1000 - chat, 0.9)),
        ]
    cube = Cube(pd.DataFrame(rows, columns=["period", "channel", "n", "total"]), CSAT, by=["channel"])
    shift = mix(cube, **WINDOWS)
    assert onset(cube, shift).table["since"].tolist() == [WEEKS[28]] * len(shift.table)
    assert len(shift.table) == 1


def test_nothing_found_has_no_start() -> None:
    assert dated(dropped(34, 34, 0)).headline == "Csat: no change whose start could be dated."
