"""Are the planted causes the first findings? One line per seed, one column per vendor of the sample marketplace.

    python bench/planted.py [first seed] [last seed]

`hit`: the first finding of the vendor's own is the planted one (metric, segment and direction, mix called mix); for the
vendors without one of their own: no finding. `bug`: the vendors told that the tool bug is common to all.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

import rca
from rca.sample import write_marketplace

STUDY = {
    "metrics": ["csat", "service_level", "handling_time", "escalation_rate"],
    "by": ["market", "channel", "issue_type", "tenure", "shift"],
    "before": "last 26 before last 8",
    "after": "last 8",
}
CONTRACT = Path(__file__).parents[1] / "params/sources/service_cases.yml"
# Vendor: kind, metrics that show it (the first finding is on one of them), segments that name it, direction.
PLANTED: dict[str, tuple[str, set[str], set[str], str]] = {
    "Andes": ("rate", {"csat"}, {"issue_type=refund & market=MX"}, "worse"),
    "Baltic": ("mix", {"csat", "handling_time"}, {"channel=chat"}, ""),
    "Cedar": ("mix", {"csat", "handling_time"}, {"tenure=0-29"}, "worse"),
    "Delta": ("rate", {"handling_time"}, {"all cases"}, "worse"),
    "Ember": ("rate", {"escalation_rate"}, {"issue_type=delivery"}, "better"),
    "Fjord": ("rate", {"service_level"}, {"market=BR & shift=night"}, "worse"),
}


def report(contract: Path, vendor: str, everyone: rca.Cube) -> dict:
    """The findings of one vendor, as the notebook makes them."""
    windows = {"before": STUDY["before"], "after": STUDY["after"]}
    source = rca.open_source(contract, scope={"vendor": vendor})
    cubes = rca.cubes(source, STUDY["metrics"], by=STUDY["by"])
    charts = rca.each(rca.control_chart, cubes, baseline=STUDY["before"])
    changes = rca.each(rca.localize, cubes, **windows)
    mixes = rca.each(rca.mix, cubes, **windows)
    reaches = rca.each(rca.reach, everyone, change=changes, scope={"vendor": vendor})
    return rca.findings(charts, changes, mixes, reaches, source=source).record


def verdict(vendor: str, record: dict) -> str:
    found = record["findings"]
    if vendor not in PLANTED:
        return "hit" if not found else f"FALSE {found[0]['title']}"
    if not found:
        return "MISSED"
    kind, metrics, segments, direction = PLANTED[vendor]
    top = found[0]
    right = top["kind"] == kind and top["metric"] in metrics and top["segment"] in segments
    right = right and direction in ("", top["direction"])
    extra = f" +{len(found) - 1}" if len(found) > 1 else ""
    return f"hit{extra}" if right else f"WRONG {top['metric']} {top['title']}"


def records(seed: int) -> dict[str, dict]:
    """The findings of every vendor of the sample marketplace of a seed."""
    with tempfile.TemporaryDirectory() as folder:
        write_marketplace(folder, seed=seed)
        contract = Path(folder) / "service_cases.yml"
        contract.write_text(CONTRACT.read_text().replace("data/sample/", ""))
        source = rca.open_source(contract)
        everyone = rca.cubes(source, STUDY["metrics"], by=[*STUDY["by"], "vendor"])
        return {vendor: report(contract, vendor, everyone) for vendor in sorted(source.values("vendor").index)}


def main(first: int, last: int) -> None:
    counts: Counter[str] = Counter()
    for seed in range(first, last + 1):
        found = records(seed)
        verdicts = {vendor: verdict(vendor, record) for vendor, record in found.items()}
        bug = sum(any(f["metric"] == "service_level" for f in r["common"]) for r in found.values())
        other = [f["title"] for r in found.values() for f in r["common"] if f["metric"] != "service_level"]
        counts.update({vendor: v.startswith("hit") for vendor, v in verdicts.items()})
        counts["bug"] += bug
        print(
            f"seed {seed}: {'; '.join(f'{k} {v}' for k, v in verdicts.items())}; bug {bug} of 8; {other}",
            flush=True,
        )
    print(dict(counts))


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:3]) if len(sys.argv) > 2 else (1, 20))
