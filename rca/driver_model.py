"""Logistic, linear and Poisson models from grouped counts, and what they say in KPI points."""

import warnings
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import chi2, f

from rca.driver_cells import Cells
from rca.effect import Z95


@dataclass(frozen=True, eq=False)
class Fit:
    """The KPI explained by some drivers at once.

    beta, cov   coefficients (constant first) on the scale of the model, and their covariance
    deviance    of the cases, for a mean the residual sum of squares
    columns     independent columns of the design
    """

    drivers: tuple[str, ...]
    beta: np.ndarray
    cov: np.ndarray
    deviance: float
    columns: int


def fit(data: Cells, drivers: Collection[str]) -> Fit:
    """Logit for a proportion, linear for a mean, log for a rate; every driver a factor, cells weighted by cases."""
    from statsmodels.genmod import families  # slow to import
    from statsmodels.genmod.generalized_linear_model import GLM

    used = tuple(d for d in data.drivers if d in drivers)
    design = data.design(used)
    n, total = (data.frame[c].to_numpy(float) for c in ("n", "total"))
    if data.kind == "proportion":
        model = GLM(np.column_stack([total, n - total]), design, family=families.Binomial())
    elif data.kind == "rate":
        model = GLM(total, design, family=families.Poisson(), exposure=n)
    else:
        model = GLM(total / n, design, family=families.Gaussian(), var_weights=n)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a level in which all or no cases count: `adjusted` widens its interval
        found = model.fit()
    columns = int(found.df_model) + 1
    if data.kind != "mean":
        return Fit(used, found.params, found.cov_params(), float(found.deviance), columns)
    inside = (data.frame["total_sq"].to_numpy(float) - total**2 / n).sum()  # a fit on cell means does not see it
    deviance = float(found.deviance + inside)
    scale = deviance / max(n.sum() - columns, 1)
    return Fit(used, found.params, found.normalized_cov_params * scale, deviance, columns)


def p_value(data: Cells, without: Fit, with_it: Fit) -> float:
    """Does the larger model explain more than chance? Likelihood ratio; for a mean the F test."""
    freedom = with_it.columns - without.columns
    if freedom < 1:
        return 1.0
    gain = max(without.deviance - with_it.deviance, 0.0)
    if data.kind != "mean":
        return float(chi2.sf(gain, freedom))
    left = data.frame["n"].sum() - with_it.columns
    return float(f.sf(gain / freedom / (with_it.deviance / left), freedom, left)) if with_it.deviance > 0 else 0.0


def adjusted(data: Cells, model: Fit, driver: str) -> pd.DataFrame:
    """Each level's KPI if all cases were in it, the other drivers as they are, against the KPI of all.

    Columns `level, n, of_cases, rate` (as observed), `raw` (rate against all), `effect, conf_low, conf_high`: the
    adjusted difference in KPI units with its 95 % interval (average predictions, delta method; Lane & Nelder,
    Biometrics 38, 1982). Where all or no cases of a level count, the interval is at least that of Agresti & Caffo.
    """
    n = data.frame["n"].to_numpy(float)
    design = data.design(model.drivers)
    start = 1 + sum(len(data.levels[d]) - 1 for d in model.drivers[: model.drivers.index(driver)])
    own = np.arange(start, start + len(data.levels[driver]) - 1)
    apart = design.copy()
    apart[:, own] = 0
    overall, base = _predicted(data.kind, design, model.beta, n)
    rows = []
    codes = data.codes(driver)
    sums = np.array([np.bincount(codes, weights=data.frame[c], minlength=len(own) + 1) for c in ("n", "total")])
    for place, level in enumerate(data.levels[driver]):
        as_level = apart.copy()
        as_level[:, own[place - 1 : place]] = 1  # the reference has no column
        value, gradient = _predicted(data.kind, as_level, model.beta, n)
        size, total = sums[:, place]
        error = np.sqrt(max((gradient - base) @ model.cov @ (gradient - base), 0))
        error = max(error, _edge(data.kind, size, total))
        effect = value - overall
        row = {"level": level, "n": size, "of_cases": size / n.sum(), "rate": total / size}
        row |= {"raw": total / size - overall, "effect": effect}
        rows.append(row | {"conf_low": effect - Z95 * error, "conf_high": effect + Z95 * error})
    return pd.DataFrame(rows)


def _predicted(kind: str, design: np.ndarray, beta: np.ndarray, n: np.ndarray) -> tuple[float, np.ndarray]:
    """The KPI that a design leads to over all cases, and its gradient in the coefficients."""
    score = design @ beta
    if kind == "proportion":
        value = expit(score)
        slope = value * (1 - value)
    elif kind == "rate":
        value = slope = np.exp(score)
    else:
        value, slope = score, np.ones_like(score)
    weight = n / n.sum()
    return float(weight @ value), design.T @ (weight * slope)


def _edge(kind: str, n: float, total: float) -> float:
    """Standard error where a level has no event, or nothing else: a logit has none there (see `rca.effect`)."""
    if kind == "proportion" and total in (0, n):
        p = (total + 1) / (n + 2)
        return float(np.sqrt(p * (1 - p) / (n + 2)))
    return 1 / n if kind == "rate" and total == 0 else 0.0
