"""The contacts of the sample marketplace, call by call: eight weeks, offered and abandoned, with incidents planted."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.signal import lfilter
from scipy.special import expit, logit

from rca.sample_files import first_day, numbered, pick, write_files
from rca.sample_vendors import DIMENSIONS, ISSUE_SHARES, LANGUAGES, VENDORS

WEEKS, BINS = 8, 144  # bins of ten minutes in a day
ZONES = {
    "MX": "America/Mexico_City", "BR": "America/Sao_Paulo", "ES": "Europe/Madrid", "DE": "Europe/Berlin",
    "PL": "Europe/Warsaw", "TR": "Europe/Istanbul",
}  # fmt: skip
CHANNELS = {"phone": (0.50, 0.15), "chat": (0.35, 0.12), "callback": (0.15, 0.08)}  # share, abandoned
BUSY, NIGHT = 14.0, 0.03  # contacts in ten minutes while a market is open; at night as a part of that
HOLIDAY = 0.25  # of the usual volume


@dataclass(frozen=True, kw_only=True)
class Incident:
    """Something that breaks in one market for some time.

    start, end   on the market's clocks
    abandoned    the share of contacts abandoned meanwhile, None as usual
    volume       the contacts that come, as a multiple of the usual
    where        channel, vendor or issue_type -> value; empty for all
    """

    kind: str  # of the incident to find first: rate, loss or surge
    market: str
    start: str
    end: str
    abandoned: float | None = None
    volume: float = 1.0
    where: Mapping[str, str] = field(default_factory=dict)
    story: str = ""


INCIDENTS = (  # Turkey is quiet
    Incident(
        kind="rate", market="MX", start="2026-10-27T11:20", end="2026-10-27T12:30", abandoned=0.9,
        where={"channel": "chat"}, story="The chat gateway's certificate expired.",
    ),
    Incident(
        kind="rate", market="BR", start="2026-11-05T15:00", end="2026-11-05T15:40", abandoned=0.9,
        story="The agent desktop was down.",
    ),
    Incident(
        kind="loss", market="ES", start="2026-10-21T10:00", end="2026-10-21T11:30", volume=0.0,
        where={"channel": "phone"}, story="The phone line was dead: no call came, so none was abandoned.",
    ),
    Incident(
        kind="surge", market="DE", start="2026-11-09T17:00", end="2026-11-09T18:30", volume=2.5,
        story="A mailing with a wrong link brought contacts.",
    ),
    Incident(
        kind="rate", market="PL", start="2026-10-15T13:00", end="2026-10-15T16:00", abandoned=0.75,
        where={"vendor": "Grove"}, story="A shift of one vendor did not show up.",
    ),
)  # fmt: skip
EVENT_COLUMNS = ("event_id", "kind", "title", "start", "end", "market")
EVENTS = (
    ("HOL-01", "holiday", "Fiesta Nacional", "2026-10-12", None, "ES"),
    ("HOL-02", "holiday", "Nossa Senhora Aparecida", "2026-10-12", None, "BR"),
    ("HOL-03", "holiday", "Finados", "2026-11-02", None, "BR"),
    ("HOL-04", "holiday", "Cumhuriyet Bayramı", "2026-10-29", None, "TR"),
    ("HOL-05", "holiday", "Święto Niepodległości", "2026-11-11", None, "PL"),
    ("INC-611", "tool_bug", "Certificate of the chat gateway renewed", "2026-10-27", None, "MX"),
    ("INC-614", "tool_bug", "Agent desktop restarted", "2026-11-05", None, "BR"),
    ("REL-620", "release", "New invoice layout", "2026-10-19", None, None),
    ("CMP-622", "campaign", "Mailing on winter offers", "2026-11-09", None, "DE"),
)


def make_contacts(seed: int = 1, incidents: tuple[Incident, ...] = INCIDENTS) -> pd.DataFrame:
    """A row per contact: contact_id, offered_at (UTC), market, channel, vendor, issue_type, abandoned. In time order.

    The random numbers of a seed do not depend on the incidents, except inside them.

    >>> contacts = make_contacts()
    >>> bool(contacts["abandoned"].mean().round(1) == 0.1)
    True
    """
    first = first_day(WEEKS)
    frames = []
    for number, market in enumerate(LANGUAGES):
        rng = np.random.default_rng([seed, number])
        frames.append(_market(rng, market, first, [one for one in incidents if one.market == market]))
    return numbered(frames, "offered_at", "contact_id")


def write_contacts(folder: str | Path, seed: int = 1) -> Path:
    """Write contacts.parquet, contact_events.csv and contact_truth.json; returns the folder."""
    events = pd.DataFrame(EVENTS, columns=list(EVENT_COLUMNS))
    cases, truth = {"contacts": make_contacts(seed)}, {"contact_truth": [asdict(one) for one in INCIDENTS]}
    return write_files(folder, cases, {"contact_events": events}, truth)


def _market(rng: np.random.Generator, market: str, first: pd.Timestamp, incidents: list[Incident]) -> pd.DataFrame:
    """The contacts of one market."""
    times = pd.date_range(first, periods=7 * WEEKS * BINS, freq="10min")
    volume, level = _usual(rng, market, times)
    count = rng.poisson(volume)
    surged = np.zeros(len(times), dtype=int)
    for one in incidents:
        inside = _inside(times, one)
        surged[inside] += rng.poisson(np.maximum(one.volume - 1, 0) * volume[inside])
    at = np.repeat(np.arange(len(times)), count + surged)
    vendors = {name: vendor.volume * vendor.markets.get(market, 0.0) for name, vendor in VENDORS.items()}
    shares = {
        "channel": {name: share for name, (share, _) in CHANNELS.items()},
        "vendor": {name: weight for name, weight in vendors.items() if weight},
        "issue_type": dict(zip(DIMENSIONS["issue_type"], ISSUE_SHARES, strict=True)),
    }
    columns = {name: pick(rng, len(at), weights) for name, weights in shares.items()}
    base = np.array([CHANNELS[name][1] for name in CHANNELS])
    usual = logit(base[pd.Index(list(CHANNELS)).get_indexer(pd.Index(columns["channel"]))])
    odds, chance = usual + level[at], rng.random(len(at))
    within, missing = rng.random(len(at)) * 600, rng.random(len(at))
    share_abandoned, gone = expit(odds), np.zeros(len(at), dtype=bool)
    for one in incidents:
        hit = _inside(times, one)[at]
        for name, value in one.where.items():
            hit &= columns[name] == value
        share_abandoned = np.where(hit & (one.abandoned is not None), one.abandoned or 0.0, share_abandoned)
        gone |= hit & (missing >= one.volume)
    clock = times[at] + pd.to_timedelta(within.astype(int), unit="s")
    offered = clock.tz_localize(ZONES[market], ambiguous=np.ones(len(at), dtype=bool), nonexistent="shift_forward")
    frame = pd.DataFrame({"offered_at": offered.tz_convert("UTC").tz_localize(None).astype("datetime64[us]")})
    frame["market"] = market
    frame = frame.assign(**columns, abandoned=chance < share_abandoned)
    return frame[~gone]


def _usual(rng: np.random.Generator, market: str, times: pd.DatetimeIndex) -> tuple[np.ndarray, np.ndarray]:
    """Contacts expected in each bin, and how far above usual the abandoned are (log odds): bad days, bad hours."""
    hour, weekday, days = times.hour + times.minute / 60, times.day_of_week, len(times) // BINS
    opened = ((weekday < 5) & (hour >= 8) & (hour < 20)) | ((weekday == 5) & (hour >= 9) & (hour < 14))
    busy = np.where(opened, 0.85 + 0.3 * np.sin(np.pi * np.clip((hour - 8) / 12, 0, 1)), NIGHT)
    off = [start for _, kind, _, start, _, where in EVENTS if kind == "holiday" and where == market]
    volume = BUSY * busy * np.where(times.normalize().isin(pd.to_datetime(off)), HOLIDAY, 1.0)
    volume = volume * np.exp(np.repeat(rng.normal(0, 0.05, days), BINS))
    memory = lfilter([0.53], [1, -0.85], rng.normal(0, 0.07, len(times)))  # of about an hour
    level = 0.2 * np.sin(2 * np.pi * (hour - 8) / 12) + memory + np.repeat(rng.normal(0, 0.05, days), BINS)
    return volume, np.asarray(np.where(opened, level, 0.5))


def _inside(times: pd.DatetimeIndex, incident: Incident) -> np.ndarray:
    return np.asarray((times >= pd.Timestamp(incident.start)) & (times < pd.Timestamp(incident.end)))
