"""Repeat contacts: of each case, whether the same customer comes again in time, and at what cost, by a window in the
engine."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from rca.contract import Contract
from rca.errors import InputError, hint

if TYPE_CHECKING:
    import ibis.expr.types as ir

AGAIN = "rca_again:"  # and the name of a metric


def add_repeats(cases: "ir.Table", contract: Contract, ends: pd.Timestamp) -> "ir.Table":
    """The cases of every scope with a column AGAIN + name per metric of repeats: true, false, or missing; of a mean the
    value of the next contact, or 0.

    The next case counts whoever answers it, so that a vendor's report and the report of all vendors agree. Missing
    is where nobody can know: a case without a customer, or so near to `ends`, the last moment (UTC) of the data,
    that the time to come again is not over.
    """
    import ibis

    from rca.columns import utc
    from rca.expression import translate

    columns: dict[str, Any] = {}
    for name, metric in contract.metrics.items():
        if not metric.repeat:
            continue
        for same in metric.repeat.same:
            if same not in cases.columns:
                raise InputError(f"metric {name}, repeat: unknown column {same!r}. {hint(same, cases.columns)}")
        moment, within = utc(cases, contract), metric.repeat.within
        nearest = {"group_by": metric.repeat.same, "order_by": [moment, *contract.key]}
        following = moment.lead().over(**nearest)
        asked = ibis.and_(moment <= ibis.literal(ends - within), *(cases[c].notnull() for c in metric.repeat.same))
        again = (following <= moment + ibis.interval(seconds=int(within.total_seconds()))).fill_null(False)
        if metric.value:
            value = translate(metric.value, cases, f"metric {name}, value")
            if not value.type().is_numeric():
                continue  # `rca.cases.expressions` says so, for every kind of metric
            again = ibis.ifelse(again, value.lead().over(**nearest).fill_null(0), 0)
        columns[AGAIN + name] = ibis.cases((asked, again))
    return cases.mutate(**columns) if columns else cases
