"""Importance against R's relaimpo and relativeImp, and against the definitions written out."""

import json
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rca.importance import gvif, importance, johnson, lmg, r2_lattice, told_by

REFERENCE = json.loads((Path(__file__).parent / "reference" / "key_drivers.json").read_text())


def covariance(name: str, weights: np.ndarray | None = None) -> np.ndarray:
    data = np.array(REFERENCE[name]["data"])
    return np.cov(
        np.roll(data, -1, axis=1).T, fweights=weights
    )  # the outcome is the first column there, the last here


def r_squared(columns: np.ndarray, outcome: np.ndarray) -> float:
    design = np.column_stack([np.ones(len(outcome)), columns])
    left = outcome - design @ np.linalg.lstsq(design, outcome, rcond=None)[0]
    return 1 - left @ left / ((outcome - outcome.mean()) ** 2).sum()


def factors(
    rng: np.random.Generator, levels: tuple[int, ...], cases: int = 400
) -> tuple[list[np.ndarray], np.ndarray]:
    """Dummy columns of dependent factors, and an outcome that hangs on them."""
    shared = rng.normal(size=cases)
    codes = [pd.qcut(shared + rng.normal(size=cases), k, labels=False) for k in levels]
    outcome = sum(rng.normal(size=k)[c] for k, c in zip(levels, codes, strict=True)) + rng.normal(size=cases)
    return [np.eye(k)[c][:, 1:] for k, c in zip(levels, codes, strict=True)], np.asarray(outcome)


@pytest.mark.parametrize("name", ["swiss", "mtcars"])
def test_lmg_is_that_of_relaimpo(name):
    found = importance(covariance(name), [1] * len(REFERENCE[name]["lmg"]))
    assert np.abs(found - REFERENCE[name]["lmg"]).max() < 1e-9
    assert found.sum() == pytest.approx(REFERENCE[name]["r2"], abs=1e-9)


def test_weighted_lmg_is_that_of_relaimpo():
    found = importance(covariance("swiss", 1 + np.arange(1, 48) % 3), [1] * 5)
    assert np.abs(found - REFERENCE["swiss"]["weighted_lmg"]).max() < 1e-9
    assert found.sum() == pytest.approx(REFERENCE["swiss"]["weighted_r2"], abs=1e-9)


@pytest.mark.parametrize("name", ["swiss", "mtcars"])
def test_johnsons_weights_are_those_of_relative_imp(name):
    found = johnson(covariance(name), [1] * len(REFERENCE[name]["johnson"]))
    assert np.abs(found - REFERENCE[name]["johnson"]).max() < 1e-9


def test_lmg_of_factors_is_the_average_over_all_orders_of_entry():
    blocks, outcome = factors(np.random.default_rng(1), (2, 5, 3, 4))
    expected = np.zeros(4)
    for order in permutations(range(4)):
        before = 0.0
        for place, driver in enumerate(order):
            now = r_squared(np.column_stack([blocks[i] for i in order[: place + 1]]), outcome)
            expected[driver] += (now - before) / 24
            before = now
    found = importance(np.cov(np.column_stack([*blocks, outcome]).T), [1, 4, 2, 3])
    assert found == pytest.approx(expected, abs=1e-12)


def test_two_drivers_are_alike_under_lmg_and_johnson():
    """For two predictors the two methods agree (Johnson 2000)."""
    joint = np.array([[1, 0.5, 0.6], [0.5, 1, 0.4], [0.6, 0.4, 1]])
    assert johnson(joint, [1, 1]) == pytest.approx(lmg(r2_lattice(joint, [1, 1])), abs=1e-12)
    assert johnson(joint, [1, 1]) == pytest.approx([0.2866666666666667, 0.08666666666666667], abs=1e-12)


def test_johnsons_weights_do_not_depend_on_the_coding_of_a_factor():
    rng = np.random.default_rng(2)
    blocks, outcome = factors(rng, (4, 3))
    recoded = [b @ rng.normal(size=(b.shape[1], b.shape[1])) for b in blocks]
    one, two = (johnson(np.cov(np.column_stack([*b, outcome]).T), [3, 2]) for b in (blocks, recoded))
    assert one == pytest.approx(two, abs=1e-9)
    assert one.sum() == pytest.approx(r_squared(np.column_stack(blocks), outcome), abs=1e-9)


def test_more_than_fifteen_drivers_take_johnsons_weights():
    rng = np.random.default_rng(3)
    cov = np.cov(rng.normal(size=(200, 17)).T)
    assert importance(cov, [1] * 16) == pytest.approx(johnson(cov, [1] * 16))


def test_a_driver_that_repeats_another_shares_its_part():
    blocks, outcome = factors(np.random.default_rng(4), (4, 3))
    alone = importance(np.cov(np.column_stack([*blocks, outcome]).T), [3, 2])
    twice = importance(np.cov(np.column_stack([*blocks, blocks[0], outcome]).T), [3, 2, 3])
    assert twice[0] == pytest.approx(twice[2], abs=1e-9)
    assert twice.sum() == pytest.approx(alone.sum(), abs=1e-9)


def test_stacked_matrices_are_worked_on_one_by_one():
    rng = np.random.default_rng(5)
    stack = np.stack([np.cov(rng.normal(size=(50, 6)).T) for _ in range(4)])
    together = importance(stack, [2, 1, 2])
    for i in range(4):
        assert together[:, i] == pytest.approx(importance(stack[i], [2, 1, 2]), abs=1e-12)


def test_vif_is_one_over_what_the_others_leave():
    cov = covariance("swiss")[:5, :5]
    data = np.array(REFERENCE["swiss"]["data"])[:, 1:]
    expected = [1 / (1 - r_squared(np.delete(data, i, axis=1), data[:, i])) for i in range(5)]
    assert gvif(cov, [1] * 5) == pytest.approx(expected)
    blocks, _ = factors(np.random.default_rng(6), (3, 4))
    assert np.isinf(gvif(np.cov(np.column_stack([*blocks, blocks[0]]).T), [2, 3, 2])).all()


def test_a_coarse_driver_is_told_by_a_finer_one():
    fine = np.arange(400) % 8
    told = told_by(np.cov(np.column_stack([np.eye(8)[fine][:, 1:], np.eye(4)[fine // 2][:, 1:]]).T), [7, 3])
    assert told[1, 0] == pytest.approx(1)
    assert told[0, 1] == pytest.approx(3 / 7)
