"""The controls of an Explorer: what is chosen in them changes the choice, and the views follow."""

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rca.errors import InputError
from rca.files import find_file
from rca.period import PERIODS

if TYPE_CHECKING:
    import ipywidgets as w

    from rca.explore import Explorer

ALL = "all"
LOOK: Any = {"layout": {"width": "260px"}, "style": {"description_width": "58px"}}


def controls(explorer: "Explorer") -> "w.VBox":
    """Dropdowns for what there is, texts for windows, a line that says what cannot be, a button that saves."""
    import ipywidgets as w  # not at the top: loaded in a warm server, its widgets would reach no page

    chosen = explorer.choice
    files = sorted(find_file(chosen.source).parent.glob("*.yml"))
    contracts = {file.stem: str(Path(chosen.source).with_name(file.name)) for file in files}
    source = w.Dropdown(options=contracts, value=chosen.source, description="source", **LOOK)
    dimension, value, metric, split = (
        w.Dropdown(description=name, **LOOK) for name in ("scope", "is", "metric", "split by")
    )
    by = w.SelectMultiple(description="search", rows=7, **LOOK)
    period = w.Dropdown(options={name: p for p, name in PERIODS.items()}, description="period", **LOOK)
    before, after = (w.Text(description=name, continuous_update=False, **LOOK) for name in ("before", "after"))
    name = w.Text(description="save as", placeholder="my_study", **LOOK)
    save = w.Button(description="Save as a study", layout={"width": "160px"})
    said = w.HTML()
    fields = {"metric": metric, "split": split, "period": period, "before": before, "after": after}
    quiet = [False]  # while the controls are set from the choice, their changes are none

    def fill() -> None:
        """Set the controls from the choice."""
        quiet[0] = True
        chosen, cases = explorer.choice, explorer.cases
        source.value = chosen.source
        metric.options = {m.label: n for n, m in cases.metrics.items()}
        split.options = by.options = list(cases.dimensions)
        dimension.options = [ALL, *cases.dimensions]
        dimension.value = next(iter(chosen.scope), ALL)
        value.options = list(cases.unscoped.values(dimension.value).index) if chosen.scope else []
        value.value = next(iter(chosen.scope.values()), None)
        by.value = tuple(chosen.by)
        for field, control in fields.items():
            control.value = getattr(chosen, field)
        quiet[0] = False

    def choose(**changes: Any) -> None:
        if quiet[0]:
            return
        said.value = "<i>working …</i>"
        try:
            explorer.choose(**changes)
            said.value = ""
        except InputError as error:
            said.value = f"<b>{escape(str(error))}</b>"
        fill()

    def scope(change: Any) -> None:
        if not quiet[0]:
            first = {} if change.new == ALL else {change.new: explorer.cases.unscoped.values(change.new).index[0]}
            choose(scope=first)

    def write(_: Any) -> None:
        try:
            said.value = f"Saved: <code>rca run params/{explorer.save(name.value).name}</code>"
        except InputError as error:
            said.value = f"<b>{escape(str(error))}</b>"

    fill()
    source.observe(lambda c: choose(source=c.new, scope={}, metric="", by=(), split=""), "value")
    dimension.observe(scope, "value")
    value.observe(lambda c: choose(scope={dimension.value: c.new}), "value")
    by.observe(lambda c: choose(by=list(c.new)), "value")
    for field, control in fields.items():
        control.observe(lambda c, field=field: choose(**{field: c.new}), "value")
    save.on_click(write)
    left, right = w.VBox([source, dimension, value, metric]), w.VBox([split, period, before, after])
    for column in (left, right):
        column.layout = {"overflow": "visible"}
    choices = w.HBox([left, right, by], layout={"flex_flow": "row wrap"})
    return w.VBox([choices, w.HBox([name, save]), said])
