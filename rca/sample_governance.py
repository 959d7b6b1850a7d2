"""The violation cases of the sample marketplace: who was suspected of what, found how and how late, decided how, and
whether the decision held, with a cause planted in each market."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from rca.result import rows
from rca.sample_files import draw_times, matching, numbered, pick, updates, write_files
from rca.sample_stories import LAST_DAY
from rca.sample_vendors import LANGUAGES

WEEKS, A_WEEK = 40, 560  # cases of a market in a week
SELLERS = 80
POLICIES = {  # share of the cases, and how often the suspicion is right
    "counterfeit": (0.26, 0.45), "prohibited item": (0.18, 0.36), "late dispatch": (0.26, 0.42),
    "misleading listing": (0.20, 0.33), "review abuse": (0.10, 0.28),
}  # fmt: skip
CATEGORIES = {"electronics": 0.28, "fashion": 0.26, "beauty": 0.18, "home": 0.18, "toys": 0.10}
DETECTORS = {  # share of the cases, and hours until a violation is seen, on average
    "automated scan": (0.50, 6.0), "customer report": (0.25, 40.0), "brand owner": (0.15, 60.0), "audit": (0.10, 90.0),
}  # fmt: skip
ENFORCED, APPEALED, OVERTURNED = 0.82, 0.28, 0.10  # of the violations; of the enforced; of the enforced
TO_DECISION = 26.0  # hours, on average


@dataclass(frozen=True, kw_only=True)
class Story:
    """What is wrong in one market: `column` changes by `effect` where the columns of `where` have these values.

    column   "violation" or "overturned" (its chance), "lag" (the hours to detection, times 1 + effect)
    drift    whether the effect grows evenly from `start` to the last day, else it is there at once
    version  the policy's version that was rolled out on that day, where that is the cause
    """

    market: str
    metric: str
    column: str
    where: Mapping[str, str]
    start: str
    effect: float
    drift: bool = False
    version: str = ""
    story: str = ""


REPEATING = ("ES-S04", "ES-S07", "ES-S11")
STORIES = (  # Turkey is quiet
    Story(
        market="MX", metric="wrong_enforcement", column="overturned", version="v2", start="2026-09-21", effect=0.35,
        where={"policy": "counterfeit", "category": "fashion"},
        story="The new image match takes licensed prints for fakes.",
    ),
    Story(
        market="BR", metric="detection_lag", column="lag", where={"detected_by": "customer report"},
        start="2026-09-21", effect=0.9, story="Customer reports wait for a translation since the tool was changed.",
    ),
    *(
        Story(
            market="ES", metric="violation_rate", column="violation", where={"seller": seller}, start="2026-02-09",
            effect=0.35, story="Three sellers under one roof go on as before.",
        )
        for seller in REPEATING
    ),
    Story(
        market="DE", metric="wrong_enforcement", column="overturned", where={"policy": "late dispatch"}, version="v2",
        start="2026-09-14", effect=-0.095, story="Carrier scans count, not the seller's own entry.",
    ),
    Story(
        market="PL", metric="violation_rate", column="violation", where={"category": "beauty"}, start="2026-05-18",
        effect=0.32, drift=True, story="More and more unlabelled cosmetics come in from outside.",
    ),
)  # fmt: skip
UPDATES = (  # of policies, that changed nothing
    ("review abuse", "v2", "2026-07-06", "TR"),
    ("prohibited item", "v2", "2026-08-03", "BR"),
)
PLANNED = {  # with each roll-out
    "MX": "find twice as many fakes", "DE": "halve wrong enforcement", "TR": "enforce within a day",
    "BR": "follow the new list of batteries",
}  # fmt: skip


def make_governance(seed: int = 1, stories: tuple[Story, ...] = STORIES) -> pd.DataFrame:
    """A row per case in the order of detection: case_id, detected_at, market, seller, category, policy, policy_version,
    detected_by, occurred_at, hours_to_detection, violation, decided_at, hours_to_decision, enforced, appealed,
    overturned.

    >>> made = make_governance(stories=())
    >>> bool(made["violation"].mean().round(2) == .39), bool((made["overturned"] <= made["appealed"]).all())
    (True, True)
    """
    frames = [
        _market(np.random.default_rng([seed, 11, number]), market, [s for s in stories if s.market == market])
        for number, market in enumerate(LANGUAGES)
    ]
    return numbered(frames, "detected_at", "case_id")


def make_events() -> pd.DataFrame:
    """The roll-outs of policies with what was planned: those that changed something, and those that did not."""
    planted = [(s.where["policy"], s.version, s.start, s.market) for s in STORIES if s.version]
    listed = [
        (f"{policy} {version} (to {PLANNED[market]})", start, market, policy)
        for policy, version, start, market in [*planted, *UPDATES]
    ]
    return updates("POL-U", "policy_rollout", listed, ["market", "policy"])


def write_governance(folder: str | Path, seed: int = 1) -> Path:
    """Write violations.parquet, policy_events.csv and governance_truth.json; returns the folder."""
    cases, events = {"violations": make_governance(seed)}, {"policy_events": make_events()}
    return write_files(folder, cases, events, {"governance_truth": [asdict(story) for story in STORIES]})


def _market(rng: np.random.Generator, market: str, stories: list[Story]) -> pd.DataFrame:
    """The cases of one market."""
    count = WEEKS * A_WEEK
    frame = pd.DataFrame({"detected_at": draw_times(rng, WEEKS, count), "market": market})
    sizes = np.sort(rng.lognormal(0.0, 1.1, SELLERS))[::-1]  # many are small
    names = np.array([f"{market}-S{i:02d}" for i in range(1, SELLERS + 1)])
    differ = rng.normal(0.0, 0.03, SELLERS)  # how sellers differ among themselves
    who = rng.choice(SELLERS, count, p=sizes / sizes.sum())
    frame["seller"] = names[who]
    for column, shares in {
        "category": CATEGORIES,
        "policy": {name: share for name, (share, _) in POLICIES.items()},
        "detected_by": {name: share for name, (share, _) in DETECTORS.items()},
    }.items():
        frame[column] = pick(rng, count, shares)
    frame.insert(5, "policy_version", "v1")
    rolled = make_events().query("market == @market")
    for update in rows(rolled):
        began = (frame["policy"] == update.policy) & (frame["detected_at"] >= update.start)
        frame.loc[began, "policy_version"] = "v2"
    right = frame["policy"].map({name: chance for name, (_, chance) in POLICIES.items()}).to_numpy(float)
    mean_lag = frame["detected_by"].map({name: hours for name, (_, hours) in DETECTORS.items()}).to_numpy(float)
    lag = mean_lag * rng.lognormal(-0.1, 0.45, count) * (1 + _planted(frame, "lag", stories))
    frame["occurred_at"] = frame["detected_at"] - pd.to_timedelta(lag.round(2), unit="h").round("s")
    frame["hours_to_detection"] = lag.round(2)
    frame["violation"] = rng.random(count) < right + differ[who] + _planted(frame, "violation", stories)
    hours = (TO_DECISION * rng.lognormal(-0.1, 0.45, count)).round(2)
    frame["decided_at"] = frame["detected_at"] + pd.to_timedelta(hours, unit="h").round("s")
    frame["hours_to_decision"] = hours
    frame["enforced"] = frame["violation"] & (rng.random(count) < ENFORCED)
    overturned = rng.random(count) < OVERTURNED + _planted(frame, "overturned", stories)
    frame["overturned"] = frame["enforced"] & overturned
    kept = (APPEALED - OVERTURNED) / (1 - OVERTURNED)
    frame.insert(
        len(frame.columns) - 1, "appealed", frame["overturned"] | (frame["enforced"] & (rng.random(count) < kept))
    )
    return frame


def _planted(frame: pd.DataFrame, column: str, stories: list[Story]) -> np.ndarray:
    """What the stories add to a column of each case."""
    added, last = np.zeros(len(frame)), pd.Timestamp(LAST_DAY) + pd.Timedelta(days=1)
    for story in (s for s in stories if s.column == column):
        since = frame["detected_at"] - pd.Timestamp(story.start)
        grown = (since / (last - pd.Timestamp(story.start))).to_numpy() if story.drift else 1.0
        hit = (since >= pd.Timedelta(0)).to_numpy() & matching(frame, story.where)
        added += story.effect * hit * grown
    return added
