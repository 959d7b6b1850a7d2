"""What a mix has to tell: the volume that moved."""

from collections.abc import Iterator

from rca import sentences as say
from rca.finding import Evidence, Finding, measured, remedy
from rca.mix import Mix
from rca.result import rows


def mix_findings(mix: Mix, _: Evidence) -> Iterator[Finding]:
    """A finding for each shift. One shift moves several KPIs: its dimension is the topic that they share."""
    metric = mix.metric
    for i, row in enumerate(rows(mix.table)):
        where = mix.where(i)
        title = say.mix_title(where, row.share_before, row.share_after)
        size = metric.change(row.mix_effect, signed=False)
        moved = f"{say.inner(metric.label)} {say.moved(row.mix_effect)} by {size}"
        back = remedy(metric, "With the former mix", mix.value_after - row.mix_effect, mix.after[1])
        yield Finding(
            **measured(metric, row.mix_effect, row.conf_low, row.conf_high, row.p_adj, row.mix_effect),
            kind="mix",
            where=where,
            reach="own",
            title=title,
            headline=f"{title.rpartition(': ')[0]}: {moved} through mix alone.",
            tag="mix",
            cases=0.0,
            cases_text=f"on {say.inner(metric.label)}",
            remedy=back if row.direction == "worse" else "",
            details=(f"mix alone: inside each {' and '.join(where).replace('_', ' ')} cases go as before",),
            topic=f"mix {' & '.join(where)}",
        )
