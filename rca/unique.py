"""No key stands in two rows; where one does, what tells its rows apart."""

import ibis
import ibis.expr.types as ir

from rca.contract import Contract
from rca.engines import row_hash
from rca.errors import InputError

COMPARED = 10_000_000  # keys; with more the check would take longer, and more memory, than the cubes
KEYS = "rca_keys"


def check_unique(table: ir.Table, contract: Contract, rows: int) -> None:
    """No key in two rows. Of very many a part is compared, chosen by a hash: a join that multiplied rows shows."""
    part = ""
    if rows > COMPARED:
        part = f"of the keys compared, one in {rows // COMPARED + 1}, "
        table = table.filter(row_hash(table, *contract.key) % (rows // COMPARED + 1) == 0)
    repeated = table.group_by(contract.key).agg(**{KEYS: table.count()}).filter(ibis._[KEYS] > 1)
    found = repeated.agg(keys=repeated.count(), rows=repeated[KEYS].sum()).execute().iloc[0]
    if keys := int(found["keys"]):
        first = repeated.order_by(contract.key).limit(1).execute().iloc[0]
        name = ", ".join(f"{column} {first[column]!r}" for column in contract.key)
        occur = "key occurs" if keys == 1 else "keys occur"
        raise InputError(
            f"{part}{keys:,} {occur} in more than one row ({int(found['rows']):,} rows in all),"
            f" such as {name}: {_between(table, repeated, contract)}",
            {"latest_by": (contract.time.column,)},
        )


def _between(table: ir.Table, repeated: ir.Table, contract: Contract) -> str:
    """What tells the rows of a key apart: a log of events, a join that multiplied rows, or the same rows twice."""
    others = [name for name in table.columns if name not in contract.key][:100]
    rows = table.semi_join(repeated, contract.key)
    kinds = rows.group_by(contract.key).agg(**{name: rows[name].nunique() for name in others})
    found = kinds.agg(**{name: (kinds[name] > 1).mean() for name in others}).execute().iloc[0]
    differ = [str(name) for name in found.sort_values(ascending=False, kind="stable").index if found[name] > 0]
    if not differ:
        return "these rows are the same in every column, so the data holds them twice."
    few = f"{', '.join(differ[:4])}{f' and {len(differ) - 4} more' if len(differ) > 4 else ''}"
    if len(differ) == 1:
        return (
            f"they differ in {few} alone, as after a join that multiplies rows: add it to the key, or join again."
        )
    return f"one row per event? They differ in {few}. Say in latest_by which row counts, or name the whole key."
