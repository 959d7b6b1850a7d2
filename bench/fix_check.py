"""How often is `fix_check` wrong, and what does it see? Simulated weekly series with a fix at a known date.

    python bench/fix_check.py [series a cell]

Everything without siblings, looked at once; noise is AR(1) with a standard deviation of 1. `false`: per cent "worked"
or "got worse" where there was no effect; `cover`: per cent of 95 % intervals that hold the true effect; then per cent
"worked" at effects of 1, 1.5 and 2 standard deviations; then per cent false with a trend of 1 a year, with a season of
half-range .5, and with both.
"""

import sys

import numpy as np
import pandas as pd
from scipy import stats

from rca import known_step

LENGTHS = [(8, 4), (12, 6), (26, 4), (26, 12), (26, 26), (52, 12), (52, 26), (104, 12), (104, 26)]
PHIS = (0.0, 0.3, 0.6)
YEAR = 52


def ar1(rng: np.random.Generator, series: int, weeks: int, phi: float) -> np.ndarray:
    """Noise with standard deviation 1 and this correlation of neighbouring weeks: a row per series."""
    noise = rng.standard_normal((series, weeks))
    for t in range(1, weeks):
        noise[:, t] = phi * noise[:, t - 1] + np.sqrt(1 - phi**2) * noise[:, t]
    return noise


def drift(
    rng: np.random.Generator, series: int, before: int, after: int, trend: float, season: float
) -> np.ndarray:
    """A trend per year, and a season of this half-range that begins anywhere in the year."""
    years = (np.arange(before + after) - before) / YEAR
    begin = rng.random((series, 1))
    return trend * years + season * np.cos(2 * np.pi * (years + begin))


def measure(y: np.ndarray, before: int, effect: float = 0.0) -> tuple[float, float, float]:
    """Per cent of series called worked or worse, called worked, and covered."""
    weeks = np.arange(y.shape[1])
    step = known_step.fit(y + effect * (weeks >= before), known_step.design(weeks, before, YEAR))
    found = known_step.verdict(step.effect, step.error, step.df, 0.5 * step.sd)
    covered = np.abs(step.effect - effect) <= stats.t.ppf(0.975, step.df) * step.error
    return tuple(100 * float(np.mean(x)) for x in (np.isin(found, (1, 2)), found == 1, covered))  # type: ignore[return-value]


def lengths(series: int, phi: float) -> list[dict[str, float]]:
    rows = []
    for before, after in LENGTHS:
        rng = np.random.default_rng(before * 1000 + after)
        noise = ar1(rng, series, before + after, phi)
        false, _, cover = measure(noise, before)
        row = {"before": before, "after": after, "false": false, "cover": cover}
        row |= {f"power {effect:g}": measure(noise, before, effect)[1] for effect in (1.0, 1.5, 2.0)}
        for name, trend, season in (("trend 1", 1, 0), ("season .5", 0, 0.5), ("both", 1, 0.5)):
            row[name] = measure(noise + drift(rng, series, before, after, trend, season), before)[0]
        rows.append(row)
    return rows


def proportion(series: int, before: int, after: int, answers: int, between: float, phi: float) -> float:
    """Per cent false of a share of 85 % of `answers` a week whose level wanders by `between`."""
    rng = np.random.default_rng(answers + before)
    weeks = before + after
    level = np.clip(0.85 + between * ar1(rng, series, weeks, phi), 0.01, 0.99)
    y = rng.binomial(answers, level) / answers
    design = known_step.design(np.arange(weeks), before, YEAR)
    step, mean = known_step.fit(y, design), y.mean(axis=1)
    chance = np.sqrt(mean * (1 - mean)) * known_step.sampling(np.full(weeks, answers), design)
    error = np.maximum(step.error, chance)
    return 100 * float(np.isin(known_step.verdict(step.effect, error, step.df, 0.5 * step.sd), (1, 2)).mean())


def main(series: int) -> None:
    pd.set_option("display.width", 200)
    for phi in PHIS:
        print(f"phi {phi:g}, {series:,} series a cell")
        print(pd.DataFrame(lengths(series, phi)).round(1).to_string(index=False), "\n", flush=True)
    rows = [
        {"weeks": f"{before}/{after}", "answers": answers, "between": between}
        | {f"phi {phi:g}": proportion(series, before, after, answers, between, phi) for phi in PHIS}
        for before, after in ((12, 6), (26, 12), (52, 26))
        for answers in (50, 500, 5_000)
        for between in (0.0, 0.02)
    ]
    print("A share of 85 %: per cent false")
    print(pd.DataFrame(rows).round(1).to_string(index=False))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)
