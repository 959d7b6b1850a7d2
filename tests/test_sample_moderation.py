"""The audited moderation items hold what is planted in them, and nothing else."""

import pandas as pd
import pytest

from rca.sample_moderation import AMBIGUOUS, STORIES, make_moderation


@pytest.fixture(scope="module")
def items() -> pd.DataFrame:
    return make_moderation().assign(wrong=lambda f: (f["decision"] != f["standard"]).where(f["standard"].notna()))


def test_an_auditor_who_drifts_changes_no_decision_of_a_moderator(items: pd.DataFrame) -> None:
    without = make_moderation(stories=tuple(s for s in STORIES if s.vendor != "Cedar"))
    pd.testing.assert_frame_equal(
        items.drop(columns=["audit_decision", "wrong"]), without.drop(columns="audit_decision")
    )
    changed = items["audit_decision"] != without["audit_decision"]
    assert set(items.loc[changed, "auditor"]) == {"AUD-06"}
    assert items.loc[changed, "decided_at"].min() >= pd.Timestamp("2026-09-14")


def test_a_hard_queue_alone_makes_ember_worse(items: pd.DataFrame) -> None:
    level = items.groupby("vendor")["wrong"].mean()
    assert level["Ember"] > level.drop("Ember").max() + 0.02
    by_queue = items[items["policy"] != AMBIGUOUS].pivot_table(index="vendor", columns="difficulty", values="wrong")
    apart = by_queue.loc["Ember"] - by_queue.drop(["Ember", "Andes", "Fjord"]).mean()
    assert apart.abs().max() < 0.015


def test_the_ambiguous_policy_is_so_at_every_vendor(items: pd.DataFrame) -> None:
    alike = (
        (items["decision"] == items["audit_decision"]).groupby([items["policy"], items["vendor"]]).mean().unstack()
    )
    assert alike.idxmin().eq(AMBIGUOUS).all()


def test_moderators_of_a_seat_are_new_every_160_days(items: pd.DataFrame) -> None:
    assert items["tenure_days"].between(0, 159).all()
    assert items.groupby("vendor")["moderator"].nunique().eq(16).all()
