"""Run rules against R's qcc, on series made by hand, and their rates against closed forms and simulation."""

import json
from pathlib import Path

import numpy as np
import pytest

from rca import rules
from rca.errors import InputError

REFERENCE = json.loads((Path(__file__).parent / "reference" / "control_charts.json").read_text(encoding="utf-8"))
NAMES = {f"N{i + 1}": name for i, name in enumerate(rules.SETS["nelson"])} | {
    f"WE{i + 1}": name for i, name in enumerate(rules.SETS["western_electric"])
}
WANTED = [
    (case["name"], rule, case["z"], points)
    for case in REFERENCE["rules"]["cases"]
    for family in ("nelson", "western_electric")
    for rule, points in case[family].items()
]


def marked(rule, z):
    return (np.flatnonzero(rules.find(rule, np.array(z, dtype=float))) + 1).tolist()


@pytest.mark.parametrize(
    ("case", "rule", "z", "points"), WANTED, ids=[f"{case}-{rule}" for case, rule, _, _ in WANTED]
)
def test_rule_marks_the_points_that_qcc_marks(case, rule, z, points):
    assert marked(NAMES[rule], z) == points


def test_there_are_236_comparisons_with_nelson_and_116_with_western_electric():
    assert sum(rule.startswith("N") for _, rule, _, _ in WANTED) == 236
    assert sum(rule.startswith("WE") for _, rule, _, _ in WANTED) == 116


@pytest.mark.parametrize("case", REFERENCE["xbar_rules"], ids=lambda case: case["name"])
def test_rules_on_the_piston_rings(case):
    """Means of five rings in sigmas of a mean (qcc takes sigma from ranges)."""
    z = (np.array(case["values"]) - case["center"]) / (case["sigma"] / np.sqrt(case["n"]))
    for rule, points in case["signals"].items():
        assert marked(rule, z) == points, rule


def test_anhoej_critical_values():
    published = REFERENCE["anhoej"]
    assert [rules.longest_run(n) for n in published["n"]] == published["longest_run_max"]
    assert [rules.fewest_crossings(n) for n in published["n"]] == published["crossings_min"]


@pytest.mark.parametrize("rule", list(rules.RULES))
def test_share_of_points_that_noise_marks(rule):
    length, settled = (52, 0) if rule in ("long_run", "few_crossings") else (2000, 20)
    marks = rules.find(rule, np.random.default_rng(1).standard_normal((4000, length)))[:, settled:]
    error = marks.mean(axis=1).std() / np.sqrt(len(marks))
    assert abs(marks.mean() - rules.RULES[rule].rate) < 4 * error + 5e-5


@pytest.mark.parametrize("rule", list(rules.RULES))
def test_many_series_at_once_are_as_one_by_one(rule):
    z = np.random.default_rng(2).standard_normal((30, 60)).cumsum(axis=1) / 2
    z[3, 10] = z[7, 20:23] = np.nan
    together = rules.find(rule, z)
    assert all((together[i] == rules.find(rule, z[i])).all() for i in range(30))


@pytest.mark.parametrize("rule", list(rules.RULES))
def test_a_missing_point_breaks_no_pattern_and_is_not_marked(rule):
    z = np.random.default_rng(3).standard_normal(80).cumsum() / 2
    holes = np.insert(z, [5, 30, 30, 60], np.nan)
    seen = ~np.isnan(holes)
    found = rules.find(rule, holes)
    assert (found[seen] == rules.find(rule, z)).all()
    assert not found[~seen].any()


@pytest.mark.parametrize("rule", list(rules.RULES))
@pytest.mark.parametrize("count", range(4))
def test_fewer_points_than_a_rule_needs_mark_nothing(rule, count):
    assert not rules.find(rule, np.full(count, 0.5)).any()


@pytest.mark.parametrize("rule", [r for r in rules.RULES if r not in ("trend_of_six", "trend_of_seven")])
def test_a_series_upside_down_gives_the_same_marks(rule):
    z = np.random.default_rng(4).standard_normal(300)
    assert (rules.find(rule, z) == rules.find(rule, -z)).all()


def test_two_of_three_of_the_two_books_differ_where_the_third_is_on_the_other_side():
    """Nelson 5 needs the last point beyond; plot the dots wants all three on one side and any two beyond."""
    assert marked("two_of_three", [0, 2.1, -0.5, 2.2]) == [4]
    assert marked("two_of_three_same_side", [0, 2.1, -0.5, 2.2]) == []
    assert marked("two_of_three_same_side", [0.1, 2.1, 2.2, 0.5]) == [3, 4]


def test_direction():
    z = np.array([0.5, 3.2, -3.2, 0.0])
    assert rules.direction("beyond_limits", z).tolist() == [1, 1, -1, 0]
    assert rules.direction("trend_of_six", z).tolist() == [0, 1, -1, 1]
    assert rules.direction("fourteen_alternating", z).tolist() == [0, 0, 0, 0]


def test_an_unknown_rule_is_named_with_what_would_work():
    with pytest.raises(InputError, match=r"unknown rule 'nelsen'\. Did you mean 'nelson'"):
        rules.names("nelsen")
