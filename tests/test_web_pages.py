"""Web pages: their text, title, date and outlet, within limits of time, and never by network."""

import gzip
import importlib.util
import re
import socket
import sys
import time
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path

import pytest

from stance.errors import DataError, ExtraError
from stance.tables import Inputs, Reading, Rejects, open_inputs, split_article

ROOT = Path(__file__).parent.parent
_spec = importlib.util.spec_from_file_location("training_pages", ROOT / "training" / "pages.py")
pages = importlib.util.module_from_spec(_spec)
sys.modules["training_pages"] = pages  # where its dataclasses look for their module
_spec.loader.exec_module(pages)

LEAD = "Poland praised NATO for its resolve, an official in the capital said on Monday."


def read(path, **reading):
    """Return the rows of a page by column."""
    with open_inputs(Inputs((path,)), Reading(**reading)) as table:
        return [dict(zip(table.columns, record.cells, strict=True)) for record in table]


def page(tmp_path, body, head="", name="page.html", encoding="utf-8"):
    path = tmp_path / name
    text = f"<html><head>{head}</head><body><article><p>{LEAD}</p>{body}</article></body></html>"
    path.write_bytes(text.encode(encoding))
    return path


# --- What was measured ---


def scored(kind, extract):
    score = pages.Score()
    for own in pages.dressed(kind):
        score.add(own, extract(own.text))
    return score.right / score.wanted, score.right / (score.right + score.wrong)


def test_pages_of_common_publishing_systems_give_their_story_and_little_else(tmp_path):
    recall, precision = scored("web", lambda t: [row["text"] for row in pages.ours(t, tmp_path)])
    assert recall == 1
    assert precision > 0.95


def test_saved_pages_of_newspapers_give_their_story_and_mostly_that():
    recall, precision = scored("saved", lambda text: split_article(text).paragraphs)
    assert recall > 0.99
    assert precision > 0.75


def test_the_headline_of_a_saved_page_is_kept():
    for own in pages.dressed("saved"):
        assert own.story.title in split_article(own.text).paragraphs, own.style


def test_pages_say_their_title_date_and_outlet_or_nothing(tmp_path):
    unknown = 0
    for own in pages.dressed("web"):
        row = pages.ours(own.text, tmp_path)[0]
        assert (row["title"], row["date"]) == (own.story.title, own.story.date)
        unknown += row["outlet"] == ""
        assert row["outlet"] in ("", own.story.outlet)
    assert unknown == 2


# --- Rows ---


def test_the_headline_is_the_first_paragraph_and_columns_say_the_rest(tmp_path):
    head = "<title>NATO meets | The Courier</title>"
    head += "<meta property='og:site_name' content='The Courier'>"
    body = "<p>Russia has not commented.</p><p>Share</p>"
    rows = read(page(tmp_path, body, head + "<meta name='date' content='2024-05-01'>"))
    assert [(row["paragraph"], row["text"]) for row in rows] == [
        ("1", "NATO meets"),
        ("2", LEAD),
        ("3", "Russia has not commented."),
    ]
    said = {"document": "page", "title": "NATO meets", "date": "2024-05-01"}
    assert said | {"outlet": "The Courier"} == {
        name: rows[0][name] for name in ("document", "title", "date", "outlet")
    }


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [("windows-1252", "cp1252"), ("ISO-8859-1", "cp1252"), ("utf-8", "utf-8"), ("x-bad", "utf-8")],
)
def test_a_page_is_decoded_as_it_declares(tmp_path, declared, encoding):
    head = f'<meta http-equiv="Content-Type" content="text/html; charset={declared}">'
    rows = read(
        page(tmp_path, "<p>“Élysée,” said Łotwa.</p>".replace("Ł", "L"), head, encoding=encoding)
    )
    assert rows[-1]["text"] == "“Élysée,” said Lotwa."


def test_a_compressed_page_is_a_document_without_its_endings(tmp_path):
    path = page(tmp_path, "")
    packed = tmp_path / "page.html.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read(packed) == read(path)


