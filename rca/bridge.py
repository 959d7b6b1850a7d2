"""The change of a KPI between two windows, split exactly: rates, mix, segments that are new and that are gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.cube import Cube
from rca.effect import Z95
from rca.errors import InputError, TooLittleData
from rca.period import Dates, Window
from rca.result import Result
from rca.split import Part, Side, side, split

TERMS = ["rate_effect", "mix_effect", "entered", "left"]
WORD = {"rate_effect": "rate", "mix_effect": "mix", "entered": "new", "left": "gone"}
SHOWN = 8  # steps drawn one by one; the rest is "other"


@dataclass(frozen=True, eq=False, repr=False)
class Bridge(Result):
    """How the KPI went from its value before to its value after.

    table      segment, a column per dimension of `by`, n_before, n_after, share_before, share_after, rate_before,
               rate_after (missing where the segment is absent), rate_effect, mix_effect, entered, left, their sum
               `effect`, and 95 % intervals: rate_low, rate_high, mix_low, mix_high, conf_low, conf_high (of
               effect). All in KPI points; `effect` sums exactly to the change
    total      one row per term and "change": effect, conf_low, conf_high
    """

    total: pd.DataFrame
    by: Sequence[str]
    before: Dates
    after: Dates
    value_before: float
    value_after: float

    @property
    def facts(self) -> dict[str, Any]:
        effects = dict(zip(TERMS, self.total.loc[TERMS, "effect"].tolist(), strict=True))
        ranked = self._ranked()
        largest = next(ranked.itertuples(index=False, name=None), ("", "", 0.0))
        return {
            "metric": self.metric.name,
            "by": ", ".join(self.by),
            "value_before": self.value_before,
            "value_after": self.value_after,
            "change": self.value_after - self.value_before,
            **effects,
            "segments": len(self.table),
            "largest": largest[0],
            "largest_kind": largest[1],
            "largest_effect": float(largest[2]),
        }

    @property
    def headline(self) -> str:
        facts, m = self.facts, self.metric
        if not facts["change"]:
            return f"{m.label} did not change: {m.text(self.value_after)} before and after."
        verb = "rose" if facts["change"] > 0 else "fell"
        parts = [f"rates {m.change(facts['rate_effect'])}", f"mix {m.change(facts['mix_effect'])}"]
        parts += [f"segments {WORD[t]} {m.change(facts[t])}" for t in ("entered", "left") if facts[t]]
        return (
            f"{m.label} {verb} by {m.change(facts['change'], signed=False)} ({m.text(self.value_before)} to"
            f" {m.text(self.value_after)}): {', '.join(parts)}; the largest step is {facts['largest']}"
            f" ({facts['largest_kind']} {m.change(facts['largest_effect'])})."
        )

    @property
    def steps(self) -> pd.DataFrame:
        """The waterfall: label, kind (level, rate, mix, new, gone), start, stop; the few that matter by size, then
        what is left of each kind as one step."""
        ranked = self._ranked()
        shown = SHOWN if len(ranked) > SHOWN + 1 else len(ranked)
        rows = ranked.iloc[:shown]
        rest = ranked.iloc[shown:].groupby("kind", sort=False)["effect"].agg(["size", "sum"])
        others = [(f"{row['size']:.0f} other", kind, row["sum"]) for kind, row in rest.iterrows()]
        at, steps = self.value_before, [("before", "level", 0.0, self.value_before)]
        for label, kind, effect in [*rows.itertuples(index=False, name=None), *others]:
            steps.append((label, kind, at, at + effect))
            at += effect
        steps.append(("after", "level", 0.0, self.value_after))
        return pd.DataFrame(steps, columns=["label", "kind", "start", "stop"])

    def _ranked(self) -> pd.DataFrame:
        """Effects that are not zero: segment, kind, effect; largest first."""
        named = self.table[TERMS].rename(columns=WORD).assign(segment=self.table["segment"])
        effects = named.melt("segment", var_name="kind", value_name="effect").query("effect != 0")
        return effects.iloc[np.argsort(-effects["effect"].abs().to_numpy(), kind="stable")]

    @property
    def display(self) -> pd.DataFrame:
        m = self.metric
        order = np.argsort(-self.table["effect"].abs().to_numpy(), kind="stable")
        rows = self.table.iloc[order]
        shown: dict[str, Any] = {"segment": rows["segment"]}
        shown |= {f"share {w}": [f"{100 * v:.1f} %" for v in rows[f"share_{w}"]] for w in ("before", "after")}
        shown |= {w: [m.text(v) for v in rows[f"rate_{w}"]] for w in ("before", "after")}
        shown |= {WORD[t]: [m.change(v) if v else "" for v in rows[t]] for t in TERMS}
        shown["95 % interval"] = [m.interval(*v) for v in rows[["conf_low", "conf_high"]].itertuples(index=False)]
        return pd.DataFrame({k: v for k, v in shown.items() if any(v)})

    def plot(self, ax: Any = None) -> Any:
        from rca.plotting.bridge import draw

        return draw(self, ax)


def bridge(cube: Cube, *, by: str | Sequence[str], before: Window, after: Window) -> Bridge:
    """Split the change of a KPI between two windows into rate, mix, entered and left, per segment of `by`.

    rate effect  the segment itself changed, at its average share of the cases
    mix effect   cases moved towards segments above (or below) the KPI
    entered      a segment that has cases only after: its share times its distance from the KPI
    left         a segment that has cases only before

    The effects sum exactly to the change, swapping the windows flips every sign, and the effects of the children of
    a segment (more dimensions in `by`) sum to its own. Symmetric weights: Kitagawa (1955), JASA 50; Das Gupta
    (1993), US Census P23-186. Intervals by the delta method on the counts, cases drawn at random from each window.

    >>> from rca.metric import Metric
    >>> frame = pd.DataFrame({"period": ["2026-01-05"] * 2 + ["2026-01-12"] * 2, "channel": ["chat", "email"] * 2,
    ...                       "n": [60, 40, 40, 60], "total": [54, 20, 36, 24]})
    >>> cube = Cube(frame, Metric(name="csat", kind="proportion", better="up"), by=["channel"])
    >>> change = bridge(cube, by="channel", before="last 1 before last 1", after="last 1")
    >>> change.table[["segment", "rate_effect", "mix_effect"]].round(3).values.tolist()
    [['channel=chat', 0.0, -0.046], ['channel=email', -0.05, -0.044]]
    >>> round(change.value_after - change.value_before, 3)
    -0.14
    """
    keep = [by] if isinstance(by, str) else list(by)
    if not keep:
        raise InputError("bridge needs at least one dimension in by=..., got none.")
    pairs = cube.over(keep).pair(before, after)
    for window in ("before", "after"):
        if pairs[f"n_{window}"].sum() <= 0:
            raise TooLittleData(f"{cube.metric.label} has no {cube.metric.cases} in the {window} window.")
    sides = (side(pairs, "before", cube.metric.kind), side(pairs, "after", cube.metric.kind))
    parts = split(*sides)
    return Bridge(
        table=_table(pairs, keep, sides, parts),
        metric=cube.metric,
        total=_total(sides, parts),
        by=tuple(keep),
        before=cube.window(before, "before"),
        after=cube.window(after, "after"),
        value_before=sides[0].value,
        value_after=sides[1].value,
    )


def _table(pairs: pd.DataFrame, by: list[str], sides: tuple[Side, Side], parts: dict[str, Part]) -> pd.DataFrame:
    names = [" & ".join(f"{d}={row[d]}" for d in sorted(by)) for row in pairs[by].to_dict("records")]
    table = pd.DataFrame({"segment": names, **{d: pairs[d] for d in by}})
    for name in ("n", "share", "rate"):
        for window, one in zip(("before", "after"), sides, strict=True):
            values = getattr(one, name)
            table[f"{name}_{window}"] = np.where(one.n > 0, values, np.nan) if name == "rate" else values
    for term in [*TERMS, "effect"]:
        table[term] = parts[term].effect
    for term, prefix in {"rate_effect": "rate", "mix_effect": "mix", "effect": "conf"}.items():
        half = Z95 * np.sqrt(parts[term].variance(sides))
        table[f"{prefix}_low"], table[f"{prefix}_high"] = table[term] - half, table[term] + half
    return table


def _total(sides: tuple[Side, Side], parts: dict[str, Part]) -> pd.DataFrame:
    rows = {"change" if name == "effect" else name: part for name, part in parts.items()}
    sums = pd.DataFrame({"effect": {name: part.effect.sum() for name, part in rows.items()}})
    half = pd.Series({name: Z95 * np.sqrt(part.variance_of_sum(sides)) for name, part in rows.items()})
    return sums.assign(conf_low=sums["effect"] - half, conf_high=sums["effect"] + half)
