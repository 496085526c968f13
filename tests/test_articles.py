"""Articles: which lines are boilerplate, that headlines stay, and pages within limits, offline."""

import gzip
import os
import re
import socket
import textwrap
import tomllib

import pytest
from command import ROOT, SAMPLE, dicts, fails, invoke, program, succeeds, write
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.errors import DataError
from stance.tables import InputOptions, Inputs, open_inputs, split_article
from stance.tables.articles import EDGES

pages = program("pages")
BOILERPLATE = {
    "navigation": """
        Skip to main content; ▼ Menu; Home | World | Business; Home|News|Sport|Weather; Sign in; 3
        Tags: Nato, Russia, defence; Terms of use | Privacy policy | Contact us; Accept all
        We use cookies to make this site better for you.; Copyright 2024 The Larkmoor Courier
        © 2024 The Larkmoor Courier. All rights reserved.""",
    "byline": """
        5 min read; Reading time: 6 minutes; Published 3 hours ago; Updated at 10:15 GMT; 2024-07-10
        Published: March 4th, 2024 | Updated: March 5th, 2024; By Ada Fennimore in Port Ellery
        By Ada Fennimore, chief diplomatic correspondent in Port Ellery; @adafennimore
        Ada Fennimore is the diplomatic correspondent for The Larkmoor Courier.
        The views expressed in this article are the author’s own.""",
    "caption": """
        Photo: Leaders on the steps of the town hall; AFP via Getty Images; Ada Fennimore/Reuters
        FILE - A frigate leaves the harbour, on March 3, 2024.; (AP Photo/Ada Fennimore, File)
        Soldiers on an exercise in the fens. Photograph: Ada Fennimore/EPA
        Reporting by Ada Fennimore, editing by Luís Çelik; Ada Fennimore contributed to this report.
        Watch: the arrivals at the harbour in two minutes""",
    "share": """
        Share; Copy link; Facebook; Share on Facebook; Share via email; Comments (34)
        NATO meets on facebook (opens in a new window); 1,204 comments; Join the conversation""",
    "promotion": """
        Sign up to This is the Continent; after newsletter promotion; Subscribe; ADVERTISEMENT
        Get the latest from the harbour, every day, in your inbox; Subscribe to unlock this article
        If you liked it, please consider supporting us.; Story continues below advertisement""",
    "related": """
        Read more: Who pays for the alliance?; READ MORE: Who pays for the alliance?; Most read
        Related: Who pays for the alliance?; You may also like:; list 1 of 3""",
}
LINES = [
    (reason, line.strip())
    for reason, lines in BOILERPLATE.items()
    for line in re.split("[;\n]", lines.strip())
]

PARAGRAPHS = """
The Kremlin denied it.; “No,” he said.; No.; No comment.; Why now?; NATO’s last chance
BRUSSELS (Reuters) - NATO ministers met on Monday.; By Monday the Russian column had gone.
By every measure Russia is losing.; With help from Poland, Ukraine rebuilt the bridge.
Reporting by state media suggests that China is satisfied.; In 2024 Turkey agreed.
Share prices in Germany fell as sanctions on Iran took hold.; Sign up to NATO, he said, and pay.
Sign up to the pact, the minister told his allies, or be left outside.
More from Russia was expected, and nothing came.; Comments by the Iranian minister angered Israel.
We use the word “war” because China's neighbours do.; By continuing the war Russia isolates itself.
Photographs of the damage shocked the United Nations.; Watch what Russia does, not what it says.
The film was shot in Iran (and praised in Israel).; The group's newsletter praised Russia.
Ada Fennimore is a journalist for The Courier, held in Iran since March.
“Our newsletter was closed,” said the editor.; Subscribe to that view of China if you like.
Ada Fennimore is a reporter whom Iran held.; If you value freedom, you must support Ukraine.
The writer is a Russian who condemned the war and fled.
This article of the treaty is what Iran rejects.; The alliance contributed to this disaster.
"""
KEPT = [line.strip() for line in re.split("[;\n]", PARAGRAPHS.strip())]
KEPT += ["NATO and Russia traded accusations for a third day, " * 4 + "and Jo contributed to it."]

