"""What counts as page furniture, what stays a paragraph, and that no line is ever lost."""

import textwrap
import time
import tomllib
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.tables.furniture import EDGES, Article, split_article

SAMPLE = Path(__file__).parent.parent / "datasets" / "sample" / "article.txt"
EXPECTED = Path(__file__).parent / "sample_expected.toml"

FURNITURE = [
    ("navigation", "Skip to main content"),
    ("navigation", "Skip to content"),
    ("navigation", "Skip to navigation menu"),
    ("navigation", "Menu"),
    ("navigation", "▼ Menu"),
    ("navigation", "Home | World | Business"),
    ("navigation", "Home|News|Sport|Weather"),
    ("navigation", "Home\tWorld\tDefence\tOpinion"),
    ("navigation", "World · Europe · Defence policy"),
    ("navigation", "Home > World > Europe"),
    ("navigation", "Home › World › NATO leaders meet by the sea to argue about money"),
    ("navigation", "Sign in"),
    ("navigation", "Sign in / Register"),
    ("navigation", "• Opinion"),
    ("navigation", "Middle East"),
    ("navigation", "Tags: Nato, Russia, defence"),
    ("navigation", "More on: Ukraine"),
    ("navigation", "3"),
    ("navigation", "https://www.larkmoor-courier.example/world/summit?ref=home"),
    ("date", "5 min read"),
    ("date", "4 minute read"),
    ("date", "Reading time: 6 minutes"),
    ("date", "Published 3 hours ago"),
    ("date", "3 hours ago"),
    ("date", "Updated at 10:15 GMT"),
    ("date", "Last updated on 12 March 2024"),
    ("date", "Wed 10 Jul 2024 18.31 BST"),
    ("date", "July 9, 2024 at 6:31 p.m. EDT"),
    ("date", "2024-07-10"),
    ("date", "Published: March 4th, 2024 | Updated: March 5th, 2024"),
    ("byline", "By Ada Fennimore"),
    ("byline", "BY ADA FENNIMORE AND LUÍS ÇELIK"),
    ("byline", "By Ada Fennimore in Port Ellery"),
    ("byline", "By Ada van der Fenn, Defence editor"),
    ("byline", "By Ada Fennimore, chief diplomatic correspondent in Port Ellery"),
    ("byline", "By our foreign staff"),
    ("byline", "By Reuters"),
    ("byline", "By Ada Fennimore | 12 March 2024 | 5 min read"),
    ("author box", "Follow Ada Fennimore on X"),
    ("author box", "Follow us on Telegram and WhatsApp"),
    ("author box", "Follow @larkmoorcourier"),
    ("author box", "@adafennimore"),
    ("author box", "Ada Fennimore is the diplomatic correspondent for The Larkmoor Courier."),
    ("author box", "• Ada Fennimore is a Courier columnist"),
    (
        "author box",
        "Ada Fennimore is a senior fellow at the Ellery Institute and writes on sanctions.",
    ),
    ("author box", "Ada Fennimore is a staff writer. She has covered four summits."),
    ("author box", "Ada Fennimore covers defence and the sea for The Courier."),
    ("author box", "The writer is a former ambassador to the alliance"),
    ("author box", "The views expressed in this article are the author’s own."),
    ("author box", "Contact the newsroom at desk@larkmoor-courier.example"),
    ("caption", "Photo: Leaders on the steps of the town hall"),
    ("caption", "Image caption, The harbour was closed to yachts for two days"),
    ("caption", "Media caption, Watch the arrivals"),
    ("caption", "FILE PHOTO: A frigate leaves the harbour, March 3, 2024"),
    ("caption", "FILE - A frigate leaves the harbour, on March 3, 2024."),
    ("caption", "A frigate leaves the harbour on Monday. (AP Photo/Ada Fennimore)"),
    ("caption", "A frigate leaves the harbour [File: Ada Fennimore/Reuters]"),
    ("caption", "Marchers near the fence on Tuesday [Ada Fennimore/AFP]"),
    ("caption", "Soldiers on an exercise in the fens. Photograph: Ada Fennimore/EPA"),
    ("caption", "Pictured: the signing table before the doors were opened"),
    ("credit", "(AP Photo/Ada Fennimore, File)"),
    ("credit", "Image source, Getty Images"),
    ("credit", "Getty Images"),
    ("credit", "AFP via Getty Images"),
    ("credit", "Ada Fennimore/Reuters"),
    ("credit", "© Reuters"),
    ("credit", "Credit...Ada Fennimore for The Courier"),
    ("credit", "With a report from The Associated Press"),
    ("credit", "With files from Ada Fennimore in Port Ellery and Reuters"),
    ("credit", "With inputs from agencies"),
    ("credit", "Reporting by Ada Fennimore; editing by Luís Çelik"),
    ("credit", "(Reporting by Ada Fennimore in Port Ellery and Luís Çelik; Editing by Jo Marsh)"),
    ("credit", "Additional reporting by Ada Fennimore."),
    ("credit", "Ada Fennimore contributed to this report."),
    ("credit", "This article was originally published by the Quillon Review."),
    ("media", "Listen to this article"),
    ("media", "Watch: the arrivals at the harbour in two minutes"),
    ("media", "0:00 / 3:25"),
    ("share", "Share"),
    ("share", "Copy link"),
    ("share", "Facebook"),
    ("share", "Tweet"),
    ("share", "Share this article"),
    ("share", "Share on Facebook"),
    ("share", "Share via email"),
    ("share", "Share full article"),
    ("share", "NATO meets on facebook (opens in a new window)"),
    ("newsletter", "Sign up to This is the Continent"),
    ("newsletter", "after newsletter promotion"),
    ("newsletter", "The Daily Briefing newsletter provides all the news you need. Sign up here."),
    ("newsletter", "Our editor selects her favourite stories in this weekly newsletter."),
    ("subscription", "Subscribe to unlock this article"),
    ("subscription", "If you liked it, please consider supporting us."),
    ("subscription", "We’ve been here for you since day one."),
    ("credit", "A version of this article appears in print on 18 May 2024, Section A, Page 8"),
    ("credit", "Our Standards: The Courier Trust Principles."),
    ("author box", "Note from the author:"),
    ("comments", "The comments below have not been moderated."),
    ("media", "Your browser does not support the <audio> element."),
    ("navigation", "+5"),
    ("newsletter", "Sign up for our morning briefing"),
    ("newsletter", "Sign up to the Courier's defence newsletter."),
    ("newsletter", "Get the latest from the harbour, every day, in your inbox"),
    ("newsletter", "By signing up you agree to our terms."),
    ("newsletter", "Your email address"),
    ("subscription", "Subscribe"),
    ("subscription", "Subscribe to read the full story"),
    ("subscription", "Already a subscriber? Log in"),
    ("subscription", "Support independent Larkmoor journalism from two pounds a month."),
    ("related", "Read more: Who pays for the alliance?"),
    ("related", "READ MORE: Who pays for the alliance?"),
    ("related", "Related: Who pays for the alliance?"),
    ("related", "More on this story"),
    ("related", "Most read"),
    ("related", "You may also like:"),
    ("related", "list 1 of 3"),
    ("advertisement", "Advertisement"),
    ("advertisement", "ADVERTISEMENT"),
    ("advertisement", "Story continues below advertisement"),
    ("advertisement", "Article continues after this ad"),
    ("cookies", "We use cookies to make this site better for you."),
    ("cookies", "Accept all"),
    ("cookies", "By clicking “Accept” you consent to our use of your data."),
    ("comments", "Comments (34)"),
    ("comments", "1,204 comments"),
    ("comments", "Join the conversation"),
    ("footer", "© 2024 The Larkmoor Courier. All rights reserved."),
    ("footer", "Copyright 2024 The Larkmoor Courier"),
    ("footer", "Terms of use | Privacy policy | Contact us"),
    ("footer", "The Courier is not responsible for the content of external sites."),
]

