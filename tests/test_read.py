"""`stance read`: an article as it stands, with the stance of each mention and the reason for it."""

import json
import re

import pytest
from command import SAMPLE, dicts, fails, invoke, succeeds, write
from naughty import readable
from pages import read_page
from test_pages import GROUPS

ARTICLE = SAMPLE / "article.txt"
NAMES = {"against": "against", "neutral": "neutral", "favor": "in favor", "uncertain": "uncertain"}


def read(article, output, *options, stdin=None):
    """Read an article; return its page and what was said."""
    result = succeeds("read", article, "-o", output, *options, stdin=stdin)
    return read_page(output.read_bytes()), result.stderr


def mentions(page):
    """Class and spoken name of each mention in the text."""
    found = re.findall(r'<span class="m (\w+) a\d+"[^>]* tabindex="0" aria-description="', page)
    names = re.findall(r'aria-description="(.*?): (.*?)(?:, (\d+)\xa0%)?[."]', page)
    return list(zip(found, names, strict=True))


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    output = tmp_path_factory.mktemp("read") / "page.html"
    read(ARTICLE, output)
    return output


def test_the_article_stands_as_it_is_with_the_answers_of_predict(sample):
    rows = dicts(invoke("predict", ARTICLE).stdout)
    page, html = read_page(sample.read_bytes()), sample.read_text("utf-8")
    headline = re.search("<h1><bdi>(.*?)</bdi></h1>", html)[1]
    assert re.sub("<[^>]*>", "", headline) == rows[0]["text"]
    for row in rows:
        assert row["text"] in page.text
    expected = [
        (row["stance"], row["actor"], f"{100 * float(row['stance_' + row['stance']]):.0f}")
        for row in rows
        for _ in range(int(row["mentions"]))
    ]
    shown = [(label, name, share) for label, (name, said, share) in mentions(html)]
    assert sorted(shown) == sorted(expected)
    assert all(said == NAMES[label] for label, (_, said, _) in mentions(html))
    for row in rows:
        if row["holder"] not in ("", "author", "other"):
            assert re.search(f"<dt>whose stance</dt><dd><bdi>{row['holder']} ", html)


def test_the_words_that_push_are_those_of_the_text(sample):
    html = sample.read_text("utf-8")
    marked = set(re.findall(r'<mark class="w[ a0-9]*">(.*?)</mark>', html))
    named = re.findall("<dt>words that push</dt><dd><bdi>(.*?)</bdi>", html)
    words = {
        re.sub("\xa0[+\u2212][0-9.]+$", "", each) for line in named for each in line.split(", ")
    }
    assert words == marked
    assert {"praise", "thanked", "accused"} <= words


def test_the_table_of_actors_counts_and_leads_to_each_answer(sample):
    page = read_page(sample.read_bytes())
    rows = dicts(invoke("predict", ARTICLE).stdout)
    counted = {}
    for row in filter(lambda row: row["actor"], rows):
        counted[row["actor"]] = counted.get(row["actor"], 0) + int(row["mentions"])
    (table,) = page.tables
    assert {name: int(number) for name, number, _ in table[1:]} == counted
    assert [int(row[1]) for row in table[1:]] == sorted(counted.values(), reverse=True)
    assert len(page.jumps) == sum(row["actor"] != "" for row in rows)


