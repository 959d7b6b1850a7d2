"""The report page and the index: self-contained, escaped, reachable, and saying what happened."""

import base64
import copy
import csv
import hashlib
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from statsmodels.stats.multitest import multipletests
from studies import write_study

from rca.batch.alarms import q_values, stands
from rca.batch.earlier import keep
from rca.batch.html import script, spark_dots, spark_lines
from rca.batch.page import render_page, sections_of
from rca.batch.picture import picture
from rca.batch.plan import plan
from rca.batch.record import MIME, read_findings
from rca.batch.run import Outcome
from rca.batch.site import write_home, write_index
from rca.errors import InputError

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # 1 by 1
FINDING = {
    "rank": 1,
    "metric": "late",
    "label": "Late",
    "kind": "rate",
    "segment": "market=MX",
    "where": {"market": "MX"},
    "direction": "worse",
    "reach": "own",
    "title": "Market MX: late 5.0 % → 9.0 %",
    "tag": "North only",
    "effect": 0.04,
    "conf_low": 0.02,
    "conf_high": 0.06,
    "p_adj": 0.001,
    "impact": 0.02,
    "impact_text": "+2.0 points",
    "cases": 12.0,
    "cases_text": "≈ 12 cases a week",
    "weight": 2.0,
    "headline": "Market MX: late rose by 4.0 points.",
    "remedy": "At the former level there, late would be 7.0 %.",
    "since": "2026-09-21",
    "until": "",
    "events": "",
    "actions": [],
    "details": ["95 % interval +2.0 to +6.0 points"],
}
COMMON = {
    **FINDING,
    "segment": "all cases",
    "where": {},
    "title": "All cases: late 3 % → 5 %",
    "reach": "common",
    "tag": "common to all",
}
RECORD = {
    "schema": 2,
    "title": "Late cases rose by 2 points.",
    "lead": "Market MX explains it.",
    "scope": {"vendor": "North"},
    "before": ["2026-02-09", "2026-09-20"],
    "after": ["2026-09-21", "2026-11-15"],
    "status": "attention",
    "kpis": [
        {
            "metric": "late",
            "label": "Late",
            "value": 0.09,
            "text": "9.0 %",
            "target_text": "target 5 %",
            "change_text": "2.0 points higher",
            "status": "worse",
            "trend": "up",
            "status_text": "special cause, worse",
            "spark": [0.05, None, 0.09],
            "signals": [2],
        }
    ],
    "findings": [FINDING],
    "common": [],
    "actions": [],
    "quiet_text": "A change of 3 points would have been seen.",
    "data": [{"label": "Cases", "text": "153"}],
}


class Page(HTMLParser):
    """What a browser would make of a page."""

    VOID = ("meta", "img", "path", "circle", "rect", "br", "hr", "link", "input")

    def __init__(self, html: str):
        super().__init__()
        self.elements, self.text, self.open = [], [], []
        self.feed(html)
        assert self.open == []  # every element that begins ends

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


def cells(record=RECORD):
    picture = new_output("display_data", {"image/png": PIXEL, "text/plain": "<Figure>"})
    result = new_output(
        "execute_result",
        {
            "text/plain": "<ControlChart: Lateness is <b>steady</b>.>",
            "text/html": "<p><b>Lateness is steady.</b></p><table><tr><td>1</td></tr></table>",
        },
    )
    return [
        new_markdown_cell("# The notebook\n\nHow to read it."),
        new_code_cell("secret: str = 'default'", metadata={"tags": ["parameters"]}),
        new_code_cell("secret = 'given'", metadata={"tags": ["injected-parameters"]}),
        new_markdown_cell("## 1. Did it change?\n\nA *band*."),
        new_code_cell("chart", outputs=[result]),
        new_code_cell("ax = chart.plot()", outputs=[picture]),
        new_markdown_cell("## Pictures of `x < y`"),
        new_code_cell("ax = other.plot()", outputs=[picture]),
        new_markdown_cell("## Findings\n\nRanked."),
        new_code_cell(
            "rca.findings(chart)",
            outputs=[new_output("execute_result", {MIME: record, "text/html": "<p>twice</p>"})],
        ),
    ]