HEADLINES = """
NATO allies agree to raise defence spending; Putin's gamble; Iran strikes back; Sanctions; Brexit
‘They left us the bill’: a valley after the American base; “We will not move,” says Lithuania
Opinion: The sanctions are working; Analysis: What the Kremlin wants; BREAKING: Russia hits Kharkiv
Photos: A night under fire in Odesa; In pictures: the NATO summit; Podcast: Inside the Kremlin
Follow the money: how Iran evades sanctions; Sign up or ship out: Europe's conscription debate
Subscribe or die: the new rules of Chinese media; By land and by sea, Russia presses on
Home front: Ukraine's second winter; Skip the summit, says Hungary; Biden to Xi: Back off
The week in the Caucasus: a road, a resignation, a recipe; Guerra y paz en Colombia
Poland Says It Will Not Send Troops; UN | Security Council deadlocked over Gaza
Privacy is dead in Beijing; Weather or war: why Crimea went dark; Live updates from Gaza
Copyright wars: China and the EU; Image problem: NATO in Africa; Video shows strike on hospital
"""
BODY = """Ministers from thirty states met on Monday and agreed on little, an official said.
Poland praised the alliance for its patience and condemned Russia over the attack on the port.
The Kremlin denied it, and nobody in the capital expected anything else from the talks.
"""
DRESSES = (
    "{}\n{body}",
    "{}\n\n{body}",
    "{}\nBy Ada Fennimore\n12 March 2024\n\n{body}",
    "{}\n\nAda Fennimore\n\n{body}",
    "By Ada Fennimore\n{}\n{body}",
    "{}\nBy Ada Fennimore\nShare\n{body}\nShare\nSign up\nComments (3)\nMost read\nIran's war\n",
)
FRAME = "Ministers met on Monday.\n{}\nRussia has not commented."


def kept(text, title=""):
    return [line for line, reason in split_article(text, title) if not reason]


def inked(text):
    """Return the characters that print, in order."""
    return text.translate(dict.fromkeys(map(ord, EDGES)))


def read(path, **reading):
    """Return the rows of an article by column."""
    with open_inputs(Inputs((path,)), InputOptions(**reading)) as table:
        return [dict(zip(table.columns, record.cells, strict=True)) for record in table]


def page(tmp_path, body, head="", name="page.html", encoding="utf-8"):
    text = f"<html><head>{head}</head><body><article><p>{LEAD}</p>{body}</article></body></html>"
    return write(tmp_path / name, text, encoding)


LEAD = "Poland praised NATO for its resolve, an official in the capital said on Monday."

# --- Lines ---


@pytest.mark.parametrize(("reason", "line"), LINES)
def test_boilerplate_is_told_with_its_reason(reason, line):
    assert split_article(FRAME.format(line))[1] == (line, reason)


@pytest.mark.parametrize("line", KEPT)
def test_a_real_paragraph_stays_however_short(line):
    assert kept(line) == [line]
    assert kept(FRAME.format(line))[1] == line


@pytest.mark.parametrize("headline", re.split("[;\n] ?", HEADLINES.strip()))
def test_headlines_stay(headline, tmp_path):
    for dress in DRESSES:
        assert headline in kept(dress.format(headline, body=BODY)), dress
    for byline in ("", "<p>By Ada Fennimore</p><p>12 March 2024</p>"):
        paragraphs = "".join(f"<p>{text}</p>" for text in BODY.splitlines() if text)
        path = page(tmp_path, f"<h1>{headline}</h1>{byline}{paragraphs}")
        assert headline in [row["text"] for row in read(path)]


