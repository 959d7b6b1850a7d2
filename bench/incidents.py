"""Are outages found, dated and counted right, and how many incidents are false? Simulated months of a call centre.

    python bench/incidents.py [months a cell]

Bins of 10 minutes, open Monday to Friday 8 to 20 and Saturday 9 to 14; at night 3 % of the volume, nearly all of it
abandoned. About 15 % are abandoned, more at some hours and days. Noise on the logit scale: bad days, a memory of an
hour or so, over-dispersed bins, a slow drift, volume that varies. `v` is the cases in 10 minutes; an outage lifts the
abandoned to its severity. Found: an incident overlaps it. In brackets: start and end within one bin, of those found.
"""

import sys
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.signal import lfilter
from scipy.special import expit, logit

from rca.incident_expectation import Week, lay_out
from rca.incident_measure import TARGET
from rca.incident_search import Searched, search

BASE, OPEN_DAY, NIGHT = 0.15, 144, 0.03
BLOCK = 50  # months at a time


@dataclass(frozen=True)
class Noise:
    day: float = 0.0  # standard deviation of a day's level
    memory: float = 0.0  # of an autoregressive level
    hours: float = 1.0  # its memory
    rho: float = 0.0  # correlation of the cases of a bin
    drift: float = 0.0  # half-range over 16 weeks
    volume: float = 0.0  # coefficient of variation of a day's volume, and of a bin's


NOISE = {
    "binomial": Noise(),
    "mild": Noise(day=0.08, rho=0.005),
    "default": Noise(0.15, 0.20, 1.0, 0.01, 0.2, 0.10),
    "hard": Noise(0.30, 0.40, 1.5, 0.03, 0.4, 0.10),
}


@dataclass(frozen=True)
class Planted:
    """One outage a month: a rate of `severity`, or the volume times `volume`, for so many bins."""

    bins: int
    severity: float = 0.0
    volume: float = 1.0


def simulate(rng: np.random.Generator, v: float, weeks: int, noise: Noise, months: int, planted: Planted | None):
    """Week, cases and abandoned (months, T), the first bin of each outage, and the cases lost in it."""
    times = pd.date_range("2026-01-05", periods=weeks * 7 * 144, freq="10min")
    week = lay_out(times, pd.Timedelta(minutes=10), None)
    hour, weekday = times.hour + times.minute / 60, times.day_of_week
    opened = np.asarray(((weekday < 5) & (hour >= 8) & (hour < 20)) | ((weekday == 5) & (hour >= 9) & (hour < 14)))
    size, days = len(times), weeks * 7
    profile = 0.25 * np.sin(2 * np.pi * (hour - 8) / 12) + 0.15 * np.cos(2 * np.pi * weekday / 7)
    busy = 1 + 0.3 * np.sin(np.pi * np.clip((hour - 8) / 12, 0, 1)) - 0.15

    def each_day(sd: float) -> np.ndarray:
        return np.repeat(rng.normal(0, sd, (months, days)), 144, axis=1)

    decay = np.exp(-1 / (6 * noise.hours))
    memory = lfilter([np.sqrt(1 - decay**2)], [1, -decay], rng.normal(0, noise.memory, (months, size)), axis=1)
    phase = rng.uniform(0, 2 * np.pi, (months, 1))
    drift = noise.drift * np.sin(2 * np.pi * np.arange(size) / (16 * 1008) + phase)
    p = expit(logit(BASE) + np.asarray(profile) + each_day(noise.day) + memory + drift)
    p = np.where(opened, p, 0.95)
    if noise.rho:
        p = rng.beta(p * (1 / noise.rho - 1), (1 - p) * (1 / noise.rho - 1))
    volume = v * np.where(opened, np.asarray(busy), NIGHT) * np.exp(each_day(noise.volume))
    volume = volume * np.exp(rng.normal(0, noise.volume, (months, size)))
    start = np.zeros(months, dtype=int)
    usual = p
    if planted:
        whole = np.flatnonzero(opened[: size - planted.bins] & opened[planted.bins :])
        whole = whole[
            (whole % 144 > 48) & (whole % 144 + planted.bins < 120)
        ]  # inside the opening hours of one day
        start = rng.choice(whole, months)
        inside = (np.arange(size) >= start[:, None]) & (np.arange(size) < start[:, None] + planted.bins)
        p = np.where(inside & (planted.severity > 0), planted.severity, p)
        volume = np.where(inside, volume * planted.volume, volume)
    n = rng.poisson(volume)
    events = rng.binomial(n, p)
    lost = ((p - usual) * n).sum(1)
    return week, n.astype(float), events.astype(float), start, lost


