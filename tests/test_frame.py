"""The project's frame: what conda, pip and the layout promise agree with each other."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
CONDA_NAMES = {"ibis-framework[duckdb]": "ibis-duckdb", "duckdb": "python-duckdb"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def requirements() -> dict[str, str]:
    parts = [re.fullmatch(r"([\w.-]+(?:\[\w+\])?)(.*)", line) for line in PROJECT["dependencies"]]
    return {CONDA_NAMES.get(m[1], m[1]): m[2] for m in parts if m}


def test_environment_yml_agrees_with_pyproject() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    conda = [d for d in environment["dependencies"] if isinstance(d, str)]
    named = {m[1]: m[2] for m in (re.fullmatch(r"([\w-]+)(.*)", d) for d in conda) if m}
    assert named.pop("python") == PROJECT["requires-python"]
    assert named.pop("pip") == ""
    nbval = next(d for d in PROJECT["optional-dependencies"]["test"] if d.startswith("nbval"))
    assert {**requirements(), "nbval": nbval.removeprefix("nbval")} == named


def test_constraints_pin_every_requirement_and_name_no_place() -> None:
    text = (ROOT / "constraints.txt").read_text()
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in text.splitlines() if "==" in line}
    names = [re.split(r"[\[<>=]", d)[0].lower() for d in PROJECT["dependencies"]]
    names += [re.split(r"[\[<>=]", d)[0].lower() for d in PROJECT["optional-dependencies"]["test"]]
    assert set(names) <= pinned
    assert "://" not in text
    assert " @ " not in text


def test_files_stay_small_and_only_plotting_draws() -> None:
    for file in (ROOT / "rca").rglob("*.py"):
        source = file.read_text()
        if not {"plotting", "batch"} & set(file.parts):  # the batch only loads them once for all
            assert not re.search(r"^\s*(import|from) (matplotlib|seaborn)", source, re.M), f"{file} draws"