PARAGRAPHS = [
    "The Kremlin denied it.",
    "“No,” he said.",
    "No.",
    "No comment.",
    "Russia has not commented.",
    "Why now?",
    "NATO leaders meet by the sea to argue about money",
    "NATO’s last chance",
    "Ukraine: the price of waiting | The Larkmoor Courier",
    "BRUSSELS (Reuters) - NATO ministers met on Monday.",
    "By Monday the Russian column had gone.",
    "By joining NATO, Finland has doubled the border that the alliance has to watch",
    "By every measure Russia is losing.",
    "With reports from Kyiv growing darker, NATO ministers sent more ammunition.",
    "With help from Poland, Ukraine rebuilt the bridge.",
    "Reporting by state media suggests that China is satisfied.",
    "Follow the money and you arrive in Moscow.",
    "Follow Russia's example on this and you will regret it.",
    "Share prices in Germany fell as sanctions on Iran took hold.",
    "Home to forty nations, the alliance could not agree.",
    "Sign up to the pact, the minister told his allies, or be left outside.",
    "Subscribe to that view of China if you like; I do not.",
    "Get the latest tanks to Ukraine before winter.",
    "Read the treaty again: Russia signed it.",
    "More from Russia was expected, and nothing came.",
    "More sanctions on Iran followed.",
    "Related worries led Japan to close the strait.",
    "Comments by the Iranian minister angered Israel.",
    "Published figures show that Russia spends more than France.",
    "Updated plans will be put to NATO in May.",
    "In 2024 Turkey agreed.",
    "March was quiet.",
    "We use the word “war” because China's neighbours do.",
    "By continuing the war Russia isolates itself.",
    "Copyright law divides the European Union and China.",
    "The picture: NATO has money and no plan.",
    "Photographs of the damage shocked the United Nations.",
    "He gave the Americans credit: they had come.",
    "The film was shot in Iran (and praised in Israel).",
    "“We are Getty,” joked the envoy from France.",
    "The photographer was killed by a Russian shell, AFP said.",
    "Ada Fennimore is a reporter who was arrested in Moscow last year.",
    "Ada Fennimore is a journalist for The Courier, held in Iran since March.",
    "Ada Fennimore is the president of the assembly, and she detests NATO.",
    "The author of the attack is Russia.",
    "Advertisement of strength or not, the parade impressed China.",
    "Watch what Russia does, not what it says.",
    "Listen to the Baltic states.",
    "The group's newsletter praised Russia.",
    "“Our newsletter was closed,” said the editor in Moscow.",
    "If you like the treaty, you will love what China makes of it.",
    "This article of the treaty is what Iran rejects.",
    "Sign up to NATO, he said, and pay.",
    "A version of this plan appears in every paper that Turkey writes.",
    "The alliance contributed to this disaster.",
    "Israel said no",
    "NATO and Russia traded accusations for a third day, " * 4
    + "and Jo contributed to this report.",
    "北约拒绝评论。",
    "НАТО не ответило.",
]


