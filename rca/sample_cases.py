"""The cases of the sample marketplace: who asks for what, who answers, and how it goes. No loop over cases."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtri

from rca.errors import InputError
from rca.sample_stories import LAST_DAY, Cause
from rca.sample_vendors import (
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

ANSWERED = 1 / 3  # share of customers who answer the CSAT question
MOST_PLACES = 9  # agents hired at once


def draw_cases(
    rng: np.random.Generator, cases: int, first: np.datetime64, weeks: int, causes: Sequence[Cause]
) -> pd.DataFrame:
    """Draw who asks for what, where and when, and who answers: everything but how it goes. Sorted by time.

    Columns are categories; `tenure` (the band) and `skill` (of the agent, −1 to 1) serve only to draw outcomes.
    """
    volumes = np.array([vendor.volume for vendor in VENDORS.values()])
    vendor = _pick(rng, np.tile(volumes / volumes.sum(), (cases, 1)))
    by_day = np.tile(WEEKDAYS, weeks) / (sum(WEEKDAYS) * weeks)
    opened = first + np.minimum(np.searchsorted(by_day.cumsum(), rng.random(cases)), 7 * weeks - 1)
    shift = _pick(rng, _shares("shift", vendor, opened, causes))
    opened_at = opened.astype("datetime64[s]") + shift * 28_800 + rng.integers(0, 28_800, cases)
    order = np.argsort(opened_at, kind="stable")
    vendor, opened, shift = vendor[order], opened[order], shift[order]

    codes = {"shift": shift}
    for dimension in ("market", "channel", "issue_type", "tenure"):
        codes[dimension] = _pick(rng, _shares(dimension, vendor, opened, causes))
    first_subtype = np.cumsum([0] + [len(subtypes) for subtypes in SUBTYPES.values()])
    choice = rng.random(cases) ** 1.5 * np.diff(first_subtype)[codes["issue_type"]]  # the first are more frequent
    codes["issue_subtype"] = first_subtype[codes["issue_type"]] + choice.astype(int)
    sops = {subtype: sop for subtypes in SUBTYPES.values() for subtype, sop in subtypes.items()}
    codes["language"] = _follow(LANGUAGES, SEGMENTS["language"])[codes["market"]]
    codes["sop"] = _follow(sops, SEGMENTS["sop"])[codes["issue_subtype"]]

    frame = pd.DataFrame({"opened_at": opened_at[order].astype("datetime64[us]")})
    frame["case_id"] = "C" + pd.Series(np.arange(1, cases + 1)).astype("str").str.zfill(7)
    frame["vendor"] = _labels(vendor, list(VENDORS))
    for dimension, code in codes.items():
        frame[dimension] = _labels(code, SEGMENTS[dimension])
    _add_agents(rng, frame, vendor, opened, codes["tenure"], causes)
    return frame


def _add_agents(
    rng: np.random.Generator,
    frame: pd.DataFrame,
    vendor: np.ndarray,
    opened: np.ndarray,
    band: np.ndarray,
    causes: Sequence[Cause],
) -> None:
    """Choose an agent of the case's tenure band: adds agent, tenure_days and skill.

    A vendor hires one agent every `hire_every` days and each stays for STAY days, so that any day finds the same
    number of agents in each band, and the k-th hired is found by arithmetic: on day floor(k * hire_every). A wave
    of hires fills the k-th place with several agents, who are gone when they leave the band.
    """
    every = np.array([v.hire_every for v in VENDORS.values()])[vendor]
    low, high = np.array(list(TENURE.values()))[band].T
    today = (opened - opened[0]).astype(int) + STAY + 2 * vendor  # vendors hire on different days
    newest = np.ceil((today - low + 1) / every).astype(int) - 1
    hire = newest - (rng.random(len(band)) * ((high - low) / every)).astype(int)
    places = np.ones(len(band), dtype=int)
    for cause in causes:
        if cause.kind == "mix" and "tenure" in cause.where:
            raised = DIMENSIONS["tenure"].index(cause.where["tenure"])
            rows = _touched(cause, vendor, opened) & (band == raised)
            wave = np.rint(cause.effect / shares("tenure")[vendor[rows], raised])
            places[rows] = wave.clip(1, MOST_PLACES).astype(int)
    place = (rng.random(len(band)) * places).astype(int)
    skills = rng.uniform(-1, 1, (len(VENDORS), int(today.max() / every.min()) + 2, MOST_PLACES))
    frame["skill"] = skills[vendor, hire, place]
    frame["tenure_days"] = (today - np.floor(hire * every)).astype("int32")

    agents, code = np.unique((vendor * 10_000 + hire) * 10 + place, return_inverse=True)
    employer = agents // 100_000
    number = np.arange(len(agents)) - np.searchsorted(employer, employer) + 1
    prefix = [name[:3].upper() for name in VENDORS]
    frame["agent"] = _labels(code, [f"{prefix[e]}-{n:03d}" for e, n in zip(employer, number, strict=True)])


def add_versions(frame: pd.DataFrame, events: pd.DataFrame) -> None:
    """Add sop_version: v2, or what the SOP updates among the events brought where and since they apply."""
    version, names = np.zeros(len(frame), dtype=int), ["v2"]
    for update in events[events["kind"] == "sop_update"].to_dict("records"):
        sop, name = update["title"].split()
        rows = (frame["sop"] == sop) & (frame["opened_at"] >= pd.Timestamp(update["start"]))
        for column in ("vendor", "market", "issue_type"):
            rows &= (frame[column] == update[column]) | pd.isna(update[column])
        names = list(dict.fromkeys([*names, name]))
        version[rows] = names.index(name)
    frame["sop_version"] = _labels(version, names)


def add_outcomes(rng: np.random.Generator, frame: pd.DataFrame, causes: Sequence[Cause]) -> None:
    """Draw how each case went: adds the columns that the metrics count."""
    expected = {metric: _expected(metric, frame, causes) for metric in BASE}
    in_target, satisfied, level, answers, escalates, resolves = rng.random((6, len(frame)))

    target = np.array(list(RESPONSE_TARGET.values()))[_codes(frame, "channel")]
    # Lognormal, with the quantile that the service level asks for on the target: a slow queue misses it more often.
    queue = target * np.exp(ndtri(in_target) - ndtri(expected["service_level"]))
    frame["queue_seconds"] = np.ceil(queue).astype("int32")
    frame["first_response_in_target"] = frame["queue_seconds"] <= target

    spread = np.log(1 + 0.6**2) ** 0.5  # lognormal with mean 1 and a coefficient of variation of 0.6
    noise = np.exp(spread * rng.standard_normal(len(frame)) - spread**2 / 2)
    slowness = 1 - 0.03 * frame["skill"]
    frame["handling_seconds"] = np.rint(expected["handling_time"] * slowness * noise).astype("int32")

    good = satisfied < expected["csat"] + 0.012 * frame["skill"]
    stars = np.where(good, 4 + (level < 0.62), 1 + np.searchsorted([0.45, 0.65], level))
    frame["csat"] = pd.Series(stars, dtype="Int8").where(answers < ANSWERED)
    frame["escalated"] = escalates < expected["escalation_rate"]
    frame["resolved"] = resolves < np.where(frame["escalated"], 0.70, 0.935)


def add_customers(rng: np.random.Generator, frame: pd.DataFrame, weeks: int) -> None:
    """Draw who asked: mostly somebody new; one case in ten comes from the customer of a case some days before."""
    number, again, days = rng.random(len(frame)), rng.random(len(frame)) < 0.1, rng.exponential(2, len(frame))
    customer = np.zeros(len(frame), dtype=int)
    for market in LANGUAGES:
        rows = np.flatnonzero(frame["market"] == market)
        position = np.arange(len(rows))
        back = 1 + (days[rows] * len(rows) / (7 * weeks)).astype(int)
        source = np.where(again[rows] & (back <= position), position - back, position)
        customer[rows] = (number[rows] * 3 * len(rows)).astype(int)[source]
    frame["customer"] = frame["market"].astype("str") + "-" + pd.Series(customer).astype("str").str.zfill(6)


def _expected(metric: str, frame: pd.DataFrame, causes: Sequence[Cause]) -> np.ndarray:
    """What is to be expected of each case: the level of its vendor, the main effects, and the causes."""
    vendor, opened = _codes(frame, "vendor"), frame["opened_at"].to_numpy().astype("datetime64[D]")
    usual = BASE[metric] + np.array([v.levels.get(metric, 0.0) for v in VENDORS.values()])[vendor]
    for dimension in DIMENSIONS:
        usual += main_effects(metric, dimension)[vendor, _codes(frame, dimension)]
    expected = usual.copy()
    for cause in causes:
        if cause.metric == metric:
            rows = _touched(cause, vendor, opened)
            for dimension, value in cause.where.items():
                rows &= (frame[dimension] == value).to_numpy()
            if not rows.any():
                segment = " & ".join(f"{dimension}={value}" for dimension, value in cause.where.items())
                raise InputError(f"{cause.vendor or 'no vendor'} has no case in {segment} from {cause.start} on.")
            size = cause.effect * (usual[rows].mean() if metric == "handling_time" else 1)
            expected[rows] += size * _ramp(cause, opened[rows])
    if expected.min() <= 0 or (metric != "handling_time" and expected.max() >= 1):
        lowest, highest = expected.min(), expected.max()
        raise InputError(f"the causes bring {metric} of some cases to {lowest:.3g} and of some to {highest:.3g}.")
    return expected


def _shares(dimension: str, vendor: np.ndarray, opened: np.ndarray, causes: Sequence[Cause]) -> np.ndarray:
    """The shares that each case is drawn with: its vendor's, moved by the mixes of that day."""
    rows = shares(dimension)[vendor]
    for cause in causes:
        if cause.kind == "mix" and dimension in cause.where:
            hit = _touched(cause, vendor, opened)
            rows[hit] = moved(rows[hit], DIMENSIONS[dimension].index(cause.where[dimension]), cause.effect)
    return rows


