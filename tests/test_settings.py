"""Recipes and actor books, however hostile, end in one line."""

import pytest

from stance.errors import ActorError, RecipeError
from stance.reading.actors import ActorBook
from stance.recipe import read_recipe

HOSTILE = {
    "deep lists": "a = " + "[" * 100_000,
    "deep tables": "a = " + "{a=" * 5_000,
    "endless number": "a = " + "9" * 5_000,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(
    ("read", "error"), [(read_recipe, RecipeError), (ActorBook.read, ActorError)]
)
def test_a_hostile_file_is_refused_in_one_line(tmp_path, read, error, name):
    path = tmp_path / "mine.toml"
    path.write_text(HOSTILE[name], encoding="utf-8")
    with pytest.raises(error, match="is nested too deeply, or has too many digits") as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_byte_order_mark_is_no_part_of_a_book(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes('\ufeff["NATO"]\r\nname = ["NATO"]\r\n'.encode())
    assert ActorBook.read(path).names == ("NATO",)


def test_an_alias_that_looks_like_a_pattern_is_taken_to_the_letter(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(f'["N"]\nname = ["{"a b " * 99}"]\n', encoding="utf-8")
    with pytest.raises(ActorError, match="'name' has an entry of 396 characters"):
        ActorBook.read(path)
    path.write_text('["X"]\nname = ["(a+)+$ b.*"]\n', encoding="utf-8")
    book = ActorBook.read(path)
    assert book.find("a" * 10_000 + "! bzz") == []