def test_every_way_in_gives_the_same_bytes(sample, tmp_path):
    read(ARTICLE, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == sample.read_bytes()
    page, _ = read("-", tmp_path / "stdin.html", stdin=ARTICLE.read_text("utf-8"))
    assert page.tables == read_page(sample.read_bytes()).tables
    assert "Text: standard input." in page.text


def test_a_text_is_shown_as_written_and_coloured_where_it_is_read(tmp_path):
    text = "\u201cPoland\u201d praised Rus\u00adsia\u2019s foes and con\u00addemned Russia."
    html = read(write(tmp_path / "a.txt", text), tmp_path / "a.html")[0].html
    assert re.sub("<[^>]*>", "", re.search("<p><bdi>(.*?)</bdi></p>", html)[1]) == text
    assert "Rus\u00adsia</span>\u2019s" in html


def test_what_cannot_be_said_is_uncertain(tmp_path):
    text = write(tmp_path / "a.txt", "Poland met Russia on Monday.")
    page, _ = read(text, tmp_path / "a.html", "--abstain", "0.2")
    labels = {label for label, _ in mentions(page.html)}
    assert labels <= {"uncertain", "neutral"}
    text = write(tmp_path / "c.txt", "Poland praised NATO.\nIran met Iraq." + "a" * 50_000)
    page, said = read(text, tmp_path / "c.html", "--abstain", "0.05")
    cut = "only the first 50,000 characters of 1 text are read"
    withheld = "--abstain 0.05: 3 of 4 answers withheld (75.0 %); the rate holds over"
    for note in (f"{text}: {cut}", withheld, "--abstain 0.05: favor is never answered"):
        assert note in said
        assert note.removeprefix(f"{text}: ") in page.text
    assert "were right" not in page.text
    foreign = (
        "Polen lobte die NATO am Montag und verurteilte Moskau wegen der Angriffe auf Ziele, "
        "wie der Sprecher des Ministeriums vor der Presse in der Hauptstadt sagte, ohne weitere "
        "Einzelheiten zu nennen oder Fragen der anwesenden Journalisten zu beantworten."
    )
    page, said = read(write(tmp_path / "b.txt", foreign), tmp_path / "b.html")
    assert f"{tmp_path / 'b.txt'}: 1 of 1 paragraph not in a language this model knows" in said
    assert "1 of 1 paragraph not in a language this model knows" in page.text
    assert {label for label, _ in mentions(page.html)} == {"uncertain"}


def test_one_actor_can_be_asked_for_and_none_named_is_said(tmp_path):
    text = write(tmp_path / "a.txt", "Ruritania and Poland praised NATO.\nIt rained.")
    page, _ = read(text, tmp_path / "a.html", "--actor", "Ruritania")
    assert [name for _, (name, *_) in mentions(page.html)] == ["Ruritania"]
    page, said = read(text, tmp_path / "b.html", "--actor", "Atlantis")
    assert "a.txt: does not name the actor; add its aliases" in said
    assert "Atlantis is not named." in page.text
    assert "It rained." in page.text
    page, _ = read("-", tmp_path / "c.html", "--encoding", "cp1252", stdin=b"Caf\xe9s rose.")
    assert re.search("No actor of the book is named.* Caf\xe9s rose", page.text)
    line = fails(2, "read", text, "-o", tmp_path / "d.html", "--actor", " ")
    assert line == "--actor is empty; name the actor to show"


def test_boilerplate_that_is_kept_is_marked_and_no_headline(sample, tmp_path):
    page, _ = read(ARTICLE, tmp_path / "a.html", "--keep-all")
    assert page.headings == read_page(sample.read_bytes()).headings
    assert "navigation: Skip to main content" in page.text
    assert len(re.findall(r'"para[ \w]* left', page.html)) == 49


def test_a_web_page_keeps_its_headings_date_and_outlet(tmp_path):
    head = "<title>NATO meets | The Courier</title><meta name='date' content='2024-05-01'>"
    head += "<meta property='og:site_name' content='The Courier'>"
    body = "<p>Poland praised NATO on Monday, an official said.</p><h2>Russia is<br>blamed</h2>"
    body += "<p>It also accused Russia of lying, and nobody in the capital was surprised.</p>"
    source = write(tmp_path / "a.html", f"<head>{head}</head><article>{body}</article>")
    page, _ = read(source, tmp_path / "page.html")
    assert [level for level, _ in page.headings] == [1, 2]
    assert "2024-05-01, The Courier" in page.text
    assert re.findall('aria-label="(Russia|NATO), (.*?):', page.html) == [
        ("NATO", "heading"), ("NATO", "paragraph 2"), ("Russia", "heading"),
        ("Russia", "paragraph 4"),
    ]  # fmt: skip


def test_a_folder_becomes_pages_and_an_index_by_evidence(tmp_path):
    folder, pages = tmp_path / "in", tmp_path / "pages"
    write(folder / "a.txt", "A quiet day\nNATO met.")
    write(
        folder / "b.txt", "Thanks\nPoland praised NATO, Canada.\nIran, Japan, Iraq thanked Italy."
    )
    write(folder / "rows.csv", "text\nNATO met.\n")
    write(folder / "c.txt", "\n")
    write(folder / "d.html", "<html></html>")
    result = invoke("read", folder, "-o", pages)
    assert result.exit_code == 1
    assert "c.txt: has no paragraph; check that it is an article; left out" in result.stderr
    assert "d.html: has no text of an article; " in result.stderr
    assert "b.txt: article, UTF-8" in result.stderr
    assert "1 file left out: no article" in result.stderr
    assert "index.html: 2 articles, 8 answers; 2 files could not be read\n" in result.stderr
    assert "2 files could not be read" in (pages / "index.html").read_text("utf-8")
    names = {path.name for path in pages.iterdir()}
    assert names == {"001-a.html", "002-b.html", "index.html"}
    (table,) = read_page((pages / "index.html").read_bytes()).tables
    assert [row[0] for row in table[1:]] == [
        "Thanksb.txt: 3 paragraphs, 7 answers", "A quiet daya.txt: 2 paragraphs, 1 answer"
    ]  # fmt: skip
    assert " ".join(re.findall("[A-z]+", table[1][1])) == "Poland NATO Canada Iran Japan Iraq Italy"
    for name in ("001-a.html", "002-b.html"):
        assert "index.html" in read_page((pages / name).read_bytes()).pages
    assert read_page((pages / "index.html").read_bytes()).pages == ["002-b.html", "001-a.html"]


BAD = [
    (2, ("a.txt", "b.txt", "-o", "pages.html"), "several articles make several pages; name a"),
    (1, ("rows.csv", "-o", "a.html"), "rows.csv: is not an article; read takes .txt and .html"),
    (1, ("none.txt", "-o", "a.html"), "none.txt"),
    (1, ("https://example.com/x", "-o", "a.html"), "is a web address, .* save the page"),
    (1, ("empty.txt", "-o", "a.html"), "empty.txt: has no paragraph"),
    (1, ("latin.txt", "-o", "a.html"), "latin.txt:1: .*--encoding"),
    (4, ("a.txt", "-o", "page"), "page: exists already; use --force"),
    (2, ("a.txt", "-o", "a.pdf"), "a.pdf: is not the name of a page; end it in .html"),
    (2, ("a.txt", "-o", "b"), "b: is not the name of a page; end it in .html"),
    (4, ("a.txt", "-o", "a.txt", "--force"), "a.txt: is the input"),
    (4, ("a.txt", "-o", "none/a.html"), "none/a.html: its folder does not exist"),
    (2, ("a.txt", "-o", "-"), "cannot go to standard output"),
    (3, ("a.txt", "-o", "a.html", "--model", "b.txt"), "b.txt"),
    (2, ("a.txt", "-o", "a.html", "--aliases", "x"), "--aliases"),
    (1, ("-", "-o", "a.html"), "is a web page; save it as .html to have it read$"),
    (2, (".", "-", "-o", "pages"), "standard input cannot be read beside files"),
    (4, (".", "-o", "b.txt"), "b.txt: is not a folder"),
]


@pytest.mark.parametrize(("status", "args", "said"), BAD)
def test_what_cannot_be_read_or_written_is_one_line(tmp_path, monkeypatch, status, args, said):
    monkeypatch.chdir(tmp_path)
    for name in ("a.txt", "b.txt", "page"):
        write(tmp_path / name, "NATO met.")
    write(tmp_path / "rows.csv", "text\nNATO met.\n")
    write(tmp_path / "empty.txt", "\n \n")
    write(tmp_path / "latin.txt", "NATO traf Präsident Müller.", "latin-1")
    if args[0] == ".":
        (tmp_path / "latin.txt").unlink()
        (tmp_path / "empty.txt").unlink()
    before = sorted(tmp_path.iterdir())
    assert re.search(said, fails(status, "read", *args, stdin="<p>x</p>"))
    assert sorted(tmp_path.iterdir()) == before


def test_no_string_of_an_article_or_an_actor_adds_an_element(tmp_path):
    def page(words):
        book = "".join(
            f"[{json.dumps(f'actor {at} {word}')}]\nname = [{json.dumps(f'X{at}')}]\n"
            for at, word in enumerate(words)
        )
        text = "\n\n".join(f"{word} X{at} lied." for at, word in enumerate(words))
        write(tmp_path / "book.toml", book)
        write(tmp_path / "a.txt", f"A title\n\n{text}\n\nThe last sentence ends here.")
        options = ("--actors", tmp_path / "book.toml", "--keep-all", "--force")
        found, _ = read(tmp_path / "a.txt", tmp_path / "page.html", *options)
        return {tag for tag, *_ in found.tags}, found

    plain, _ = page(["harmless"])
    for strings in GROUPS[:8]:
        words = [re.sub(r"\s+", " ", readable(word))[:200] or "empty" for word in strings]
        words = [word for word in words if word.isprintable()]
        tags, found = page(words)
        assert tags == plain
        for word in words:
            assert " ".join(word.split()) in found.text
