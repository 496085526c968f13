"""Every recipe is read, and a slip in one gets a hint."""

import dataclasses
import tomllib
from itertools import count

import pytest
from command import HOSTILE, ROOT, write

from stance.errors import RecipeError
from stance.features.blocks import BLOCKS
from stance.recipe import BLOCK_NAMES, TARGET_BLIND, Recipe, read_recipe, recipe_from_table

TRAINING = ROOT / "training"
RECIPES = sorted(TRAINING.glob("*.toml"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_is_read_and_survives_its_table(path):
    recipe = read_recipe(path)
    assert recipe.name == path.stem
    assert recipe.purpose
    separate = recipe.features.per_actor == "separate"  # its `name` is a topic's own constant
    assert separate or "name" not in recipe.features.blocks
    assert recipe_from_table(dataclasses.asdict(recipe), "again") == recipe


def test_the_default_recipe_is_the_defaults():
    assert read_recipe() == read_recipe(TRAINING / "default.toml")
    # Nothing of it is hidden: a reader of the file sees every block and its weight.
    table = tomllib.loads((TRAINING / "default.toml").read_text("utf-8"))
    assert table["features"]["blocks"] == dict(Recipe().features.blocks)
    assert table["classifier"] == dataclasses.asdict(Recipe().classifier)
    assert table["validation"].items() <= dataclasses.asdict(Recipe().validation).items()


def test_blocks_have_the_names_of_the_features():
    assert tuple(BLOCKS) == BLOCK_NAMES
    assert set(TARGET_BLIND) < set(BLOCK_NAMES)
    assert set(Recipe().head("control")[0].blocks) <= set(TARGET_BLIND)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("classifer = 1", r"unknown key 'classifer'. Did you mean 'classifier'\?"),
        ("xyzzy = 1", "unknown key 'xyzzy'. Known: name, purpose, language"),
        ("[features]\nmin_fd = 3", r"'features.min_fd'. Did you mean 'min_df'\?"),
        ("[features.blocks]\nstems = 1", r"'features.blocks.stems'. Did you mean 'stem'\?"),
        ("[features.blocks]\nxyzzy = 1", "Known: stem, cross, class"),
        ("[sentiment_features.blocks]\ncross = 1", "must be of blocks that see no actor: stem"),
        ("[holder_features]\nper_actor = 'separate'", "'holder_features.per_actor' must be false"),
        ("[features]\nblocks = {}", "'features.blocks' must be a table with at least one block"),
        ("[features]\nblocks = 3", "'features.blocks' must be a table, not 3"),
        ('[features.blocks]\nstem = "1"', "'features.blocks.stem' must be a number, not '1'"),
        ("[features]\nmin_df = 2.5", "'features.min_df' must be a whole number, not 2.5"),
        ("[features]\nper_actor = true", "'features.per_actor' must be false or .*, not True"),
        ("name = 3", "'name' must be a string, not 3"),
        ('[classifier]\nkind = "forest"', "kind' must be one of svc, logistic, not 'forest'"),
        ("[classifier]\nc = 0", "'classifier.c' must be between 1e-06 and 1,000,000, not 0"),
        ("[classifier]\nc = nan", "'classifier.c' must be between"),
        ("[classifier]\nneutral_offset = inf", "'classifier.neutral_offset' must be between"),
        ("[features]\nmin_df = 0", "'features.min_df' must be between 1 and"),
        ("[features.blocks]\nstem = -1", "blocks.stem' must be between 0 and 100, not -1"),
        ("[validation]\nfolds = 1", "'validation.folds' must be between 2 and 50, not 1"),
        ("[validation]\nlearning_curve = 5", "'validation.learning_curve' must be true or false"),
        ("[corpora]\nmine = -1", "'corpora.mine' must be between"),
        (f"[classifier]\nc = 1{'0' * 400}", "'classifier.c' must be between .*, not 1000+…"),
        ("licences = []", r"'licences' must be a table, not \[\]"),
        ('name = "a\\u0007"', "'name' must be text without control characters"),
        ('language = "englis\\u001b"', r"'language' must be a language of .*, not 'englis\\x1b'"),
        ('name = "a"\nname = "b"', "not a TOML file"),
        *((text, "not a TOML file: ") for text in HOSTILE),
    ],
    ids=count(),
)
def test_a_slip_is_refused_with_a_hint(tmp_path, text, match):
    path = write(tmp_path / "mine.toml", text)
    with pytest.raises(RecipeError, match=match) as caught:
        read_recipe(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message


def test_a_recipe_that_cannot_be_read(tmp_path):
    with pytest.raises(RecipeError, match=r"the recipe: No such file.*; check the path$"):
        read_recipe(tmp_path / "none.toml")
    with pytest.raises(RecipeError, match=r"recipe: Is a directory; name a file in it$"):
        read_recipe(tmp_path)
    with pytest.raises(RecipeError, match="not UTF-8 at byte 8; save it as UTF-8"):
        read_recipe(write(tmp_path / "latin.toml", b'name = "\xe9"'))