def page(record=RECORD, body=None, **changes):
    options = {
        "title": "Weekly",
        "name": "North",
        "parameters": {"scope": {"vendor": "North"}},
        "status": "done",
        "sentence": "",
        "findings": read_findings(record) if record else None,
    }
    return Page(render_page(new_notebook(cells=body or cells(record)), **{**options, **changes}))


def assert_sound(shown: Page):
    """What holds for every page: nothing is requested, nothing runs, everything can be reached and has a name."""
    assert "default-src 'none'" in next(m["content"] for m in shown.all("meta") if "http-equiv" in m)
    assert shown.all("link") == shown.all("iframe") == []
    policy = next(m["content"] for m in shown.all("meta") if "http-equiv" in m)
    assert policy.count("'sha256-") == len(shown.all("script")) <= 1  # our own, which sorts and filters the index
    assert all(attributes == {} for attributes in shown.all("script"))
    for _, attributes in shown.elements:
        assert not any(name.startswith("on") for name in attributes)
        assert attributes.get("src", "data:").startswith("data:")
        assert not attributes.get("href", "").startswith(("http", "javascript", "//"))
    names = [attributes["id"] for _, attributes in shown.elements if "id" in attributes]
    assert len(names) == len(set(names))
    assert {a["href"][1:] for a in shown.all("a") if a["href"].startswith("#")} <= set(names)
    assert all(picture["alt"] for picture in shown.all("img"))
    assert all(drawing["aria-label"] and drawing["role"] == "img" for drawing in shown.all("svg"))
    assert len(shown.all("h1")) == 1


def test_the_page_tells_the_finding_first_and_the_notebook_after():
    shown = page()
    assert_sound(shown)
    order = [
        "Weekly · North · 21 Sep to 15 Nov 2026",
        "Late cases rose by 2 points.",
        "Market MX explains it.",
        "special cause, worse",
        "Market MX: late 5.0 % → 9.0 %",
        "A band .",
        "Data and method Compared:",
        "21 Sep to 15 Nov 2026 with 9 Feb to 20 Sep 2026",
        "How to read it.",
        "vendor: North",
    ]
    places = [shown.words.index(text) for text in order]
    assert places == sorted(places)
    assert "secret" not in shown.words  # the parameters are in the last section, once
    assert "twice" not in shown.words  # the findings are the top of the page
    assert "Ranked." not in shown.words


def test_pictures_say_what_they_show():
    first, second = page().all("img")
    assert first["alt"] == "Lateness is <b>steady</b>."
    assert second["alt"] == "Pictures of `x < y`"
    assert (first["width"], first["height"]) == ("1", "1")


def test_sections_are_linked_without_their_numbers():
    links = [section.link for section in sections_of(new_notebook(cells=cells()))]
    assert links == ["", "Did it change?", "Pictures of `x < y`", "Findings"]


def test_tables_scroll_in_boxes_that_the_keyboard_reaches():
    boxes = [a for a in page().all("div") if a.get("class") == "wrap"]
    assert boxes == [{"class": "wrap", "role": "group", "aria-label": "Table", "tabindex": "0"}]


def test_a_quiet_report_says_what_would_have_been_seen():
    shown = page({**RECORD, "findings": [], "status": "quiet"})
    assert "Nothing: no change beyond noise. A change of 3 points would have been seen." in shown.words


def test_what_is_common_is_listed_apart():
    assert "look at the clock, the policy or the tool, not at North" in page({**RECORD, "common": [COMMON]}).words


def test_a_failed_page_shows_the_failed_cell():
    error = new_output(
        "error",
        ename="ValueError",
        evalue="no",
        traceback=["\x1b[31mline\x1b[0m <script>alert(1)</script>"] * 30 + ["ValueError: no"],
    )
    body = [*cells()[:4], new_code_cell("broken <b>", outputs=[error])]
    shown = page(None, body, status="failed", sentence="Cell [5]: ValueError: no")
    assert_sound(shown)
    assert "North: this report could not be made. Cell [5]: ValueError: no" in shown.words
    assert "broken <b>" in shown.words
    assert shown.words.count("<script>alert(1)</script>") == 11  # the last lines, not all
    assert "\x1b" not in shown.words
    assert "Pictures of" not in page(None, [*body, *cells()[6:7]], status="failed").words  # it got no further


