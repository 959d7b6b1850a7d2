"""Studies and plans: everything wrong is said at once, one line each, before a kernel starts."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from studies import VENDORS, write_study

from rca.batch.folders import safe_names
from rca.batch.parameters import parse_parameters, wrong_parameters
from rca.batch.plan import only_named, plan
from rca.batch.study import read_study
from rca.errors import InputError

CELL = """
source: str = "cases.yml"  # the contract
scope: dict = {}  # whom it is about
metrics: list[str] = []  # KPIs
window: str | list | None = None
mode: Literal["fast", "slow"] = "fast"
share: float = 0.5
count: int
"""


def lines(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        plan([path], path.parent / "outputs")
    return [line.removeprefix(f"{path}: ") for line in str(caught.value).splitlines()]


def test_the_parameters_cell_is_the_schema():
    found = parse_parameters(CELL)
    assert list(found) == ["source", "scope", "metrics", "window", "mode", "share", "count"]
    assert found["source"].comment == "the contract"
    assert [name for name, parameter in found.items() if parameter.required] == ["count"]


@pytest.mark.parametrize(
    ("name", "value", "fits"),
    [
        ("metrics", ["a"], True),
        ("metrics", [1], False),
        ("metrics", "a", False),
        ("window", None, True),
        ("window", "last 4", True),
        ("window", ["2026-01-01", "2026-01-31"], True),
        ("window", 4, False),
        ("mode", "slow", True),
        ("mode", "slwo", False),
        ("share", 1, True),  # YAML writes 1.0 as 1
        ("share", "1", False),
        ("count", 1.5, False),
        ("count", True, False),
    ],
)
def test_types_are_checked_strictly(name, value, fits):
    problems = wrong_parameters(parse_parameters(CELL), {name: value})
    assert (problems == []) == fits
    if not fits:
        assert name in problems[0]
        assert repr(value) in problems[0]


@pytest.mark.parametrize("code", ["x = 1", "import os", "x: os.PathLike = 1", "x: str ="])
def test_other_code_in_the_parameters_cell_is_refused(code):
    with pytest.raises(InputError):
        parse_parameters(code)


def test_a_parameters_cell_is_never_executed(tmp_path):
    target = tmp_path / "made"
    parse_parameters(f'x: str = open({str(target)!r}, "w").write("")')
    assert not target.exists()


def test_a_plan_has_a_run_for_each_vendor(tmp_path):
    (one,) = plan([write_study(tmp_path, parameters={"behave": {"North": "fail"}})], tmp_path / "outputs")
    assert [run.name for run in one.runs] == VENDORS
    run = one.runs[1]
    assert run.parameters == {
        "source": "cases.yml",
        "scope": {"vendor": "North"},
        "metrics": ["late"],
        "by": ["market"],
        "behave": {"North": "fail"},
    }
    assert run.folder == tmp_path / "outputs" / "study" / "North"
    assert len({run.folder for run in one.runs}) == len(VENDORS)


def test_the_largest_come_first(tmp_path):
    (one,) = plan([write_study(tmp_path, largest=2)], tmp_path)
    assert [run.name for run in one.runs] == ["North", "South"]  # 60 and 50 of the 153 cases


def test_only_some_values(tmp_path):
    (one,) = plan([write_study(tmp_path, only=["Tiny", "North"])], tmp_path)
    assert [run.name for run in one.runs] == ["North", "Tiny"]
    assert [run.name for run in only_named(one.runs, ["Tiny"])] == ["Tiny"]
    with pytest.raises(InputError, match="Did you mean 'Tiny'"):
        only_named(one.runs, ["Tinny"])


def test_dates_of_yaml_reach_the_notebook_as_text(tmp_path):
    path = write_study(tmp_path, parameters={"within": [dt.date(2026, 2, 9), dt.date(2026, 3, 1)]})
    assert "2026-02-09\n" in path.read_text()  # not quoted, so that YAML reads a date
    assert read_study(path).parameters["within"] == ["2026-02-09", "2026-03-01"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"parameters": {"metrcs": []}}, "unknown parameter 'metrcs'. Did you mean 'metrics'?"),
        ({"parameters": {"metrics": "late"}}, "parameter 'metrics' must be list, got 'late'."),
        ({"parameters": {"metrics": ["lat"]}}, "metrics: unknown metric 'lat'. Did you mean 'late'?"),
        ({"parameters": {"by": ["markt"]}}, "by: unknown dimension 'markt'. Did you mean 'market'?"),
        ({"parameters": {"period": "Q"}}, "period: unknown period 'Q'. Known: D, W, M."),
        ({"parameters": {"scope": {}}}, "parameter 'scope' comes from the study itself"),
        ({"only": ["Nort"]}, "only: unknown vendor 'Nort'. Did you mean 'North'?"),
        ({"for_each": "vendr"}, "for_each: unknown dimension 'vendr'. Did you mean 'vendor'?"),
        ({"notebook": "fixtur.ipynb"}, "no file 'fixtur.ipynb'"),
        ({"source": "case.yml"}, "no file 'case.yml'"),
        ({"title": None}, "title"),
        ({"forech": "vendor"}, "forech"),
    ],
)
def test_a_mistake_is_one_clear_line(tmp_path, changes, said):
    found = lines(write_study(tmp_path, **changes))
    assert len(found) == 1
    assert said in found[0]


def test_all_mistakes_of_all_studies_are_said_at_once(tmp_path):
    first = write_study(tmp_path, "first", notebook="no.ipynb", parameters={"metrics": ["lat"]})
    second = write_study(tmp_path, "second", parameters={"metrcs": [], "by": ["markt"]})
    with pytest.raises(InputError) as caught:
        plan([first, second, tmp_path / "third.yml"], tmp_path)
    said = str(caught.value).splitlines()
    assert len(said) == 5
    assert [sum(f"{name}.yml:" in line for line in said) for name in ("first", "second")] == [2, 2]


def test_two_studies_of_the_same_name_are_refused(tmp_path):
    paths = [write_study(tmp_path / "a"), write_study(tmp_path / "b")]
    with pytest.raises(InputError, match="two studies are called 'study'"):
        plan(paths, tmp_path)


HOSTILE = [
    "../x",
    "x/..",
    "CON",
    "con.txt",
    "",
    ".",
    "..",
    "a" * 300,
    "🙂",
    "\u202eevil",
    "Andes",
    "andes",
    "index",
    "a\0b",
]


def test_hostile_names_land_in_one_safe_folder_each(tmp_path):
    folders = safe_names(HOSTILE)
    assert len({folder.casefold() for folder in folders}) == len(HOSTILE)
    for folder in folders:
        (tmp_path / folder).mkdir()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(folders)


@given(st.lists(st.text(max_size=30), unique=True, max_size=8))
def test_no_two_names_share_a_folder(names):
    folders = safe_names([*names, *safe_names(names)] if not set(names) & set(safe_names(names)) else names)
    assert len({folder.casefold() for folder in folders}) == len(folders)
    assert all(Path(folder).name == folder and not folder.startswith(".") for folder in folders)


def test_a_study_that_is_not_for_each_of_something_makes_one_report_on_all(tmp_path):
    path = write_study(tmp_path, for_each=None)
    (one,) = plan([path], tmp_path / "outputs")
    assert [(run.name, run.scope, run.folder.name) for run in one.runs] == [("all", {}, "all")]
    assert one.runs[0].parameters["scope"] == {}
    partner = write_study(tmp_path, "partner", for_each=None, parameters={"audience": "partner"})
    assert any("a report on all is for no partner" in line for line in lines(partner))
