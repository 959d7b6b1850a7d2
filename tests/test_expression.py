"""SQL expressions of a contract: what passes means what DuckDB means by it; what could reach further is refused."""

import duckdb
import ibis
import pandas as pd
import pytest

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
    "word not like '%5 \\%'",
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
        ("cases.n > 1", "write the column 'n' without a table"),
    ],
)
def test_an_error_names_the_place_and_the_cure(text, says):
    with pytest.raises(InputError, match=says) as error:
        translate(text, CASES, "metric m, counts")
    assert "\n" not in str(error.value)
