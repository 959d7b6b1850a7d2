"""One KPI of one scope looked at from all sides: chart, Pareto, bridge, localisation of a choice that can change."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any

import yaml

from rca.bridge import bridge
from rca.control_chart import control_chart
from rca.cube_query import cube
from rca.errors import InputError, hint, known
from rca.files import find_file
from rca.localize import localize
from rca.pareto import pareto
from rca.period import PERIODS
from rca.result import Result
from rca.source import Source, open_source

NOTEBOOK = "notebooks/explore.ipynb"


@dataclass(frozen=True)
class Choice:
    """What is looked at; the names are those of the parameters of `notebooks/explore.ipynb`.

    source  contract of the cases; `scope`: whose, such as {"vendor": "Andes"}, empty for all
    metric  the KPI; `by`: the dimensions searched; `split`: the one that Pareto and bridge split by
    period  D, W or M; `before`, `after`: windows
    """

    source: str
    scope: Mapping[str, str] = field(default_factory=dict)
    metric: str = ""
    by: Sequence[str] = ()
    split: str = ""
    period: str = "W"
    before: str = "last 26 before last 8"
    after: str = "last 8"

    def of(self, cases: Source) -> "Choice":
        """The choice with what was left open filled in: the first metric, the first dimensions but the scope's."""
        free = [d for d in cases.dimensions if d not in self.scope]
        by = [known(name, cases.dimensions, "dimension") for name in self.by] or free[:4]
        if not by:
            raise InputError(f"{self.source} has no dimension to explore by, but those of the scope.")
        metric = known(self.metric or next(iter(cases.metrics)), cases.metrics, "metric")
        split = known(self.split or by[0], cases.dimensions, "dimension")
        known(self.period, PERIODS, "period")
        return replace(self, metric=metric, by=list(by), split=split)


VIEWS: dict[str, tuple[Callable[..., Result], str]] = {  # name -> analysis, its options in terms of a choice
    "control_chart": (control_chart, "baseline=before"),
    "pareto": (pareto, "by=split within=after"),
    "bridge": (bridge, "by=split before=before after=after"),
    "localize": (localize, "before=before after=after"),
}


