"""Is what was planted in the sample marketplace the first finding of its report? One line per seed and study.

    python bench/planted.py [first seed] [last seed] [study ...]

A report is made by the cells of the study's own notebook, with the study's parameters. `hit`: the first finding is the
planted one (what, where and which way); of a scope in which nothing was planted: no finding; `+1`: another one follows.
"""

import json
import re
import sys
import tempfile
from collections import Counter
from itertools import permutations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import yaml

import rca
from rca import sample_contacts, sample_escalations, sample_governance, sample_moderation
from rca.action import reviewable
from rca.incidents import WORDS, when
from rca.sample import write_sample
from rca.sample_stories import STORIES, VERDICTS

ROOT = Path(__file__).parents[1]
Wanted = dict[str, Any]  # of the first finding: field -> the values that are right
SLACK = [pd.Timedelta(minutes=10 * bins) for bins in (-2, -1, 0, 1, 2)]
# Vendor: kind, metrics that show it (the first finding is on one of them), segments that name it, directions.
VENDORS: dict[str, Wanted] = {
    vendor: {"kind": {kind}, "metric": metrics, "segment": {segment}, "direction": directions}
    for vendor, kind, metrics, segment, directions in (
        ("Andes", "rate", {"csat"}, "issue_type=refund & market=MX", {"worse"}),
        ("Baltic", "mix", {"csat", "handling_time"}, "channel=chat", {"worse", "better"}),
        ("Cedar", "mix", {"csat", "handling_time"}, "tenure=0-29", {"worse"}),
        ("Delta", "rate", {"handling_time"}, "all cases", {"worse"}),
        ("Ember", "rate", {"escalation_rate"}, "issue_type=delivery", {"better"}),
        ("Fjord", "rate", {"service_level"}, "market=BR & shift=night", {"worse"}),
    )
}


def incident(one: sample_contacts.Incident) -> Wanted:
    start, end = pd.Timestamp(one.start), pd.Timestamp(one.end)
    times = [SimpleNamespace(start=start + early, end=end + late) for early in SLACK for late in SLACK]
    return {"tag": {WORDS[one.kind][0]}, "where": [dict(one.where)], "when": [when(row) for row in times]}


def change(story: sample_escalations.Story | sample_moderation.Story) -> Wanted:
    way = "worse" if story.effect > 0 else "better"
    return {"metric": {story.metric}, "where": [dict(story.where)], "direction": {way}}


def governance() -> dict[str, Wanted]:
    """Several stories of one market are several sellers."""
    found: dict[str, Wanted] = {}
    for story in sample_governance.STORIES:
        way = "worse" if story.effect > 0 else "better"
        found[story.market] = {"metric": {story.metric}, "direction": {way}, "where": [dict(story.where)]}
    together = permutations(sample_governance.REPEATING)
    found["ES"] |= {"kind": {"offenders"}, "where": [{"seller": ", ".join(names)} for names in together]}
    found["PL"]["kind"] = {"drift"}
    return found


# Whose the first finding of a report on all may be: each has a story that makes it worse.
WORSE = [{"vendor": name} for name in ("Andes", "Cedar", "Delta", "Fjord")]
PLACES = [
    dict(cause.where) | {"vendor": cause.vendor} for cause in STORIES if cause.kind == "rate" and cause.vendor
]
# Study: what is to be found in each scope; a scope that is not named has no finding.
STUDIES: dict[str, dict[str, Wanted]] = {
    "vendor_performance": VENDORS,
    "portfolio": {"all": {"kind": {"level", "rate"}, "where": [*WORSE, *PLACES], "direction": {"worse"}}},
    "improvement_review": {action: {"tag": {verdict}} for action, verdict in VERDICTS.items()},
    "incidents": {one.market: incident(one) for one in sample_contacts.INCIDENTS},
    "escalations": {story.market: change(story) for story in sample_escalations.STORIES},
    "moderation_quality": {story.vendor: change(story) for story in sample_moderation.STORIES if story.metric},
    "seller_governance": governance(),
}


def make(folder: Path, seed: int) -> None:
    """Write the sample of a seed, and the contracts that read it."""
    write_sample(folder, seed=seed)
    for contract in (ROOT / "params/sources").glob("*.yml"):
        text = contract.read_text(encoding="utf-8").replace("data/sample/", "")
        (folder / contract.name).write_text(text, encoding="utf-8")


def reports(study: str, folder: Path, only: list[str] | None = None) -> dict[str, dict[str, Any]]:
    """The record of the findings of every scope of a study, or of some."""
    given = yaml.safe_load((ROOT / f"params/{study}.yml").read_text(encoding="utf-8"))
    source, each = str(folder / Path(given["source"]).name), given.get("for_each")
    notebook = json.loads((ROOT / given["notebook"]).read_text(encoding="utf-8"))
    first, *cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    cells[-1] = re.sub(r"^rca\.findings", "last = rca.findings", cells[-1], flags=re.MULTILINE)
    whole = rca.open_source(source)
    found = {}
    every = ["all"] if not each else reviewable(whole) if each == "action" else sorted(whole.values(each).index)
    for scope in only or every:
        made: dict[str, Any] = {}
        exec(first, made)
        made |= {**given["parameters"], "source": source, "scope": {each: scope} if each else {}}
        for cell in cells:
            if not cell.startswith("ax = "):  # pictures find nothing
                exec(cell, made)
        found[scope] = made["last"].record
    return found


def verdict(wanted: Wanted | None, found: list[dict[str, Any]]) -> str:
    """`hit`, or what is wrong."""
    if wanted is None or not found:
        return "hit" if wanted is None and not found else f"FALSE {found[0]['title']}" if found else "MISSED"
    right = all(found[0][field] in values for field, values in wanted.items())
    return "hit" + f" +{len(found) - 1}" * (len(found) > 1) if right else f"WRONG {found[0]['title']}"


def verdicts(study: str, records: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {scope: verdict(STUDIES[study].get(scope), record["findings"]) for scope, record in records.items()}


def main(first: int, last: int, studies: list[str]) -> None:
    counts: Counter[str] = Counter()
    for seed in range(first, last + 1):
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), seed)
            for study in studies or STUDIES:
                records = reports(study, Path(folder))
                told = verdicts(study, records)
                counts.update({f"{study} {scope}": text.startswith("hit") for scope, text in told.items()})
                shared = Counter(f["metric"] for record in records.values() for f in record["common"])
                common = f"; common to all: {dict(shared)}" * bool(shared)
                print(f"seed {seed} {study}: {'; '.join(f'{k} {v}' for k, v in told.items())}{common}", flush=True)
    print({name: count for name, count in counts.items() if count <= last - first} or "all hit")


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:3]), sys.argv[3:]) if len(sys.argv) > 2 else main(1, 10, [])
