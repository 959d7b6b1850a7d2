"""The resolution cases of the sample marketplace: who raised them, by which SOP they were solved, and whether they came
back, were escalated, late or in time, with a cause planted in each market."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from rca.result import rows
from rca.sample_files import draw_times, matching, numbered, pick, updates, write_files
from rca.sample_vendors import ISSUE_SHARES, LANGUAGES, RESPONSE_TARGET, SUBTYPES, VENDORS

WEEKS, A_WEEK = 40, 700  # cases of a market in a week
LATE = 4.0  # hours in which a critical case is to be escalated
RATES = {  # what happens to a case, and for each issue type how much more often
    "escalated": (0.06, {"refund": 0.015, "payment": 0.02, "account": -0.01}),
    "reopened": (0.08, {"returns": 0.02, "product": 0.08, "delivery": -0.01}),
    "again": (0.09, {"refund": 0.02, "delivery": 0.01}),
    "raised": (0.10, {"payment": 0.03, "returns": -0.02}),
    "late": (0.12, {}),
}
CRITICAL = 0.12  # share of cases, of which more than half are escalated
ESCALATED_CRITICAL = 0.55
DAYS_BETWEEN = 2.0  # to a customer's next contact, on average


@dataclass(frozen=True, kw_only=True)
class Story:
    """What changed in one market: the rate of `outcome` where the columns of `where` have these values.

    outcome  a key of RATES; `metric` is the KPI that counts it
    version  the SOP's version that began on that day, where that is the cause
    """

    market: str
    metric: str
    outcome: str
    where: Mapping[str, str]
    start: str
    effect: float
    version: str = ""
    story: str = ""


STORIES = (  # Turkey is quiet
    Story(
        market="MX", metric="escalation_rate", outcome="escalated", where={"sop": "SOP-101"}, version="v3",
        start="2026-08-24", effect=0.20, story="The new script for late deliveries sends too many to the second line.",
    ),
    Story(
        market="BR", metric="repeat_contacts", outcome="again", where={"issue_type": "returns"},
        start="2026-09-21", effect=0.12, story="Return labels are sent as a link that does not open on phones.",
    ),
    Story(
        market="ES", metric="late_escalations", outcome="late", where={"vendor": "Delta"},
        start="2026-09-21", effect=0.40, story="Delta's team leads left the on-call rota.",
    ),
    Story(
        market="DE", metric="reopened", outcome="reopened", where={"sop": "SOP-107"}, version="v3",
        start="2026-08-17", effect=-0.12, story="Damaged goods are replaced at once, not after a photo.",
    ),
    Story(
        market="PL", metric="vendor_enquiries", outcome="raised", where={"sop": "SOP-112"},
        start="2026-09-28", effect=0.25, story="Vendors cannot see invoices any more, and ask.",
    ),
)  # fmt: skip
UPDATES = (  # of SOPs, that changed nothing
    ("SOP-114", "v3", "2026-07-06", None),
    ("SOP-105", "v3", "2026-07-20", "MX"),
    ("SOP-110", "v3", "2026-08-03", "TR"),
    ("SOP-103", "v4", "2026-08-31", "DE"),
)


def make_escalations(seed: int = 1, stories: tuple[Story, ...] = STORIES) -> pd.DataFrame:
    """A row per case in time order: case_id, opened_at, market, vendor, channel, issue_type, issue_subtype, sop,
    sop_version, raised_by, critical, escalated, hours_to_escalation, reopened, customer, cost.

    >>> bool(make_escalations(stories=())["escalated"].mean().round(2) == 0.12)
    True
    """
    frames = [
        _market(np.random.default_rng([seed, 7, number]), market, [s for s in stories if s.market == market])
        for number, market in enumerate(LANGUAGES)
    ]
    return numbered(frames, "opened_at", "case_id")


def make_events() -> pd.DataFrame:
    """The updates of SOPs: those that changed something, and those that did not."""
    planted = [(s.where["sop"], s.version, s.start, s.market) for s in STORIES if s.version]
    listed = [(f"{sop} {version}", start, market, sop) for sop, version, start, market in [*planted, *UPDATES]]
    return updates("SOP-U", "sop_update", listed, ["market", "sop"])


def write_escalations(folder: str | Path, seed: int = 1) -> Path:
    """Write escalations.parquet, escalation_events.csv and escalation_truth.json; returns the folder."""
    cases, events = {"escalations": make_escalations(seed)}, {"escalation_events": make_events()}
    return write_files(folder, cases, events, {"escalation_truth": [asdict(story) for story in STORIES]})


def _market(rng: np.random.Generator, market: str, stories: list[Story]) -> pd.DataFrame:
    """The cases of one market."""
    count = WEEKS * A_WEEK
    frame = pd.DataFrame({"opened_at": draw_times(rng, WEEKS, count), "market": market})
    volumes = {name: vendor.volume * vendor.markets.get(market, 0.0) for name, vendor in VENDORS.items()}
    frame["vendor"] = pick(rng, count, volumes)
    frame["channel"] = pick(rng, count, dict(zip(RESPONSE_TARGET, (0.3, 0.3, 0.3, 0.1), strict=True)))
    parts = {
        (issue, subtype, sop): share / len(subtypes)
        for (issue, subtypes), share in zip(SUBTYPES.items(), ISSUE_SHARES, strict=True)
        for subtype, sop in subtypes.items()
    }
    chosen = pd.DataFrame(list(parts), columns=["issue_type", "issue_subtype", "sop"])
    weights = np.array(list(parts.values()))
    drawn = rng.choice(len(chosen), count, p=weights / weights.sum())
    frame[chosen.columns.to_list()] = chosen.iloc[drawn].reset_index(drop=True)
    frame["sop_version"] = "v2"
    for update in rows(make_events()):
        began = (frame["sop"] == update.sop) & (frame["opened_at"] >= update.start)
        frame.loc[began & (pd.isna(update.market) or update.market == market), "sop_version"] = (
            update.title.split()[1]
        )
    chance = {outcome: _chance(frame, outcome, stories) for outcome in RATES}
    draws = {outcome: rng.random(count) for outcome in (*RATES, "critical")}
    frame["raised_by"] = np.where(draws["raised"] < chance["raised"], "vendor", "customer")
    frame["critical"] = draws["critical"] < CRITICAL
    frame["escalated"] = draws["escalated"] < np.where(frame["critical"], ESCALATED_CRITICAL, chance["escalated"])
    hours = np.where(draws["late"] < chance["late"], LATE + rng.exponential(6, count), LATE * rng.random(count))
    frame["hours_to_escalation"] = pd.Series(hours.round(2)).where(frame["escalated"])
    frame["reopened"] = draws["reopened"] < chance["reopened"]
    frame["customer"] = _customers(rng, market, draws["again"] < chance["again"])
    usual = 4.0 + 5.0 * frame["escalated"] + 2.0 * (frame["channel"] == "phone")  # EUR
    frame["cost"] = (usual * rng.lognormal(-0.08, 0.4, count)).round(2)
    return frame


def _chance(frame: pd.DataFrame, outcome: str, stories: list[Story]) -> np.ndarray:
    """The chance of an outcome for each case: its level, its issue type, and what is planted."""
    level, by_issue = RATES[outcome]
    chance = level + frame["issue_type"].map(by_issue).fillna(0.0).to_numpy(float)
    for story in (s for s in stories if s.outcome == outcome):
        chance += story.effect * ((frame["opened_at"] >= story.start) & matching(frame, story.where))
    return chance


def _customers(rng: np.random.Generator, market: str, again: np.ndarray) -> np.ndarray:
    """A customer for each case; after those of `again` the same one asks a later case."""
    count = len(again)
    number = rng.permutation(count)
    source = np.flatnonzero(again)
    later = source + 1 + (rng.exponential(DAYS_BETWEEN, len(source)) * A_WEEK / 7).astype(int)
    inside = later < count
    for case, follows in zip(source[inside], later[inside], strict=True):  # in time order, so that chains hold
        number[follows] = number[case]
    return np.char.add(f"{market}-", number.astype(str))
