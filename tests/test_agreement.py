"""Coefficients of agreement against published worked examples, to the digits printed there."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.inter_rater import cohens_kappa, fleiss_kappa

import rca
from rca.coefficients import AC1, ALPHA, COHEN, FLEISS, PERCENT, coefficients
from rca.errors import InputError

# Fleiss (1971), Psychological Bulletin 76, table 1: 30 patients, 6 psychiatrists each; depression, personality
# disorder, schizophrenia, neurosis, other
PSYCHIATRY = [
    "00060", "03003", "01401", "00006", "03030", "20400", "00402", "20310", "20040", "00006",
    "10050", "11040", "03300", "10050", "02031", "00501", "30012", "51000", "02040", "10203",
    "00006", "01050", "02013", "20040", "10041", "05010", "40002", "02040", "10500", "00006",
]  # fmt: skip
# Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, example C; Gwet (2014) prints the same ratings
FOUR_RATERS = ["11.1", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", ".555", "..11", "..3."]


def table(codes: Any, times: Any, categories: int, **options: bool) -> pd.DataFrame:
    return coefficients(np.asarray(codes), np.asarray(times), categories, **options).set_index("coefficient")


def of_pairs(counts: list[list[int]]) -> pd.DataFrame:
    """Two raters from their cross table."""
    square = np.array(counts)
    return table([(i, j) for i in range(len(square)) for j in range(len(square))], square.ravel(), len(square))


def of_digits(units: list[str], **options: bool) -> pd.DataFrame:
    """A text per unit with the category that each rater gave, from 1; a point where not rated."""
    codes = [[-1 if c == "." else int(c) - 1 for c in unit] for unit in units]
    return table(codes, np.ones(len(units)), max(map(max, codes)) + 1, **options)


def of_distribution(units: list[str]) -> pd.DataFrame:
    return of_digits(["".join(str(k + 1) * int(c) for k, c in enumerate(unit)) for unit in units])


def close(found: pd.DataFrame, name: str, estimate: float, se: float | None = None, digits: int = 5) -> None:
    """Equal to the digits printed."""
    assert found.loc[name, "estimate"] == pytest.approx(estimate, abs=0.5001 * 10.0**-digits)
    if se is not None:
        assert found.loc[name, "se"] == pytest.approx(se, abs=0.5001 * 10.0**-digits)


def test_cohen_1960() -> None:
    close(of_pairs([[88, 14, 18], [10, 40, 10], [2, 6, 12]]), COHEN, 0.492, digits=3)


def test_fleiss_1971() -> None:
    close(of_distribution(PSYCHIATRY), FLEISS, 0.430, digits=3)


def test_krippendorff_2011() -> None:
    """Example A (binary, two observers), example C (four observers, values missing): nominal and ordinal."""
    close(of_digits(["12", "22", "12", "11", "11", "12", "11", "11", "21", "11"]), ALPHA, 0.095, digits=3)
    close(of_digits(FOUR_RATERS), ALPHA, 0.743, digits=3)
    close(of_digits(FOUR_RATERS, ordered=True), ALPHA, 0.815, digits=3)


def test_gwet_2014_two_abstractors() -> None:
    """Pregnancies classified by two abstractors, as the author prints them in the overview of R's irrCAC, where the
    standard errors of a cross table are divided by n, those of raters by n - 1."""
    found, more = of_pairs([[13, 0, 0], [0, 20, 7], [0, 4, 56]]), (100 / 99) ** 0.5
    close(found, PERCENT, 0.89, 0.03128898 * more, 7)
    close(found, COHEN, 0.7964094, 0.05891072 * more, 7)
    close(found, AC1, 0.8493305, 0.04321747 * more, 7)
    close(found, ALPHA, 0.7972585, 0.05905473 * more, 7)


def test_gwet_2014_four_raters_with_values_missing() -> None:
    found = of_digits(FOUR_RATERS)
    close(found, PERCENT, 0.81818, 0.12561)
    close(found, AC1, 0.77544, 0.14295)
    close(found, FLEISS, 0.76117, 0.15302)
    close(found, ALPHA, 0.74342, 0.14557)
    assert found.loc[AC1, ["conf_low", "conf_high"]].round(3).tolist() == [0.461, 1.0]
    assert COHEN not in found.index


def test_gwet_2014_six_raters_by_distribution() -> None:
    found = of_distribution(PSYCHIATRY[:15])
    close(found, AC1, 0.4448007, 0.08418757, 7)
    close(found, FLEISS, 0.4139265, 0.08119291, 7)
    close(found, ALPHA, 0.4204384, digits=7)  # its variance is printed for the ratings above, by a later formula


def test_statsmodels_agrees_on_random_tables() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        square = rng.integers(1, 400, (4, 4))
        other, found = cohens_kappa(square), of_pairs(square.tolist()).loc[COHEN]
        n = square.sum()
        assert found["estimate"] == pytest.approx(other.kappa)
        assert found["se"] == pytest.approx(other.std_kappa * np.sqrt(n / (n - 1)))
        units = rng.multinomial(5, [0.5, 0.3, 0.2], 40)
        assert of_distribution(["".join(map(str, u)) for u in units]).loc[FLEISS, "estimate"] == pytest.approx(
            fleiss_kappa(units)
        )


def test_counts_say_the_same_as_single_items() -> None:
    pairs = [[40, 3], [5, 12]]
    single = of_digits([f"{i + 1}{j + 1}" for i in (0, 1) for j in (0, 1) for _ in range(pairs[i][j])])
    pd.testing.assert_frame_equal(of_pairs(pairs), single)


def test_kappa_is_low_where_nearly_all_are_alike_and_ac1_is_not() -> None:
    """Feinstein & Cicchetti (1990), J Clin Epidemiol 43: 85 % agree in both tables, kappa is .70 and .32."""
    even, skewed = of_pairs([[40, 9], [6, 45]]), of_pairs([[80, 10], [5, 5]])
    close(even, COHEN, 0.70, digits=2)
    close(skewed, COHEN, 0.32, digits=2)
    assert skewed.loc[PERCENT, "estimate"] == even.loc[PERCENT, "estimate"] == 0.85
    assert skewed.loc[AC1, "estimate"] > 0.8


def test_what_cannot_be_known_is_missing_and_full_agreement_is_no_certainty() -> None:
    alike = table([[0, 0]], [7], 2)
    assert alike.loc[[COHEN, FLEISS, ALPHA], "estimate"].isna().all()
    assert alike.loc[AC1, "estimate"] == 1
    assert alike.loc[PERCENT, "conf_low"] == pytest.approx(0.5904, abs=1e-4)  # Clopper & Pearson, 7 of 7
    assert table([[0, 1]], [1], 2)["estimate"].isna().all()


def test_intervals_cover_95_percent() -> None:
    """Four hundred samples of 150 items, two raters each right in 85 %, 30 % of one kind."""
    rng = np.random.default_rng(5)
    truth = np.array([[0.3, 0], [0, 0.7]])
    right = np.array([[0.85, 0.15], [0.15, 0.85]])
    cells = sum(truth[k, k] * np.outer(right[k], right[k]) for k in (0, 1))
    population = of_pairs((cells * 10_000_000).round().astype(int).tolist())["estimate"]
    inside = pd.Series(0.0, index=population.index)
    for sample in rng.multinomial(150, cells.ravel(), 400):
        found = of_pairs(sample.reshape(2, 2).tolist())
        inside += (found["conf_low"] <= population) & (population <= found["conf_high"])
    assert inside.between(366, 394).all(), inside


def items(gaps: dict[tuple[str, str], float], seed: int = 1) -> pd.DataFrame:
    """Four vendors, six policies of 400 items each; two raters decide otherwise in 5 %, or as `gaps` say."""
    rng = np.random.default_rng(seed)
    cells = [(vendor, f"P{policy}") for vendor in ("Andes", "Baltic", "Cedar", "Delta") for policy in range(6)]
    frame = pd.DataFrame(np.repeat(cells, 400, axis=0), columns=["vendor", "policy"])
    other = [gaps.get(cell, gaps.get(("", cell[1]), 0.05)) for cell in cells]
    first = rng.random(len(frame)) < 0.2
    second = first ^ (rng.random(len(frame)) < np.repeat(other, 400))
    return frame.assign(moderator=np.where(first, "remove", "keep"), auditor=np.where(second, "remove", "keep"))


def by_policy(frame: pd.DataFrame) -> Any:
    return rca.agreement(frame, raters=["moderator", "auditor"], by="policy", scope={"vendor": "Andes"})


def test_a_policy_that_all_disagree_on_is_ambiguous_and_one_of_a_single_vendor_its_own() -> None:
    found = by_policy(items({("", "P2"): 0.3, ("Andes", "P4"): 0.25}))
    verdicts = found.segments.set_index("segment")["verdict"]
    assert verdicts[verdicts != ""].to_dict() == {"policy=P2": "ambiguous", "policy=P4": "own"}
    assert found.segments.loc[0, ["lower", "others"]].tolist() == [3, 3]
    assert found.headline.endswith("; ambiguous to all: policy P2.")


def test_policies_alike_are_seldom_ambiguous() -> None:
    """Holm at 1 % and a least size: in 6 samples none."""
    assert sum((by_policy(items({}, seed)).segments["verdict"] != "").any() for seed in range(6)) == 0


def test_without_other_scopes_nothing_is_said_of_them() -> None:
    frame = items({("", "P2"): 0.3})
    found = rca.agreement(frame[frame["vendor"] == "Andes"], raters=["moderator", "auditor"], by="policy")
    assert (found.segments["verdict"] == "").all()
    assert found.segments["p_adj"].min() < 1e-6


def test_mistakes_are_named() -> None:
    frame = items({})
    with pytest.raises(InputError, match="Did you mean 'auditor'"):
        rca.agreement(frame, raters=["moderator", "auditors"])
    with pytest.raises(InputError, match="two raters or more, got 1"):
        rca.agreement(frame, raters=["moderator"])
    alone = frame.assign(auditor=None)
    assert rca.agreement(alone, raters=["moderator", "auditor"]).headline == (
        "Agreement: fewer than two items were rated twice."
    )
