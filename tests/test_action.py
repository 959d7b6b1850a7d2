"""A study per action: which actions there is a report for, what one asks, what its run depends on, how it is told."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from studies import write_study

import rca
from rca.batch.key import data_of, inputs_of
from rca.batch.plan import plan
from rca.batch.record import Findings
from rca.cube import Cube
from rca.errors import InputError, TooLittleData
from rca.findings import MIME

ACTIONS = """action_id,vendor,title,owner,metric,segment,due,status,effective,expected_effect
A-1,North,Label check,Quality lead,late,market=MX,2026-05-01,done,2026-05-04,-0.02
A-2,South,Second scan,Quality lead,late,,2026-06-01,open,,
A-3,,Weekly call,Quality lead,,,2026-06-01,done,2026-05-04,
A-4,,Night pick-up,Quality lead,late,,2026-06-01,done,2026-05-11,
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = write_study(tmp_path, for_each="action")
    (tmp_path / "actions.csv").write_text(ACTIONS)
    with (tmp_path / "cases.yml").open("a") as contract:
        contract.write("actions: actions.csv\n")
    return path


class TestStudy:
    def test_there_is_a_report_for_each_action_in_effect_on_a_kpi(self, study: Path) -> None:
        [one] = plan([study], study.parent / "outputs")
        assert [run.scope for run in one.runs] == [{"action": "A-1"}, {"action": "A-4"}]
        assert [run.parameters["scope"] for run in one.runs] == [run.scope for run in one.runs]
        assert [run.folder.name for run in one.runs] == ["A-1", "A-4"]

    def test_an_unknown_action_is_named(self, study: Path) -> None:
        write_study(study.parent, for_each="action", only=["A-5"])
        with pytest.raises(InputError, match=r"only: unknown action 'A-5'\. Did you mean"):
            plan([study], study.parent / "outputs")

    def test_without_a_table_of_actions_there_are_none(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"for_each: unknown dimension 'action'\. Known: vendor, market"):
            plan([write_study(tmp_path, for_each="action")], tmp_path / "outputs")

    def test_a_run_depends_on_the_cases_of_all_and_on_the_actions(self, study: Path) -> None:
        """The others are what it compares with."""

        def inputs() -> dict[str, str]:
            [one] = plan([study], study.parent / "outputs")
            return inputs_of(one.runs[0], one.source, data_of(one.source, "action"))

        first, cases = inputs(), study.parent / "cases.csv"
        assert inputs() == first
        lines = cases.read_text().splitlines()
        place = next(i for i, line in enumerate(lines) if ",South," in line)
        lines[place] = lines[place][:-1] + "01"[lines[place].endswith("0")]
        cases.write_text("\n".join(lines) + "\n")
        assert [name for name, value in inputs().items() if value != first[name]] == ["data"]
        (study.parent / "actions.csv").write_text(ACTIONS.replace("-0.02", "-0.03"))
        assert "events and actions" in [name for name, value in inputs().items() if value != first[name]]


class TestAction:
    def ask(self, study: Path, name: str) -> Any:
        return rca.action(rca.open_source(study.parent / "cases.yml", scope={"action": name}))

    def test_what_it_asks_of_a_fix_check(self, study: Path) -> None:
        found = self.ask(study, "A-1")
        assert found.terms("vendor") == {
            "change_at": pd.Timestamp("2026-05-04"),
            "where": {"vendor": "North", "market": "MX"},
            "controls": "vendor",
        }
        assert (found.metric, found.expected, found.others(["late", "lost"])) == ("late", -0.02, ["lost"])
        assert "hoped for: -0.02" in repr(found)

    def test_the_table_may_say_since_when_there_was_a_problem(self, study: Path) -> None:
        head, *rows = ACTIONS.splitlines()
        dated = [f"{head},problem_since", *(f"{row},2026-03-02" for row in rows)]
        (study.parent / "actions.csv").write_text("\n".join(dated) + "\n")
        assert self.ask(study, "A-1").problem_since == pd.Timestamp("2026-03-02")

    def test_what_was_done_everywhere_has_no_siblings(self, study: Path) -> None:
        assert self.ask(study, "A-4").terms("vendor")["controls"] is None

    def test_its_source_has_the_cases_of_all_and_this_action_alone(self, study: Path) -> None:
        source = rca.open_source(study.parent / "cases.yml", scope={"action": "A-1"})
        assert source.cases == rca.open_source(study.parent / "cases.yml").cases
        assert source.actions["action_id"].tolist() == ["A-1"]

    @pytest.mark.parametrize(
        ("name", "error", "message"),
        [
            ("A-2", TooLittleData, "A-2 Second scan is not in effect yet"),
            ("A-3", InputError, "action A-3 names no metric"),
            ("A-9", InputError, "cases has no action 'A-9'"),
        ],
    )
    def test_an_action_that_cannot_be_judged_says_why(
        self, study: Path, name: str, error: type[Exception], message: str
    ) -> None:
        with pytest.raises(error, match=message):
            self.ask(study, name)