def test_a_skipped_page_says_why():
    shown = page(None, cells()[:5], status="skipped", sentence="Only 3 cases.")
    assert "North: no report, there are too few cases. Only 3 cases." in shown.words


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% raw %}",
    "' onmouseover='alert(1)",
    "</style><script>",
    "&lt;b&gt;",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_data_stays_text(text, tmp_path):
    record = copy.deepcopy(RECORD)
    record |= {"title": text, "lead": text, "quiet_text": text, "data": [{"label": text, "text": text}]}
    record["kpis"][0] |= {
        "label": text,
        "text": text,
        "target_text": text,
        "change_text": text,
        "status_text": text,
    }
    record["findings"][0] |= {
        "title": text,
        "tag": text,
        "impact_text": text,
        "cases_text": text,
        "details": [text],
    }
    shown = page(record, title=text, name=text, parameters={"x": text})
    assert_sound(shown)
    assert shown.words.count(" ".join(text.split())) >= 15
    assert_sound(index_of(tmp_path, {"North": record}, title=text)[0])


def index_of(folder: Path, reports: dict, outcomes=(), **changes):
    """An index over runs that left these findings, and its words."""
    study = write_study(folder, only=[*reports, "Tiny"], **changes)
    (one,) = plan([study], folder / "outputs")
    for run in one.runs:
        if run.name in reports:
            run.folder.mkdir(parents=True)
            status = "done" if isinstance(reports[run.name], dict) else reports[run.name].partition(":")[0]
            if status == "done":
                (run.folder / "findings.json").write_text(json.dumps(reports[run.name]))
            (run.folder / "run.json").write_text(json.dumps(run_record(run, status, str(reports[run.name]))))
    outcomes = [
        Outcome(run.name, run.folder, status, sentence, 1.0, because)
        for run in one.runs
        for name, status, sentence, because in outcomes
        if run.name == name
    ]
    shown = Page(write_index(one.study, one.folder, one.runs, outcomes).read_text())
    return shown, shown.words


def run_record(run, status, sentence):
    empty = {
        "key": "",
        "inputs": {},
        "everything": "",
        "outputs": {},
        "versions": {},
        "started": "",
        "cell_seconds": [],
    }
    numbers = {"seconds": 1.0, "megabytes": 1.0, "tries": 1}
    words = {"title": "Weekly", "study": "study.yml", "status": status, "sentence": sentence}
    return {"schema": 1, "scope": run.scope, **words, **empty, **numbers}


def test_the_index_begins_with_its_finding(tmp_path):
    less = {**COMMON, "impact": 0.01, "impact_text": "+1.0 points"}
    quiet = {**RECORD, "status": "quiet", "findings": [], "common": [less]}
    shown, words = index_of(tmp_path, {"North": {**RECORD, "common": [COMMON]}, "South": quiet})
    assert_sound(shown)
    assert "1 of 2 vendors needs attention; one change is common to all." in words
    assert "2 reports: 2 done." in words
    assert shown.all("a")[1]["href"] == "../index.html"
    assert "Common to all and not counted against any vendor: Late, all cases: +1.0 to +2.0 points." in words
    assert "Market MX: late 5.0 % → 9.0 % +2.0 points" in words
    assert "No change of its own beyond noise" in words
    assert words.count("special cause, worse") == 2  # for who cannot see the sign
    assert {"href": "North/report.html"} in shown.all("a")


def test_failed_and_skipped_runs_are_clear_at_a_glance(tmp_path):
    reports = {"North": RECORD, "South": "skipped: 3 cases.", "East & <West>": "failed: <b>no</b>"}
    crash = ("Tiny", "failed", "KeyError", "new")
    shown, words = index_of(tmp_path, reports, [crash, ("North", "done", "", "unchanged")])
    assert_sound(shown)
    assert "4 reports: 1 unchanged, 1 skipped, 2 failed." in words
    assert "East & <West> failed failed: <b>no</b>" in words
    links = [a["href"] for a in shown.all("a")]
    assert len([link for link in links if link.startswith("East-West-")]) == 1
    assert "Tiny/report.html" not in links  # it left nothing


