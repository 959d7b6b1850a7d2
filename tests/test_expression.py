"""SQL expressions of a contract: what passes means what DuckDB means by it; what could reach further is refused."""

import operator
from functools import partial

import duckdb
import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.errors import InputError
from rca.expression import translate

FRAME = pd.DataFrame(
    {
        "n": pd.array([1, None, 3, -7], dtype="Int64"),
        "small": pd.array([5, 4, None, -3], dtype="Int8"),
        "x": [0.5, 2.0, None, -1.25],
        "word": ["Refund", " late ", None, "it's 5 %"],
        "yes": pd.array([True, False, None, True], dtype="boolean"),
        "opened": pd.to_datetime(
            ["2026-01-31 23:59:30", "2026-02-01 00:00", None, "2024-02-29 12:00"], format="ISO8601"
        ),
        "closed": pd.to_datetime(["2026-02-01 00:00:10", None, "2026-02-02", "2024-03-01 11:59"], format="ISO8601"),
        "Answered (Y/N)": ["Y", "N", "Y", "N"],
    }
)
CASES = ibis.memtable(FRAME)

SAME_AS_DUCKDB = [
    "n >= 1 and x < 1",
    "n = 1 or not yes",
    "not (n = 1) and yes",
    "n is null",
    "n is not null",
    "(not yes) is null",
    "(not not yes) is not null",
    "(word not like 'R%') is null",
    "(n is distinct from 1) is false",
    "(not yes) is distinct from (n not in (1, 3))",
    "yes is true",
    "yes is distinct from true",
    "n <> 3",
    "n in (1, 3)",
    "n not in (1, 3)",
    "word in ('Refund', 'x')",
    "word not ilike 'REF%'",
    "n between 1 and 3",
    "x not between 0 and 1",
    "opened between '2026-01-31' and '2026-02-01'",
    "small * 100 + small",
    "word like '%e%'",
    "word ilike 'REF%'",
    "word = 'it''s 5 %'",
    "\"Answered (Y/N)\" = 'Y'",
    "n + 2 * x - 1",
    "n / 2",
    "n % 2",
    "-n",
    "abs(x)",
    "floor(x)",
    "ceil(x)",
    "round(x, 1)",
    "case when n > 1 then 'many' when n = 1 then 'one' end",
    "case word when 'Refund' then 1 else 0 end",
    "if(yes, n, 0)",
    "coalesce(n, x, 0)",
    "nullif(n, 3)",
    "least(n, 2)",
    "greatest(n, 2)",
    "lower(word)",
    "upper(word)",
    "trim(word)",
    "length(word)",
    "word || '!'",
    "starts_with(word, 'Re')",
    "contains(word, 'ef')",
    "cast(n as double) / 3",
    "yes::int + 1",
    "n::text",
    "year(opened)",
    "extract(hour from opened)",
    "opened::date = date '2026-02-01'",
    "opened >= '2026-02-01'",
    "opened < timestamp '2026-02-01 00:00:00'",
    "opened > closed",
    "date_diff('minute', opened, closed)",
    "date_diff('day', opened, closed)",
    "date_diff('day', date '2026-01-01', opened)",
    "date_diff('second', opened, closed) / 3600.0",
]


@pytest.mark.parametrize("text", SAME_AS_DUCKDB)
def test_an_expression_means_what_duckdb_means_by_it(text):
    ours = CASES.select(value=translate(text, CASES, "metric m, value")).execute()["value"]
    theirs = duckdb.from_df(FRAME.astype({"small": "Int64"})).project(f"{text} as value").df()["value"]
    assert ours.astype(object).where(ours.notna(), None).tolist() == (
        theirs.astype(object).where(theirs.notna(), None).tolist()
    )


def test_a_division_by_zero_is_missing():
    assert CASES.select(value=translate("x / (n - 1)", CASES, "m")).execute()["value"].isna().tolist()[0]


def three_valued(operation, *values):
    """SQL's rule for a missing value: what is calculated from it is missing."""
    return None if any(value is None for value in values) else operation(*values)


def either(neutral: bool, one, other):
    """SQL's `and` (neutral: true) and `or` (neutral: false): a missing side matters only where it could decide."""
    known = [value for value in (one, other) if value is not None]
    if any(value is not neutral for value in known):
        return not neutral
    return neutral if len(known) == 2 else None


ARITHMETIC = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda a, b: a / b if b else None,
}
COMPARISONS = {"<": operator.lt, "<=": operator.le, "=": operator.eq, "<>": operator.ne, ">": operator.gt}


def columns(*names: str):
    return [(name, lambda row, name=name: row[name]) for name in names]


def calculated(table, a, sign, b):
    return f"({a[0]} {sign} {b[0]})", lambda row: three_valued(table[sign], a[1](row), b[1](row))


def joined(word, a, b):
    return f"({a[0]} {word} {b[0]})", lambda row: either(word == "and", a[1](row), b[1](row))


# random numbers and conditions, of which parts are nested `depth` deep: the SQL text, and a Python function that works
# it out for one row
LEAVES = st.sampled_from([*columns("n", "small", "x"), ("2.5", lambda row: 2.5), ("0", lambda row: 0)])


