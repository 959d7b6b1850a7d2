"""Are the planted incidents the first findings? One line per seed, one column per market of the sample contacts.

    python bench/planted_incidents.py [first seed] [last seed]

`hit`: the first finding is the planted incident, of the right kind and segment, start and end within two bins; for the
quiet market: no finding.
"""

import sys
import tempfile
from pathlib import Path

import pandas as pd

import rca
from rca.sample_contacts import INCIDENTS, ZONES, write_contacts

CONTRACT = Path(__file__).parents[1] / "params/sources/contacts.yml"
BY = ["channel", "vendor", "issue_type"]


def verdict(contract: Path, market: str) -> str:
    """What the report of a market finds first."""
    source = rca.open_source(contract, scope={"market": market})
    cube = rca.cube(source, "abandoned", by=BY, period="10min", within="last 56")
    incidents = rca.incidents(cube, events=source.events)
    found = rca.findings(incidents, source=source).record["findings"]
    planted = [one for one in INCIDENTS if one.market == market]
    if not planted:
        return "hit" if not found else f"FALSE {found[0]['title']}"
    if not found:
        return "MISSED"
    [one], first, row = planted, found[0], incidents.table.iloc[0]
    off = abs(row["start"] - pd.Timestamp(one.start)), abs(row["end"] - pd.Timestamp(one.end))
    right = first["tag"].startswith({"rate": "incident"}.get(one.kind, one.kind)) and first["where"] == dict(
        one.where
    )
    right = right and max(off) <= pd.Timedelta(minutes=20)
    return "hit" + f" +{len(found) - 1}" * (len(found) > 1) if right else f"WRONG {first['title']}"


def verdicts(seed: int) -> dict[str, str]:
    """Of every market."""
    with tempfile.TemporaryDirectory() as folder:
        write_contacts(folder, seed)
        contract = Path(folder) / "contacts.yml"
        contract.write_text(CONTRACT.read_text(encoding="utf-8").replace("data/sample/", ""), encoding="utf-8")
        return {market: verdict(contract, market) for market in ZONES}


if __name__ == "__main__":
    first, last = (int(a) for a in sys.argv[1:3]) if len(sys.argv) > 2 else (1, 10)
    for seed in range(first, last + 1):
        print(
            f"seed {seed}: {'; '.join(f'{market} {text}' for market, text in verdicts(seed).items())}", flush=True
        )
