"""What the tables of the sample marketplace share: times and values drawn, cases that a story is about, files."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rca.sample_stories import LAST_DAY


def first_day(weeks: int) -> pd.Timestamp:
    """The first of so many whole weeks up to the last day."""
    return pd.Timestamp(LAST_DAY) - pd.Timedelta(days=7 * weeks - 1)


def draw_times(rng: np.random.Generator, weeks: int, count: int) -> pd.Index:
    """So many times in order, spread evenly over these weeks."""
    seconds = np.sort(rng.integers(0, weeks * 7 * 86_400, count))
    return (first_day(weeks) + pd.to_timedelta(seconds, unit="s")).astype("datetime64[us]")


def pick(rng: np.random.Generator, count: int, weights: Mapping[str, float]) -> np.ndarray:
    """So many values, each as often as its weight says."""
    shares = np.array(list(weights.values()))
    return rng.choice(list(weights), count, p=shares / shares.sum())


def matching(frame: pd.DataFrame, where: Mapping[str, str]) -> np.ndarray:
    """The cases whose columns have these values."""
    hit = np.ones(len(frame), dtype=bool)
    for column, value in where.items():
        hit &= (frame[column] == value).to_numpy()
    return hit


def numbered(parts: list[pd.DataFrame], time: str, number: str) -> pd.DataFrame:
    """The cases of all parts in the order of time, numbered from 1."""
    frame = pd.concat(parts).sort_values(time, kind="stable", ignore_index=True)
    frame.insert(0, number, np.arange(1, len(frame) + 1))
    return frame


def updates(prefix: str, kind: str, listed: Iterable[tuple[Any, ...]], dimensions: Sequence[str]) -> pd.DataFrame:
    """Events of one kind, numbered by their start; `listed`: title, start, and values of what they are limited to."""
    ordered = sorted(listed, key=lambda one: one[1])
    found = [
        (f"{prefix}{i:02d}", kind, title, start, None, *limits)
        for i, (title, start, *limits) in enumerate(ordered, start=1)
    ]
    return pd.DataFrame(found, columns=["event_id", "kind", "title", "start", "end", *dimensions])


def write_files(
    folder: str | Path,
    cases: Mapping[str, pd.DataFrame],
    records: Mapping[str, pd.DataFrame],
    truth: Mapping[str, Any],
) -> Path:
    """Write cases as Parquet, records as CSV and what is planted as JSON, by the names of the files; the same tables
    (and versions of pandas and pyarrow) are the same bytes. Returns the folder."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in cases.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False, engine="pyarrow", compression="zstd")
    for name, frame in records.items():
        frame.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    for name, planted in truth.items():
        text = json.dumps(planted, indent=2) + "\n"
        (folder / f"{name}.json").write_text(text, encoding="utf-8", newline="\n")
    return folder
