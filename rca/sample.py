"""The sample marketplace: 40 weeks of service cases of eight vendors, with causes planted and written down."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from rca.errors import InputError
from rca.marketplace import (
    BASE,
    DIMENSIONS,
    LANGUAGES,
    RESPONSE_TARGET,
    SEGMENTS,
    STAY,
    SUBTYPES,
    TENURE,
    VENDORS,
    WEEKDAYS,
    main_effects,
    moved,
    shares,
)
from rca.stories import (
    ACTION_COLUMNS,
    EVENT_COLUMNS,
    OTHER_ACTIONS,
    OTHER_EVENTS,
    STORIES,
    STORY_ACTIONS,
    STORY_EVENTS,
    Cause,
)

LAST_DAY = dt.date(2026, 11, 15)  # a Sunday
ANSWERED = 1 / 3  # share of customers who answer the CSAT question
COLUMNS = [
    "case_id", "opened_at", "vendor", "market", "channel", "language", "issue_type", "issue_subtype", "sop",
    "sop_version", "agent", "tenure_days", "shift", "queue_seconds", "handling_seconds",
    "first_response_in_target", "csat", "resolved", "escalated", "customer",
]  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Marketplace:
    """The sample data; `truth` holds one JSON-ready record (`Cause.truth`) per planted cause."""

    cases: pd.DataFrame
    events: pd.DataFrame
    actions: pd.DataFrame
    truth: list[dict[str, Any]]


def make_marketplace(
    seed: int = 1, causes: Sequence[Cause] | None = None, cases: int = 200_000, weeks: int = 40
) -> Marketplace:
    """Make the sample marketplace: the `weeks` whole weeks up to Sunday 2026-11-15, the same for the same seed.

    `causes=None` plants the eight default stories with their events and actions, `causes=[]` plants nothing. The
    random numbers of a seed do not depend on the causes, so cases that no cause touches are the same with and without
    (unless a mix moves shifts, and with them the order in time).

    >>> sample = make_marketplace(cases=2_000)
    >>> sample.cases["vendor"].nunique(), len(sample.truth)
    (8, 7)
    """
    if cases < 1 or weeks < 1:
        raise InputError(f"a sample needs at least 1 case and 1 week, got cases={cases}, weeks={weeks}.")
    planted = STORIES if causes is None else tuple(causes)
    first = LAST_DAY - dt.timedelta(days=7 * weeks - 1)
    for cause in planted:
        if str(cause.start) > str(LAST_DAY) or (cause.end is not None and str(cause.end) < str(first)):
            raise InputError(f"a cause from {cause.start} on lies outside the data, {first} to {LAST_DAY}.")
    events = _table(EVENT_COLUMNS, OTHER_EVENTS, () if causes is not None else STORY_EVENTS)
    actions = _table(ACTION_COLUMNS, OTHER_ACTIONS, () if causes is not None else STORY_ACTIONS)

    rng = np.random.default_rng(seed)
    frame = _composition(rng, cases, first, weeks, planted)
    frame["sop_version"] = _versions(frame, events)
    _outcomes(rng, frame, planted)
    frame["customer"] = _customers(rng, frame["market"], weeks)
    for column in frame.select_dtypes("category"):
        frame[column] = frame[column].astype("str")
    frame["case_id"] = "C" + pd.Series(np.arange(1, cases + 1)).astype("str").str.zfill(7)
    return Marketplace(frame[COLUMNS], events, actions, [cause.truth() for cause in planted])


def write_marketplace(
    folder: str | Path,
    seed: int = 1,
    causes: Sequence[Cause] | None = None,
    cases: int = 200_000,
    weeks: int = 40,
) -> Path:
    """Write `make_marketplace(...)` as cases.parquet, events.csv, actions.csv, truth.json; returns the folder."""
    made = make_marketplace(seed, causes, cases, weeks)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    made.cases.to_parquet(folder / "cases.parquet", index=False, engine="pyarrow", compression="zstd")
    for name, table in (("events", made.events), ("actions", made.actions)):
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    (folder / "truth.json").write_text(json.dumps(made.truth, indent=2) + "\n", encoding="utf-8")
    return folder


def _composition(
    rng: np.random.Generator, cases: int, first: dt.date, weeks: int, causes: Sequence[Cause]
) -> pd.DataFrame:
    """Who asks for what, where and when, and who answers: everything but how it went. Sorted by time."""
    volumes = np.array([vendor.volume for vendor in VENDORS.values()])
    vendor = _pick(rng, np.tile(volumes / volumes.sum(), (cases, 1)))
    by_day = np.tile(WEEKDAYS, weeks) / (sum(WEEKDAYS) * weeks)
    day = np.minimum(np.searchsorted(by_day.cumsum(), rng.random(cases)), 7 * weeks - 1)
    opened = np.datetime64(first) + day
    shift = _pick(rng, _shares("shift", vendor, opened, causes))
    opened_at = opened.astype("datetime64[s]") + shift * 28_800 + rng.integers(0, 28_800, cases)
    order = np.argsort(opened_at, kind="stable")
    vendor, opened, shift = vendor[order], opened[order], shift[order]

    codes = {"shift": shift}
    for dimension in ("market", "channel", "issue_type", "tenure"):
        codes[dimension] = _pick(rng, _shares(dimension, vendor, opened, causes))
    frame = pd.DataFrame({"opened_at": opened_at[order].astype("datetime64[us]")})
    frame["vendor"] = pd.Categorical.from_codes(vendor, list(VENDORS))
    for dimension, code in codes.items():
        frame[dimension] = pd.Categorical.from_codes(code, DIMENSIONS[dimension])
    frame["language"] = _lookup(LANGUAGES, codes["market"], "language")
    first_subtype = np.cumsum([0] + [len(subtypes) for subtypes in SUBTYPES.values()])
    sizes = np.diff(first_subtype)[codes["issue_type"]]
    # the first subtypes are the frequent ones
    subtype = first_subtype[codes["issue_type"]] + (rng.random(cases) ** 1.5 * sizes).astype(int)
    frame["issue_subtype"] = pd.Categorical.from_codes(subtype, SEGMENTS["issue_subtype"])
    sops = {subtype: sop for subtypes in SUBTYPES.values() for subtype, sop in subtypes.items()}
    frame["sop"] = _lookup(sops, subtype, "sop")
    _staff(rng, frame, vendor, opened, codes["tenure"], causes)
    return frame


def _staff(
    rng: np.random.Generator,
    frame: pd.DataFrame,
    vendor: np.ndarray,
    opened: np.ndarray,
    band: np.ndarray,
    causes: Sequence[Cause],
) -> None:
    """Choose an agent of the case's tenure band: adds agent, tenure_days and the agent's own `skill` (-1 to 1).

    A vendor hires one agent every `hire_every` days and each stays for STAY days, so any day finds the same number
    of agents in each band, and the one who was hired k-th is found by arithmetic. A wave of hires fills the k-th
    place with several agents, who leave when they have left the band.
    """
    every = np.array([v.hire_every for v in VENDORS.values()])[vendor]
    low, high = np.array(list(TENURE.values()))[band].T
    today = (opened - opened[0]).astype(int) + STAY + 2 * vendor  # vendors hire on different days
    newest = np.ceil((today - low + 1) / every).astype(int) - 1
    hire = newest - (rng.random(len(band)) * ((high - low) / every)).astype(int)
    places = np.ones(len(band), dtype=int)
    for cause in causes:
        if cause.kind == "mix" and "tenure" in cause.where:
            rows = _touched(cause, vendor, opened)
            usual = shares("tenure")[:, DIMENSIONS["tenure"].index(cause.where["tenure"])]
            places[rows] = np.clip(np.rint(cause.effect / usual[vendor[rows]]), 1, 9).astype(int)
    place = (rng.random(len(band)) * places).astype(int)
    skills = rng.uniform(-1, 1, (len(VENDORS), int(today.max() / every.min()) + 2, 9))
    frame["skill"] = skills[vendor, hire, place]
    frame["tenure_days"] = (today - np.floor(hire * every)).astype("int32")
    keys, agent = np.unique((vendor * 10_000 + hire) * 10 + place, return_inverse=True)
    number = np.arange(len(keys)) - np.searchsorted(keys, keys // 100_000 * 100_000) + 1
    names = [f"{list(VENDORS)[key // 100_000][:3].upper()}-{n:03d}" for key, n in zip(keys, number, strict=True)]
    frame["agent"] = pd.Categorical.from_codes(agent, names)


def _outcomes(rng: np.random.Generator, frame: pd.DataFrame, causes: Sequence[Cause]) -> None:
    """How each case went: adds the columns that the metrics count."""
    expected = {metric: _expected(metric, frame, causes) for metric in BASE}
    n = len(frame)
    in_target, satisfied, level = rng.random(n), rng.random(n), rng.random(n)

    target = np.array(list(RESPONSE_TARGET.values()))[frame["channel"].cat.codes]
    # Lognormal around the quantile at which the target is met just so often: slower queues miss it more often.
    queue = target * np.exp(ndtri(in_target) - ndtri(expected["service_level"]))
    frame["queue_seconds"] = np.ceil(queue).astype("int32")
    frame["first_response_in_target"] = frame["queue_seconds"] <= target

    spread = np.log(1 + 0.6**2) ** 0.5  # a lognormal with mean 1 and a coefficient of variation of 0.6
    noise = np.exp(spread * rng.standard_normal(n) - spread**2 / 2)
    slowness = 1 - 0.03 * frame["skill"]
    frame["handling_seconds"] = np.rint(expected["handling_time"] * slowness * noise).astype("int32")

    good = satisfied < expected["csat"] + 0.012 * frame["skill"]
    stars = np.where(good, 4 + (level < 0.62), 1 + np.searchsorted([0.45, 0.65], level))
    frame["csat"] = pd.Series(stars, dtype="Int8").where(rng.random(n) < ANSWERED)
    frame["escalated"] = rng.random(n) < expected["escalation_rate"]
    frame["resolved"] = rng.random(n) < np.where(frame["escalated"], 0.70, 0.935)


def _expected(metric: str, frame: pd.DataFrame, causes: Sequence[Cause]) -> np.ndarray:
    """What is to be expected of each case: the level of its vendor, the main effects, and the causes."""
    vendor, opened = frame["vendor"].cat.codes.to_numpy(), frame["opened_at"].to_numpy().astype("datetime64[D]")
    usual = BASE[metric] + np.array([v.levels.get(metric, 0.0) for v in VENDORS.values()])[vendor]
    for dimension in DIMENSIONS:
        usual += main_effects(metric, dimension)[vendor, frame[dimension].cat.codes.to_numpy()]
    expected = usual.copy()
    for cause in causes:
        if cause.metric == metric:
            rows = _touched(cause, vendor, opened)
            for dimension, value in cause.where.items():
                rows &= (frame[dimension] == value).to_numpy()
            if not rows.any():
                raise InputError(f"there is no case for a cause to touch: {cause}.")
            size = cause.effect * (usual[rows].mean() if metric == "handling_time" else 1)
            expected[rows] += size * _ramp(cause, opened[rows])
    limit = 1 if metric != "handling_time" else np.inf
    if expected.min() <= 0 or expected.max() >= limit:
        raise InputError(
            f"the causes bring {metric} to {expected.min():.3g} to {expected.max():.3g} in some cases."
        )
    return expected


def _touched(cause: Cause, vendor: np.ndarray, opened: np.ndarray) -> np.ndarray:
    """The cases of the cause's vendor and dates."""
    inside = (opened >= np.datetime64(cause.start)) & (opened <= np.datetime64(cause.end or LAST_DAY))
    return inside if cause.vendor is None else inside & (vendor == list(VENDORS).index(cause.vendor))


