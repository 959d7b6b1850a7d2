"""Exploring: the call that made a picture makes it again, a saved choice is a study, and all works without widgets."""

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import rca
from rca.batch.plan import plan
from rca.explore import VIEWS, Choice
from rca.sample import write_marketplace

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small sample, its contract and the notebook."""
    folder = tmp_path_factory.mktemp("explore")
    write_marketplace(folder / "data" / "sample", cases=20_000)
    for name in ("params/sources/service_cases.yml", "notebooks/explore.ipynb"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    return folder


@pytest.fixture
def contract(place: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(place / "notebooks")
    return "params/sources/service_cases.yml"


def controls(widget: Any) -> dict[str, Any]:
    """The controls by their description."""
    inner = [item for child in getattr(widget, "children", ()) for item in controls(child).items()]
    return dict([*inner, (getattr(widget, "description", ""), widget)])


def test_what_is_left_open_is_filled_in_and_mistakes_are_named(contract: str) -> None:
    chosen = rca.explore(contract, scope={"vendor": "Andes"}).choice
    assert (chosen.metric, chosen.by, chosen.split) == (
        "csat",
        ["market", "channel", "language", "issue_type"],
        "market",
    )
    with pytest.raises(rca.InputError, match="explore has no 'metrc'"):
        rca.explore(contract, metrc="csat")
    with pytest.raises(rca.InputError, match="unknown dimension 'markt'"):
        rca.explore(contract, by=["markt"])
    with pytest.raises(rca.InputError, match="unknown view 'chart'"):
        rca.explore(contract).call("chart")


@pytest.mark.parametrize("view", VIEWS)
def test_the_call_makes_the_same_picture(contract: str, view: str) -> None:
    explorer = rca.explore(contract, scope={"vendor": "Andes"}, by=["market", "channel"], split="issue_type")
    made: dict[str, Any] = {}
    exec(explorer.call(view), made)
    drawn = explorer.result(view).plot()
    assert [t.get_text() for t in made["ax"].texts] == [t.get_text() for t in drawn.texts]
    assert made["ax"].get_title("left") == drawn.get_title("left") != ""


@pytest.mark.parametrize("scope", [{"vendor": "Andes"}, {}])
def test_a_saved_choice_is_a_study_of_the_notebook(contract: str, place: Path, scope: dict[str, str]) -> None:
    explorer = rca.explore(contract, scope=scope, metric="handling_time", after="last 4", period="W")
    path = explorer.save(f"mine_{len(scope)}")
    assert path.parent == place / "params"
    (one,) = plan([path], place / "outputs")
    assert [run.scope for run in one.runs] == [scope]
    again = Choice(**one.runs[0].parameters)
    assert again == explorer.choice
    assert yaml.safe_load(path.read_text())["title"] == f"Handling time, {scope.get('vendor', 'all')}"
    with pytest.raises(rca.InputError, match="is there already"):
        explorer.save(f"mine_{len(scope)}")
    with pytest.raises(rca.InputError, match="no name for a file"):
        explorer.save("../mine")


def test_controls_change_the_choice_and_say_what_cannot_be(contract: str, place: Path) -> None:
    (place / "params/sources/broken.yml").write_text("table: <b>none.csv\n")
    explorer = rca.explore(contract, scope={"vendor": "Andes"}, widgets=True)
    of = controls(explorer.controls)
    of["source"].value = "params/sources/broken.yml"
    assert of["source"].value == explorer.choice.source == contract
    assert "broken.yml" in explorer.controls.children[-1].value
    of["metric"].value = "handling_time"
    of["is"].value = "Delta"
    of["search"].value = ("market", "shift")
    assert (explorer.choice.metric, explorer.choice.scope) == ("handling_time", {"vendor": "Delta"})
    assert explorer.result("localize").metric.name == "handling_time"
    assert explorer.cases.scope == {"vendor": "Delta"}
    of["scope"].value = "all"
    assert (explorer.choice.scope, explorer.cases.scope) == ({}, {})
    of["after"].value = "the last 8"
    assert "is not a window" in str(explorer._looks("localize")[0].data)
    of["save as"].value = "from_controls"
    of["Save as a study"].click()
    assert (place / "params/from_controls.yml").exists()


def test_without_widgets_the_same_cells_show_the_result(
    contract: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "explore.ipynb")
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    explorer = rca.explore(contract, metric="csat")
    assert "csat" in explorer._repr_mimebundle_()["text/html"]
    explorer.show("pareto")
    assert "<Pareto: By vendor" in capsys.readouterr().out
    with pytest.raises(rca.InputError, match="is not a window"):
        rca.explore(contract, after="the last 8").show("pareto")
