"""The level test against least squares by brute force, and against simulation."""

import numpy as np
import pytest

from rca import level


def brute_force(y, t, season):
    """Every step and the line, each fitted by least squares beside the season: (ratio, at, size, step or line)."""
    best = (-1.0, 0, 0.0)
    plain = np.linalg.lstsq(season, y, rcond=None)
    rss = float(((y - season @ plain[0]) ** 2).sum())
    for at in range(level.TRIM, len(y) - level.TRIM + 1):
        columns = np.column_stack([season, np.arange(len(y)) >= at])
        fitted = np.linalg.lstsq(columns, y, rcond=None)[0]
        left = float(((y - columns @ fitted) ** 2).sum())
        ratio = np.sqrt((rss - left) / (left / (len(y) - columns.shape[1])))
        best = max(best, (ratio, at, fitted[-1]))
    line = np.column_stack([season, t - t[0]])
    fitted = np.linalg.lstsq(line, y, rcond=None)[0]
    left = float(((y - line @ fitted) ** 2).sum())
    gained = rss - left
    step_gain = best[0] ** 2 / (best[0] ** 2 + len(y) - season.shape[1] - 1) * rss
    return *best, step_gain >= gained, fitted[-1] * (t[-1] - t[0])


@pytest.mark.parametrize("kind", ["constant", "weekday", "holes"])
def test_the_best_step_and_line_are_those_of_least_squares(kind):
    rng = np.random.default_rng(1)
    t = np.delete(np.arange(70), [7, 30, 31]) if kind == "holes" else np.arange(66)
    season = (t[:, None] % 7 == np.arange(7)).astype(float) if kind == "weekday" else level.constant(t)
    y = rng.normal(size=(12, len(t)))
    y[3:6, 40:] += 2
    y[6:9] += 0.03 * t
    fit = level.best_fit(y, t, season)
    for i in range(len(y)):
        ratio, at, size, step, drift = brute_force(y[i], t, season)
        assert fit.ratio[i] == pytest.approx(ratio, rel=1e-9)
        assert fit.step[i] == step
        if step:
            assert (fit.at[i], fit.size[i]) == (at, pytest.approx(size, rel=1e-9))
        else:
            assert fit.size[i] == pytest.approx(drift, rel=1e-9)


def test_autocorrelation_is_told_from_a_shift_and_from_a_drift():
    rng = np.random.default_rng(2)
    t = np.arange(104)
    for truth in (0.0, 0.3):
        noise = rng.normal(size=(1500, 154))
        for i in range(1, 154):
            noise[:, i] = truth * noise[:, i - 1] + np.sqrt(1 - truth**2) * noise[:, i]
        noise = noise[:, 50:]
        for change in (0 * t, 2.0 * (t >= 60), 4 * t / 104):
            fit = level.best_fit(noise + change, t, level.constant(t))
            raw = (fit.residual[:, 1:] * fit.residual[:, :-1]).sum(axis=1) / (fit.residual**2).sum(axis=1)
            unclipped = (52 * raw + 1) / 49
            assert np.mean(unclipped) == pytest.approx(truth, abs=0.05)
            phi, high = level.autocorrelation(fit.residual, t, 52)
            np.testing.assert_allclose(phi, np.clip(unclipped, 0, 0.6))
            assert (high >= phi).all()


@pytest.mark.parametrize("count", [26, 52, 104])
def test_the_p_value_is_no_smaller_than_noise_makes_it(count):
    rng = np.random.default_rng(3)
    t = np.arange(count)
    for truth in (0.0, 0.3):
        noise = rng.normal(size=(4000, count + 50))
        for i in range(1, count + 50):
            noise[:, i] = truth * noise[:, i - 1] + np.sqrt(1 - truth**2) * noise[:, i]
        fit = level.best_fit(noise[:, 50:], t, level.constant(t))
        strength = level.strength(fit.ratio, level.autocorrelation(fit.residual, t, count / 2)[1])
        p = level.p_value(strength, count)
        for at in (0.2, 0.05, 0.01):
            assert (p <= at).mean() < at + 3 * np.sqrt(at / 4000) + 0.1 * at


def test_the_p_value_between_and_beyond_the_table():
    assert level.p_value(np.array([3.28, 4.49]), 104) == pytest.approx([0.02, 0.001])
    middle = level.p_value(np.array([3.35]), 73)[0]
    assert level.p_value(np.array([3.35]), 104)[0] < middle < level.p_value(np.array([3.35]), 52)[0]
    far = level.p_value(np.array([6.0, 9.0]), 104)
    assert far[1] < far[0] < 0.0002
    assert level.p_value(np.array([0.0]), 400)[0] == pytest.approx(1)


def test_a_constant_series_has_no_change():
    fit = level.best_fit(np.full((2, 40), 0.1 + 0.2), np.arange(40), level.constant(np.arange(40)))
    assert fit.ratio.tolist() == [0, 0]
