"""Two Paretos side by side: what moved in share and in rank, and which moves are only noise."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rca.counted import amounts, catch_all, ordered
from rca.errors import InputError, TooLittleData
from rca.pareto_noise import holm, overtaken, share_change
from rca.period import words
from rca.result import Result
from rca.sentences import percent, several

if TYPE_CHECKING:
    from rca.pareto import Pareto

ALPHA = 0.05
NAMED = 8  # the first segments of either list; their order is tested
SAID = 3  # moves in a headline


@dataclass(frozen=True, eq=False, repr=False)
class ParetoChange(Result):
    """A Pareto against a reference: an earlier window, or another scope.

    table  one row per segment of either list, ordered as now: `segment, count, share, rank` and the same with
           `_reference`; `change` of the share with `conf_low, conf_high, p_value, p_adj` (Holm over all segments);
           `moved` (the share changed beyond noise); `overtook` (segments that were ahead of it then and are behind
           it now, both beyond noise); `order`: `same` rank, `changed` (it overtook or was overtaken), else `noise`
    """

    by: str
    label: str
    reference: str

    @property
    def facts(self) -> dict[str, Any]:
        rows = self.table
        return {
            "metric": self.metric.name,
            "by": self.by,
            "label": self.label,
            "reference": self.reference,
            "segments": len(rows),
            "moved": rows.loc[rows["moved"], "segment"].tolist(),
            "overtook": {n: list(lost) for n, lost in zip(rows["segment"], rows["overtook"], strict=True) if lost},
            "noise": rows.loc[rows["order"] == "noise", "segment"].tolist(),
        }

    @property
    def headline(self) -> str:
        facts = self.facts
        moved = self.table[self.table["moved"]].sort_values("change", key=abs, ascending=False, kind="stable")
        told = {n: f"overtook {several(losers)}" for n, losers in facts["overtook"].items()}
        for name, change in zip(moved["segment"], moved["change"], strict=True):
            told.setdefault(name, "grew" if change > 0 else "shrank")
        shares = self.table.set_index("segment")[["share_reference", "share"]].map(percent)
        parts = [f"{n} {verb} ({' → '.join(shares.loc[n])})" for n, verb in list(told.items())[:SAID]]
        if len(told) > SAID:
            parts.append(f"{len(told) - SAID} more moved")
        if not parts:
            parts = ["no share and no rank changed beyond noise"]
        elif facts["noise"]:
            count = len(facts["noise"])
            parts.append(f"the new rank{'s' * (count > 1)} of {count} other{'s' * (count > 1)} may be noise")
        return f"By {self.by.replace('_', ' ')}, {self.label} against {self.reference}: {'; '.join(parts)}."

    @property
    def shown(self) -> pd.DataFrame:
        """The first of either list and all that moved."""
        rows = self.table
        early = (rows["rank"] <= NAMED) | (rows["rank_reference"] <= NAMED)
        return rows[early | rows["moved"]]

    @property
    def display(self) -> pd.DataFrame:
        rows, metric = self.shown, self.metric
        return pd.DataFrame(
            {
                self.by.replace("_", " "): rows["segment"],
                self.label: amounts(metric, rows["count"]),
                "share": rows["share"].map(percent),
                f"share, {self.reference}": rows["share_reference"].map(percent),
                "rank": [f"{a} → {b}" for a, b in zip(rows["rank_reference"], rows["rank"], strict=True)],
                "share moved": np.where(rows["moved"], "yes", "noise"),
                "order": rows["order"],
            }
        )

    @property
    def panel_height(self) -> float:
        """Inches that a panel of this result wants."""
        return 1.0 + 0.25 * len(self.shown)

    def plot(self, ax: Any = None) -> Any:
        from rca.plotting.pareto_change import draw

        return draw(self, ax)


def against(now: "Pareto", then: "Pareto") -> ParetoChange:
    """Compare two Paretos of the same metric and dimension; `then` is the reference.

    Counts are first divided by the larger dispersion of the two, so that bursts do not pass for change.
    Over two samples of one distribution at most 5 % of runs claim that anything moved.
    """
    if (now.metric.name, now.by) != (then.metric.name, then.by):
        raise InputError(
            f"two Paretos compare on one metric and one dimension; got {now.metric.name} by {now.by}"
            f" and {then.metric.name} by {then.by}."
        )
    labels = [_label(p, o) for p, o in ((now, then), (then, now))]
    for side, label in zip((now, then), labels, strict=True):
        if not side.cases:
            raise TooLittleData(f"nothing to compare: {side.headline.rstrip('.')} ({label}).")
    rows = _side_by_side(now, then)
    one, two = (rows[c].to_numpy(float) for c in ("count", "count_reference"))
    spread = max(now.dispersion, then.dispersion)
    one, two = one * (now.cases / spread / one.sum()), two * (then.cases / spread / two.sum())
    rows = rows.join(share_change(one, two))
    rows["p_adj"] = holm(rows["p_value"].to_numpy())
    rows["moved"] = rows["p_adj"] < ALPHA
    losers = _losers(rows, one, two)
    lost = {name for names in losers for name in names}
    rows["overtook"] = losers
    claimed = rows["segment"].isin(lost) | (rows["overtook"].str.len() > 0)
    rows["order"] = np.where(claimed, "changed", np.where(rows["rank"] == rows["rank_reference"], "same", "noise"))
    return ParetoChange(rows, now.metric, now.by, *labels)


def _label(pareto: "Pareto", other: "Pareto") -> str:
    """What tells this list from the other: its scope, its window, or both."""
    scope = ", ".join(v for k, v in pareto.scope.items() if other.scope.get(k) != v)
    window = words(pareto.within) if pareto.within != other.within or not scope else ""
    return ", ".join(part for part in (scope, window) if part)


def _side_by_side(now: "Pareto", then: "Pareto") -> pd.DataFrame:
    """Outer join of both lists, with ranks; a segment without cases in one list has a count of 0 there."""
    one, two = (p.table.set_index("segment")[["count", "share", "n"]] for p in (now, then))
    rows = one.join(two.add_suffix("_reference"), how="outer").fillna(0.0).rename_axis("segment").reset_index()
    old = ordered(rows[["segment"]].assign(count=rows["count_reference"], n=rows["n_reference"]))
    places = dict(zip(old["segment"], range(1, len(old) + 1), strict=True))
    rows = ordered(rows)
    rows["rank"], rows["rank_reference"] = range(1, len(rows) + 1), rows["segment"].map(places)
    columns = ["segment", "count", "share", "rank", "count_reference", "share_reference", "rank_reference"]
    return rows[columns]


def _losers(rows: pd.DataFrame, now: np.ndarray, then: np.ndarray) -> Sequence[tuple[str, ...]]:
    """For each row the segments that it overtook; only the first of either list are asked."""
    asked = ((rows["rank"] <= NAMED) | (rows["rank_reference"] <= NAMED)) & ~catch_all(rows["segment"])
    index = np.flatnonzero(asked)
    names = rows["segment"].to_numpy()
    p = overtaken(now[index], then[index])
    losers: list[tuple[str, ...]] = [()] * len(rows)
    for i, winner in enumerate(index):
        losers[winner] = tuple(names[index[p[i] < ALPHA]])
    return losers
