"""A thousand random results: no sentence holds what is no number, an exponent, endless digits or a wrong direction."""

import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rca import summary
from rca.finding import Evidence, Finding
from rca.fishbone import fishbone
from rca.incident_findings import incident_card
from rca.incidents import Incidents
from rca.localize import ALL, NUMBERS, Localization
from rca.metric import Metric, Target
from rca.mix import Mix
from rca.mix_findings import mix_findings
from rca.rate_findings import rate_findings
from rca.reach import Reach

NO_NUMBER = re.compile(r"\b(nan|inf|None|NaT|NA)\b|\de[+-]\d|\.\d{5}|[−-]0(\.0+)?(?![\d.])|  ")
AFTER = (pd.Timestamp("2026-09-21"), pd.Timestamp("2026-11-15"))
BEFORE = (pd.Timestamp("2026-03-23"), pd.Timestamp("2026-09-20"))
SOURCE: Any = SimpleNamespace(scope={"vendor": "Andes"}, audience="internal", actions=pd.DataFrame())


class Case:
    """One segment (or all cases) that changed, others that did or did not, one value whose share moved."""

    def __init__(self, seed: int):
        rng = np.random.default_rng(seed)
        kind = ("proportion", "mean", "rate")[seed % 3]
        self.metric = Metric(
            name="kpi",
            label=str(rng.choice(["CSAT", "Handling time"])),
            kind=kind,
            better=str(rng.choice(["up", "down"])),
            unit=str(rng.choice(["", "s"])) if kind == "mean" else "",
            cases=str(rng.choice(["cases", "queries"])),
            targets=(Target(value=rng.random()),) if rng.random() < 0.5 else (),
        )
        scale = 1.0 if kind == "proportion" else 10 ** rng.uniform(-5, 6)
        level = scale * rng.choice([0, rng.random(), 1])
        tiny = 10 ** -rng.uniform(0, 8)
        self.effect = float(tiny * (scale * rng.random() - level)) or scale * 1e-9
        share = float(rng.choice([1e-4, rng.random(), 1]))
        self.impact = share * self.effect
        self.change = self.impact * float(rng.choice([1, 1, rng.uniform(-3, 3)]))  # of the whole: other causes too
        where = {"market": "MX"} if share < 1 else {"market": None}
        numbers = [level, level + self.effect, self.effect, self.effect - scale / 9, self.effect + scale / 9]
        numbers += [rng.choice([0, 1e-300, 0.01]), self.impact, self.impact * rng.integers(20, 10**6), 0.0]
        row = {"segment": "market=MX" if share < 1 else ALL, **where, **dict(zip(NUMBERS, numbers, strict=True))}
        table = pd.DataFrame([{**row, "direction": self.metric.judge(self.effect)}])
        detectable = {s: scale * rng.random() for s in (0.05, 0.2, 1.0)}
        values = (level, level + self.change)
        self.found = Localization(table, self.metric, table[:0], BEFORE, AFTER, *values, 0.0, detectable)
        elsewhere = [self.effect * rng.random(), -scale, scale, 1e-9] if rng.random() < 0.7 else [np.nan] * 4
        how = "unknown" if np.isnan(elsewhere[0]) else str(rng.choice(["own", "shared", "common"]))
        columns = ["segment", "effect", "conf_low", "conf_high", "p_value"]
        columns += ["others_effect", "others_low", "others_high", "others_p_value"]
        columns += ["others", "moved", "who", "reach"]
        reached = [row["segment"], *numbers[2:5], 1e-9, *elsewhere, 3, 1, "", how]
        self.reach = Reach(pd.DataFrame([reached], columns=columns), self.metric, "vendor")
        shares = {"share_before": rng.random() * tiny, "share_after": rng.random()}
        moved = {"segment": "market=MX", "market": "MX", **shares, "mix_effect": self.impact}
        moved |= {"conf_low": -scale, "conf_high": scale, "p_adj": 1e-4, "dimension_effect": self.impact}
        moved["direction"] = self.metric.judge(self.impact)
        self.mix = Mix(pd.DataFrame([moved]), self.metric, BEFORE, AFTER, *values)


