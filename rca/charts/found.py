"""What an estimator hands over to be made into a chart."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.charts.false_signals import INSIDE
from rca.charts.limits import Limits


@dataclass(frozen=True)
class Found:
    """What the estimator of a chart says about itself, beside its limits.

    chart, reason   name, and why it was chosen
    limits          for every period, each phase with its own
    source          where they come from, if not from the baseline
    change          the level change: date, size, p_value, kind; or None
    notes           clauses for the caption: what was adjusted, and caveats
    rate            share of points beyond a limit that noise alone gives, per period
    extra           further columns of the table
    """

    chart: str
    reason: str
    limits: Limits
    change: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()
    rate: float | np.ndarray = INSIDE
    phi: float | None = None
    season: str = ""
    spread: pd.DataFrame | None = None
    source: str = ""
    extra: dict[str, np.ndarray] | None = None
