"""Control charts: how fast beside the other Python packages, and what the default chart finds and cries wolf about.

    python bench/control_charts.py speed [--small]      in an environment with the packages to compare against
    python bench/control_charts.py found [--small]      simulation, seeds fixed; no other package needed

Packages that are not installed are named and left out. `speed` takes the median of several runs; let nothing else run.
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from rca import rules
from rca.charts import adjusted, limits, xmr_chart
from rca.charts.scale import Batch
from rca.charts.season import none
from rca.charts.series import from_numbers
from rca.cube import Cube
from rca.metric import Metric
from rca.screen import screen

NELSON = rules.SETS["nelson"]


# speed


def floor(x: np.ndarray) -> dict[str, np.ndarray]:
    """The yardstick: an individuals chart with Nelson's eight rules in plain numpy, by running sums over windows."""
    center, sigma = x.mean(), np.abs(np.diff(x)).mean() / 1.128
    z = (x - center) / sigma

    def window(mask: np.ndarray, length: int) -> np.ndarray:
        sums = np.concatenate([[0], np.cumsum(mask)])
        out = np.zeros(len(mask), dtype=int)
        out[length - 1 :] = sums[length:] - sums[:-length]
        return out

    up, down = z > 0, z < 0
    rise = np.concatenate([[False], np.diff(z) > 0])
    fall = np.concatenate([[False], np.diff(z) < 0])
    turn = np.concatenate([[False, False], np.diff(z)[1:] * np.diff(z)[:-1] < 0])
    far, high, low = np.abs(z) > 1, z > 1, z < -1
    return {
        "beyond_limits": np.abs(z) > 3,
        "run_of_nine": (window(up, 9) == 9) | (window(down, 9) == 9),
        "trend_of_six": (window(rise, 5) == 5) | (window(fall, 5) == 5),
        "fourteen_alternating": window(turn, 12) == 12,
        "two_of_three": ((window(z > 2, 3) >= 2) & (z > 2)) | ((window(z < -2, 3) >= 2) & (z < -2)),
        "four_of_five": ((window(high, 5) >= 4) & high) | ((window(low, 5) >= 4) & low),
        "fifteen_inside": window(np.abs(z) < 1, 15) == 15,
        "eight_outside": (window(far, 8) == 8) & (window(high, 8) < 8) & (window(low, 8) < 8),
    }


def arrays(x: np.ndarray) -> dict[str, np.ndarray]:
    """Ours, numbers only: limits and all eight rules."""
    s = from_numbers("mean", x)
    z = limits.xmr(s, s.seen).z
    return {name: rules.find(name, z) for name in NELSON}


def together(y: np.ndarray) -> dict[str, np.ndarray]:
    """Ours, numbers only, many series at once."""
    sigma = limits.mean_moving_range(y, np.ones(y.shape[1], dtype=bool)) / limits.D2
    z = (y - y.mean(axis=1, keepdims=True)) / sigma[:, None]
    return {name: rules.find(name, z) for name in NELSON}


class _Nothing:
    """Takes the place of a picture, where a package cannot compute without drawing."""

    def plot(self, *_: object, **__: object) -> None:
        pass


def _pyspc() -> Callable[[np.ndarray], object]:
    from pyspc.ccharts.imrx import I_MR_X
    from pyspc.rules import rules as pyspc_rules

    def chart(x: np.ndarray) -> object:
        numbered = np.column_stack([np.arange(1, len(x) + 1), x])
        values, center, lcl, ucl, _ = I_MR_X().plot(numbered, 1)
        return pyspc_rules().plot_violation_points(_Nothing(), values, center, lcl, ucl)

    return chart


def _mistat() -> Callable[[np.ndarray], object]:
    import mistat

    return lambda x: mistat.QualityControlChart(x, qcc_type="xbarone", std_dev=None).violations


def _statprocon() -> Callable[[np.ndarray], object]:
    from statprocon import XmR

    def chart(x: np.ndarray) -> object:
        xmr = XmR(counts=x.tolist())
        return (
            xmr.rule_1_x_indices_beyond_limits(),
            xmr.rule_2_runs_about_central_line(),
            xmr.rule_3_runs_near_limits(),
        )

    return chart


def _pycontrolcharts() -> Callable[[np.ndarray], object]:
    from pycontrolcharts import calc_xmr

    return lambda x: calc_xmr(pd.Series(x))


