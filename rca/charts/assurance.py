"""Will the process, as it is now, hit its target?"""

from typing import Literal

import numpy as np
from statsmodels.stats.proportion import proportion_confint

Assurance = Literal["always", "never", "hit and miss"]


def assurance(lcl: float, ucl: float, target: float, better: str) -> Assurance:
    """Whether common causes alone reach the target: limits wholly on one side of it, or around it.

    NHS England, Making Data Count: "consistently pass", "consistently fail" and "hit or miss".

    >>> assurance(0.81, 0.89, target=0.85, better="up"), assurance(0.81, 0.89, target=0.80, better="up")
    ('hit and miss', 'always')
    """
    if lcl <= target <= ucl or np.isnan(lcl + ucl):
        return "hit and miss"
    return "always" if (target < lcl) == (better == "up") else "never"


def share_on_target(values: np.ndarray, targets: np.ndarray, better: str) -> tuple[float, float, float]:
    """Share of periods that met their target, with its 95 % interval (Wilson 1927).

    >>> [round(x, 3) for x in share_on_target(np.array([0.86, 0.84, 0.87]), np.array([0.85] * 3), "up")]
    [0.667, 0.208, 0.939]
    """
    met = values >= targets if better == "up" else values <= targets
    low, high = proportion_confint(int(met.sum()), len(met), method="wilson")
    return float(met.mean()), float(low), float(high)
