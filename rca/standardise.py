"""Direct and indirect standardisation, and the Mantel-Haenszel difference, from counts by segment and stratum."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rca.cube import Cube
from rca.errors import known

Array = np.ndarray


@dataclass(frozen=True)
class Mix:
    """Cases of each segment (rows) in each stratum (columns), and a reference if it is given from outside.

    names           the segments
    n, total, sq    cases, what counts of them, sum of squares: segments x strata
    given           the same three of the reference, by stratum, or None
    """

    names: pd.Index
    n: Array
    total: Array
    sq: Array
    given: tuple[Array, Array, Array] | None

    @classmethod
    def of(cls, cube: Cube, by: str, strata: Sequence[str], reference: Cube | None) -> "Mix":
        """The counts of a cube, and those of a reference over the same strata."""
        wide = _wide(cube, [by], strata)
        names = wide["n"].index
        if reference is None:
            return cls(names, *_measures(wide), None)
        standard = _wide(reference, [], strata)
        every = wide["n"].columns.union(standard["n"].columns)
        wide, standard = (
            {m: f.reindex(columns=every, fill_value=0) for m, f in w.items()} for w in (wide, standard)
        )
        n, total, sq = (counts[0] for counts in _measures(standard))
        return cls(names, *_measures(wide), (n, total, sq))

    def reference(self, inside: Array) -> tuple[Array, Array, Array]:
        """Counts of the reference by stratum: the one given, or the segments `inside` together."""
        n, total, sq = (x[inside].sum(axis=0) for x in (self.n, self.total, self.sq))
        return self.given or (n, total, sq)

    def drawn_from(self, inside: Array) -> tuple[Array, Array, Array]:
        """Counts by segment and stratum of what its cases are a draw from where all are alike: itself and those
        `inside`, or the reference given."""
        pooled = self.reference(inside)
        outside = np.where(inside[:, None] | (self.given is not None), 0.0, 1.0)
        own = (self.n, self.total, self.sq)
        n, total, sq = (x + outside * mine for x, mine in zip(pooled, own, strict=True))
        return n, total, sq


def _wide(cube: Cube, by: Sequence[str], strata: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Each measure as segments x strata."""
    rows = cube.frame[cube.frame["n"] > 0].assign(_segment="", _stratum="")
    columns = [known(name, cube.by, "dimension") for name in strata] or ["_stratum"]
    sums = rows.groupby([*(by or ["_segment"]), *columns])[cube.measures].sum()
    return {m: sums[m].unstack(columns, fill_value=0) for m in cube.measures}


def _measures(wide: dict[str, pd.DataFrame]) -> tuple[Array, Array, Array]:
    n, total, sq = (wide[m].to_numpy(float) for m in ("n", "total", "total_sq" if "total_sq" in wide else "total"))
    return n, total, sq


def divided(a: Array, b: Array, none: float = 0.0) -> Array:
    """a / b, and `none` where b is 0."""
    return np.divide(a, b, out=np.full(np.broadcast(a, b).shape, none), where=b > 0)


def one_case(n: Array, total: Array, sq: Array, kind: str, fixed: bool) -> Array:
    """Variance of one case of each cell (rate: of one unit of exposure); `fixed`: the cell is no sample."""
    rate = divided(total, n)
    if kind == "rate":
        return rate
    return np.maximum(divided(sq - n * rate**2, n - (not fixed)), 0.0)


def standardised(mix: Mix, inside: Array) -> pd.DataFrame:
    """The standardised rates of each segment. The reference: `Mix.reference`.

    ratio     observed by expected at the rates of the reference: of deaths, the standardised mortality ratio
    indirect  ratio times the KPI of the reference (Breslow & Day, Statistical Methods in Cancer Research II, 1987)
    direct    the rates of the segment on the mix of the reference; where it has no cases, those of the reference
    covered   the share of that mix which it has cases of
    """
    n, total, _ = mix.reference(inside)
    rates, share, center = divided(total, n), n / n.sum(), total.sum() / n.sum()
    has = n > 0
    ratio = divided(mix.total[:, has].sum(axis=1), (mix.n * rates)[:, has].sum(axis=1), np.nan)
    own = np.where(mix.n > 0, divided(mix.total, mix.n) - rates, 0.0)
    return pd.DataFrame(
        {"ratio": ratio, "indirect": ratio * center, "direct": center + own @ share, "covered": (mix.n > 0) @ share}
    )
