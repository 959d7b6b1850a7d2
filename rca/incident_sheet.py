"""The evidence of one incident, bin by bin, for those who must find out what broke."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from rca.cube import Cube
from rca.incident_cells import OTHERS, counts_good
from rca.result import Result

AROUND = 6  # bins before and after that show what is usual
MOST = 6  # segments with columns of their own


@dataclass(frozen=True, eq=False, repr=False)
class Sheet(Result):
    """One incident, for the log of whoever runs the tool; `table.to_csv(...)` exports it.

    table  one row per bin from an hour before to an hour after: `period` (its beginning, local clock), `inside`,
           `cases`, `seen` and `expected` (that went wrong; of volume the cases), then for each segment of the dimension
           that tells most `cases: chat`, `seen: chat`
    """

    sentence: str
    kind: str = "rate"

    @property
    def facts(self) -> dict[str, Any]:
        return {"metric": self.metric.name, "sentence": self.sentence, "bins": len(self.table)}

    @property
    def headline(self) -> str:
        return self.sentence

    @property
    def display(self) -> pd.DataFrame:
        if self.table.empty:
            return self.table
        table = self.table.drop(columns=["inside", *(["seen"] if self.kind != "rate" else [])])
        for column in table.columns[1:]:
            table[column] = [
                f"{value:,.1f}" if column == "expected" else f"{value:,.0f}" for value in table[column]
            ]
        clock = [f"{'● ' if row.inside else ''}{row.period:%a %d %b %H:%M}" for row in self.table.itertuples()]
        return table.assign(period=clock)

    def plot(self, ax: Any = None) -> Any:
        from rca.plotting.incident_sheet import draw

        return draw(self, ax)


def sheet(cube: Cube, bins: pd.DataFrame, incident: Any, sentence: str) -> Sheet:
    """The sheet of one incident: a row of `Incidents.table`, whose series are `bins`."""
    first, last = bins["period"].searchsorted([incident.start, incident.end])
    table = bins.iloc[max(first - AROUND, 0) : last + AROUND].reset_index(drop=True)
    inside = (table["period"] >= incident.start) & (table["period"] < incident.end)
    volume = incident.kind != "rate"
    found = pd.DataFrame({"period": table["period"], "inside": inside, "cases": table["cases"]})
    found["seen"] = table["cases" if volume else "seen"]
    found["expected"] = table["expected_cases" if volume else "expected"]
    dimension = incident.segment.partition("=")[0] if "=" in incident.segment else next(iter(cube.by), "")
    if dimension:
        part = cube.frame[cube.frame["period"].between(table["period"].iloc[0], table["period"].iloc[-1])]
        part = part.assign(seen=part["n"] - part["total"] if counts_good(cube.metric) else part["total"])
        largest = part.groupby(dimension)["n"].sum().nlargest(MOST).index
        part = part.assign(value=part[dimension].where(part[dimension].isin(largest), OTHERS))
        sums = part.groupby(["period", "value"])[["n", "seen"]].sum().unstack(fill_value=0)
        sums = sums.reindex(table["period"], fill_value=0)
        for value in sums["n"].columns:
            found[f"cases: {value}"] = sums["n"][value].to_numpy()
            if not volume:
                found[f"seen: {value}"] = sums["seen"][value].to_numpy()
    return Sheet(found, cube.metric, sentence, incident.kind)