@pytest.mark.parametrize("width", [60, 72, 90])
def test_hard_wrapped_lines_become_the_paragraphs_they_were(width):
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
    assert kept(text) == paragraphs


any_line = st.one_of(
    st.sampled_from([line for _, line in LINES] + KEPT),
    st.text(max_size=90),
    st.text("Aa b.-", max_size=90),
)
line_end = st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\n \n", "\u2028"])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(any_line, line_end), max_size=25), st.booleans())
def test_every_line_is_in_a_paragraph(lines, titled):
    text = "".join(line + end for line, end in lines)
    found = [line for line, _ in split_article(text, "title" * titled)]
    assert inked("".join(found)) == inked(text)
    assert all(found)


# --- Pages ---


def scored(kind, extract):
    score = pages.Score()
    for own in pages.dressed(kind):
        score.add(own, extract(own.text))
    return score.right / score.wanted, score.right / (score.right + score.wrong)


def test_pages_of_common_publishing_systems_give_their_story_and_little_else(tmp_path):
    recall, precision = scored("web", lambda t: [row["text"] for row in pages.ours(t, tmp_path)])
    assert recall == 1
    assert precision > 0.98


def test_saved_pages_of_newspapers_give_their_story_and_mostly_that():
    recall, precision = scored("saved", kept)
    assert recall > 0.99
    assert precision > 0.78
    for own in pages.dressed("saved"):
        assert own.story.title in kept(own.text), own.style


def test_pages_say_their_title_date_and_outlet_or_nothing(tmp_path):
    unknown = 0
    for own in pages.dressed("web"):
        row = pages.ours(own.text, tmp_path)[0]
        assert (row["title"], row["date"]) == (own.story.title, own.story.date)
        unknown += row["outlet"] == ""
        assert row["outlet"] in ("", own.story.outlet)
    assert unknown == 6


def test_the_sample_article_splits_into_its_expected_paragraphs():
    expected = tomllib.loads((ROOT / "tests" / "sample_expected.toml").read_text("utf-8"))
    paragraphs = kept((SAMPLE / "article.txt").read_text("utf-8"))
    assert len(paragraphs) == len(expected["article"])
    assert paragraphs[0].startswith("NATO summit")
    assert paragraphs[-1] == "Russia has not commented on the lunch."


def test_what_is_left_out_is_counted_and_listed_on_request(tmp_path):
    lines = "\tMenu\n\tNATO leaders meet\n\tRussia has not commented.\n\tShare\n"
    path = write(tmp_path / "a.txt", lines)
    told = invoke("predict", path)
    assert dicts(told.stdout)[0]["text"] == "NATO leaders meet"
    left = "2 paragraphs left out as boilerplate, see --keep-all (first: paragraph 1)"
    assert left in told.stderr
    rows = dicts(invoke("predict", path, "--keep-all").stdout)
    assert [row["boilerplate"] for row in rows] == ["navigation", "", "", "share"]
    assert "left out" not in invoke("predict", path, "--keep-all").stderr


def test_a_paragraph_with_a_nul_byte_is_a_bad_row(tmp_path):
    path = write(tmp_path / "a.txt", "NATO met.\n\nRussia did not.\n\0\n")
    assert f"{path}, paragraph 3: a NUL byte in column 'text'; save" in fails(1, "predict", path)
    done = succeeds("predict", path, "--rejects", tmp_path / "bad.csv")
    assert "3 rows in = 2 judged + 1 rejected" in done.stderr


def test_a_name_that_is_not_utf_8_is_escaped(tmp_path):
    (row,) = read(write(tmp_path / os.fsdecode(b"caf\xe9.txt"), "NATO met."))
    assert row["document"] == r"caf\xe9"


