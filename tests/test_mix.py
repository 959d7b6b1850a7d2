"""Planted shifts of mix are named once, with the effect that arithmetic gives; shares that swing are no shift."""

import numpy as np
import pandas as pd
import pytest

from rca.bridge import bridge
from rca.cube import Cube
from rca.errors import InputError
from rca.metric import Metric
from rca.mix import mix

CSAT = Metric(name="csat", label="CSAT", kind="proportion", better="up", cases="answers")
WINDOWS = {"before": "last 26 before last 8", "after": "last 8"}


def weeks(seed, chat=(0.4, 0.4), gap=-0.14, swing=0.0, per_week=300):
    """34 weeks; chat has another rate (`gap`) and other shares before and after; language follows the channel."""
    rng, rows = np.random.default_rng(seed), []
    for week in range(34):
        share = chat[week >= 26]
        odds = share / (1 - share) * np.exp(swing * rng.normal())
        n = rng.poisson(per_week)
        channel = np.where(rng.random(n) < odds / (1 + odds), "chat", rng.choice(["email", "phone"], n))
        language = np.where(rng.random(n) < np.where(channel == "chat", 0.7, 0.4), "es", "pt")
        market = rng.choice(list("ABCD"), n)
        good = rng.random(n) < 0.86 + gap * (channel == "chat") - 0.03 * (market == "B")
        period = pd.Timestamp("2026-01-05") + pd.Timedelta(weeks=week)
        rows.append(
            pd.DataFrame(
                {
                    "period": period,
                    "channel": channel,
                    "language": language,
                    "market": market,
                    "n": 1,
                    "total": good.astype(int),
                }
            )
        )
    return Cube(pd.concat(rows), CSAT, by=["channel", "language", "market"])


@pytest.mark.parametrize("seed", range(5))
def test_a_shift_is_named_once_by_the_dimension_that_moved(seed):
    cube = weeks(seed, chat=(0.4, 0.55))
    found = mix(cube, **WINDOWS)
    assert found.table["segment"].tolist() == ["channel=chat"]  # not again as language=es, which moved with it
    row = found.table.iloc[0]
    assert row["mix_effect"] == pytest.approx(0.15 * -0.14, abs=0.007)
    assert row["direction"] == "worse"
    assert "the share of channel=chat rose from" in found.headline
    parts = bridge(cube, by="channel", **WINDOWS).total["effect"]
    assert row["dimension_effect"] == pytest.approx(parts[["mix_effect", "entered", "left"]].sum())


def test_the_effect_of_a_share_by_hand():
    """Chat rises from 40 to 55 of 100; its rate is .7, that of the others .9: .15 * -.2 = -.03."""
    rows = []
    for week, chat in (("2026-01-05", 40), ("2026-01-12", 55)):
        shares = (("chat", chat, 0.7), ("email", 60 - chat / 2, 0.9), ("phone", 40 - chat / 2, 0.9))
        rows += [(week, channel, 100 * n, round(100 * n * p)) for channel, n, p in shares]
    cube = Cube(pd.DataFrame(rows, columns=["period", "channel", "n", "total"]), CSAT, by=["channel"])
    found = mix(cube, before="last 1 before last 1", after="last 1").table
    assert found[["segment", "share_before", "share_after"]].iloc[0].tolist() == ["channel=chat", 0.4, 0.55]
    assert found["mix_effect"].iloc[0] == pytest.approx(-0.03)


def test_intervals_cover_the_truth():
    """100 pairs of windows drawn from known shares and rates; the share of chat swings from week to week."""
    rng, hits = np.random.default_rng(5), []
    for _ in range(100):
        chat = np.clip(np.repeat([0.4, 0.55], [26, 8]) + rng.normal(0, 0.03, 34), 0, 1)
        n = np.transpose([rng.binomial(400, chat), np.zeros(34, int)])
        n[:, 1] = 400 - n[:, 0]
        rows = pd.DataFrame({"period": np.repeat(pd.date_range("2026-01-05", periods=34, freq="7D"), 2)})
        rows["channel"], rows["n"] = np.tile(["chat", "email"], 34), n.ravel()
        rows["total"] = rng.binomial(n, [0.7, 0.85]).ravel()
        row = mix(Cube(rows, CSAT, by=["channel"]), **WINDOWS).table.iloc[0]
        hits.append(row["conf_low"] <= 0.15 * -0.15 <= row["conf_high"])
    assert 0.89 <= np.mean(hits) <= 0.99