def _ramp(cause: Cause, opened: np.ndarray) -> np.ndarray:
    """How much of the effect is there on a day: all of it, or for a drift from 0 at the start to 1 at the end."""
    if cause.kind != "drift":
        return np.ones(len(opened))
    start, end = np.datetime64(cause.start), np.datetime64(cause.end or LAST_DAY)
    return (opened - start) / np.maximum(end - start, np.timedelta64(1, "D"))


def _pick(rng: np.random.Generator, shares: np.ndarray) -> np.ndarray:
    """Draw one column number per row, with the row's shares."""
    return (rng.random(len(shares))[:, None] > shares.cumsum(axis=1)[:, :-1]).sum(axis=1)


def _shares(dimension: str, vendor: np.ndarray, opened: np.ndarray, causes: Sequence[Cause]) -> np.ndarray:
    """The shares that each case is drawn with: its vendor's, moved by the mixes of that day."""
    rows = shares(dimension)[vendor]
    for cause in causes:
        if cause.kind == "mix" and dimension in cause.where:
            hit = _touched(cause, vendor, opened)
            rows[hit] = moved(rows[hit], DIMENSIONS[dimension].index(cause.where[dimension]), cause.effect)
    return rows


def _lookup(by_key: Mapping[str, str], codes: np.ndarray, dimension: str) -> pd.Categorical:
    """The column that follows from another one: `by_key` in the order of that one's codes."""
    values = SEGMENTS[dimension]
    return pd.Categorical.from_codes(np.array([values.index(v) for v in by_key.values()])[codes], values)


