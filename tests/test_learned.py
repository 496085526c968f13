"""What `inspect --words` shows is what the coefficients do, and a learned prior is told loudly."""

import dataclasses
import json

import numpy as np
import pytest
from command import invoke
from conftest import quick_recipe

from stance.fitting import train
from stance.model.explanation import TERMS_SHOWN, learned
from stance.reading.actors import ActorBook
from stance.recipe import Features
from stance.records import Sentiment, Stance
from stance.screens.model import learned_lines
from stance.storage import load_model


def test_every_block_of_every_head_is_shown(model):
    found = learned(model)
    assert list(found["heads"]) == ["stance", "sentiment"]
    blocks = found["heads"]["stance"]
    assert [block["name"] for block in blocks] == [block.name for block in model.stance.blocks]
    assert list(blocks[0]["words"]) == list(map(str, Stance))
    assert list(found["heads"]["sentiment"][0]["words"]) == list(map(str, Sentiment))
    bare = dataclasses.replace(model, sentiment=None)
    assert list(learned(bare)["heads"]) == ["stance"]


@pytest.mark.parametrize("number", range(3))
def test_the_strongest_words_have_the_largest_coefficients(model, number):
    (block, *_) = model.stance.blocks
    label = str(list(Stance)[number])
    words = learned(model)["heads"]["stance"][0]["words"][label]
    assert len(words) == TERMS_SHOWN
    pushes = [*words.values()]
    assert pushes == sorted(pushes, reverse=True)
    assert min(pushes) > 0
    weighed = block.weight * block.idf[:, None].astype(float) * block.coef
    centred = weighed[:, number] - weighed.mean(axis=1)
    assert pushes == pytest.approx(np.sort(centred)[: -TERMS_SHOWN - 1 : -1])
    places = [*map(block.terms.index, words)]
    assert centred[places] == pytest.approx(pushes)


def test_praise_stands_with_favor(model):
    (relation,) = [b for b in learned(model)["heads"]["stance"] if b["name"] == "relation"]
    assert "relation object praise" in relation["words"]["favor"]


@pytest.mark.parametrize(
    "features", [Features({"stem": 1.0, "name": 0.5}), Features({"stem": 1.0}, per_actor=True)]
)
def test_a_prior_about_actors_is_told_loudly(corpus, features):
    recipe = dataclasses.replace(quick_recipe(), features=features)
    told = learned(train(recipe, corpus, ActorBook.default()).model)
    assert next(learned_lines(told)).startswith("WARNING: the model knows which actor is judged")
    for block in told["heads"]["stance"]:
        assert block["name"] != "name" or "name Russia" in str(block["words"])


def test_lines_fit_the_screen_and_are_safe(model):
    (block, *rest) = model.stance.blocks
    odd = dataclasses.replace(block, terms=tuple("\x1b[31m" + "x" * 99 for _ in block.terms))
    strange = dataclasses.replace(
        model, stance=dataclasses.replace(model.stance, blocks=(odd, *rest))
    )
    for shown in (model, strange):
        lines = list(learned_lines(learned(shown)))
        assert all(line.isprintable() for line in lines)
        assert max(map(len, lines)) <= 110
    assert max(map(len, learned_lines(learned(model)))) <= 79


def test_inspect_shows_words(model_path):
    lines = invoke("inspect", model_path, "--words").stdout.splitlines()
    assert lines == list(learned_lines(learned(load_model(model_path))))
    found = json.loads(invoke("inspect", model_path, "--words", "--json").stdout)
    assert found["prior"] is False
    (stem, *_) = found["heads"]["stance"]
    assert stem["name"] == "stem"
    assert set(stem["words"]) == {"against", "neutral", "favor"}
    assert len(stem["words"]["favor"]) == TERMS_SHOWN