LATE = rca.Metric(name="late", label="Late deliveries", kind="proportion", better="down", cases="orders")
LOST = rca.Metric(name="lost", label="Lost parcels", kind="proportion", better="down", cases="orders")
WEEKS = pd.date_range("2026-01-05", periods=40, freq="7D")
ROW = {
    "action_id": "A-1", "title": "Label check", "owner": "Quality lead", "metric": "late", "segment": "", "due": pd.NaT,
    "status": "done", "effective": WEEKS[26], "expected_effect": -0.06,
}  # fmt: skip


def check(metric: rca.Metric, step: float, after: int = 14, expected: float | None = -0.06) -> Any:
    weeks = np.arange(26 + after)
    total = 1000 * (0.2 + step * (weeks >= 26)) + 12 * (-1.0) ** (weeks // 3)
    frame = pd.DataFrame({"period": WEEKS[: 26 + after], "n": 1000, "total": total.round()})
    return rca.fix_check(Cube(frame, metric), change_at=WEEKS[26], ramp=0, expected=expected)


def told(*checks: Any) -> dict[str, Any]:
    source = SimpleNamespace(
        audience="internal",
        scope={"action": "A-1"},
        actions=pd.DataFrame([ROW]),
        facts={},
        dimensions=(),
        about_action=True,
        families={},
        name="orders",
    )
    return rca.findings(*checks, source=source).record


@pytest.mark.parametrize(
    ("step", "after", "verdict", "status", "headline"),
    [
        (-0.1, 14, "worked", "better", "Label check worked: late deliveries fell by 10.2 points."),
        (0.1, 14, "got worse", "attention", "Label check made it worse: late deliveries rose by 9.8 points."),
        (0.0, 14, "no effect", "quiet", "Label check had no effect: late deliveries changed by less than "),
        (0.0, 2, "cannot be told yet", "quiet", "Whether “Label check” worked cannot be told yet."),
    ],
)
def test_the_verdict_is_the_first_finding(
    step: float, after: int, verdict: str, status: str, headline: str
) -> None:
    record = told(check(LATE, step, after), check(LOST, 0.0, after, None))
    assert record["title"].startswith(headline)
    assert (record["status"], record["findings"][0]["tag"], len(record["findings"])) == (status, verdict, 1)
    assert record["findings"][0]["actions"] == ["A-1"]
    assert [(card["label"], card["status_text"]) for card in record["kpis"]] == [
        ("Late deliveries", verdict),
        ("Lost parcels", "no effect shown"),
    ]
    Findings.model_validate(record)


def test_a_side_effect_is_told_after_the_verdict() -> None:
    record = told(check(LOST, 0.1, expected=None), check(LATE, -0.1))
    assert [f["tag"] for f in record["findings"]] == ["worked", "side effect, got worse"]
    assert record["findings"][1]["title"].startswith("Side effect: lost parcels 20.")
    assert record["status"] == "attention"


def test_the_findings_are_an_output_of_the_published_kind() -> None:
    source = SimpleNamespace(
        audience="internal",
        scope={},
        actions=pd.DataFrame(),
        facts={},
        dimensions=(),
        about_action=False,
        families={},
    )
    bundle = rca.findings(check(LATE, -0.1), source=source)._repr_mimebundle_()
    assert bundle[MIME]["title"] == "The fix worked: late deliveries fell by 10.2 points."