def said(own: list[Finding], common: list[Finding], changes: dict[str, Localization]) -> list[str]:
    texts = [summary.lead(own, common, [], SOURCE)]
    texts += [line["text"] for line in summary.lines(own, common, [], [], "", SOURCE)]
    fish = fishbone([*own, *common], changes, {})
    texts += (
        [fish["effect"], *(p["text"] for b in fish["bones"] for p in [*b["parts"], *fish["everywhere"]])]
        if fish
        else []
    )
    return texts + [
        t
        for f in own + common
        for t in (f.headline, f.title, f.tag, f.impact_text, f.cases_text, f.remedy, *f.details)
    ]


@pytest.mark.parametrize("part", range(10))
def test_random_results_read_well(part: int) -> None:
    for seed in range(100 * part, 100 * part + 100):
        case = Case(seed)
        evidence = Evidence((case.found, case.reach, case.mix), SOURCE)
        rates, (mix,) = list(rate_findings(case.found, evidence)), mix_findings(case.mix, evidence)
        own, common = ([f for f in rates if (f.reach == "common") == shared] for shared in (False, True))
        texts = [
            *said(own, common, {"kpi": case.found}),
            *said([mix], [], {"kpi": case.found}),
            summary.quiet([case.found]),
        ]
        texts += [case.found.headline, case.reach.headline, case.mix.headline]
        for text in texts:
            assert not NO_NUMBER.search(text), (seed, text)
        for finding in rates:
            size = case.change if " explains " in finding.headline else case.effect
            assert (" rose " in finding.headline) == (size > 0), (seed, finding.headline)
            assert (" fell " in finding.headline) == (size < 0), (seed, finding.headline)
        assert (summary.status(own) == "attention") == bool(own and case.effect * case.metric.sign < 0)
        assert (" rose by " in case.found.headline) == (case.effect > 0)
        assert (" rose by " in mix.headline) == (case.impact > 0)
        grew = (case.mix.table["share_after"] > case.mix.table["share_before"]).item()
        assert mix.title.startswith("More" if grew else "Fewer")


def incidents(rng: np.random.Generator) -> Incidents:
    """One incident of any kind and size, and the day that it fell on."""
    kind = str(rng.choice(["rate", "loss", "surge"]))
    n, low = float(rng.integers(1, 10 ** rng.integers(1, 7))), rng.random()
    metric = Metric(
        name="kpi",
        label="Abandoned",
        kind=str(rng.choice(["proportion", "rate"])),
        better=str(rng.choice(["up", "down"])),
        cases=str(rng.choice(["calls", "queries"])),
        targets=(Target(value=rng.random()),) if rng.random() < 0.5 else (),
    )
    start = pd.Timestamp("2026-10-05") + pd.Timedelta(minutes=10 * int(rng.integers(1000)))
    kpis = dict.fromkeys(("value", "usual", "kpi_with", "kpi_without"), np.nan)
    row = {
        "incident": 1, "kind": kind, "start": start,
        "end": start + pd.Timedelta(minutes=10 * int(rng.integers(1, 400))),
        "who": str(rng.choice(["all", "some", "unclear"])), "segment": "all cases", "cases": n,
        "seen": round(n * low), "expected": n * rng.random(), "lost": n * low, "conf_low": n * low - 1, "conf_high": n,
        **(dict(zip(kpis, rng.random(4), strict=True)) if kind == "rate" else kpis),
        "p_adj": rng.random() ** 9, "daily_chart": str(rng.choice(["", "silent"])),
        "events": str(rng.choice(["", "T-1"])),
    }  # fmt: skip
    if row["who"] == "some":
        row["segment"] = str(rng.choice(["issue_type=refund", "channel=chat, phone"]))
    bins = pd.DataFrame({"period": pd.date_range("2026-10-05", periods=672, freq="h"), "cases": 20.0})
    bins["seen"], bins["expected"] = 3.0, np.where(bins["period"].dt.hour < 20, 3.0, 0.0)
    return Incidents(pd.DataFrame([row]), metric, bins, None, int(rng.integers(3)), int(rng.integers(3)))


def test_random_incidents_read_well() -> None:
    for seed in range(100):
        found = incidents(np.random.default_rng(seed))
        told, card = list(found.findings(Evidence((found,), SOURCE))), incident_card(found)
        lines = [line["text"] for line in summary.lines(told, [], [card], [], "", SOURCE)]
        texts = [*said(told, [], {}), *lines, found.headline, *found.display.astype(str).to_numpy().ravel()]
        for text in texts:
            assert not NO_NUMBER.search(text), (seed, text)
            assert not re.search(r"\b1 (calls|queries)\b", text), (seed, text)