@pytest.mark.parametrize("swing", [0.0, 0.4])
def test_shares_that_did_not_move_or_always_swing_are_no_shift(swing):
    found = [len(mix(weeks(seed, swing=swing), **WINDOWS).table) for seed in range(100, 120)]
    assert sum(found) <= 1


@pytest.mark.parametrize("seed", range(5))
def test_volume_that_moved_in_a_combination_is_named_as_such(seed):
    """Refunds in MX grow from about 4 to 12 % of the cases; neither other refunds nor the rest of MX grow."""
    rng, rows = np.random.default_rng(seed), []
    for week in pd.date_range("2026-01-05", periods=34, freq="7D"):
        n = rng.poisson(300)
        drawn = pd.DataFrame({"market": rng.choice(["MX", "BR", "ES", "CO", "AR"], n)})
        drawn["issue"] = rng.choice(["refund", "delivery", "account", "seller", "return"], n)
        drawn["channel"] = rng.choice(["chat", "email"], n)
        drawn["hit"] = (drawn["market"] == "MX") & (drawn["issue"] == "refund")
        if week >= pd.Timestamp("2026-07-06"):
            drawn = pd.concat([drawn, *[drawn[drawn["hit"]]] * 2])
        good = rng.random(len(drawn)) < 0.85 - 0.25 * drawn["hit"]
        rows.append(drawn.assign(period=week, n=1, total=good.astype(int)))
    found = mix(Cube(pd.concat(rows), CSAT, by=["market", "issue", "channel"]), **WINDOWS)
    assert found.table["segment"].tolist() == ["issue=refund & market=MX"]
    assert found.where() == {"issue": "refund", "market": "MX"}
    assert found.table["mix_effect"].iloc[0] == pytest.approx((0.12 / 1.08 - 0.04) * -0.25, abs=0.008)


def test_a_shift_of_shares_that_swing_is_not_told_by_its_parts():
    """Chat grows, and swings from week to week by 35 % of its odds: its share among Spanish cases moved as well, the
    share of Spanish among chats did not."""
    named = [mix(weeks(seed, chat=(0.4, 0.6), swing=0.3, per_week=600), **WINDOWS).table for seed in range(6)]
    assert not [name for table in named for name in table["segment"] if " & " in name]
    assert sum(table["segment"].tolist() == ["channel=chat"] for table in named) >= 4


def test_a_shift_that_moves_the_kpi_by_nothing_is_not_reported():
    found = mix(weeks(7, chat=(0.4, 0.55), gap=0.0), **WINDOWS)
    assert found.table.empty
    assert found.headline.startswith("No mix shift")


def test_a_new_value_moves_the_mix():
    rows = [("2026-01-05", "old", 1000, 900), ("2026-01-12", "old", 800, 720), ("2026-01-12", "new", 200, 100)]
    cube = Cube(pd.DataFrame(rows, columns=["period", "sop", "n", "total"]), CSAT, by=["sop"])
    found = mix(cube, before="last 1 before last 1", after="last 1").table
    assert found["segment"].tolist() == ["sop=new"]
    assert found["mix_effect"].tolist() == pytest.approx([0.2 * (0.5 - 0.9)])


def test_pictures_and_mistakes():
    shown = mix(weeks(1, chat=(0.4, 0.55)), **WINDOWS).plot()
    assert [label.get_text() for label in shown.get_yticklabels()] == ["channel=chat"]
    with pytest.raises(InputError, match="at least one dimension"):
        mix(weeks(1).over([]), **WINDOWS)


def test_a_kpi_that_does_not_vary_is_moved_by_no_mix():
    rows = [
        (w, c, n, n)
        for w, chat in (("2026-01-05", 400), ("2026-01-12", 800))
        for c, n in (("chat", chat), ("tel", 500))
    ]
    cube = Cube(pd.DataFrame(rows, columns=["period", "channel", "n", "total"]), CSAT, by=["channel"])
    assert mix(cube, before="last 1 before last 1", after="last 1").table.empty