def test_the_script_that_the_index_allows_is_its_own():
    """A browser compares the SHA-256 of the text between the tags with the one in the policy (CSP level 2)."""
    ours = script("index.js")
    digest = base64.b64decode(ours.hash.strip("'").removeprefix("sha256-"))
    assert digest == hashlib.sha256(ours.text.encode()).digest()
    assert "</script" not in ours.text


def test_a_batch_is_corrected_as_a_whole(tmp_path):
    """200 reports of one analysis each, three with a finding: Benjamini and Hochberg's largest p that stands is
    0.05 * 3 / 200; statsmodels' values."""
    ps = (1e-4, 6e-4, 1e-3)
    reports = [read_findings({**RECORD, "findings": [{**FINDING, "p_adj": p}]}) for p in ps]
    reports += [read_findings({**RECORD, "findings": [], "status": "quiet"})] * 197
    q = q_values(reports)
    expected = multipletests([*ps, *[1.0] * 197], method="fdr_bh")[1][:3]
    assert [report[0] for report in q[:3]] == pytest.approx(expected)
    assert [stands(report[0]) for report in q[:3]] == [True, False, False]
    assert q[3:] == [[]] * 197


def test_what_does_not_stand_in_the_batch_is_no_alarm(tmp_path):
    weak = {**RECORD, "findings": [{**FINDING, "p_adj": 0.04}], "looked": 8}
    shown, words = index_of(tmp_path, {"North": weak, "South": RECORD})
    assert "1 of 2 vendors needs attention." in words
    assert "not beyond what chance shows among 2 vendors" in words
    assert [row.get("data-need") for row in shown.all("tr")] == [None, "attention", "quiet"]


def test_all_findings_are_one_table_that_no_spreadsheet_takes_for_formulas(tmp_path):
    wild = {**RECORD, "findings": [{**FINDING, "title": "=1+1"}], "common": [COMMON], "scope": {"vendor": "@North"}}
    index_of(tmp_path, {"North": wild})
    folder = tmp_path / "outputs" / "study"
    table = json.loads((folder / "findings.json").read_text())
    assert [(f["vendor"], f["rank"], f["reach"], f["stands"]) for f in table["findings"]] == [
        ("@North", 1, "own", True),
        ("@North", 1, "common", True),
    ]
    first = next(csv.DictReader((folder / "findings.csv").open()))
    assert (first["title"], first["vendor"], float(first["effect"])) == ("'=1+1", "'@North", 0.04)
    assert float(first["q_value"]) == 0.001


def test_the_home_page_lists_the_studies_with_their_sentence(tmp_path):
    index_of(tmp_path, {"North": RECORD})
    shown = Page(write_home(tmp_path / "outputs").read_text())
    assert_sound(shown)
    assert "Fixture report 1 of 1 vendors needs attention. 15 Nov 2026 1 done" in shown.words
    assert {"href": "study/index.html"} in shown.all("a")


def test_a_report_that_is_replaced_stays_as_that_of_its_period(tmp_path):
    index_of(tmp_path, {"North": RECORD})
    folder = tmp_path / "outputs" / "study"
    old, new = folder / ".old", folder / "North"
    new.rename(old)
    new.mkdir()
    later = {**RECORD, "title": "Late cases fell.", "after": ["2026-09-28", "2026-11-22"]}
    (new / "findings.json").write_text(json.dumps(later))
    (new / "run.json").write_text((old / "run.json").read_text())
    keep(old, new)
    (one,) = plan([tmp_path / "study.yml"], tmp_path / "outputs")
    shown = Page(write_index(one.study, folder, one.runs, []).read_text())
    assert {"href": "_earlier/2026-11-15/index.html"} in shown.all("a")
    earlier = Page((folder / "_earlier/2026-11-15/index.html").read_text())
    assert_sound(earlier)
    assert "21 Sep to 15 Nov 2026" in earlier.words
    assert {"href": "North/report.html"} in earlier.all("a")
    assert {"href": "../../index.html"} in earlier.all("a")


