"""Does the review of every action in the sample marketplace say what it must? One line per seed.

    python bench/planted_actions.py [first seed] [last seed]

`hit`: the first finding of the action's report has the verdict of the truth file.
"""

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

import rca
from rca.sample import write_marketplace

CONTRACT = Path(__file__).parents[1] / "params/sources/service_cases.yml"
METRICS = ["csat", "service_level", "handling_time", "escalation_rate"]
OPTIONS = {"ramp": 2, "repeated": True}


def report(contract: Path, action_id: str) -> dict:
    """The findings of one action, as the notebook makes them."""
    source = rca.open_source(contract, scope={"action": action_id})
    action = rca.action(source)
    by, terms = list(action.where), action.terms("vendor")
    cube = rca.cube(source, action.metric, by=by)
    hopes = {"expected": action.expected, "problem_since": action.problem_since}
    check = rca.fix_check(cube, **terms, **hopes, **OPTIONS)
    others = rca.cubes(source, action.others(METRICS), by=by)
    sides = rca.each(rca.fix_check, others, **terms, **OPTIONS)
    return rca.findings(check, sides, source=source).record


def verdicts(seed: int) -> dict[str, str]:
    """`hit`, or what is wrong, for each action of the sample marketplace of a seed."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        write_marketplace(folder, seed=seed)
        contract = Path(folder) / "service_cases.yml"
        contract.write_text(CONTRACT.read_text().replace("data/sample/", ""))
        truth = json.loads((Path(folder) / "truth.json").read_text())
        for planted in (record for record in truth if record["kind"] == "review"):
            first, *more = report(contract, planted["action_id"])["findings"]
            extra = "".join(f" + {finding['title']}" for finding in more)
            right = first["tag"] == planted["verdict"]
            found[planted["action_id"]] = f"hit{extra}" if right else f"WRONG {first['title']}"
    return found


def main(first: int, last: int) -> None:
    counts: Counter[str] = Counter()
    for seed in range(first, last + 1):
        found = verdicts(seed)
        counts.update({action: text.startswith("hit") for action, text in found.items()})
        print(f"seed {seed}: {'; '.join(f'{action} {text}' for action, text in found.items())}", flush=True)
    print(dict(counts))


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:3]) if len(sys.argv) > 2 else (1, 10))
