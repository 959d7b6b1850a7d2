"""Coefficients of agreement between raters, from how often each pattern of ratings occurred.

All but Krippendorff's alpha are (pa - pe) / (1 - pe): pa is the share of pairs of ratings of one item that agree, and
each author says in another way how many would agree by chance, pe. Variances are those of Gwet (2014), Handbook of
Inter-Rater Reliability, 4th ed., ch. 5: linearised over items, which raters are held to be a fixed group for; those of
two raters equal Fleiss, Cohen & Everitt (1969) but for n - 1 in place of n.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import t

from rca.effect import Array

PERCENT, AC1, COHEN = "percent agreement", "Gwet's AC1", "Cohen's kappa"
FLEISS, ALPHA = "Fleiss' kappa", "Krippendorff's alpha"


def coefficients(codes: Array, times: Array, categories: int, ordered: bool = False) -> pd.DataFrame:
    """Every coefficient with its standard error and 95 % interval; a value that is not defined is missing.

    codes       one row per pattern of ratings, one column per rater: the number of the category, -1 where not rated
    times       how many items have this pattern
    categories  how many there are, also those that nobody chose
    ordered     the categories are steps of a scale: alpha is ordinal, the others stay nominal

    Returns `coefficient, n` (items rated twice or more), `estimate, se, conf_low, conf_high`.

    >>> cohen = np.array([[88, 14, 18], [10, 40, 10], [2, 6, 12]])  # Cohen (1960), table 1
    >>> found = coefficients(np.argwhere(cohen + 1), cohen.ravel(), 3).set_index("coefficient")
    >>> found["estimate"].round(3).to_dict()[COHEN]
    0.492
    """
    codes, times, counts, agree = _counted(codes, times, categories)
    ratings = counts.sum(axis=1)
    twice, shares = ratings >= 2, counts / ratings[:, None]
    usual = times @ shares / max(times.sum(), 1e-300)  # share of each category
    rows = [
        (PERCENT, *_value(agree, twice, times, 0.0, np.zeros(len(times)))),
        (AC1, *_ac1(counts, agree, times)),
        (FLEISS, *_value(agree, twice, times, float(usual @ usual), shares @ usual)),
    ]
    if codes.shape[1] == 2:
        first, second = (shares_of(codes[twice, rater], times[twice], categories) for rater in (0, 1))
        expected = (second[codes[twice, 0]] + first[codes[twice, 1]]) / 2
        all_twice = np.ones(twice.sum(), bool)
        rows.insert(2, (COHEN, *_value(agree[twice], all_twice, times[twice], float(first @ second), expected)))
    rows.append((ALPHA, *_alpha(counts[twice], times[twice], ordered)))
    table = pd.DataFrame(rows, columns=["coefficient", "estimate", "se", "conf_low", "conf_high"])
    table.insert(1, "n", times[twice].sum())
    return table


def ac1(codes: Array, times: Array, categories: int) -> tuple[float, float]:
    """Gwet's AC1 (2008) alone, and its standard error.

    >>> skewed = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([80, 10, 5, 5])  # Feinstein & Cicchetti (1990)
    >>> round(float(ac1(*skewed, 2)[0]), 2)
    0.81
    """
    _, times, counts, agree = _counted(codes, times, categories)
    value, error, *_ = _ac1(counts, agree, times)
    return value, error


def _counted(codes: Array, times: Array, categories: int) -> tuple[Array, Array, Array, Array]:
    """The patterns with a rating: codes, times, ratings per category, and the share of pairs of ratings that agree."""
    rated = (codes >= 0).any(axis=1) & (times > 0)
    codes, times = codes[rated], times[rated].astype(float)
    counts = (codes[:, :, None] == np.arange(categories)).sum(axis=1).astype(float)
    ratings = counts.sum(axis=1)
    agree = (counts * (counts - 1)).sum(axis=1) / np.maximum(ratings * (ratings - 1), 1)
    return codes, times, counts, agree


def _ac1(counts: Array, agree: Array, times: Array) -> tuple[float, ...]:
    ratings, one = counts.sum(axis=1), max(counts.shape[1] - 1, 1)
    shares = counts / ratings[:, None]
    usual = times @ shares / max(times.sum(), 1e-300)
    return _value(agree, ratings >= 2, times, float(usual @ (1 - usual)) / one, shares @ (1 - usual) / one)


def shares_of(codes: Array, times: Array, categories: int) -> Array:
    """Share of each category among the ratings of one rater."""
    return np.bincount(codes, weights=times, minlength=categories) / max(times.sum(), 1e-300)


def _value(agree: Array, twice: Array, times: Array, chance: float, expected: Array) -> tuple[float, ...]:
    """Estimate, standard error and interval. `agree`, `expected`: of each pattern, its agreement and that by chance."""
    n, paired = times.sum(), times[twice].sum()
    if paired < 2 or chance >= 1 - 1e-12:
        return (np.nan,) * 4
    value = (float(times @ agree) / paired - chance) / (1 - chance)
    of_item = n / paired * (agree - chance * twice) - 2 * (1 - value) * (expected - chance)
    return _interval(value, of_item / (1 - chance) - value, times, paired, chance)


def _alpha(counts: Array, times: Array, ordered: bool) -> tuple[float, ...]:
    """Krippendorff's alpha (2011), of items with two ratings or more. As Gwet writes it, with a weight for each pair of
    categories: 1 for the same, less the further they are apart on an ordinal scale."""
    n, ratings = times.sum(), counts.sum(axis=1)
    if n < 2:
        return (np.nan,) * 4
    mean = float(times @ ratings) / n
    used = times @ counts / (n * mean)
    weight = _ordinal(times @ counts) if ordered else np.eye(counts.shape[1])
    chance = float(used @ weight @ used)
    if chance >= 1 - 1e-12:
        return (np.nan,) * 4
    agree = (counts * (counts @ weight - 1)).sum(axis=1) / (mean * (ratings - 1))
    small = 1 / float(times @ ratings)
    plain = float(times @ agree) / n
    observed = (1 - small) * plain + small
    value, large = ((share - chance) / (1 - chance) for share in (observed, plain))
    more = (ratings - mean) / mean
    expected = counts @ weight @ used / mean - chance * more
    of_item = (agree - observed * more - chance - 2 * (1 - large) * (expected - chance)) / (1 - chance)
    return _interval(value, of_item - large, times, n, chance)


def _ordinal(used: Array) -> Array:
    """1 - Krippendorff's ordinal difference of each pair of categories, as a share of the largest one."""
    ranks = np.cumsum(used) - used / 2
    apart = (ranks[:, None] - ranks) ** 2
    return 1 - apart / max(apart.max(), 1e-300)


def _interval(value: float, deviations: Array, times: Array, paired: float, chance: float) -> tuple[float, ...]:
    """Where all agree nothing varies: then the lower end is what 100 % of so few items can hide (Clopper-Pearson)."""
    n = times.sum()
    se = float(np.sqrt(times @ deviations**2 / (n * (n - 1))))
    low = value - t.ppf(0.975, n - 1) * se if value < 1 else 1 - (1 - 0.025 ** (1 / paired)) / (1 - chance)
    return value, se, max(low, -1.0), min(value + t.ppf(0.975, n - 1) * se, 1.0)


def coded(patterns: pd.DataFrame, raters: Sequence[str], categories: Sequence[str]) -> tuple[Array, Array, int]:
    """The first arguments of `coefficients` from columns of decisions and `n`; what is no category is not rated."""
    codes = [pd.Index(categories).get_indexer(pd.Index(patterns[rater])) for rater in raters]
    return np.column_stack(codes), patterns["n"].to_numpy(float), len(categories)