def numbers(depth: int):
    if not depth:
        return LEAVES
    a, b, test = numbers(depth - 1), numbers(depth - 1), conditions(depth - 1)
    return st.one_of(
        LEAVES,
        st.builds(partial(calculated, ARITHMETIC), a, st.sampled_from("+-*/"), b),
        a.map(lambda a: (f"abs({a[0]})", lambda row: three_valued(abs, a[1](row)))),
        st.builds(
            lambda a, b: (f"coalesce({a[0]}, {b[0]})", lambda row: b[1](row) if a[1](row) is None else a[1](row)), a, b
        ),
        st.builds(
            lambda test, a, b: (
                f"case when {test[0]} then {a[0]} else {b[0]} end",
                lambda row: a[1](row) if test[1](row) else b[1](row),
            ),
            test, a, b,
        ),
    )  # fmt: skip


def conditions(depth: int):
    if not depth:
        return st.sampled_from(columns("yes"))
    a, b, test, other = numbers(depth - 1), numbers(depth - 1), conditions(depth - 1), conditions(depth - 1)
    return st.one_of(
        st.builds(partial(calculated, COMPARISONS), a, st.sampled_from(list(COMPARISONS)), b),
        st.builds(joined, st.sampled_from(["and", "or"]), test, other),
        test.map(lambda a: (f"not ({a[0]})", lambda row: three_valued(operator.not_, a[1](row)))),
        (a | test).map(lambda a: (f"({a[0]}) is null", lambda row: a[1](row) is None)),
    )


@settings(max_examples=100, deadline=None)
@given(numbers(4) | conditions(4))
def test_a_random_expression_means_what_it_means_in_plain_python(expression):
    text, by_hand = expression
    found = CASES.select(value=translate(text, CASES, "m").cast("float64")).execute()["value"]
    rows = FRAME.astype(object).where(FRAME.notna(), None).to_dict("records")
    assert [None if pd.isna(value) else value for value in found] == [
        value if value is None else pytest.approx(float(value), rel=1e-12) for value in map(by_hand, rows)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "select 1",
        "(select max(n) from cases)",
        "n in (select 1)",
        "exists(select 1)",
        "n > all (select 1)",
        "drop table cases",
        "n; n",
        "n; drop table cases",
        "",
        "n as m",
        "*",
        "cases.n",
        "count(*)",
        "sum(n) > 3",
        "max(x)",
        "any_value(n)",
        "row_number() over ()",
        "lag(n) over (order by x)",
        "sum(n) filter (where n > 1)",
        "n > 1 -- and yes",
        "n /* hidden */ > 1",
        "read_csv('/etc/passwd')",
        "read_text('/etc/passwd') is null",
        "getenv('HOME') = 'x'",
        "random() < 0.5",
        "now() > opened",
        "current_date = opened",
        "today() = opened",
        "uuid()",
        "query('select 1')",
        "[n, 1]",
        "{'a': n}",
        "n -> 1",
        "list_transform([1], a -> a)",
        "? = n",
        "$1 = n",
        "columns('n')",
        "unnest([1])",
        "opened at time zone 'UTC'",
        "word collate nocase",
        "trim(both 'x' from word)",
        "n between symmetric 3 and 1",
        "round(x, 1, 2)",
        "word like 'a%' escape '\\'",
        "n::json",
        "try_cast(word as int)",
        "n in unnest([1])",
        "n >",
        "'open",
    ],
)
def test_whatever_is_no_plain_expression_is_refused(text):
    with pytest.raises(InputError, match=r"^metric m, counts: "):
        translate(text, CASES, "metric m, counts")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("opend > closed", "unknown column 'opend'. Did you mean 'opened'?"),
        ('word = "Refund"', "unknown column 'Refund'.*write 'Refund' in single quotes"),
        ("word > 3", "types do not fit"),
        ("word in (1, 2)", "types do not fit"),
        ("word + 1", "'word' is string, not a number"),
        ("n and yes", "'n' is int64, not a condition"),
        ("upper(n)", "'n' is int64, not a text"),
        ("word::int", "'word' is string, not a whole number"),
        ("n::date", "'n' is int64, not a time"),
        ("x::int", "'x' is float64, not a whole number"),
        ("x::decimal(4, 1)", r"cast to decimal\(4, 1\) is not allowed"),
        ("opened > 'soon'", "Invalid isoformat string: 'soon'"),
        ("date_diff('fortnight', opened, closed)", "no unit 'fortnight'"),
        ("extract(century from opened)", "no part 'century'"),
        ("word like word", "pattern in single quotes"),
        ("word like null", "pattern in single quotes"),
        ("word not like '%5 \\%'", "like takes no backslash"),
        ("n = null", "write 'is null' or 'is not null'"),
        ("n not in (null, 1)", "write 'is null' or 'is not null'"),
        ("case n when null then 1 end", "write 'is null' or 'is not null'"),
        ("x is true", "'x' is float64, not a condition"),
        ("n is not distinct from 'x'", "types do not fit"),
        ("round(x, -1)", "round needs a whole number of decimals"),
        ("round(x, n)", "round needs a whole number of decimals"),
        ("n < 99999999999999999999", "out of bounds"),
        ("opened = '2026-02-01 00:00:00+02'", "has an offset"),
        (" or ".join(["n = 1"] * 3000), "nested too deeply"),
        ("cases.n > 1", "write the column 'n' without a table"),
    ],
)
def test_an_error_names_the_place_and_the_cure(text, says):
    with pytest.raises(InputError, match=says) as error:
        translate(text, CASES, "metric m, counts")
    assert "\n" not in str(error.value)