def kept(text: str) -> tuple[str, ...]:
    return split_article(text).paragraphs


def inked(texts: list[str]) -> Counter[str]:
    """Count the characters that print."""
    return Counter("".join(texts).translate(dict.fromkeys(map(ord, EDGES))))


def all_texts(article: Article) -> list[str]:
    return [*article.paragraphs, *(piece.text for piece in article.dropped)]


@pytest.mark.parametrize(("reason", "line"), FURNITURE)
def test_furniture_is_dropped_with_its_reason(reason: str, line: str) -> None:
    article = split_article(line)

    assert article.paragraphs == ()
    assert [(piece.text, piece.reason, piece.line) for piece in article.dropped] == [
        (line, reason, 1)
    ]


@pytest.mark.parametrize("line", PARAGRAPHS)
def test_a_real_paragraph_stays_however_short(line: str) -> None:
    assert split_article(line) == Article((line,), ())


def test_every_reason_has_an_example() -> None:
    data = tomllib.loads(files("stance").joinpath("data/furniture.toml").read_text("utf-8"))
    assert {reason for reason, _ in FURNITURE} == {*data["labels"], *data["patterns"]}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n", "\r\n \t\r\n", "\u2028", "\u2029"])
def test_any_line_end_ends_a_paragraph(end: str) -> None:
    text = end.join(["\ufeffMenu", "NATO met.", "\u200b", "Russia\u00a0did not.", "Share", ""])

    assert kept(text) == ("NATO met.", "Russia\u00a0did not.")