def test_bytes_that_are_not_in_the_declared_encoding_are_refused(tmp_path):
    path = page(tmp_path, "<p>café</p>", '<meta charset="utf-8">', encoding="cp1252")
    with pytest.raises(DataError, match=r"page.html:1: byte 0xe9 at offset .* is not UTF-8; try"):
        read(path)
    assert read(path, encoding="cp1252")[-1]["text"].endswith("café")


def test_a_page_without_text_is_refused(tmp_path):
    path = tmp_path / "app.html"
    path.write_text("<html><body><div id='root'></div><script>start()</script></body></html>")
    with pytest.raises(DataError, match=r"app.html: has no text of an article; open it in a"):
        read(path)


def test_without_the_extra_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    path = page(tmp_path, "")
    why = re.escape(
        "page.html: a web page needs the extra 'html': pip install lxml_html_clean trafilatura"
    )
    with pytest.raises(ExtraError, match=why):
        read(path)
    with Rejects(tmp_path / "bad.csv", several=True) as rejects, pytest.raises(ExtraError):
        open_inputs(Inputs((path,), several=True), Reading(), rejects)  # which concerns every page


# --- Limits ---

HOSTILE = {
    "nested deep": "<div>" * 100_000,
    "nested emphasis": "<b>" * 100_000,
    "a long attribute": f"<p title='{'a' * 2_000_000}'>x</p>",
    "paragraphs": "<p>NATO met.</p>" * 5_000,
    "line breaks": "x<br>" * 5_000,
    "open brackets": "<" * 500_000,
    "entities": "".join(f'<!ENTITY b{n} "&b{n - 1};&b{n - 1};">' for n in range(60)) + "&b59;",
    "open tables": "<table><tr><td>" * 50_000,
    "data": f"<script type='application/ld+json'>{'[' * 500_000}</script>",
    "dates": "<p>" + "1 May 2024 " * 50_000 + "</p>",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_page_takes_seconds(tmp_path, body):
    start = time.process_time()
    assert LEAD in [row["text"] for row in read(page(tmp_path, body))]
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("<p>x</p>" * 30_000, "more than 30,000 elements"),
        ("<p " + " ".join(f"a{n}=1" for n in range(2_000)) + ">", "a tag of 1,000 attributes"),
        ("x" * 20_000_000, "more than 20,000,000 bytes are too long for an article"),
    ],
)
def test_a_page_beyond_the_limits_is_refused(tmp_path, body, why):
    with pytest.raises(DataError, match=why):
        read(page(tmp_path, body))


def test_no_page_opens_a_connection(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a connection")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    head = "<base href='http://x.example'><link rel='canonical' href='http://x.example/a'>"
    body = "<img src='http://x.example/a.png'><script src='http://x.example/a.js'></script>"
    assert read(page(tmp_path, body, head))


# --- Pages in one file with their parts ---


NESTED = b'Content-Type: multipart/mixed; boundary="b"\n\n--b\n' * 400 + b"x\n" * 1_000_000


def archived(path, subtype="html"):
    parts = MIMEMultipart("related")
    parts.attach(MIMEText("nav { color: red }", "css"))
    parts.attach(MIMEText(path.read_text("utf-8"), subtype, "utf-8"))
    target = path.with_suffix(".mhtml")
    target.write_bytes(parts.as_bytes())
    return target


def test_a_page_saved_as_a_single_file_reads_as_its_html(tmp_path):
    html = page(tmp_path, "<p>Zoë’s café in Kyiv is open, an official said.</p>")
    assert read(archived(html)) == read(html)


@pytest.mark.parametrize(
    "data", [None, b"", b"text/html", b"Content-Type: text/html; charset=x", NESTED]
)
def test_an_archive_without_a_page_is_refused(tmp_path, data):
    path = archived(page(tmp_path, ""), "plain")
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(DataError, match=r"page.mhtml: (holds no web page|has no text|is empty)"):
        read(path)
