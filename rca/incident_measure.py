"""The incidents of the KPI or of the volume, in the whole or in a segment: who was hit, and what it cost."""

from typing import Any

import numpy as np

from rca.effect import Z95
from rca.incident_cells import Cells
from rca.incident_expectation import Array
from rca.incident_scan import Window
from rca.incident_search import Searched, search
from rca.incident_who import hit_segments, verdict
from rca.metric import Metric

TARGET = 0.75  # nominal false incidents a month; simulated months have 0 to 0.6, by how much memory the noise has
LEVEL = 20.0  # events with which the usual level of a segment is shrunk to that of the whole


def measure(cells: Cells, metric: Metric, judged: Array, volume: bool) -> tuple[Searched, list[dict[str, Any]]]:
    """Search the whole and every segment; returns what the whole was judged by, and a row per incident.

    judged  bins to judge
    """
    fewer = metric.kind == "rate" and metric.better == "up"
    options: Any = {
        "proportion": metric.kind == "proportion",
        "sides": (1, -1) if volume else (-1,) if fewer else (1,),
        "judged": judged,
    }
    count = len(cells.segments)
    target = TARGET / 2 if count else TARGET  # half for the whole, half for all segments together
    n, events = cells.whole
    [whole] = search(cells.week, n[None], None if volume else events[None], target=target, **options)
    parts = []
    if count:
        options |= {"target": target / count, "whole": whole}
        parts = search(cells.week, cells.n, None if volume else cells.events, **options)
    windows = [(one is whole, w) for one in (whole, *parts) for w in one.windows]
    keep = np.ones(len(judged), dtype=bool)
    for _, w in windows:
        keep[w.start : w.end] = False
    found = [(of_whole, w, _row(cells, whole, parts, w, keep, volume)) for of_whole, w in windows]
    # what hit all is dated by all, what hit some by whoever shows it best
    found.sort(key=lambda one: (not one[0] or one[2]["who"] == "some", -one[1].strength, one[1].start))
    used, kept = np.zeros(len(judged), dtype=bool), []
    for _, w, row in found:
        if not used[w.start : w.end].any():
            used[w.start : w.end] = True
            kept.append(row)
    return whole, kept


def _row(
    cells: Cells, whole: Searched, parts: list[Searched], w: Window, keep: Array, volume: bool
) -> dict[str, Any]:
    """Who was hit by an incident, and what it cost."""
    inside = slice(w.start, w.end)
    cases, seen, expected, variance = (
        float(x[inside].sum()) for x in (whole.n, whole.seen, whole.mean, whole.variance)
    )
    rho = whole.noise.at(w.end - w.start)
    who, segments = "all", [("", "")]
    if cells.segments:
        sums = _segments(cells, whole, parts, inside, keep, volume)
        noise = 1 + rho * variance / len(cells.segments)
        who, members = _who(cells, sums, w.side, noise, volume)
        if who == "some":
            part = sums[:, members].sum(1)
            variance *= part[1] / expected
            seen, expected, cases = part
            segments = [cells.segments[i] for i in members]
    lost = w.side * (seen - expected)
    error = Z95 * np.sqrt(variance * (1 + 1 / cells.week.others + rho * variance))
    return {
        "kind": "rate" if not volume else "surge" if w.side > 0 else "loss",
        "start": cells.week.periods[w.start], "end": cells.week.periods[w.end - 1] + cells.week.width,
        "who": who, "dimension": segments[0][0], "values": [value for _, value in segments],
        "cases": cases, "seen": seen, "expected": expected,
        "lost": lost, "conf_low": lost - error, "conf_high": lost + error, "side": w.side, "strength": w.strength,
    }  # fmt: skip


def _segments(
    cells: Cells, whole: Searched, parts: list[Searched], inside: slice, keep: Array, volume: bool
) -> Array:
    """Seen, expected and cases of each segment inside: (3, S). A rate is the profile of the whole at the segment's own
    usual level, so that small segments do not need a profile of their own."""
    if volume:
        return np.array([[one.seen[inside].sum(), one.mean[inside].sum(), one.n[inside].sum()] for one in parts]).T
    judged = whole.n > 0
    rate = np.divide(whole.mean, whole.n, out=np.zeros_like(whole.n), where=judged)
    n, events = cells.n * judged, cells.events * judged
    usual = n * rate
    level = ((events * keep).sum(1) + LEVEL) / ((usual * keep).sum(1) + LEVEL)
    return np.array([x[:, inside].sum(1) for x in (events, usual * level[:, None], n)])


def _who(cells: Cells, sums: Array, side: int, noise: float, volume: bool) -> tuple[str, Array]:
    """The verdict of the dimension that tells most, and the rows of its hit segments."""
    best, members = -np.inf, np.array([], dtype=int)
    for dimension in dict.fromkeys(d for d, _ in cells.segments):
        own = np.flatnonzero([d == dimension for d, _ in cells.segments])
        seen, expected, n = sums[:, own]
        found = hit_segments(seen, expected, n if cells.proportion and not volume else None, side, noise)
        if found.evidence > best:
            best, members = found.evidence, own[list(found.members)]
    return verdict(best, len(cells.segments)), members
