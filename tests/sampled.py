"""The sample marketplace as the tests read it: plain pandas, nothing of the cube or the analyses."""

from functools import cache

import numpy as np
import pandas as pd

from rca.sample import make_marketplace

VENDORS = ["Andes", "Baltic", "Cedar", "Delta", "Ember", "Fjord", "Grove", "Harbor"]
METRICS = ["csat", "service_level", "handling_time", "escalation_rate"]
DIMENSIONS = ["market", "channel", "issue_type", "shift", "tenure"]
BUG = ("2026-10-03", "2026-10-12")


@cache
def sample(seed=1, planted=True):
    return make_marketplace(seed, None if planted else [])


def measured(cases):
    """The cases with one column per metric (missing where it does not count), day, week and tenure band."""
    return cases.assign(
        satisfied=cases["csat"],
        csat=cases["csat"].ge(4).astype("Float64").astype(float),
        service_level=cases["first_response_in_target"].astype(float),
        handling_time=cases["handling_seconds"].astype(float),
        escalation_rate=cases["escalated"].astype(float),
        tenure=pd.cut(cases["tenure_days"], [-1, 29, 89, 10_000], labels=["0-29", "30-89", "90+"]).astype(str),
        day=cases["opened_at"].dt.normalize(),
        week=(cases["opened_at"] - pd.Timestamp("2026-02-09")).dt.days // 7,
    )


@cache
def by_vendor(seed, planted):
    return dict(list(measured(sample(seed, planted).cases).groupby("vendor")))


def of(vendor, seed=1, planted=True):
    return by_vendor(seed, planted)[vendor]


def inside(cases, where):
    return np.logical_and.reduce([cases[dimension] == value for dimension, value in where.items()])


def change(cases, metric, after):
    """Difference of the means after and before, and its standard error."""
    late, early = cases.loc[after, metric].dropna(), cases.loc[~after, metric].dropna()
    return late.mean() - early.mean(), np.sqrt(late.var() / len(late) + early.var() / len(early))


def within_segments(cases, metric, after, strata):
    """Mantel-Haenszel's z: is the metric higher after, at equal strata? Means with the sample variance instead."""
    rows = cases[[*strata, metric]].assign(after=after[cases.index]).dropna()
    every = rows.groupby(strata)[metric].agg(["size", "mean", "var"])
    late = rows[rows["after"]].groupby(strata)[metric].agg(["size", "sum"]).reindex(every.index, fill_value=0)
    variance = late["size"] * (every["size"] - late["size"]) * every["var"].fillna(0) / every["size"]
    return (late["sum"] - late["size"] * every["mean"]).sum() / np.sqrt(variance.sum())