def _process_improve() -> Callable[[np.ndarray], object]:
    from process_improve.monitoring import ControlChart

    def chart(x: np.ndarray) -> object:
        chart = ControlChart(variant="xbar.no.subgroup")
        chart.calculate_limits(pd.Series(x))
        return chart

    return chart


PEERS = {
    "pyspc (2 rules)": _pyspc,
    "mistat (2 rules)": _mistat,
    "statprocon (3 rules)": _statprocon,
    "pycontrolcharts (5 rules, on ranges too)": _pycontrolcharts,
    "process-improve (robust limits, no run rules)": _process_improve,
}


def seconds(run: Callable[[], object], repeat: int) -> float:
    """Median time of a call."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def as_cube(y: np.ndarray) -> Cube:
    """One series per row, one value a week."""
    count, weeks = y.shape
    period = np.tile(pd.date_range("2024-01-01", periods=weeks, freq="7D"), count)
    names = np.repeat([f"s{i:05d}" for i in range(count)], weeks)
    columns = {"period": period, "series": names, "n": 1, "total": y.ravel(), "total_sq": y.ravel() ** 2}
    return Cube(pd.DataFrame(columns), Metric(name="y", kind="mean", better="up"), by=["series"])


def speed(small: bool) -> None:
    """1,000 series of 104 points, and one of a million, with all eight rules."""
    rng = np.random.default_rng(1)
    count, long, repeat = (20, 20_000, 1) if small else (1_000, 1_000_000, 5)
    y, x = rng.normal(50, 2, (count, 104)), rng.normal(50, 2, long)
    cube = as_cube(y)
    assert all((floor(x)[name] == arrays(x)[name]).all() for name in NELSON), "the yardstick disagrees"
    rows = [
        ("plain numpy (8 rules)", lambda: [floor(row) for row in y], lambda: floor(x)),
        ("rca, numbers only (8 rules)", lambda: together(y), lambda: arrays(x)),
        ("rca.screen / rca.xmr_chart, whole results", lambda: screen(cube, "series", season="none", rules="nelson"),
         lambda: xmr_chart(x, rules="nelson")),
    ]  # fmt: skip
    absent = []
    for name, load in PEERS.items():
        try:
            chart = load()
        except Exception as error:  # a package that does not import is a package that cannot be compared
            absent.append(f"{name.split()[0]} ({type(error).__name__})")
            continue
        rows.append((name, lambda chart=chart: [chart(row) for row in y], lambda chart=chart: chart(x)))
    print(f"{'':48}{count:,} x 104 points{'':6}{long:,} points")
    for name, many, one in rows:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            times = [seconds(many, repeat), seconds(one, 1 if "rule" in name and "rca" not in name else repeat)]
        print(f"{name:48}{times[0] * 1e3:12,.1f} ms{'':8}{times[1] * 1e3:12,.1f} ms", flush=True)
    print(f"absent: {', '.join(absent) or 'none'}")


# what is found, and what is cried about


def noise(
    rng: np.random.Generator, shape: tuple[int, int], phi: float | np.ndarray, kind: str = "normal"
) -> np.ndarray:
    """First-order autoregressive series with mean 0 and standard deviation 1."""
    count, length = shape
    draw = {
        "normal": lambda: rng.standard_normal((count, length + 50)),
        "t5": lambda: rng.standard_t(5, (count, length + 50)) / np.sqrt(5 / 3),
        "gamma": lambda: (rng.gamma(4, 1, (count, length + 50)) - 4) / 2,
    }[kind]()
    phi = np.broadcast_to(phi, count)
    for i in range(1, length + 50):
        draw[:, i] = phi * draw[:, i - 1] + np.sqrt(1 - phi**2) * draw[:, i]
    return draw[:, 50:]


def default(y: np.ndarray, baseline: int) -> tuple[np.ndarray, adjusted.Change]:
    """Points beyond the default limits, and the level changes."""
    batch = Batch("mean", y, np.ones_like(y), y, np.full_like(y, np.nan))
    seen = np.ones(y.shape[1], dtype=bool)
    found = adjusted.judge(batch, seen, none(y.shape[1]), [np.arange(y.shape[1]) < baseline])
    assert found.change is not None
    return np.abs(found.parts[0].z) > 3, found.change


def textbook(y: np.ndarray, baseline: int) -> np.ndarray:
    """Points that break rule 1 or 2 of Nelson on a plain individuals chart."""
    base = np.arange(y.shape[1]) < baseline
    sigma = limits.mean_moving_range(y, base) / limits.D2
    z = (y - y[:, base].mean(axis=1, keepdims=True)) / sigma[:, None]
    return rules.find("beyond_limits", z) | rules.find("run_of_nine", z)


def autocorrelated(count: int) -> None:
    """104 points, baseline 52, correlation estimated: false signals; a shift of 2 sigma; a spike of 4 sigma."""
    print("\nseries of 104 points, baseline 52, in % of series (textbook: XmR, rules 1 and 2)")
    print(f"{'phi':>5}{'false':>9}{'level':>9}{'shift':>9}{'spike':>9}{'textbook false':>17}")
    rng = np.random.default_rng(20261122)
    for phi in (0.0, 0.3, 0.6):
        y = noise(rng, (count, 104), phi)
        beyond, change = default(y, 52)
        shifted = noise(rng, (count, 104), phi)
        shifted[:, 92:] += 2
        over, moved = default(shifted, 52)
        spiked = noise(rng, (count, 104), phi)
        spiked[:, 80] += 4
        shares = [
            beyond.any(axis=1) | change.suggested, change.suggested, over[:, 92:].any(axis=1) | moved.suggested,
            default(spiked, 52)[0][:, 80], textbook(y, 52).any(axis=1),
        ]  # fmt: skip
        print(
            f"{phi:5.1f}"
            + "".join(f"{100 * s.mean():9.1f}" for s in shares[:4])
            + f"{100 * shares[4].mean():17.1f}"
        )


def large_volumes(count: int) -> None:
    """Shares of 5,000 cases a day at 5 %, 15 % relative spread between days; 78 days, limits from the first 26."""
    rng = np.random.default_rng(20261123)
    days, baseline = 78, 26
    rate = np.clip(0.05 * (1 + 0.15 * rng.standard_normal((count, days))), 0, 1)
    n = np.full((count, days), 5000.0)
    total = rng.binomial(5000, rate).astype(float)
    batch = Batch("proportion", total / n, n, total, np.full_like(n, np.nan))
    base = np.arange(days) < baseline
    found = adjusted.judge(batch, np.ones(days, dtype=bool), none(days), [base]).parts[0]
    center = total[:, base].sum(axis=1, keepdims=True) / n[:, base].sum(axis=1, keepdims=True)
    plain = np.abs(total / n - center) > 3 * np.sqrt(center * (1 - center) / n)
    print("\nshares of 5,000 cases a day, 15 % relative spread, in % of points beyond a limit")
    beyond = np.abs(found.z) > 3
    later = 100 * beyond[:, baseline:].mean()
    print(
        f"default {100 * beyond.mean():.2f} (after the baseline {later:.2f}); plain p chart {100 * plain.mean():.1f}"
    )


def many(repeat: int) -> None:
    """1,000 series, 50 of which shift by 1.5 to 2.5 sigma, Benjamini and Hochberg at 10 % on the level test."""
    print("\n1,000 series of 104 points, 50 shifts, Benjamini-Hochberg at 10 % on the level test")
    for kind in ("normal", "t5", "gamma"):
        rng = np.random.default_rng(20261124)
        false, found = [], []
        for _ in range(repeat):
            y = noise(rng, (1000, 104), rng.uniform(0, 0.6, 1000), kind)
            at = rng.integers(20, 85, 50)
            sizes = rng.uniform(1.5, 2.5, 50) * rng.choice([-1, 1], 50)
            y[:50] += (np.arange(104) >= at[:, None]) * sizes[:, None]
            kept = false_discovery_control(default(y, 104)[1].p_value) <= 0.10
            false.append(kept[50:].sum() / max(kept.sum(), 1))
            found.append(kept[:50].mean())
        print(f"{kind:8} false share {100 * np.mean(false):5.1f} %   shifts found {100 * np.mean(found):5.1f} %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speed", "found"])
    parser.add_argument("--small", action="store_true", help="a quick try, for whether it runs")
    options = parser.parse_args()
    if options.what == "speed":
        speed(options.small)
        return
    count = 100 if options.small else 2000
    autocorrelated(count)
    large_volumes(count)
    many(2 if options.small else 20)


if __name__ == "__main__":
    main()
