"""The bundled model's answers stay what they were: a change of code that moves one is a mistake.

``golden.csv`` holds texts written for this project and the answers of the bundled model. If the
model is trained anew, write it anew: ``python tests/test_golden.py``.
"""

import csv
from pathlib import Path

import pytest
from command import SAMPLE

import stance
from stance.model.explanation import explain

GOLDEN = Path(__file__).with_name("golden.csv")

ODD = (
    "I'd've praised NATO\n\nRussia left. \"Is it so?\" asked Poland-Germany & co.",
    "NATO\u2019s \u201callies\u2019\u201d doubts; isn't Russia's fault",
    'U.S. Open; the U.S. said no. No. 10 said "yes" to NATO. US$5 billion for the US',
    "e\u0301t\u00e9 a\u0308 NATO \u1112\u1161\u11ab Korea; Don\u2019t condemn\u00ad Rus\u00adsia",
    "RUSSIA ATTACKED UKRAINE SAYS NATO",
    "France, Germany, and Italy's Meloni were condemned by the EU, according to Poland",
    "\u4e2d\u56fd\u6279\u8bc4\u7f8e\u56fd NATO \u4fc4\u7f57\u65af",
    "Bank of Thailand fell. Thailand rose. NATO conedmned it. 3 NATO 4th.",
    f"NATO {'x' * 60} NATO {'NATO ' * 30}",
    "",
    "...",
)
COLUMNS = ("text", "actor", "mentions", "stance", "holder", "against", "neutral", "favor")


def answers() -> list[list[str]]:
    """Return what the bundled model says of each actor that the texts name."""
    with (SAMPLE / "paragraphs.csv").open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)][:60]
    texts += ODD
    judged = stance.load_model().judge(texts)
    frame = judged.to_frame()
    rows = []
    for row in frame.itertuples(index=False):
        shares = (row.stance_against, row.stance_neutral, row.stance_favor)
        cells = (texts[row.row - 1], row.actor, row.mentions, row.stance, row.holder)
        rows.append([*map(str, cells), *(f"{share:.6f}" for share in shares)])
    return rows


def test_the_bundled_model_answers_as_before():
    with GOLDEN.open(encoding="utf-8", newline="") as file:
        head, *wanted = csv.reader(file)
    assert head == [*COLUMNS]
    got = answers()
    assert [row[:5] for row in got] == [row[:5] for row in wanted]
    for mine, yours in zip(got, wanted, strict=True):
        assert [*map(float, mine[5:])] == pytest.approx([*map(float, yours[5:])], abs=2e-6)


@pytest.mark.parametrize(
    ("block", "terms"),
    [
        ("stem", {"stem condemn", "stem TARGET", "stem OTHER"}),
        ("cross", {"cross condemn TARGET", "cross TARGET END"}),
        ("class", {"class crit", "class placed crit before near", "sign negative"}),
        (
            "relation",
            {"relation object crit", "sequence +crit TARGET", "sequence OTHER +crit TARGET"},
        ),
        ("mention", {"mention mentions<=1", "mention others<=1", "mention quoted none"}),
        ("plain", {"plain condemn", "plain TARGET"}),
        ("frame", {"condemned: Poland -> Russia"}),
    ],
)
def test_a_sentence_has_the_features_that_their_names_say(block, terms):
    (why,) = explain(stance.load_model(), "Poland condemned Russia.", "Russia")
    named = {term for word in why.words for term in word.terms} | {f.text for f in why.features}
    assert terms - named == set(), sorted(term for term in named if term.startswith(block))


if __name__ == "__main__":
    with GOLDEN.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *answers()])
