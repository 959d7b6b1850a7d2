"""Run rules: did this point, with those before it, do what noise hardly ever does?

A rule is a function of z, the distance from the centre in sigmas, so charts whose limits vary need no second
version. `z` has the points along its last axis: one series, or many of the same length at once. True marks the
point that *completes* a pattern and every further point that keeps it up. Comparisons are strict: a point on a
limit is inside, one on the centre is on neither side. A missing point (NaN) breaks no run: `find` leaves it out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import binom

from rca.errors import InputError, hint, known

Mask = np.ndarray


@dataclass(frozen=True)
class Rule:
    """One rule. `words` describe it; `side` says what its direction is read from; `rate` is the share of points it
    marks in independent normal noise around known limits: closed form, or 20 million simulated points (Anhøj's two
    depend on the length of the chart; theirs are for 52 points).
    """

    find: Callable[[np.ndarray], Mask]
    words: str
    rate: float
    side: Literal["level", "slope", "none"] = "level"


def _in_a_row(mask: Mask, run: int) -> Mask:
    """True where `mask` holds at this point and the `run - 1` points before it (doubling: log2(run) passes)."""
    out, done = mask.copy(), 1
    while done < run:
        step = min(done, run - done)
        shifted = np.zeros_like(out)
        shifted[..., step:] = out[..., :-step]
        out, done = out & shifted, done + step
    return out


def _earlier(mask: Mask, lag: int) -> Mask:
    out = np.zeros_like(mask)
    out[..., lag:] = mask[..., :-lag]
    return out


def _either_side(z: np.ndarray, on_side: Callable[[np.ndarray], Mask]) -> Mask:
    return on_side(z) | on_side(-z)


def beyond_limits(z: np.ndarray) -> Mask:
    """One point beyond three sigma (Shewhart 1931; Nelson 1; Western Electric 1)."""
    return np.abs(z) > 3


def run_of(length: int) -> Callable[[np.ndarray], Mask]:
    """`length` points in a row on one side of the centre."""
    return lambda z: _in_a_row(z > 0, length) | _in_a_row(z < 0, length)


def trend_of(length: int) -> Callable[[np.ndarray], Mask]:
    """`length` points in a row, each above (or each below) the one before."""

    def find(z: np.ndarray) -> Mask:
        rises = np.zeros(z.shape, dtype=bool)
        falls = rises.copy()
        rises[..., 1:], falls[..., 1:] = z[..., 1:] > z[..., :-1], z[..., 1:] < z[..., :-1]
        return _in_a_row(rises, length - 1) | _in_a_row(falls, length - 1)

    return find


def fourteen_alternating(z: np.ndarray) -> Mask:
    """Fourteen points in a row, alternating up and down (Nelson 4)."""
    turns = np.zeros(z.shape, dtype=bool)
    up, down = z[..., 1:] > z[..., :-1], z[..., 1:] < z[..., :-1]
    turns[..., 2:] = (up[..., 1:] & down[..., :-1]) | (down[..., 1:] & up[..., :-1])
    return _in_a_row(turns, 12)


def two_of_three(z: np.ndarray) -> Mask:
    """Two of three points in a row beyond two sigma on one side, the last one among them (Nelson 5)."""

    def on_side(z: np.ndarray) -> Mask:
        far = z > 2
        found = far & (_earlier(far, 1) | _earlier(far, 2))
        found[..., :2] = False  # three points are needed
        return found

    return _either_side(z, on_side)


def two_of_three_same_side(z: np.ndarray) -> Mask:
    """Two of three beyond two sigma, all three on one side, in any order (plot the dots)."""

    def on_side(z: np.ndarray) -> Mask:
        far = z > 2
        two = (far & (_earlier(far, 1) | _earlier(far, 2))) | (_earlier(far, 1) & _earlier(far, 2))
        return two & _in_a_row(z > 0, 3)

    return _either_side(z, on_side)


def four_of_five(z: np.ndarray) -> Mask:
    """Four of five points in a row beyond one sigma on one side, the last one among them (Nelson 6)."""

    def on_side(z: np.ndarray) -> Mask:
        far = z > 1
        a, b, c, d = (_earlier(far, lag) for lag in (1, 2, 3, 4))
        found = far & (((a & b) & (c | d)) | ((c & d) & (a | b)))
        found[..., :4] = False  # five points are needed
        return found

    return _either_side(z, on_side)


def fifteen_inside(z: np.ndarray) -> Mask:
    """Fifteen points in a row within one sigma of the centre (Nelson 7)."""
    return _in_a_row(np.abs(z) < 1, 15)


def eight_outside(z: np.ndarray) -> Mask:
    """Eight points in a row beyond one sigma, on both sides of the centre (Nelson 8)."""
    return _in_a_row(np.abs(z) > 1, 8) & ~_in_a_row(z > 1, 8) & ~_in_a_row(z < -1, 8)


def longest_run(useful: int) -> int:
    """The longest run on one side of the median that `useful` points off the median allow (Anhøj and Olesen 2014).

    >>> longest_run(24)
    8
    """
    return round(np.log2(useful)) + 3


def fewest_crossings(useful: int) -> int:
    """The fewest crossings of the median that `useful` points allow: the 5 % point of a fair coin (ibid.).

    >>> fewest_crossings(24)
    8
    """
    return int(binom.ppf(0.05, useful - 1, 0.5))


def _of_useful(find: Callable[[np.ndarray], Mask]) -> Callable[[np.ndarray], Mask]:
    """A rule that looks at the points off the centre only, one series at a time."""

    def one(z: np.ndarray) -> Mask:
        out, useful = np.zeros(z.shape, dtype=bool), np.flatnonzero(z)
        if len(useful) >= 10:  # fewer say nothing
            out[useful] = find(z[useful])
        return out

    return lambda z: np.apply_along_axis(one, -1, z)


def _few_crossings(z: np.ndarray) -> Mask:
    out = np.zeros(z.shape, dtype=bool)
    out[-1] = (np.diff(np.sign(z)) != 0).sum() < fewest_crossings(len(z))
    return out


RULES = {
    "beyond_limits": Rule(beyond_limits, "beyond a limit", 0.0027),
    "run_of_nine": Rule(run_of(9), "nine in a row on one side", 2 * 0.5**9),
    "trend_of_six": Rule(trend_of(6), "six in a row rising or falling", 2 / 720, "slope"),
    "fourteen_alternating": Rule(fourteen_alternating, "fourteen in a row up and down", 0.00455, "none"),
    "two_of_three": Rule(two_of_three, "two of three beyond two sigma", 0.00203),
    "four_of_five": Rule(four_of_five, "four of five beyond one sigma", 0.00446),
    "fifteen_inside": Rule(fifteen_inside, "fifteen in a row within one sigma", 0.0033, "none"),
    "eight_outside": Rule(eight_outside, "eight in a row beyond one sigma", 0.0000955, "none"),
    "run_of_eight": Rule(run_of(8), "eight in a row on one side", 2 * 0.5**8),
    "run_of_seven": Rule(run_of(7), "seven in a row on one side", 2 * 0.5**7),
    "trend_of_seven": Rule(trend_of(7), "seven in a row rising or falling", 2 / 5040, "slope"),
    "two_of_three_same_side": Rule(two_of_three_same_side, "two of three beyond two sigma", 0.0015),
    "long_run": Rule(_of_useful(lambda z: run_of(longest_run(len(z)) + 1)(z)), "an unusually long run", 0.00157),
    "few_crossings": Rule(_of_useful(_few_crossings), "unusually few crossings of the centre", 0.00087, "none"),
}

LEVEL_CHANGE = "level_change"  # not a function of z: `rca.level` looks at the whole series

SETS: dict[str, tuple[str, ...]] = {
    "default": ("beyond_limits", LEVEL_CHANGE),
    "textbook": ("beyond_limits", "run_of_nine"),
    # Nelson (1984), Journal of Quality Technology 16(4), 237-239
    "nelson": tuple(RULES)[:8],
    # Western Electric (1956), Statistical Quality Control Handbook
    "western_electric": ("beyond_limits", "two_of_three", "four_of_five", "run_of_eight"),
    # NHS England, Making Data Count
    "plot_the_dots": ("beyond_limits", "run_of_seven", "trend_of_seven", "two_of_three_same_side"),
    # Anhøj and Olesen (2014), PLoS ONE 9(11) e113825
    "anhoej": ("long_run", "few_crossings"),
}


def names(rules: str | Sequence[str]) -> tuple[str, ...]:
    """The rules asked for: a set (`"nelson"`), one rule or several.

    >>> names("western_electric")
    ('beyond_limits', 'two_of_three', 'four_of_five', 'run_of_eight')
    >>> names(["beyond_limits", "run_of_nine"])
    ('beyond_limits', 'run_of_nine')
    """
    if isinstance(rules, str):
        return SETS.get(rules) or (known(rules, [*RULES, LEVEL_CHANGE, *SETS], "rule"),)
    if not rules:
        raise InputError(f"rules is empty: name at least one. {hint('', RULES)}")
    return tuple(known(rule, [*RULES, LEVEL_CHANGE], "rule") for rule in rules)


def find(rule: str, z: np.ndarray) -> Mask:
    """Where a rule holds. Missing points (NaN) are left out first and are never marked.

    >>> find("run_of_nine", np.array([-1, 1, 1, 1, 1, np.nan, 1, 1, 1, 1, 1])).nonzero()[0].tolist()
    [10]
    """
    z = np.asarray(z, dtype=float)
    seen = ~np.isnan(z)
    if seen.all():
        return RULES[known(rule, RULES, "rule")].find(z) if z.size else np.zeros(z.shape, dtype=bool)
    if z.ndim == 1:
        out = np.zeros(z.shape, dtype=bool)
        out[seen] = find(rule, z[seen])
        return out
    return np.stack([find(rule, row) for row in z])


def direction(rule: str, z: np.ndarray) -> np.ndarray:
    """+1 or -1 at each point, the way a signal of this rule there points; 0 where it has none."""
    side = RULES[rule].side
    if side == "none":
        return np.zeros(len(z), dtype=int)
    steps = np.diff(z, prepend=np.nan) if side == "slope" else z
    return np.nan_to_num(np.sign(steps)).astype(int)
