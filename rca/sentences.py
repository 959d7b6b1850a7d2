"""The sentences of a report: templates over facts, one place, tested against golden texts."""

from collections.abc import Mapping, Sequence

from rca.metric import Metric


def inner(label: str) -> str:
    """A label inside a sentence: `Customer satisfaction` -> `customer satisfaction`, but `CSAT` stays.

    >>> inner("Customer satisfaction"), inner("CSAT"), inner("SLA missed")
    ('customer satisfaction', 'CSAT', 'SLA missed')
    """
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def segment_name(where: Mapping[str, str]) -> str:
    """A segment's name in tables, dimensions in alphabetical order.

    >>> segment_name({"market": "MX", "issue_type": "refund"}), segment_name({})
    ('issue_type=refund & market=MX', 'all cases')
    """
    return " & ".join(f"{d}={where[d]}" for d in sorted(where)) or "all cases"


def segment_words(where: Mapping[str, str]) -> str:
    """A segment as a reader says it; a value that names its dimension stands alone.

    >>> segment_words({"market": "MX", "issue_type": "refund"}), segment_words({"sop": "SOP-101"}), segment_words({})
    ('issue type refund, market MX', 'SOP-101', 'all cases')
    """
    named = {d: str(where[d]).lower().startswith(f"{d}-") for d in where}
    parts = [where[d] if named[d] else f"{d.replace('_', ' ')} {where[d]}" for d in sorted(where)]
    return ", ".join(parts) or "all cases"


def capital(text: str) -> str:
    """The first letter in upper case, the rest as it is."""
    return text[:1].upper() + text[1:]


def moved(effect: float) -> str:
    """The verb of a change."""
    return "rose" if effect > 0 else "fell"


def count(number: float, one: str, many: str = "") -> str:
    """A number with its noun in singular or plural, about two significant digits.

    >>> count(1, "case"), count(96.3, "case"), count(1234, "answer")
    ('1 case', '96 cases', '1,200 answers')
    """
    size = abs(number)
    shown = round(size) if size < 100 else round(size, -(len(str(int(size))) - 2))
    return f"{shown:,.0f} {one if shown == 1 else many or one + 's'}"


def singular(cases: str) -> str:
    """What one of the cases is called.

    >>> singular("answers"), singular("queries")
    ('answer', 'query')
    """
    return cases.removesuffix("ies") + "y" if cases.endswith("ies") else cases.removesuffix("s")


def exactly(number: float, cases: str) -> str:
    """A number of cases to the last one.

    >>> exactly(1234, "answers"), exactly(1, "queries")
    ('1,234 answers', '1 query')
    """
    return f"{number:,.0f} {cases if round(number) != 1 else singular(cases)}"


def about(number: float, cases: str = "") -> str:
    """An estimated number of cases, three significant digits.

    >>> about(12345, "answers"), about(489.2)
    ('12,300 answers', '489')
    """
    return exactly(float(f"{number:.3g}"), cases).strip()


def several(items: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`.

    >>> several(["a", "b", "c"])
    'a, b and c'
    """
    return f" {last} ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def percent(share: float) -> str:
    """A share in whole percent; one decimal below 10 %.

    >>> percent(.482), percent(.0824), percent(.0004)
    ('48 %', '8.2 %', 'less than 0.1 %')
    """
    if 0 < share < 0.0005:
        return "less than 0.1 %"
    return f"{100 * share:z.{0 if share >= 0.0995 else 1}f} %"


def rate_title(metric: Metric, where: Mapping[str, str], before: float, after: float) -> str:
    """What happened in a segment: `Market MX: customer satisfaction 84.9 % → 61.2 %`."""
    return f"{capital(segment_words(where))}: {inner(metric.label)} {metric.text(before)} → {metric.text(after)}"


def mix_title(where: Mapping[str, str], before: float, after: float) -> str:
    """Which volume moved: `More cases with channel chat: 30 % → 48 % of cases`."""
    more = "More" if after > before else "Fewer"
    return f"{more} cases with {segment_words(where)}: {percent(before)} → {percent(after)} of cases"