def test_dropped_pieces_say_their_line() -> None:
    article = split_article("Menu\n\nNATO met.\n  \nShare\n")

    assert [(piece.text, piece.line) for piece in article.dropped] == [("Menu", 1), ("Share", 5)]


@pytest.mark.parametrize("width", [60, 70, 72, 78, 80, 90])
def test_hard_wrapped_lines_become_the_paragraphs_they_were(width: int) -> None:
    paragraphs = [
        "NATO leaders end their meeting with a quarrel about money and a longer list of promises",
        "Ministers from thirty states met on Monday. They agreed on little, an official said, and "
        "the long-promised plan for the sea-lanes was put off until the autumn. Poland praised it.",
        "Russia has not commented.",
        "“We have waited long enough,” said a spokeswoman for the ministry, who called the delay "
        "shameful, and who added that the government would now act alone if it had to do so.",
    ]
    lines = [textwrap.fill(paragraph, width) for paragraph in paragraphs]
    text = "\n\n".join(["Menu\nSign in", lines[0], "Share\n" + lines[1], *lines[2:]])

    article = split_article(text)

    assert article.paragraphs == tuple(paragraphs)
    assert [piece.text for piece in article.dropped] == ["Menu", "Sign in", "Share"]


def test_wrapped_furniture_is_one_piece() -> None:
    caption = "A frigate leaves the harbour of Port Ellery before the start of the summit. " * 2
    credit = caption + "(AP Photo/Ada Fennimore)"
    article = split_article(textwrap.fill(credit, 72) + "\n\nRussia has not commented.\n")

    assert article.paragraphs == ("Russia has not commented.",)
    assert [(piece.text, piece.reason) for piece in article.dropped] == [(credit, "caption")]


def test_one_paragraph_a_line_is_not_taken_for_wrapped_text() -> None:
    lines = [
        "Ministers from thirty states met on Monday and agreed on little, an official said.",
        "Russia has not commented.",
        "Poland, which had asked for the meeting, praised the alliance for its patience today.",
        "Iran sent no one.",
    ]

    assert kept("\n".join(lines)) == tuple(lines)


def test_headlines_under_a_heading_for_more_stories_are_dropped() -> None:
    text = """NATO ends its summit
Ministers met on Monday.
More on this story
Who pays for the alliance?
Nato chief: ‘We will stay’
Russia has not commented.
Most read
1
Iran closes the strait
2
Poland buys more tanks"""
    article = split_article(text)

    assert article.paragraphs == (
        "NATO ends its summit",
        "Ministers met on Monday.",
        "Russia has not commented.",
    )
    assert {piece.reason for piece in article.dropped} == {"related", "navigation"}


def test_the_headline_stays_under_the_trending_bar_of_the_page_head() -> None:
    assert kept("Trending\nNATO ends its summit with a quarrel\nMinisters met.") == (
        "NATO ends its summit with a quarrel",
        "Ministers met.",
    )


def test_a_run_of_short_lines_is_a_menu_and_two_cross_heads_are_not() -> None:
    menu = "Ukraine war\nMenu\nElections\nLong reads\n\nPort Ellery"

    assert kept(f"{menu}\nNATO met.\nAnger\nRussia did not.\nDoubt\nIran neither.") == (
        *("NATO met.", "Anger", "Russia did not.", "Doubt", "Iran neither."),
    )


