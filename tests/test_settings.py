"""Recipes and actor books, however hostile, end in one line."""

import time

import pytest

from stance.errors import ActorError, RecipeError
from stance.reading.actors import ActorBook
from stance.recipe import read_recipe
from stance.settings import MOST_BYTES

HOSTILE = {
    "deep lists": ("a = " + "[" * 100_000, "brackets or keys are nested too deep"),
    "deep tables": ("a = " + "{a=" * 5_000, "brackets or keys are nested too deep"),
    "endless key": (".".join(["a"] * 50_000) + " = 1", "brackets or keys are nested too deep"),
    "endless key in quotes": (
        ".".join(['"a b"'] * 32_000) + "=1",
        "brackets or keys are nested too deep",
    ),
    "endless key in apostrophes": (
        " . ".join(["'#'", '"\\""'] * 9) + " = 1",
        "brackets or keys are nested too deep",
    ),
    "endless tables": (
        "\n".join(f"[{'.'.join(f'{n:x}')}]" for n in range(10**5)),
        "more than 300,000 keys and brackets; split the file",
    ),
    "endless number": ("a = " + "9" * 5_000, "a number with too many digits; shorten it"),
    "large": ("#" * (MOST_BYTES + 1), r"has more than 4,194,304 bytes; shorten it"),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(
    ("read", "error"), [(read_recipe, RecipeError), (ActorBook.read, ActorError)]
)
def test_a_hostile_file_is_refused_in_one_line(tmp_path, read, error, name):
    text, message = HOSTILE[name]
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(error, match=message) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


DOTS = "a." * 200_000


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('\ufeff["NATO"]\r\nname = ["NATO"]\r\n', "NATO"),  # a byte order mark is no part of it
        (f'# {"a" * 1_000_000}\n["NATO"]\nname = ["NATO"]\n', "NATO"),  # one long word
        # Texts do not count as structure:
        (f'# {DOTS} = 1\n["X"]  # {DOTS} "\nname = ["""{DOTS[:40]}""", \'U.S.\']', "X"),
    ],
)
def test_an_odd_file_is_read_at_once(tmp_path, text, name):
    path = tmp_path / "mine.toml"
    path.write_bytes(text.encode())
    started = time.process_time()
    assert ActorBook.read(path).names == (name,)
    assert time.process_time() - started < 5  # a search anew from each letter takes minutes


@pytest.mark.parametrize("where", ["name", "not"])
def test_an_alias_of_three_million_letters_is_refused_at_once(tmp_path, where):
    path = tmp_path / "mine.toml"
    path.write_text(f'["NATO"]\n{where} = ["{"a b " * 750_000}"]\n', encoding="utf-8")
    started = time.process_time()
    told = f"actor 'NATO': '{where}' has an entry of 3,000,000 characters; the limit is 200$"
    with pytest.raises(ActorError, match=told):
        ActorBook.read(path)
    assert time.process_time() - started < 5


def test_a_name_of_a_million_letters_is_refused(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(f'["{"a" * 1_000_000}"]\nname = ["NATO"]\n', encoding="utf-8")
    with pytest.raises(ActorError, match="an actor's name has 1,000,000 characters; the limit is"):
        ActorBook.read(path)


def test_an_alias_that_looks_like_a_pattern_is_taken_to_the_letter(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('["X"]\nname = ["(a+)+$ b.*"]\n', encoding="utf-8")
    book = ActorBook.read(path)
    assert book.find("a" * 10_000 + "! bzz") == []