def test_the_headline_is_the_first_paragraph_and_columns_say_the_rest(tmp_path):
    head = "<title>NATO meets | The Courier</title><meta name='date' content='2024-05-01'>"
    head += "<meta property='og:site_name' content='The Courier'>"
    rows = read(page(tmp_path, "<p>Russia has not commented.</p><p>Share</p>", head))
    assert [row["text"] for row in rows] == ["NATO meets", LEAD, "Russia has not commented."]
    said = {"document": "page", "paragraph": "1", "title": "NATO meets", "date": "2024-05-01"}
    assert rows[0] == {**said, "outlet": "The Courier", "text": "NATO meets"}


def test_a_page_has_its_own_date_or_none_and_its_last_paragraph(tmp_path):
    path = page(tmp_path, "<p>Russia has not commented.<sup>12</sup></p>")
    teaser = "<aside><time datetime='2016-03-21'>March 21, 2016</time></aside></body>"
    path.write_text(path.read_text().replace("</body>", teaser))
    rows = read(path)
    assert (rows[-1]["text"], rows[-1]["date"]) == ("Russia has not commented.12", "")


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [("windows-1252", "cp1252"), ("ISO-8859-1", "cp1252"), ("utf-8", "utf-8"), ("x-bad", "utf-8")],
)
def test_a_page_is_decoded_as_it_declares(tmp_path, declared, encoding):
    head = f'<meta http-equiv="Content-Type" content="text/html; charset={declared}">'
    rows = read(page(tmp_path, "<p>“Élysée,” said Lotwa.</p>", head, encoding=encoding))
    assert rows[-1]["text"] == "“Élysée,” said Lotwa."


@pytest.mark.parametrize("where", ["html", "body", "article"])
def test_a_page_is_no_box_whatever_its_class(tmp_path, where):
    box = '<div class="signup-form"><p>Sign up to our</p><p class="sign-up">daily letter.</p>'
    box += "<script>var send = 1;</script></div>"
    path = page(tmp_path, box)
    whole = path.read_text("utf-8").replace(f"<{where}>", f'<{where} class="has-signup">')
    assert [row["text"] for row in read(write(path, whole))] == [LEAD]
    kept = [(row["boilerplate"], row["text"]) for row in read(path, keep_all=True)]
    assert kept == [("", LEAD), ("box", "Sign up to our daily letter.")]


def test_sentences_beside_paragraphs_are_read_in_their_place(tmp_path):
    odd = "<div>No, <a>he<svg/></a> said.\u200b<button>X</button></div><p hidden>I did lie.</p>"
    odd += "<table><tr><td>Iran denied it.<td>12.5</table><center>It also lied."
    texts = [row["text"] for row in read(page(tmp_path, f"{odd}<p>{LEAD * 10}</p>"))]
    assert texts == [LEAD, "No, he said.", "Iran denied it.", "It also lied.", LEAD * 10]
    brief = '<p class="byline">By Ada Fennimore</p><p>Iran lied.</p>'
    brief += "<p>Poland denied it, he said.</p><table><td>The firm Acme Inc</table>"
    brief += "<ul><li>It paid him.<ul><li>He left then.</ul></ul><div class=a>He lied, I say.</div>"
    brief += "<div class=a>It betrayed us</div></article><div class=related><h3>Iran met Cuba</h3>"
    found = read(page(tmp_path, brief), keep_all=True)
    texts = [LEAD, "Iran lied.", "Poland denied it, he said.", "It paid him.", "He left then."]
    texts += ["He lied, I say.", "It betrayed us", "By Ada Fennimore", "Iran met Cuba"]
    assert [row["text"] for row in found] == texts
    assert [row["boilerplate"] for row in found] == [""] * 7 + ["byline"] + ["outside the article"]
    part = '<div class="post-{0}"><p>{0} met NATO.<p>Iran met {0}.</div><div>Buy it now.</div>'
    path = page(tmp_path, "".join(map(part.format, ("body", "text", "1"))))
    assert [len(read(path)), len(read(path, keep_all=True))] == [7, 8]
    story = '<div class="post-body">{}<p>Iran met {}, he said.</p></div><div>Buy it now.</div>'
    heads = ("<h1>NATO meets</h1>", "one"), ("", "two"), ("<h1>Iran leaves</h1>", "three")
    path = page(tmp_path, "".join(story.format(*head) for head in heads))
    assert ["one" in str(read(path)), "two" in str(read(path))] == [True, True]
    assert "three" not in str(read(path))  # of another article