PAGE = """The Courier
World
NATO leaders end their summit with a quarrel over money
Ministers agreed on little
Ada Fennimore
By Ada Fennimore
Lebanon Israel
Port Ellery
NATO leaders closed a two-day summit on Thursday with the shortest communique in a decade and a row.
Anger
Poland praised the alliance and said that it had never been more united or more needed than now.
Iran sent no one.
Ada Fennimore has reported on alliances since 2011.
Share
Diplomacy
Baltic Sea region
Ferry strike enters its third week
Storm expected on the north coast
Somebody wrote a sentence down here.
Marrowdale
"""


def test_lines_before_the_first_and_after_the_last_paragraph_are_set_aside() -> None:
    article = split_article(PAGE)

    assert article.paragraphs == (
        "NATO leaders end their summit with a quarrel over money",
        "Ministers agreed on little",
        *(line for line in PAGE.splitlines()[8:12]),
    )
    found = {piece.text: piece.reason for piece in article.dropped}
    assert found["Ada Fennimore"] == "author box"
    assert found["Ada Fennimore has reported on alliances since 2011."] == "author box"
    assert found["Marrowdale"] == found["Lebanon Israel"] == "outside the article"


def test_a_page_of_few_sentences_has_no_ends_to_tell() -> None:
    lines = ("Port Ellery", "NATO met.", "Somewhere else", "Russia did not.")
    assert kept("\n".join(lines)) == lines


@pytest.mark.parametrize("text", ["", "\n\n", " \u200b\n\t"])
def test_a_blank_page_has_no_paragraphs(text: str) -> None:
    assert split_article(text) == Article((), ())


def test_keep_all_drops_nothing() -> None:
    lines = [line for _, line in FURNITURE] + PARAGRAPHS

    assert split_article("\n".join(lines), keep_all=True) == Article(tuple(lines), ())


example_line = st.sampled_from([line for _, line in FURNITURE] + PARAGRAPHS)
any_line = st.one_of(example_line, st.text(max_size=90), st.text("Aa b.-", max_size=90))
line_end = st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\n \n", "\u2028"])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(any_line, line_end), max_size=25), st.booleans())
def test_every_line_ends_in_a_paragraph_or_a_dropped_piece(
    lines: list[tuple[str, str]], keep_all: bool
) -> None:
    text = "".join(line + end for line, end in lines)
    article = split_article(text, keep_all=keep_all)

    found = all_texts(article)
    assert inked(found) == inked([text])
    for line in text.splitlines():
        assert any(line.strip(EDGES) in piece for piece in [*found, ""])
    assert not (keep_all and article.dropped)
    assert all(found)


HOSTILE = {
    "one word": "a",
    "names": "By Aa. ",
    "name and name": "Ada Bb is a Cc and ",
    "agencies": "Reporting by Aa Bb, Cc Dd and ",
    "brackets": "(AP Photo [File: ",
    "dates": "Updated 1 May ",
    "numbers": "1",
    "inbox": "Sign up for our inbox newsletter ",
    "credits": ". Photograph: Aa ",
    "menu": "Home | ",
    "capitals": "A",
    "dashes": "-",
    "roles": "Ada Bb is a columnist, for editor, in fellow, ",
}


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("length", [1_000_000, 600, 90])
def test_a_hostile_megabyte_takes_linear_time(unit: str, length: int) -> None:
    line = (unit * (length // len(unit) + 1))[:length]
    text = "\n".join([line] * (250_000 // length or 1))
    start = time.process_time()

    article = split_article(text)

    assert time.process_time() - start < 3.0
    assert inked(all_texts(article)) == inked([text])


def test_the_sample_article_splits_into_its_expected_paragraphs() -> None:
    article = split_article(SAMPLE.read_text(encoding="utf-8"))
    expected = tomllib.loads(EXPECTED.read_text(encoding="utf-8"))["article"]

    assert [str(number) for number, _ in enumerate(article.paragraphs, start=1)] == list(expected)
    assert article.paragraphs[0].startswith("NATO summit")
    assert article.paragraphs[-1] == "Russia has not commented on the lunch."
    assert len(article.dropped) > 40
