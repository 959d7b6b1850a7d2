"""Is it the vendor, or everyone? The same segment and windows in all other scopes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from rca.cube import Cube
from rca.effect import Z95, pool
from rca.effect import change as changes
from rca.errors import InputError, known
from rca.localize import Localization
from rca.result import Result, rows
from rca.sentences import segment_name

ALPHA = 0.01
HALF = 0.5  # who moved at least half as far went the same way
WORDS = {
    "own": "its own",
    "shared": "shared by some others",
    "common": "common to all",
    "unknown": "cannot be compared: too few cases elsewhere",
}


@dataclass(frozen=True, eq=False, repr=False)
class Reach(Result):
    """For a change of one scope in several segments, whether the other scopes show it too.

    table: one row per segment, and one for all cases outside of them: `segment, effect, conf_low, conf_high, p_value`
    (the scope's own, 95 % interval), `others_effect, others_low, others_high, others_p_value` (the others together),
    `others` (how many can be compared), `moved` (how many of them moved likewise), `who` (their names, where asked
    for), `reach`:

    own      the others did not move half as far
    shared   the others together did not, but some of them did
    common   the others moved likewise: look at the clock, the policy, the tool
    unknown  too few cases elsewhere to tell
    """

    dimension: str

    @property
    def facts(self) -> dict[str, Any]:
        return {"metric": self.metric.name, **dict(zip(self.table["segment"], self.table["reach"], strict=True))}

    @property
    def headline(self) -> str:
        if self.table.empty:
            return f"{self.metric.label}: no change here to compare with the others."
        size = self.metric.change
        parts = [
            f"{row.segment} {size(row.effect)} here, {size(row.others_effect)} elsewhere ({_told(row.reach, row.who)})"
            for row in rows(self.table)
        ]
        return f"{self.metric.label}: {'; '.join(parts)}."

    @property
    def display(self) -> pd.DataFrame:
        change_text, interval = self.metric.change, self.metric.interval
        shown = self.table
        return pd.DataFrame(
            {
                "segment": shown["segment"],
                "here": shown["effect"].map(change_text),
                "elsewhere": shown["others_effect"].map(change_text),
                "95 % interval": list(map(interval, shown["others_low"], shown["others_high"])),
                "moved likewise": [f"{m} of {n}" for m, n in zip(shown["moved"], shown["others"], strict=True)],
                "reach": list(map(_told, shown["reach"], shown["who"])),
            }
        )

    def plot(self, ax: Any = None) -> Any:
        from rca.plotting.reach import draw

        return draw(self, ax)


def _told(reach: str, who: str) -> str:
    return f"shared by {who}" if reach == "shared" and who else WORDS[reach]


def reach(everyone: Cube, change: Localization, *, scope: Mapping[str, str], name_others: bool = False) -> Reach:
    """Compare the changes of one scope with those of all others: in each segment found, and in all other cases.

    everyone  cube of all scopes; the scope's own dimension (here `vendor`) is one of its dimensions
    change    what was found in the scope, and the windows
    scope     the scope that is asked about, such as {"vendor": "Andes"}
    name_others  whether to name the others that moved likewise: for internal reports only

    The others are pooled with random effects, so that scopes which truly differ widen the interval. A scope moved
    likewise when its change is significant (1 %, Bonferroni over the scopes), in the same direction and at least
    half as large.
    """
    if len(scope) != 1:
        raise InputError(
            f"reach compares along one dimension, such as {{'vendor': 'Andes'}}; got scope {dict(scope)}."
        )
    ((dimension, name),) = scope.items()
    known(dimension, everyone.by, "dimension")
    known(name, everyone.frame[dimension].unique(), dimension)
    pair = everyone.pair(change.before, change.after)
    found = [where for where in map(change.where, range(len(change.table))) if where]
    inside = [_inside(pair, where) for where in found]
    rest = ~np.any(inside, axis=0) if inside else np.ones(len(pair), dtype=bool)
    wheres, masks = [{}, *found], [rest, *inside]
    table = pd.DataFrame([_compare(_by_scope(pair[m], dimension), name, everyone.metric.kind) for m in masks])
    table.insert(0, "segment", [segment_name(where) for where in wheres])
    if not name_others:
        table["who"] = ""
    still = (table["segment"] == segment_name({})) & (table["reach"] != "common") & ~(table["p_value"] < ALPHA)
    return Reach(table[~still].reset_index(drop=True), everyone.metric, dimension)


def _inside(pair: pd.DataFrame, where: Mapping[str, str]) -> np.ndarray:
    return np.all([(pair[d] == value).to_numpy() for d, value in where.items()], axis=0)


def _by_scope(pair: pd.DataFrame, dimension: str) -> pd.DataFrame:
    """Counts, one row per scope."""
    return pair.groupby(dimension)[[c for c in pair.columns if str(c).endswith(("_before", "_after"))]].sum()


def _compare(counts: pd.DataFrame, name: str, kind: str) -> dict[str, Any]:
    moves = changes(counts, kind)
    effect, variance = (float(moves[c].get(name, np.nan)) for c in ("effect", "variance"))
    others = moves.drop(index=name, errors="ignore").dropna()
    others = others[others["variance"] > 0]
    half = Z95 * variance**0.5
    row: dict[str, Any] = {"effect": effect, "conf_low": effect - half, "conf_high": effect + half}
    row |= {"p_value": _p(effect, variance**0.5), "others_effect": np.nan}
    row |= {"others_low": np.nan, "others_high": np.nan, "others_p_value": np.nan}
    row |= {"others": len(others), "moved": 0, "who": "", "reach": "unknown"}
    if others.empty or np.isnan(effect):
        return row
    elsewhere, error = pool(others["effect"], others["variance"])
    sign = np.sign(effect)
    z = sign * others["effect"] / np.sqrt(others["variance"])
    moved = (z > norm.isf(ALPHA / len(others))) & (sign * others["effect"] >= HALF * abs(effect))
    row |= {"others_effect": elsewhere}
    row |= {"others_low": elsewhere - Z95 * error, "others_high": elsewhere + Z95 * error}
    row |= {"others_p_value": _p(elsewhere, error), "moved": int(moved.sum())}
    row["who"] = ", ".join(others.index[moved])
    # the scope itself moved likewise, or its few cases cannot tell its change from that of the others
    likewise = abs(effect) >= HALF * abs(elsewhere) or _p(effect - elsewhere, (variance + error**2) ** 0.5) > 0.05
    if row["others_p_value"] < ALPHA and likewise and sign * elsewhere >= HALF * abs(effect):
        row["reach"] = "common"
    elif moved.any():
        row["reach"] = "shared"
    elif sign * elsewhere + Z95 * error < HALF * abs(effect):
        row["reach"] = "own"
    return row


def _p(effect: float, error: float) -> float:
    """Two-sided p-value of an effect with a normal standard error."""
    return float(2 * norm.sf(abs(effect) / error)) if error > 0 else np.nan