def look(week: Week, n: np.ndarray, events: np.ndarray, volume: bool) -> list[Searched]:
    sides = (1, -1) if volume else (1,)
    judged = np.ones(n.shape[1], dtype=bool)
    return search(week, n, None if volume else events, proportion=True, sides=sides, target=TARGET, judged=judged)


def cell(
    seed: int, v: float, weeks: int, noise: str, months: int, planted: Planted | None = None, volume: bool = False
):
    """Of so many simulated series: share found, start and end within a bin, median relative error of the cases lost,
    share of their intervals that cover, false incidents in four weeks."""
    rng = np.random.default_rng(seed)
    found, starts, ends, off, covered, false = [], [], [], [], [], 0
    for first in range(0, months, BLOCK):
        count = min(BLOCK, months - first)
        week, n, events, start, lost = simulate(rng, v, weeks, NOISE[noise], count, planted)
        for i, one in enumerate(look(week, n, events, volume)):
            end = start[i] + (planted.bins if planted else 0)
            hits = [w for w in one.windows if planted and w.start < end and start[i] < w.end]
            false += len(one.windows) - len(hits)
            found.append(bool(hits))
            if hits:
                best = max(hits, key=lambda w: w.strength)
                starts.append(abs(best.start - start[i]) <= 1)
                ends.append(abs(best.end - end) <= 1)
                inside = slice(best.start, best.end)
                usual, variance = one.mean[inside].sum(), one.variance[inside].sum()
                error = np.sqrt(variance * (1 + 1 / week.others + one.noise.at(best.end - best.start) * variance))
                excess = one.seen[inside].sum() - usual
                off.append(excess / max(lost[i], 1e-9) - 1)
                covered.append(abs(excess - lost[i]) <= 1.96 * error)
    some = (np.mean(starts), np.mean(ends), np.median(off), np.mean(covered)) if starts else (np.nan,) * 4
    return np.mean(found), *some, false / months / weeks * 4


def main(months: int) -> None:
    began = time.perf_counter()
    print(
        f"Outages found (start, end within one bin) [lost: median error, covered], 8 weeks, {months} series a cell"
    )
    for v in (1, 5, 20, 100):
        for severity in (0.5, 0.9):
            row = []
            for minutes in (20, 30, 60, 120):
                f, s, e, off, covered, _ = cell(
                    1000 + minutes, v, 8, "default", months, Planted(minutes // 10, severity)
                )
                row.append(f"{minutes} min {f:.3f} ({s:.3f}/{e:.3f}) [{off:+.3f}, {covered:.2f}]")
            print(f"v={v} severity {severity}: {'; '.join(row)}", flush=True)
    print("False incidents in four weeks, rate / volume")
    for v in (0.5, 5, 20, 100):
        row = []
        for weeks, noise in (
            (4, "binomial"),
            (4, "mild"),
            (4, "default"),
            (4, "hard"),
            (8, "default"),
            (8, "hard"),
        ):
            rate = cell(2, v, weeks, noise, months)[-1]
            row.append(f"{weeks} w {noise} {rate:.2f} / {cell(2, v, weeks, noise, months, volume=True)[-1]:.2f}")
        print(f"v={v}: {'; '.join(row)}", flush=True)
    print("Volume found, 8 weeks, default noise: vanished, and doubled")
    for v in (5, 20):
        row = []
        for minutes, times in ((30, 0.0), (60, 0.0), (60, 2.0)):
            f = cell(3, v, 8, "default", months, Planted(minutes // 10, volume=times), volume=True)[0]
            row.append(f"{minutes} min x{times:.0f} {f:.2f}")
        print(f"v={v}: {'; '.join(row)}", flush=True)
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
