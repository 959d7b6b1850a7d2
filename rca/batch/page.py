"""The report page: what the notebook found on top, then the notebook's own cells, code folded away."""

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from rca.batch.html import environment, joined, markdown
from rca.batch.picture import picture
from rca.batch.record import MIME, Findings, Status

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_HEADING = re.compile(r"(?m)^## +(.+?) *#*$")
_PICTURES = ("image/svg+xml", "image/png", "image/jpeg")
_OURS = {"parameters", "injected-parameters", "papermill-error-cell-tag"}


@dataclass(frozen=True)
class Block:
    """A piece of a section: `html` goes into the page as it is, `text` and `source` are escaped."""

    kind: str  # html, picture, text, message, error, headline (not shown: what a picture says)
    html: str = ""
    text: str = ""
    source: str = ""


@dataclass
class Section:
    """What stands between two second-level headings of the notebook."""

    title: str
    blocks: list[Block] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    ran: bool = False  # whether a cell of it left something
    findings_only: bool = False

    @property
    def link(self) -> str:
        """The heading without its number: `1. Did it change?` -> `Did it change?`."""
        return re.sub(r"^\d+\s*[.·)]?\s*", "", self.title)


def render_page(
    notebook: Any,
    *,
    title: str,
    name: str,
    parameters: Mapping[str, Any],
    status: Status,
    sentence: str,
    findings: Findings | None,
    versions: Mapping[str, str] | None = None,
    index: str = "../index.html",
    internal: bool = True,
) -> str:
    """The whole page as one self-contained HTML document.

    title, name   the study's title and the scope's name
    status        of the run; for one that is not done, `sentence` says why
    findings      what the top is built from; None where the run is not done
    versions      of what the report was made with
    index         link back to the index
    internal      with that link, the code and the parameters
    """
    first, *sections = sections_of(notebook)
    if findings:  # their list of data says the same
        first.blocks = [block for block in first.blocks if 'class="rca-source"' not in block.html]
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            title=title,
            name=name,
            parameters=yaml.safe_dump(dict(parameters), sort_keys=False, allow_unicode=True),
            status=status,
            sentence=sentence,
            findings=findings,
            picture=picture(findings) if findings else None,
            versions=", ".join(f"{name} {number}" for name, number in (versions or {}).items()),
            index=index,
            internal=internal,
            about=first,
            sections=[s for s in sections if s.blocks and not s.findings_only and (findings or s.ran)],
        )
    )


def sections_of(notebook: Any) -> list[Section]:
    """The notebook in sections; the first has what stands before the first second-level heading."""
    sections = [Section("")]
    for cell in notebook["cells"]:
        if _OURS & set(cell["metadata"].get("tags", [])):
            continue
        if cell["cell_type"] == "markdown":
            intro, *parts = _HEADING.split(cell["source"])
            _add_markdown(sections[-1], re.sub(r"(?m)^# .*$", "", intro))
            for heading, body in zip(parts[::2], parts[1::2], strict=True):
                sections.append(Section(heading))
                _add_markdown(sections[-1], body)
        elif cell["cell_type"] == "code" and cell["source"].strip():
            _add_code(sections[-1], cell)
    return sections


def _add_markdown(section: Section, text: str) -> None:
    if text.strip():
        section.blocks.append(Block("html", _boxed(markdown(text))))


def _add_code(section: Section, cell: Any) -> None:
    section.code.append(cell["source"])
    outputs = cell["outputs"]
    section.ran = section.ran or bool(outputs)
    if any(MIME in output.get("data", {}) for output in outputs):
        section.findings_only = not any(b.kind != "html" for b in section.blocks)
        outputs = [output for output in outputs if MIME not in output.get("data", {})]
    headline = " ".join(line for output in outputs for line in _headlines(output))
    if headline:
        section.blocks.append(Block("headline", text=headline))
    said = next((b.text for b in reversed(section.blocks) if b.kind == "headline"), "")
    for output in outputs:
        section.blocks.extend(_blocks(output, said or section.link or "Picture", cell["source"]))


def _headlines(output: Any) -> Iterator[str]:
    """The sentences of the results shown: our results print as `<ControlChart: sentence>`."""
    text = output.get("data", {}).get("text/plain", "")
    yield from re.findall(r"(?m)^<\w+: (.+)>$", "".join(text))


def _blocks(output: Any, said: str, source: str) -> Iterator[Block]:
    if output["output_type"] == "error":
        lines = _ANSI.sub("", "\n".join(output["traceback"])).strip().splitlines()
        yield Block("error", text="\n".join(lines[-12:]), source=source)
    elif output["output_type"] == "stream":
        yield Block("text" if output["name"] == "stdout" else "message", text=_ANSI.sub("", output["text"]))
    else:
        data = output["data"]
        picture = next((kind for kind in _PICTURES if kind in data), None)
        if picture:
            yield Block("picture", _picture(picture, data[picture]), said)
        elif "text/html" in data:
            yield Block("html", _boxed(re.sub(r">[^<]+", lambda text: joined(text[0]), "".join(data["text/html"]))))
        elif "text/markdown" in data:
            yield Block("html", _boxed(markdown("".join(data["text/markdown"]))))
        elif "text/plain" in data:
            yield Block("text", text="".join(data["text/plain"]))


def _boxed(html: str) -> str:
    """Tables in a box of their own, so that a wide one scrolls and the page does not."""
    box = '<div class="wrap" role="group" aria-label="Table" tabindex="0">'
    return re.sub(r"(</table\s*>)", r"\1</div>", re.sub(r"(<table\b)", rf"{box}\1", html))


def _picture(kind: str, data: Any) -> str:
    """The address of a picture that is part of the page, with its size where the format tells it."""
    text = "".join(data)
    encoded = base64.b64encode(text.encode()).decode() if kind == "image/svg+xml" else "".join(text.split())
    size = ""
    if kind == "image/png":  # width and height are the two big-endian numbers after the first chunk's name
        head = base64.b64decode(encoded[:48])
        width, height = (int.from_bytes(head[i : i + 4], "big") for i in (16, 20))
        size = f' width="{width}" height="{height}"'
    return f'src="data:{kind};base64,{encoded}"{size}'
