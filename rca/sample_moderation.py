"""The audited moderation items of the sample marketplace: what the moderator decided, what an auditor said of it, a
second auditor on some, and what the policy panel holds to be right. Causes are planted in some vendors, one in all."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from rca.sample_files import draw_times, first_day, matching, numbered, pick, updates, write_files
from rca.sample_vendors import VENDORS

WEEKS, A_WEEK = 40, 320  # audited items of a vendor in a week
POLICIES = {  # share of items, of those the share that breaks the policy, and how hard it is to see
    "counterfeit": (0.24, 0.24, 0.00), "prohibited": (0.18, 0.20, -0.01), "unsafe": (0.10, 0.18, 0.00),
    "fake_reviews": (0.14, 0.30, 0.01), "off_platform": (0.14, 0.16, -0.01), "misleading": (0.20, 0.30, 0.02),
}  # fmt: skip
HARD = {"easy": 0.0, "medium": 0.03, "hard": 0.14}  # how much more often a decision is wrong
QUEUES = {"standard": (0.60, 0.30, 0.10), "specialist": (0.10, 0.25, 0.65)}  # shares of HARD
SPECIALIST = 0.15  # of a vendor's items
COST = {"false positive": 9.0, "false negative": 14.0}  # EUR: appeals and lost sales; refunds and harm
AMBIGUOUS, SPLIT = "misleading", 0.22  # how much more often anybody decides otherwise than the panel there
WRONG, WRONG_AUDIT = 0.04, 0.02  # of easy items
TWICE, JUDGED = 0.25, 0.7  # shares of items that a second auditor sees, and the panel


@dataclass(frozen=True, kw_only=True)
class Story:
    """What is special about one vendor: wrong decisions of a kind become more frequent where the columns have these
    values, or, without an effect, why it looks worse than it is.

    metric  the KPI that shows it; empty where there is nothing to find
    """

    vendor: str
    metric: str
    where: Mapping[str, str]
    start: str = ""
    effect: float = 0.0
    story: str = ""


STORIES = (  # Baltic, Delta, Grove and Harbor are quiet
    Story(
        vendor="Andes", metric="false_positives", where={"policy": "counterfeit"}, start="2026-09-21", effect=0.20,
        story="Guideline G-7 v2 lists brand words that honest listings use as well.",
    ),
    Story(
        vendor="Cedar", metric="wrong_audits", where={"auditor": "AUD-06"}, start="2026-09-14", effect=0.20,
        story="The auditor calls borderline items violations: Cedar looks worse, its moderators decide as before.",
    ),
    Story(
        vendor="Ember", metric="", where={"queue": "specialist"},
        story="Most of its items are from the specialist queue: harder, and decided as well as anybody would.",
    ),
    Story(
        vendor="Fjord", metric="false_negatives", where={"tenure": "0-29"}, start="2026-09-21", effect=0.30,
        story="The new team was trained without the library of examples, and lets violations pass.",
    ),
)  # fmt: skip
UPDATES = (  # of guidelines
    ("G-02 v4", "2026-06-08", None, "off_platform"),
    ("G-07 v2", "2026-09-21", "Andes", "counterfeit"),
    ("G-04 v3", "2026-08-10", "Harbor", "fake_reviews"),
)


def make_moderation(seed: int = 1, stories: tuple[Story, ...] = STORIES) -> pd.DataFrame:
    """A row per audited item in time order: item_id, decided_at, vendor, market, policy, queue, difficulty, moderator,
    tenure_days, decision, auditor, audit_decision, second_audit, standard, cost.

    `standard` is missing where the panel did not judge, `second_audit` where nobody looked again. `cost` in EUR is that
    of a wrong decision, 0 of a right one, missing without a standard.

    >>> items = make_moderation()
    >>> sorted(items["decision"].unique()), len(items)
    (['keep', 'remove'], 102400)
    """
    frames = [
        _vendor(
            np.random.default_rng([seed, 11, number]), number, vendor, [s for s in stories if s.vendor == vendor]
        )
        for number, vendor in enumerate(VENDORS)
    ]
    return numbered(frames, "decided_at", "item_id")


def make_events() -> pd.DataFrame:
    """The updates of guidelines: the one that changed something, and others."""
    return updates("GL-", "guideline", UPDATES, ["vendor", "policy"])


def write_moderation(folder: str | Path, seed: int = 1) -> Path:
    """Write moderation.parquet, moderation_events.csv and moderation_truth.json; returns the folder."""
    cases, events = {"moderation": make_moderation(seed)}, {"moderation_events": make_events()}
    truth = {"stories": [asdict(s) for s in STORIES], "ambiguous": AMBIGUOUS}
    return write_files(folder, cases, events, {"moderation_truth": truth})


def _vendor(rng: np.random.Generator, number: int, vendor: str, stories: list[Story]) -> pd.DataFrame:
    """The items of one vendor. Two auditors of its own look at them: AUD-01 and AUD-02 at the first's, and so on."""
    count = WEEKS * A_WEEK
    frame = pd.DataFrame({"decided_at": draw_times(rng, WEEKS, count), "vendor": vendor})
    frame["market"] = pick(rng, count, VENDORS[vendor].markets)
    shares, violating, hidden = (np.array(column) for column in zip(*POLICIES.values(), strict=True))
    policy = rng.choice(len(POLICIES), count, p=shares / shares.sum())
    frame["policy"] = np.array(list(POLICIES))[policy]
    special = rng.random(count) < (
        0.7 if any(s.where.get("queue") == "specialist" for s in stories) else SPECIALIST
    )
    frame["queue"] = np.where(special, "specialist", "standard")
    edges = np.cumsum(np.where(special[:, None], QUEUES["specialist"], QUEUES["standard"]), axis=1)
    grade = (rng.random(count)[:, None] > edges[:, :2]).sum(axis=1)
    frame["difficulty"] = np.array(list(HARD))[grade]
    who = rng.integers(0, 16, count)
    frame["moderator"] = np.char.add(f"MOD-{number + 1}", np.char.zfill(who.astype(str), 2))
    frame["tenure_days"] = _tenure(who, (frame["decided_at"] - first_day(WEEKS)).dt.days.to_numpy())
    tenure = np.where(frame["tenure_days"] < 30, "0-29", "30+")
    auditor = 2 * number + 1 + rng.integers(0, 2, count)
    frame["auditor"] = np.char.add("AUD-", np.char.zfill(auditor.astype(str), 2))

    breaks = rng.random(count) < violating[policy]
    chance = WRONG + hidden[policy] + np.array(list(HARD.values()))[grade] + 0.02 * (tenure == "0-29")
    unclear = SPLIT * (frame["policy"] == AMBIGUOUS).to_numpy()
    # an item in dispute is in dispute for everybody: each decides it by the toss of a coin
    disputed = rng.random(count) < 2 * unclear
    extra = {
        "false_positives": np.zeros(count),
        "false_negatives": np.zeros(count),
        "wrong_audits": np.zeros(count),
    }
    for story in (s for s in stories if s.metric):
        began = (frame["decided_at"] >= story.start).to_numpy()
        extra[story.metric] += story.effect * (began & matching(frame.assign(tenure=tenure), story.where))
    wrong = rng.random(count) < chance + np.where(breaks, extra["false_negatives"], extra["false_positives"])
    frame["decision"] = _decided(rng, breaks, wrong, disputed)
    # a strict auditor errs only towards removal
    mistaken = rng.random(count) < WRONG_AUDIT + chance / 4 + np.where(breaks, 0, extra["wrong_audits"])
    frame["audit_decision"] = _decided(rng, breaks, mistaken, disputed)
    again = _decided(rng, breaks, rng.random(count) < WRONG_AUDIT + chance / 4, disputed)
    frame["second_audit"] = pd.Series(again).where(rng.random(count) < TWICE)
    standard = np.where(breaks, "remove", "keep")
    frame["standard"] = pd.Series(standard).where(rng.random(count) < JUDGED)
    kind = np.where(standard == "keep", COST["false positive"], COST["false negative"])
    price = (kind * rng.lognormal(-0.08, 0.4, count)).round(2)
    frame["cost"] = pd.Series(np.where(frame["decision"] == standard, 0.0, price)).where(frame["standard"].notna())
    return frame


def _tenure(who: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Days since the hire: each seat is filled anew every 160 days, one after the other."""
    return (day + 10 * who) % 160


def _decided(rng: np.random.Generator, breaks: np.ndarray, wrong: np.ndarray, disputed: np.ndarray) -> np.ndarray:
    """A decision on each item: right or wrong, and on those in dispute either."""
    remove = np.where(disputed, rng.random(len(breaks)) < 0.5, breaks ^ wrong)
    return np.where(remove, "remove", "keep")
