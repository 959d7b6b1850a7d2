"""Extreme events against a capacity: the queue equals published worked figures, events break what they must."""

import numpy as np
import pandas as pd
import pytest

import rca
from rca.errors import InputError
from rca.queue import backlog

HIT = rca.Metric(name="wrongly_hit", label="Wrongly hit", kind="proportion", better="down")
DAYS = pd.date_range("2026-05-18", periods=182, freq="D")
LIMITS = {"backlog": 500, "days_to_decision": 5.5, "wrongly_hit": 30}


def cube(n: float = 80, spread: int = 0, seed: int = 1) -> rca.Cube:
    """`n` cases a day, a quarter of them in fashion, two hit wrongly."""
    rng = np.random.default_rng(seed)
    parts = [
        pd.DataFrame(
            {"period": DAYS, "category": name, "n": share * n + rng.integers(-spread, spread + 1, len(DAYS))}
        )
        for name, share in (("fashion", 0.25), ("home", 0.75))
    ]
    frame = pd.concat(parts).assign(total=lambda f: f["n"] / 40)
    return rca.Cube(frame, HIT, by=["category"], period="D")


def test_the_queue_of_a_textbook() -> None:
    """Mannering & Washburn, Principles of Highway Engineering, D/D/1 at a park gate: 8 vehicles a minute for 20
    minutes, then 2, at 4 served a minute: at most 80 wait, for 20 minutes, the queue is gone after 60 minutes, and
    2,400 vehicle-minutes are lost."""
    waits = backlog(np.array([8.0] * 20 + [2.0] * 60), 4)
    assert (waits.max(), waits.argmax() + 1, waits.max() / 4) == (80, 20, 20)
    assert int(np.flatnonzero(waits == 0)[0]) + 1 == 60
    assert waits.sum() == 2400


def test_random_arrivals_wait_as_queueing_theory_says() -> None:
    """Lindley's queue in steps, work of 0 or 2 per step, one done: with P(2) = p = .4 it is a random walk that is held
    at 0, geometric with ratio p/q (Feller 1968, chapter XIV): mean (p/q)/(1 - p/q) = 2."""
    work = 2.0 * (np.random.default_rng(1).random((200, 5_000)) < 0.4)
    assert backlog(work, 1.0)[:, 1_000:].mean() == pytest.approx(2.0, rel=0.05)


def test_nothing_is_lost() -> None:
    """What came in was decided or waits; no more is decided on a day than the capacity."""
    work = np.random.default_rng(2).integers(0, 200, (50, 300)).astype(float)
    waits = backlog(work, 100.0)
    decided = work - np.diff(waits, axis=1, prepend=0.0)
    assert decided.min() >= -1e-9
    assert decided.max() <= 100 + 1e-9
    assert work.sum(axis=1) == pytest.approx(decided.sum(axis=1) + waits[:, -1])


def test_events_break_where_arithmetic_says() -> None:
    """80 cases a day at 100 decisions. Volume x k for 20 days leaves 20 (80 k - 100): 500 are passed beyond k = 1.5625;
    fashion, 20 a day, x k: 20 (20 k - 20 - 20), beyond k = 3.25; an outage of d days brings 80 (d + 1) - 100 on the day
    after. Without appeals in the queue a wave of them does nothing."""
    events = {
        "all": {"times": 2, "days": 20}, "fashion": {"times": 3, "days": 20, "where": {"category": "fashion"}},
        "outage": {"what": "outage", "days": 3}, "appeals": {"what": "appeals", "times": 4},
        "careless": {"times": 1.1, "days": 10, "wrong": 3},
    }  # fmt: skip
    found = rca.stress(cube(), events, capacity=100, limits=LIMITS)
    rows = found.table.set_index("scenario")
    assert rows["backlog"].to_dict() == pytest.approx(
        {"usual weeks": 0, "all": 1200, "fashion": 400, "outage": 220, "appeals": 0, "careless": 0}
    )
    assert rows["breaks_backlog"].dropna().to_dict() == {
        "all": 1.6,
        "fashion": 3.3,
        "outage": 7.0,
        "careless": 1.9,  # 10 (80 k - 100): beyond k = 1.875
    }
    assert rows["days_to_recover"].to_dict() == pytest.approx(
        {"usual weeks": 0, "all": 60, "fashion": 20, "outage": 12, "appeals": 0, "careless": 0}
    )
    assert rows.loc["careless", "wrongly_hit"] == pytest.approx(7 * 2 * 1.1 * 3)
    assert rows.loc["careless", "broken"] == ("wrongly_hit",)
    assert found.headline == (
        "Usual weeks need 80 % of 100 decisions a day; all (backlog, days to a decision) and careless (wrongly hit a"
        " week) break limits; the limits hold in the other 3."
    ).replace("backlog, days", "backlog and days")


def test_the_same_seed_gives_the_same_bands_and_usual_weeks_may_be_too_much() -> None:
    one, two = (rca.stress(cube(spread=15), {}, capacity=81, limits={"backlog": 400}, seed=s) for s in (1, 1))
    pd.testing.assert_frame_equal(one.paths, two.paths)
    over = rca.stress(cube(), {}, capacity=70, limits={"backlog": 400})
    assert over.headline == "Usual weeks need 114 % of 70 decisions a day, and break a limit as they are: backlog."
    [told] = over.findings(None)  # type: ignore[arg-type]
    assert (told.kind, told.direction) == ("capacity", "worse")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tims": 2}, "Did you mean 'times'"),
        ({"what": "volum"}, "Did you mean 'volume'"),
        ({"times": 0.5}, "1 or more"),
    ],
)
def test_a_wrong_scenario_is_named(given: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        rca.stress(cube(), {"one": given}, capacity=100, limits=LIMITS)


def test_weeks_and_a_wrong_limit_are_refused() -> None:
    with pytest.raises(InputError, match="Did you mean 'backlog'"):
        rca.stress(cube(), {}, capacity=100, limits={"backlg": 1})
    weekly = rca.Cube(cube().frame, HIT, by=["category"], period="W")
    with pytest.raises(InputError, match="proportion by day"):
        rca.stress(weekly, {}, capacity=100, limits=LIMITS)