def _touched(cause: Cause, vendor: np.ndarray, opened: np.ndarray) -> np.ndarray:
    """The cases of the cause's vendor and dates."""
    inside = (opened >= np.datetime64(cause.start)) & (opened <= np.datetime64(cause.end or LAST_DAY))
    return inside if cause.vendor is None else inside & (vendor == list(VENDORS).index(cause.vendor))


def _ramp(cause: Cause, opened: np.ndarray) -> np.ndarray:
    """How much of the effect is there on a day: all of it; of a drift 0 at the start, rising to 1 at the end."""
    if cause.kind != "drift":
        return np.ones(len(opened))
    start, end = np.datetime64(cause.start), np.datetime64(cause.end or LAST_DAY)
    return (opened - start) / (end - start)


def _pick(rng: np.random.Generator, shares: np.ndarray) -> np.ndarray:
    """Draw one column number per row, with the row's shares."""
    return (rng.random(len(shares))[:, None] > shares.cumsum(axis=1)[:, :-1]).sum(axis=1)


def _follow(by_key: Mapping[str, str], values: Sequence[str]) -> np.ndarray:
    """The code (place in `values`) that follows from each key's code, its place in the mapping."""
    return np.array([values.index(value) for value in by_key.values()])


def _labels(codes: np.ndarray, values: Sequence[str]) -> "pd.Categorical[str]":
    return pd.Categorical.from_codes(pd.Index(codes, dtype="int64"), pd.Index(values))


def _codes(frame: pd.DataFrame, column: str) -> np.ndarray:
    return frame[column].cat.codes.to_numpy()