@pytest.mark.parametrize(
    ("attribute", "is_read"),
    [
        ('class="not-sr-only"', True),
        ('class="visually-hidden-focusable"', True),
        ('hidden="until-found"', True),
        ("hidden", False),
        ('class="a sr-only"', False),
        ('class="visually-hidden\na"', False),
        ('class="screen-reader-text"', False),
    ],
)
def test_only_what_no_browser_shows_is_left_out_without_a_count(tmp_path, attribute, is_read):
    path = page(tmp_path, f"<p {attribute}>Iran denied it, he said.</p>")
    assert len(read(path, keep_all=True)) == 1 + is_read


@pytest.mark.parametrize("character", ["\xad", "\u200b", "\ue000", "&#12;", "&#x1B;"])
def test_a_paragraph_with_what_does_not_print_is_kept_once(tmp_path, character):
    path = page(tmp_path, f"<p>Iran de{character}nied it, he said.</p>")
    texts = [row["text"] for row in read(path, keep_all=True)]
    assert texts == [LEAD, "Iran denied it, he said."]


def test_bytes_that_are_not_in_the_declared_encoding_are_refused(tmp_path):
    path = page(tmp_path, "<p>café</p>", '<meta charset="utf-8">', encoding="cp1252")
    with pytest.raises(DataError, match=r"page.html:1: byte 0xe9 is not UTF-8; save"):
        read(path)
    assert read(path, encoding="cp1252")[-1]["text"].endswith("café")


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.html", b"<p>x</p>" * 30_000, ": has more than 30,000 elements"),
        ("a.html", b"<p>One.</p>" + b"<b>" * 300 + b"Two.", ": has elements inside each other, 2"),
        ("a.html", b"x" * 20_000_001, ": has more than 20,000,000 characters; put paragraphs in a"),
        ("a.html", b"<div></div><script>go()</script>", ": has no text of an article; open it"),
        ("a.html", b"<p>NATO\r\nm\0et.</p>", ":2: a NUL byte; the page is damaged: save it again"),
        ("a.txt", b"x" * 20_000_001, ": has more than 20,000,000 characters; put paragraphs in a"),
        ("a.txt", b"nr\tsatz\twer\r\n1\tA.\tNATO", ": looks like a table, not an article; end its"),
        ("a.txt", b'id,"Text"\n1,"NATO\nmet."\n', ": looks like a table, not an article; end its"),
        ("a.txt", b"NATO\nL\xe9on", ":2: byte 0xe9 is not UTF-8; save the file as UTF-8, or name"),
    ],
    ids=range(9),
)
def test_what_is_no_article_is_refused_with_place_and_advice(tmp_path, name, data, why):
    assert name + why in fails(1, "predict", write(tmp_path / name, data))


def test_no_page_opens_a_connection(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a connection")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    head = "<base href='http://x.example'><link rel='canonical' href='http://x.example/a'>"
    body = "<img src='http://x.example/a.png'><script src='http://x.example/a.js'></script>"
    assert read(page(tmp_path, body, head))


def test_a_compressed_page_reads_as_its_html_and_an_archive_is_refused(tmp_path):
    html = page(tmp_path, "<p>Zoë’s café in Kyiv is open, an official said.</p>")
    packed = write(tmp_path / "page.html.gz", gzip.compress(html.read_bytes()))
    assert read(packed) == read(html)
    html.rename(archive := tmp_path / "page.mhtml")
    assert "is a .mhtml document; save its text as .txt or .html" in fails(1, "predict", archive)
