"""How much of the explained variance belongs to each driver: LMG (exact) and Johnson's relative weights.

Both read one covariance matrix with the outcome last. A driver is a block of its columns: one for a number, all
levels but one for a factor. Matrices may be stacked (leading axes), to work on all bootstrap samples at once.
"""

from collections.abc import Sequence
from math import factorial

import numpy as np

EXACT = 15  # drivers up to which all 2^p models are looked at
TINY = 1e-9  # a direction with less than this part of its variance left is told by the other drivers


def importance(cov: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """Each driver's part of R-squared, first axis: LMG for up to 15 drivers, Johnson's weights for more.

    cov    (..., m + 1, m + 1), the drivers' columns in blocks of `sizes`, then the outcome
    """
    if len(sizes) > EXACT:
        return johnson(cov, sizes)
    order = sorted(range(len(sizes)), key=lambda i: -sizes[i])  # large blocks first: they are swept least often
    starts = np.concatenate([[0], np.cumsum(sizes)])
    columns = np.concatenate([*(np.arange(starts[i], starts[i + 1]) for i in order), [starts[-1]]]).astype(int)
    parts = lmg(r2_lattice(cov[..., columns[:, None], columns], [sizes[i] for i in order]))
    return parts[np.argsort(order)]


def r2_lattice(cov: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """R-squared of every subset of drivers; bit i of the first index says that driver i is in.

    Each model costs one sweep from the one before it, and the matrix shrinks on the way.
    """
    r2 = np.empty((1 << len(sizes), *cov.shape[:-2]))

    def visit(left: np.ndarray, first: int, subset: int) -> None:
        r2[subset] = 1 - left[..., -1, -1]
        start = 0
        for i in range(first, len(sizes)):
            visit(_sweep(left[..., start:, start:], sizes[i]), i + 1, subset | 1 << i)
            start += sizes[i]

    visit(correlation(cov), 0, 0)
    return r2


def lmg(r2: np.ndarray) -> np.ndarray:
    """What each driver adds to R-squared, averaged over all orders of entry; the parts sum to R-squared.

    Lindeman, Merenda & Gold (1980), as in Groemping, Relative importance for linear regression in R,
    Journal of Statistical Software 17(1), 2006. r2: a lattice from `r2_lattice`.

    Two drivers that correlate by .5, and with the outcome by .6 and .4:
    >>> lmg(r2_lattice(np.array([[1, .5, .6], [.5, 1, .4], [.6, .4, 1]]), [1, 1])).round(4).tolist()
    [0.2867, 0.0867]
    """
    count = len(r2).bit_length() - 1
    subsets = np.arange(len(r2))
    sizes = [s.bit_count() for s in range(len(r2))]
    weight = np.array([factorial(s) * factorial(max(count - 1 - s, 0)) / factorial(count) for s in sizes])
    parts = []
    for i in range(count):
        without = subsets[subsets & (1 << i) == 0]
        parts.append(np.tensordot(weight[without], r2[without | 1 << i] - r2[without], axes=1))
    return np.array(parts)


def johnson(cov: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """Relative weights: the outcome regressed on the closest orthogonal columns, carried back to the drivers.

    Johnson, A heuristic method for estimating the relative weight of predictor variables in multiple regression,
    Multivariate Behavioral Research 35 (2000) 1-19. A block is whitened first, so that the weights of a factor do
    not depend on how its levels are coded; for single columns this is Johnson's formula. They sum to R-squared.
    """
    blocks = _blocks(sizes)
    joint = correlation(cov)
    white = np.zeros_like(joint[..., :-1, :-1])
    for block in blocks:
        white[..., block, block] = _power(joint[..., block, block], -0.5)
    between = white @ joint[..., :-1, :-1] @ white
    root, inverse = _power(between, 0.5), _power(between, -0.5)
    beta = inverse @ white @ joint[..., :-1, -1:]
    flow = np.stack([(root[..., :, b] @ beta[..., b, :])[..., 0] for b in blocks]) ** 2  # through which, to which
    return np.array([flow[..., block].sum(axis=(0, -1)) for block in blocks])


def gvif(cov: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """Generalised variance inflation of each block, to the power 1 / columns: reads like the usual VIF.

    Fox & Monette, Generalized collinearity diagnostics, JASA 87 (1992) 178-183. Infinite where a block is told
    exactly by the others. cov: drivers only.
    """
    joint = correlation(cov)
    whole = _log_det(joint)
    found = []
    for block, size in zip(_blocks(sizes), sizes, strict=True):
        others = np.delete(np.arange(len(joint)), np.arange(len(joint))[block])
        log = _log_det(joint[block, block]) + _log_det(joint[np.ix_(others, others)]) - whole
        found.append(np.exp(log / size) if np.isfinite(whole) else np.inf)
    return np.array(found)


def told_by(cov: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """Row i, column j: the part of block i's variance that block j tells (mean squared canonical correlation)."""
    joint, blocks = correlation(cov), _blocks(sizes)
    white = [_power(joint[b, b], -0.5) for b in blocks]
    told = np.eye(len(sizes))
    for i, one in enumerate(blocks):
        for j, other in enumerate(blocks):
            if i != j:
                told[i, j] = ((white[i] @ joint[one, other] @ white[j]) ** 2).sum() / sizes[i]
    return told


def correlation(cov: np.ndarray) -> np.ndarray:
    """Covariance to correlation; a column without variance stays 0."""
    scale = np.sqrt(np.diagonal(cov, axis1=-2, axis2=-1))
    scale = np.where(scale > 0, scale, 1.0)
    return cov / (scale[..., :, None] * scale[..., None, :])


def _sweep(cov: np.ndarray, size: int) -> np.ndarray:
    """What is left of the other columns' covariance once the first `size` columns are held fixed, one by one."""
    for _ in range(size):
        pivot, row = cov[..., 0, 0], cov[..., 0, 1:]
        part = row / np.where(pivot > TINY, pivot, np.inf)[..., None]
        cov = cov[..., 1:, 1:] - part[..., :, None] * row[..., None, :]
    return cov


def _power(matrix: np.ndarray, power: float) -> np.ndarray:
    """A symmetric matrix to a power; directions without variance are left out."""
    values, vectors = np.linalg.eigh(matrix)
    raised = np.where(values > TINY, np.maximum(values, TINY) ** power, 0.0)
    return (vectors * raised[..., None, :]) @ np.swapaxes(vectors, -1, -2)


def _blocks(sizes: Sequence[int]) -> list[slice]:
    ends = np.cumsum(sizes)
    return [slice(int(end - size), int(end)) for end, size in zip(ends, sizes, strict=True)]


def _log_det(matrix: np.ndarray) -> float:
    values = np.linalg.eigvalsh(matrix)
    return float(np.log(values).sum()) if (values > TINY).all() else -np.inf
