"""The same inputs give the same bytes: what changes from one execution to the next is taken out of a notebook."""

import re
from typing import Any

_VOLATILE = ("start_time", "end_time", "duration", "input_path", "output_path", "environment_variables")
_TEXTS: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r" at 0x[0-9a-f]{6,16}"), " at 0x0"),  # objects without a repr of their own
    # statsmodels' summary() says when it was made, in HTML, text and LaTeX
    (re.compile(r"(<th>(?:Date|Time):</th>\s*<td>)[^<]*"), r"\1-"),
    (re.compile(r"(?m)^(Date: +)\S.*?(?=  )"), r"\1-"),
    (re.compile(r"(?m)^(Time: +)\d\d:\d\d:\d\d"), r"\1-"),
    (re.compile(r"(\\textbf\{(?:Date|Time):\}\s*&)[^&]*"), r"\1 - "),
]
_STYLER = re.compile(r'id="T_([0-9a-f]{5,32})"')  # pandas' Styler draws a random id for each table


def steady(notebook: Any) -> Any:
    """Make an executed notebook a function of its inputs, in place; returns it.

    Times, paths, random ids and the chunks in which streams arrived go. Text that the data brought stays as it is.
    """
    _forget(notebook["metadata"].get("papermill", {}))
    styled = 0
    for position, cell in enumerate(notebook["cells"]):
        cell["metadata"].pop("execution", None)
        _forget(cell["metadata"].get("papermill", {}))
        tags = cell["metadata"].get("tags", [])
        if "injected-parameters" in tags or "papermill-error-cell-tag" in tags:  # papermill gives them random ids
            cell["id"] = f"papermill-{position}"
        if cell["cell_type"] != "code":
            continue
        cell["outputs"] = _whole_streams(cell["outputs"])
        for output in cell["outputs"]:
            for box, key in _texts(output):
                for pattern, text in _TEXTS:
                    box[key] = pattern.sub(text, box[key])
                for drawn in dict.fromkeys(_STYLER.findall(box[key])):
                    box[key] = box[key].replace(f"T_{drawn}", f"T_s{styled:04d}")
                    styled += 1
    return notebook


def _forget(metadata: dict[str, Any]) -> None:
    for name in _VOLATILE:
        metadata.pop(name, None)


def _whole_streams(outputs: list[Any]) -> list[Any]:
    """One stream of a name per cell: how often it was flushed varies."""
    kept: list[Any] = []
    streams: dict[str, Any] = {}
    for output in outputs:
        if output["output_type"] == "stream" and output["name"] in streams:
            streams[output["name"]]["text"] += output["text"]
            continue
        if output["output_type"] == "stream":
            streams[output["name"]] = output
        kept.append(output)
    return kept


def _texts(output: Any) -> list[tuple[Any, Any]]:
    """Where the texts of an output are: the containers and keys."""
    if output["output_type"] == "error":
        lines = output["traceback"]
        return [(lines, position) for position in range(len(lines))]
    data = output.get("data", {})
    places = [(data, kind) for kind in data if isinstance(data[kind], str) and not kind.startswith("image/p")]
    return places + ([(output, "text")] if "text" in output else [])


def differences(first: Any, second: Any) -> str:
    """Where two executed notebooks first differ, in words; empty when they do not."""
    for number, (one, other) in enumerate(zip(first["cells"], second["cells"], strict=False), start=1):
        if one == other:
            continue
        line = (one["source"].strip() or other["source"].strip()).splitlines()[0]
        return f"cell {number} ({line}): {_differing(one, other)}"
    if len(first["cells"]) != len(second["cells"]):
        return f"{len(first['cells'])} cells and {len(second['cells'])}"
    return "" if first == second else "the notebook's metadata"


def _differing(one: Any, other: Any) -> str:
    if one.get("source") != other.get("source"):
        return "its source"
    results, others = one.get("outputs", []), other.get("outputs", [])
    for result, again in zip(results, others, strict=False):
        if result != again:
            data, more = result.get("data", {}), again.get("data", {})
            kinds = [kind for kind in sorted({*data, *more}) if data.get(kind) != more.get(kind)]
            return f"its {', '.join(kinds) or result['output_type']} output"
    return "the number of its outputs" if len(results) != len(others) else "its metadata"
