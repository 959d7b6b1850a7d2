"""The one picture of a summary: a KPI with its limits, target and the dates to explain, in the page's own colours."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from rca.batch.record import Findings, Kpi


@dataclass(frozen=True)
class Picture:
    """Lines and places in percent of the box, y from the top. What is text stands beside the drawing, as HTML."""

    kpi: Kpi
    line: str
    band: str
    center: str
    target: float | None
    dots: list[tuple[float, float]]
    last: tuple[float, float] | None
    after: float
    since: float | None
    since_text: str
    days: list[tuple[float, dt.date]]


def picture(findings: Findings) -> Picture | None:
    """The chart of the KPI of the first finding (else of the first KPI); None where there is none to draw."""
    found = [*findings.findings, *findings.common]
    wanted = next((f.metric for f in found), None)
    kpis = [k for k in findings.kpis if len(k.periods) > 1 and any(v is not None for v in k.spark)]
    if not kpis:
        return None
    kpi = next((k for k in kpis if k.metric == wanted), kpis[0])
    first = next((f for f in found if f.metric == kpi.metric), None)
    values = [v for v in (*kpi.spark, *kpi.lcl, *kpi.ucl, kpi.target) if v is not None]
    low, size = min(values), (max(values) - min(values)) or 1.0
    count = len(kpi.periods)

    def x(i: float) -> float:
        return round(100 * (i + 0.5) / count, 2)

    def y(value: float) -> float:
        return round(100 * (1 - (value - low) / size), 2)

    def path(series: Sequence[float | None]) -> str:
        steps, pen = [], "M"
        for i, value in enumerate(series):
            if value is not None:
                steps.append(f"{pen}{x(i)} {y(value)}")
            pen = "M" if value is None else "L"
        return " ".join(steps)

    inside = [
        i
        for i, (lower, upper) in enumerate(zip(kpi.lcl, kpi.ucl, strict=True))
        if lower is not None and upper is not None
    ]
    edge = [(i, kpi.ucl[i]) for i in inside] + [(i, kpi.lcl[i]) for i in reversed(inside)]
    ends = [i for i, value in enumerate(kpi.spark) if value is not None][-1:]
    spots = [(i, kpi.spark[i]) for i in kpi.signals if i < count]
    return Picture(
        kpi=kpi,
        line=path(kpi.spark),
        band="M" + " L".join(f"{x(i)} {y(v)}" for i, v in edge if v is not None) + "Z" if inside else "",
        center=path(kpi.center),
        target=None if kpi.target is None else y(kpi.target),
        dots=[(x(i), y(v)) for i, v in spots if v is not None],
        last=next(((x(i), y(v)) for i in ends if (v := kpi.spark[i]) is not None), None),
        after=_place(kpi.periods, findings.after[0]) if findings.before else 100.0,
        since=_place(kpi.periods, first.since) if first and isinstance(first.since, dt.date) else None,
        since_text=first.when if first else "",
        days=_days(kpi.periods),
    )


def _place(periods: Sequence[dt.date], day: dt.date) -> float:
    """Where a day begins."""
    before = sum(period < day for period in periods)
    return round(100 * before / len(periods), 2)


def _days(periods: Sequence[dt.date]) -> list[tuple[float, dt.date]]:
    """About four dates under the picture, the first and the last among them."""
    last = len(periods) - 1
    shown = sorted({round(last * i / 3) for i in range(4)})
    return [(round(100 * (i + 0.5) / len(periods), 2), periods[i]) for i in shown]
