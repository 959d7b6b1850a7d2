"""One action as `fix_check` asks about it: which KPI, where, in effect since when, what was hoped for."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from rca import sentences as say
from rca.errors import InputError, TooLittleData
from rca.period import day
from rca.scope import ACTION
from rca.source import Source


@dataclass(frozen=True)
class Action:
    """A row of the actions table; `where` is its segment and the vendor, market ... that it is limited to."""

    action_id: str
    title: str
    owner: str
    metric: str
    where: Mapping[str, str]
    effective: pd.Timestamp
    expected: float | None
    problem_since: pd.Timestamp | None

    def terms(self, controls: str = "") -> dict[str, Any]:
        """What `rca.fix_check` asks of it, for any KPI; what was taken everywhere along `controls` has no siblings."""
        siblings = controls if controls in self.where else None
        return {"change_at": self.effective, "where": self.where, "controls": siblings}

    def others(self, metrics: Iterable[str]) -> list[str]:
        """The KPIs that it was not for, on which it may have had side effects."""
        return [name for name in metrics if name != self.metric]

    def __repr__(self) -> str:
        return f"<Action {self.action_id}: {self.title}; {'; '.join(f'{k}: {v}' for k, v in self._words())}>"

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in self._words())
        name = escape(f"{self.action_id} {self.title}")
        return f'<div class="rca-action"><p><b>{name}</b></p><table class="rca">{rows}</table></div>'

    def _words(self) -> list[tuple[str, str]]:
        since = [("problem since", day(self.problem_since, year=True))] if self.problem_since else []
        return [
            ("owner", self.owner or "nobody"),
            ("KPI", self.metric.replace("_", " ")),
            ("where", say.segment_words(self.where)),
            *since,
            ("in effect since", day(self.effective, year=True)),
            ("hoped for", "nothing said" if self.expected is None else f"{self.expected:+g}"),
        ]


def action(source: Source) -> Action:
    """The action that the scope of the source names: `rca.open_source(path, scope={"action": "A-19"})`.

    InputError where the scope names none, or one without a KPI; TooLittleData where it is not in effect yet.
    """
    name = source.scope.get(ACTION, "")
    if source.actions.empty:
        raise InputError(f"{source.name} has no action {name!r}. Open it with scope={{'action': 'A-19'}}, say.")
    [row] = source.actions.to_dict("records")
    if not row["metric"]:
        raise InputError(f"action {name} names no metric, so there is nothing to see its effect on.")
    if pd.isna(row["effective"]):
        raise TooLittleData(f"{name} {row['title']} is not in effect yet: it has no date there.")
    scoped = {column: row[column] for column in source.actions if column in source.dimensions and row[column]}
    parts = (part.split("=", 1) for part in re.split(r" & (?=\w+=)", row["segment"]) if part)
    since = row.get("problem_since")
    return Action(
        action_id=row["action_id"],
        title=row["title"],
        owner=row["owner"],
        metric=row["metric"],
        where={**scoped, **dict(parts)},
        effective=row["effective"],
        expected=None if pd.isna(row["expected_effect"]) else float(row["expected_effect"]),
        problem_since=None if pd.isna(since) else since,
    )


def reviewable(source: Source) -> list[str]:
    """The ids of the actions that are in effect on a KPI."""
    rows = source.actions
    return sorted(rows.loc[rows["effective"].notna() & (rows["metric"] != ""), "action_id"])