def _versions(frame: pd.DataFrame, events: pd.DataFrame) -> pd.Categorical:
    """Version of the SOP that a case was handled by: v2, and what each SOP update brought where it applies."""
    version = np.zeros(len(frame), dtype=int)
    names = ["v2"]
    for update in events[events["kind"] == "sop_update"].itertuples():
        sop, name = update.title.split()
        rows = (frame["sop"] == sop) & (frame["opened_at"] >= pd.Timestamp(update.start))
        for dimension in ("vendor", "market", "issue_type"):
            if pd.notna(getattr(update, dimension)):
                rows &= frame[dimension] == getattr(update, dimension)
        names = list(dict.fromkeys([*names, name]))
        version[rows] = names.index(name)
    return pd.Categorical.from_codes(version, names)


def _customers(rng: np.random.Generator, market: pd.Series, weeks: int) -> pd.Series:
    """Who asked: mostly somebody new, one case in ten from the customer of a case some days ago in the market."""
    number, again, days = rng.random(len(market)), rng.random(len(market)) < 0.1, rng.exponential(2, len(market))
    customer = np.zeros(len(market), dtype=int)
    for name in LANGUAGES:
        rows = np.flatnonzero(market == name)
        position = np.arange(len(rows))
        back = 1 + (days[rows] * len(rows) / (7 * weeks)).astype(int)
        source = np.where(again[rows] & (back <= position), position - back, position)
        customer[rows] = (number[rows] * 2 * len(rows)).astype(int)[source]
    return market.astype("str") + "-" + pd.Series(customer).astype("str").str.zfill(6)


def _table(columns: Sequence[str], *parts: Sequence[tuple]) -> pd.DataFrame:
    """Rows typed in as a frame in the order of their ids; dates stay ISO texts, as in the CSV."""
    rows = sorted((row for part in parts for row in part), key=lambda row: row[0])
    return pd.DataFrame(rows, columns=list(columns))