def test_a_report_of_the_same_days_is_replaced(tmp_path):
    index_of(tmp_path, {"North": RECORD})
    folder = tmp_path / "outputs" / "study"
    keep(folder / "North", folder / "North")
    assert not (folder / "_earlier").exists()


DRAWN = {
    **RECORD["kpis"][0],
    "target": 0.05,
    "periods": ["2026-11-02", "2026-11-09", "2026-11-16"],
    "lcl": [0.0, 0.0, 0.0],
    "center": [0.05, 0.05, 0.05],
    "ucl": [0.1, 0.1, 0.1],
    "axis": ["0.0 %", "10.0 %"],
}


def test_the_picture_of_the_summary_is_drawn_to_scale():
    """Three periods: their middles at 1/6, 1/2 and 5/6; 0 to 10 % from bottom to top; a gap in the middle."""
    drawn = picture(read_findings({**RECORD, "kpis": [DRAWN], "after": ["2026-11-09", "2026-11-15"]}))
    assert drawn.line == "M16.67 50.0 M83.33 10.0"
    assert drawn.band == "M16.67 0.0 L50.0 0.0 L83.33 0.0 L83.33 100.0 L50.0 100.0 L16.67 100.0Z"
    assert (drawn.target, drawn.last, drawn.after, drawn.dots) == (50.0, (83.33, 10.0), 33.33, [(83.33, 10.0)])
    assert picture(read_findings(RECORD)) is None  # no periods to draw


def test_the_page_has_the_summary_the_picture_and_the_fishbone():
    bone = {"family": "place", "parts": [{"dimension": "market MX", "text": "+2.0 points", "status": "worse"}]}
    fish = {"effect": "Late +2.0 points", "bones": [bone], "everywhere": [], "missing": ["people", "policy"]}
    lines = [{"label": "What", "text": "Late 9.0 %."}, {"label": "Next", "text": "1 action open."}]
    action = {
        "action_id": "A-1",
        "title": "Ask",
        "owner": "SOP lead",
        "due": "6 Nov",
        "state": "open",
        "late": False,
    }
    record = {**RECORD, "kpis": [DRAWN], "summary": lines, "fishbone": fish, "actions": [action]}
    record["findings"] = [{**FINDING, "actions": ["A-1"]}]
    shown = page(record)
    assert_sound(shown)
    assert "What Late 9.0 %. Next 1 action open." in shown.words
    assert "Place market MX : +2.0 points Not looked at: people, policy." in shown.words
    assert "A-1 Ask SOP lead 6 Nov open 1" in shown.words  # the last is the rank of its finding
    label = next(d["aria-label"] for d in shown.all("svg") if "target 5 %" in d["aria-label"])
    assert label == "Late over 3 periods: 9.0 %, 2.0 points higher, target 5 %, special cause, worse; 1 signal"


def test_a_run_that_never_ran_is_not_listed(tmp_path):
    assert "Tiny" not in index_of(tmp_path, {"North": RECORD})[1]


def test_a_sparkline_is_drawn_to_scale():
    # 112 by 30 with an edge of 4: x from 4 to 108, the largest value on top.
    assert spark_lines([0.0, 5.0, 10.0]) == "M4.0 26.0 L56.0 15.0 L108.0 4.0"
    assert spark_lines([1.0, None, 1.0]) == "M4.0 15.0 M108.0 15.0"
    assert spark_dots([0.0, None, 10.0], [1, 2, 7, -1]) == [("108.0", "4.0"), ("108.0", "4.0")]
    assert spark_lines([]) == ""


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"status": "fine"}, "status"),
        ({"schema": 1}, "schema"),
        ({"findings": [{**FINDING, "effect": float("nan")}]}, "findings.0.effect"),
        ({"findings": [{**FINDING, "colour": "red"}]}, "findings.0.colour"),
        ({"after": ["2026-09-21"]}, "after"),
    ],
)
def test_findings_that_do_not_fit_the_schema_are_refused(change, place):
    with pytest.raises(InputError, match=place):
        read_findings({**RECORD, **change})