class Explorer:
    """A choice and its views. `choose` changes it, and every view shown before follows; so do the widgets."""

    def __init__(self, choice: Choice, widgets: bool = False):
        self.cases = open_source(choice.source, scope=choice.scope)
        self.choice = choice.of(self.cases)
        self._results: dict[str, Any] = {}
        self._shown: dict[str, list[Any]] = {}
        self.controls = None
        if widgets:
            from rca.explore_widgets import controls

            self.controls = controls(self)

    def choose(self, **changes: Any) -> None:
        """Change the choice: `choose(metric="handling_time", after="last 4")`; what was shown follows."""
        for name in changes:
            known(name, Choice.__dataclass_fields__, "choice")
        new, cases = replace(self.choice, **changes), self.cases
        if new.source != self.choice.source:
            cases = open_source(new.source, scope=new.scope)
        elif new.scope != self.choice.scope:
            cases = cases.unscoped.only(new.scope) if new.scope else cases.unscoped
        self.choice, self.cases, self._results = new.of(cases), cases, {}
        for view, handles in self._shown.items():
            for handle, shown in zip(handles, self._looks(view), strict=True):
                handle.update(shown)

    def result(self, view: str) -> Result:
        """The result of a view: control_chart, pareto, bridge or localize."""
        analysis, _ = VIEWS[known(view, VIEWS, "view")]
        if "cube" not in self._results:
            by = [*self.choice.by, self.choice.split]
            self._results["cube"] = cube(self.cases, self.choice.metric, by=by, period=self.choice.period)
        if view not in self._results:
            self._results[view] = analysis(self._results["cube"], **self._options(view))
        return self._results[view]

    def show(self, view: str) -> None:
        """Show a view: its sentence and table, its picture, the call that made it."""
        from IPython.display import display

        self._shown[view] = [display(look, display_id=True) for look in self._looks(view)]

    def call(self, view: str) -> str:
        """The lines that make the same picture anywhere, to copy."""
        known(view, VIEWS, "view")
        chosen, options = self.choice, ", ".join(f"{k}={v!r}" for k, v in self._options(view).items())
        scope = f", scope={dict(chosen.scope)!r}" if chosen.scope else ""
        dimensions = list(dict.fromkeys([*chosen.by, chosen.split]))
        return (
            f"import rca\n\ncases = rca.open_source({chosen.source!r}{scope})\n"
            f"cube = rca.cube(cases, {chosen.metric!r}, by={dimensions!r}, period={chosen.period!r})\n"
            f"ax = rca.{view}(cube, {options}).plot()"
        )

    @property
    def study(self) -> str:
        """The choice as a study, in YAML: what `save` writes."""
        chosen = self.choice
        names = ("metric", "by", "split", "period", "before", "after")
        parameters = {name: getattr(chosen, name) for name in names}
        about = ", ".join(chosen.scope.values()) or "all"
        study: dict[str, Any] = {
            "title": f"{self.cases.metrics[chosen.metric].label}, {about}",
            "notebook": NOTEBOOK,
        }
        study |= {"source": chosen.source}
        for dimension, value in chosen.scope.items():
            study |= {"for_each": dimension, "only": [value]}
        return yaml.safe_dump(study | {"parameters": parameters}, sort_keys=False, allow_unicode=True)

    def save(self, name: str) -> Path:
        """Write the choice to `params/NAME.yml`, where `rca run` finds it; an older file is never overwritten."""
        if not re.fullmatch(r"\w[\w -]*", name):
            raise InputError(f"{name!r} is no name for a file: letters, digits, - and _ only.")
        contract = find_file(self.choice.source).absolute().parent
        path = (contract.parent if contract.name == "sources" else contract) / f"{name}.yml"
        if path.exists():
            raise InputError(f"{path.name} is there already; choose another name.")
        path.write_text(f"# Saved from {NOTEBOOK}.\n{self.study}", encoding="utf-8")
        return path

    def _options(self, view: str) -> dict[str, Any]:
        pairs = (pair.split("=") for pair in VIEWS[view][1].split())
        options = {option: getattr(self.choice, name) for option, name in pairs}
        return options | ({"by": [options["by"]]} if view == "bridge" else {})

    def _looks(self, view: str) -> list[Any]:
        """What of a view is displayed; what cannot be answered is said in its place, and the rest is empty."""
        from IPython.display import Image, Markdown

        from rca.plotting.picture import taken

        try:
            found = self.result(view)
            drawn = Image(taken(found.plot().figure))
        except InputError as error:
            if self.controls is None:  # a report that cannot be made has to fail, not to look like one
                raise
            return [Markdown(f"**{escape(str(error))}**"), Markdown(""), Markdown("")]
        return [found, drawn, Markdown(f"```python\n{self.call(view)}\n```")]

    def __repr__(self) -> str:
        chosen = self.choice
        scope = ", ".join(f"{k} {v}" for k, v in chosen.scope.items()) or "all"
        return (
            f"<Explorer: {chosen.metric} of {scope}, by {', '.join(chosen.by)}, split by {chosen.split};"
            f" {chosen.after} against {chosen.before}, period {chosen.period}>"
        )

    def _repr_mimebundle_(self, **options: Any) -> Any:
        if self.controls is not None:
            return self.controls._repr_mimebundle_(**options)
        chosen = {"source": self.choice.source, "scope": dict(self.choice.scope) or "all"}
        chosen |= {
            name: getattr(self.choice, name) for name in ("metric", "by", "split", "period", "before", "after")
        }
        text = {k: ", ".join(v) if isinstance(v, list) else str(v) for k, v in chosen.items()}
        rows = "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in text.items())
        return {"text/plain": repr(self), "text/html": f'<table class="rca">{rows}</table>'}


def explore(source: str, *, widgets: bool | None = None, **choice: Any) -> Explorer:
    """Look at one KPI of one scope from all sides. Further arguments: those of `Choice`.

    widgets  whether to show controls; by itself where a person works in Jupyter and ipywidgets is installed. A batch
             shows none, and the same cells show the same views

    Raises InputError for a source, metric, dimension or scope that there is not.
    """
    if unknown := sorted(set(choice) - set(Choice.__dataclass_fields__)):
        raise InputError(f"explore has no {unknown[0]!r}. {hint(unknown[0], Choice.__dataclass_fields__)}")
    return Explorer(Choice(source, **choice), _interactive() if widgets is None else widgets)


def _interactive() -> bool:
    """Whether a server of Jupyter began this kernel for a person: a batch has none (jupyter_server names it)."""
    from importlib.util import find_spec

    return bool(os.environ.get("JPY_SESSION_NAME")) and find_spec("ipywidgets") is not None
