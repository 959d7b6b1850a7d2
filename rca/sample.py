"""The sample marketplace: 40 weeks of service cases of eight vendors, with causes planted and written down."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rca.errors import InputError
from rca.sample_cases import add_customers, add_outcomes, add_versions, draw_cases
from rca.sample_contacts import write_contacts
from rca.sample_escalations import write_escalations
from rca.sample_files import write_files
from rca.sample_governance import write_governance
from rca.sample_moderation import write_moderation
from rca.sample_stories import (
    ACTION_COLUMNS,
    EVENT_COLUMNS,
    LAST_DAY,
    OTHER_ACTIONS,
    OTHER_EVENTS,
    STORIES,
    STORY_ACTIONS,
    STORY_EVENTS,
    VERDICTS,
    Cause,
)

__all__ = ["Cause", "Marketplace", "make_marketplace", "write_marketplace", "write_sample"]

COLUMNS = [
    "case_id", "opened_at", "vendor", "market", "channel", "language", "issue_type", "issue_subtype", "sop",
    "sop_version", "agent", "tenure_days", "shift", "queue_seconds", "handling_seconds",
    "first_response_in_target", "csat", "resolved", "escalated", "customer",
]  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Marketplace:
    """The sample data; `truth` has a JSON-ready record per planted cause (`Cause.truth`) and per review of an action
    (`action_id` and the `verdict` that is right)."""

    cases: pd.DataFrame
    events: pd.DataFrame
    actions: pd.DataFrame
    truth: list[dict[str, Any]]


def make_marketplace(
    seed: int = 1, causes: Sequence[Cause] | None = None, cases: int = 200_000, weeks: int = 40
) -> Marketplace:
    """Make the sample marketplace: the `weeks` whole weeks up to Sunday 2026-11-15, the same for the same seed.

    `causes=None` plants the default stories with their events and actions, `causes=[]` plants nothing. The random
    numbers of a seed do not depend on the causes, so a case that no cause touches is the same with and without
    (unless a mix moves shifts, and with them the order in time).

    >>> sample = make_marketplace(cases=2_000)
    >>> sample.cases["vendor"].nunique(), sorted({record["kind"] for record in sample.truth})
    (8, ['common', 'drift', 'mix', 'rate', 'review'])
    """
    if cases < 1 or weeks < 1:
        raise InputError(f"a sample needs at least 1 case and 1 week, got cases={cases}, weeks={weeks}.")
    planted = STORIES if causes is None else tuple(causes)
    first = np.datetime64(LAST_DAY) - (7 * weeks - 1)
    for cause in planted:
        if cause.start > LAST_DAY or (cause.end or LAST_DAY) < str(first):
            dates = f"{cause.start} to {cause.end or LAST_DAY}"
            raise InputError(f"a cause from {dates} lies outside the data, {first} to {LAST_DAY}.")
    events = _table(EVENT_COLUMNS, OTHER_EVENTS, STORY_EVENTS if causes is None else ())
    actions = _table(ACTION_COLUMNS, OTHER_ACTIONS, STORY_ACTIONS if causes is None else ())

    rng = np.random.default_rng(seed)
    frame = draw_cases(rng, cases, first, weeks, planted)
    add_versions(frame, events)
    add_outcomes(rng, frame, planted)
    add_customers(rng, frame, weeks)
    for column in frame.select_dtypes("category"):
        frame[column] = frame[column].astype("str")
    reviews = [{"kind": "review", "vendor": None, "action_id": a, "verdict": v} for a, v in VERDICTS.items()]
    truth = [cause.truth() for cause in planted] + (reviews if causes is None else [])
    return Marketplace(frame[COLUMNS], events, actions, truth)


def write_marketplace(
    folder: str | Path, seed: int = 1, causes: Sequence[Cause] | None = None, cases: int = 200_000, weeks: int = 40
) -> Path:
    """Write `make_marketplace(...)` as cases.parquet, events.csv, actions.csv, truth.json; returns the folder.

    The same arguments (and versions of pandas and pyarrow) write the same bytes.
    """
    made = make_marketplace(seed, causes, cases, weeks)
    records = {"events": made.events, "actions": made.actions}
    return write_files(folder, {"cases": made.cases}, records, {"truth": made.truth})


def write_sample(folder: str | Path, seed: int = 1) -> Path:
    """Write the tables of every study: of the marketplace, its contacts, escalations, moderation and governance."""
    for write in (write_marketplace, write_contacts, write_escalations, write_moderation, write_governance):
        write(folder, seed=seed)
    return Path(folder)


def _table(columns: Sequence[str], *parts: Sequence[tuple]) -> pd.DataFrame:
    """Rows typed in as a frame in the order of their ids; dates stay ISO texts, as in the CSV."""
    rows = sorted((row for part in parts for row in part), key=lambda row: row[0])
    return pd.DataFrame(rows, columns=list(columns))
