"""Hostile files: each gives the right answer, or one sentence that names file, row and column; none a silent loss."""

import pytest
import yaml
from hostile import Answer, contract, hostile

from rca.errors import InputError
from rca.source import open_source

FILES = hostile()


def test_there_are_many_of_them():
    assert len(FILES) >= 150
    assert sum(isinstance(one.expect, Answer) for one in FILES) >= 75


@pytest.mark.parametrize("one", FILES, ids=lambda one: one.name)
def test_a_hostile_file_is_read_right_or_refused_in_a_sentence(tmp_path, one):
    path = tmp_path / one.file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(one.data)
    (tmp_path / "contract.yml").write_text(yaml.safe_dump(contract(one)), encoding="utf-8")
    if isinstance(one.expect, str):
        with pytest.raises(InputError, match=one.expect) as error:
            open_source(tmp_path / "contract.yml")
        said = str(error.value)
        assert "\n" not in said
        assert str(tmp_path) in said
        assert len(said) < 700
        return
    source = open_source(tmp_path / "contract.yml")
    scores = source.table.score.sum().execute()
    assert (
        Answer(source.cases, scores, tuple(sorted(source.values("vendor").index)), source.set_aside) == one.expect
    )
    assert source.rows == source.cases + sum(source.set_aside.values())
