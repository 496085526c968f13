"""Articles as tables: a record for each paragraph, without what is boilerplate."""

import logging
import os
import re
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from copy import deepcopy
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

from stance.errors import DataError, load_extra
from stance.files import DATA, PAGE_NAMES, kind_suffix
from stance.records import InputOptions
from stance.tables.columns import expanded
from stance.tables.sources import InputFile, codec_named, line_ends
from stance.tables.table import Reject, Row, Table

EDGES = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u200b\u200e\u200f\u2060\ufeff\xad"
"""White space of every kind, and characters that print nothing."""
_LARGEST = 20_000_000  # characters, which take as many bytes or more
_MOST_ELEMENTS = 30_000  # long pages have a tenth; the time to read one may grow with the square
_CHARSET = re.compile(
    rb"""<(?:meta\b[^>]{0,200}?|\?xml[^>]{0,80}? en)c(?:harset|oding)\s*=\s*["']?([\w.:-]{2,40})""",
    re.IGNORECASE,
)
_XPATH = tomllib.loads((DATA / "pages.toml").read_text("utf-8"))  # of parts of a page
_CONTROL = re.compile("&#(?:0*([1-8]|1[124-9]|2[0-9]|3[01])|[xX]0*([1-8bcefBCEF]|1[0-9a-fA-F]));")
_CROWDED = re.compile(r"<[a-zA-Z](?:[^<>=]*+=){5000}")
_BETWEEN = r" (?:[|–—·•»:]+|-+) "  # a title and the name of its outlet
_LONGEST_BOX = 600  # characters
_SHORTEST = "40"  # characters of an article; if the parser keeps fewer, it tries another way
_PART = re.compile(r"\d+|(?<=[-_])(body|content|epilogue|intro|text)")  # differs among parts
_BEGINNING = 60  # characters of a paragraph, by which it is looked for in what trafilatura kept
_LEAST_PROSE = 3  # words: "“No,” he said."


def open_article(
    path: Path | None, options: InputOptions, document: str = "", reject: Reject | None = None
) -> Table:
    """Open an article, whose columns are `document`, `paragraph`, what is known of it, text.

    A `path` of None is standard input. A web page names its title, date and outlet. If all is kept,
    a column `boilerplate` says why something is. The lines of its records are the numbers of its
    paragraphs.
    """
    is_page, keep_all = kind_suffix(path) in PAGE_NAMES, options.keep_all
    name, text, codec = _read_text(path, options.encoding, is_page=is_page)
    if path and not is_page and _is_table(text, options.text_column):
        advice = "end its name in .csv, or in .tsv if tabs separate its cells"
        raise DataError(f"{name}: looks like a table, not an article; {advice}")
    known = ("title", "date", "outlet") if is_page else ()
    flag = ["boilerplate"] * keep_all
    columns = ("document", "paragraph", *known, *flag, options.text_column)
    table = Table(name, columns, reject)
    table.unit = "paragraph"
    document = os.fsencode(document).decode("utf-8", "backslashreplace")  # of a file's name

    def read() -> Iterator[Row]:
        page = _read_page(text, name) if is_page else (text, {}, set(), {})
        plain, metadata, table.headings, left = page
        cells = [metadata[key] for key in known]
        number = 0
        pieces = [*split_article(plain, metadata.get("title", "")), *left.items()]
        for place, (paragraph, reason) in enumerate(pieces, 1):
            if keep_all or not reason:
                number += 1
                row = (document, str(number), *cells, *[reason] * keep_all, paragraph)
                yield number, row, ""
            else:
                why = reason if reason == _OUTSIDE else "boilerplate"
                table.note(f"paragraph: left out as {why}, see --keep-all", f"paragraph {place}")

    table.form = f"{'web page' if is_page else 'article'}, {codec}"
    table.chunks = table.take(read())
    return table


def _is_table(text: str, column: str) -> bool:
    """Return whether a text begins with names of columns, or has as many tabs in each line."""
    lines = [line.lower() for line in text.splitlines() if line.strip()] or [""]
    marks = [mark for mark in "\t;,|" if mark in lines[0] and f"{mark} " not in lines[0]]
    named = any(column.lower() in lines[0].replace('"', "").split(mark) for mark in marks)
    tabs = {line.count("\t") for line in lines}  # one tab may stand behind numbers of paragraphs
    return named or min(tabs) > 1 == len(tabs) < len(lines)


def _read_text(path: Path | None, encoding: str | None, *, is_page: bool) -> tuple[str, str, str]:
    """Return the name of an article's file, its text, and its encoding."""
    declared = "utf-8"
    with closing(InputFile(path)) as source:
        if is_page:
            load_extra("trafilatura", f"{source.name}: a web page", "html")
            if charset := _CHARSET.search(source.first[:4096]):
                with suppress(LookupError, ValueError):  # of a name that browsers do not heed
                    codec = codec_named(charset[1].decode("ascii"))
                    declared = "cp1252" if codec in ("iso8859-1", "ascii") else codec  # as there
        source.decode(encoding, declared, errors="strict")
        text = source.whole(_LARGEST, "put paragraphs in a CSV table")
    if is_page and "\0" in text:  # which its parser would leave out
        line = line_ends(text.partition("\0")[0]) + 1
        raise DataError(f"{source.name}:{line}: a NUL byte; the page is damaged: save it again")
    return source.name, text, source.form


def _read_page(html: str, name: str) -> tuple[str, dict[str, str], set[str], dict[str, str]]:
    """Return text of a page, title first, what it says of itself, headings, and what is no part."""
    for library in ("trafilatura", "htmldate", "courlan", "justext"):
        logging.getLogger(library).setLevel(logging.CRITICAL)  # we report the same in one line

    def refusal(why: str) -> DataError:
        return DataError(f"{name}: {why}; open it in a browser and save its text as .txt")

    if _CROWDED.search(html):  # which parsers compare with each other
        raise refusal("has an element of thousands of attributes")
    html = _CONTROL.sub("", html)  # no parser takes these characters, and no browser shows them
    if (tree := import_module("trafilatura").load_html(html)) is None:
        raise refusal("has no text of an article")
    if sum(1 for _ in tree.iter()) > _MOST_ELEMENTS:
        raise refusal(f"has more than {_MOST_ELEMENTS:,} elements")
    if tree.xpath(_XPATH["too deep"]):
        raise refusal("has elements inside each other, 255 deep")
    left = dict.fromkeys(filter(None, _take_boxes(tree)), "box")
    _add_paragraphs(tree)
    paragraphs = (part.xpath(_XPATH["shown"]) for part in tree.xpath(_XPATH["paragraphs"]))
    texts = [" ".join("".join(strings).split()) for strings in paragraphs]
    _join_parts(tree)
    try:
        page = _extracted(tree)
    except Exception as error:  # whatever a strange page sets off in the library
        raise refusal(f"cannot be read as a web page ({type(error).__name__})") from error
    if page is None or not page.text:
        raise refusal("has no text of an article")
    title, outlet = page.title or "", page.sitename or ""
    if outlet:
        title = re.sub(f"^{re.escape(outlet)}{_BETWEEN}|{_BETWEEN}{re.escape(outlet)}$", "", title)
    lines = [re.sub(r"^\s*(- )+", "", line) for line in page.text.splitlines()]
    plain = "\n".join([title, *(line for line in lines if line not in (title, page.title))])
    headings = {" ".join("".join(part.itertext()).split()) for part in page.body.iter("head")}
    about = {"title": title, "date": page.date or "", "outlet": outlet}
    kept = _inked(f"{title}\n{page.text}")
    for text in filter(None, texts):
        reason = _reason(text) or _OUTSIDE * (len(text.split()) >= _LEAST_PROSE)
        if reason and _inked(text)[:_BEGINNING] not in kept:
            left[text] = reason
    return plain, about, {title, *headings} - {""}, left


def _take_boxes(tree: Any) -> Iterator[str]:
    """Remove what a browser does not show, and yield the texts of boxes, which are removed, too."""
    for part in tree.xpath(_XPATH["unseen"]):
        part.drop_tree()
    most = min(_LONGEST_BOX, len(tree.text_content()) // 2)
    for box in tree.xpath(_XPATH["boxes"]):
        is_in_another = next(box.iterancestors("body"), None) is None  # which is removed
        if len(box.text_content()) <= most and not is_in_another:
            yield " ".join(" ".join(box.xpath(_XPATH["shown"])).split())
            box.drop_tree()


def _extracted(tree: Any) -> Any:
    """Return what trafilatura takes for the article; nothing of it depends on today."""
    config = import_module("trafilatura.settings").use_config()
    config["DEFAULT"]["min_extracted_size"] = _SHORTEST  # else a brief becomes one paragraph
    dates = {"original_date": True, "extensive_search": False, "max_date": "2099-12-31"}
    options = {"with_metadata": True, "date_extraction_params": dates, "config": config}
    kept = {"include_comments": False, "include_tables": False}
    article = deepcopy(tree)  # with no date but its own
    for part in article.xpath(_XPATH["beside"]):
        if part.getparent() is not None:
            part.drop_tree()
    if page := import_module("trafilatura").bare_extraction(tree, **kept, **options):
        page.date = import_module("htmldate").find_date(article, **dates)
    return page


def _join_parts(tree: Any) -> None:
    """Make one container of the parts of an article, of which trafilatura would read the first."""
    finders = import_module("trafilatura.xpaths").BODY_XPATH[:3]
    first = next((part for find in finders for part in find(tree)), tree)
    name, in_story = _XPATH["kind"], _XPATH["story"]
    kind, story = _PART.sub("#", first.xpath(name)), first.xpath(in_story)
    alike = {part for part in tree.iter(first.tag) if _PART.sub("#", part.xpath(name)) == kind}
    paths = [[part, *part.iterancestors()] for part in alike if part.xpath(in_story) == story]
    paths = [path for path in paths if alike.isdisjoint(path[1:])]
    if first.tag == "article" or len(paths) < 2:
        return
    common = next(above for above in paths[0] if all(above in path for path in paths))
    within = set[Any]().union(*paths)
    for child in common.iter("article", "div", "section"):
        if child not in within and alike.isdisjoint(child.iterancestors()):
            child.tag = "aside"  # such as an advertisement
    whole = common.makeelement("div", itemprop="articleBody")
    whole.extend(list(common))
    common.append(whole)


def _add_paragraphs(tree: Any) -> None:
    """Make paragraphs of text in cells and beside paragraphs, which trafilatura would leave out."""
    for line_break in tree.xpath(_XPATH["breaks"]):  # else its heading would become two
        line_break.tail = f" {line_break.tail or ''}"
        line_break.drop_tag()
    for table in tree.xpath(_XPATH["tables"]):
        if any(_is_prose(cell.text_content()) for cell in table.iter("td")):
            for part in table.iter("table", "thead", "tbody", "tfoot", "tr", "th", "td"):
                part.tag = "section"
    found, prosaic = list[tuple[Any, ...]](), set[tuple[Any, ...]]()
    for block in tree.xpath(_XPATH["blocks"]):
        kind = block.getparent(), block.tag, block.get("class"), block.get("id")
        runs: list[list[Any]] = [[None]]  # the element above, and inline ones
        for child in block:
            runs.append([child]) if child.xpath(_XPATH["lines"]) else runs[-1].append(child)
        for above, *inline in runs:
            text = (block.text if above is None else above.tail) or ""
            shown = ("".join([*child.xpath(_XPATH["shown"]), child.tail or ""]) for child in inline)
            if len((line := text + "".join(shown)).split()) >= _LEAST_PROSE:
                found.append((kind, block, above, inline, text))
                prosaic |= {kind} if _is_prose(line) else set()
    for _, block, above, inline, text in (run for run in found if run[0] in prosaic):
        paragraph = block.makeelement("p")
        paragraph.text = text
        paragraph.extend(inline)
        if above is None:
            block.text = None
            block.insert(0, paragraph)
        else:
            above.tail = None
            above.addnext(paragraph)


def _inked(text: str) -> str:
    return "".join(filter(str.isprintable, text)).replace(" ", "")  # trafilatura drops the others


def _is_prose(text: str) -> bool:
    return _is_sentence(text.strip(EDGES)) and len(text.split()) >= _LEAST_PROSE


# --- Boilerplate: menus, boxes and the like on the page of an article -----------------------------

_OUTSIDE = "outside the article"
_OF_PAGES = {"navigation", "share", "promotion", "related"}
_LEAST_OF_PAGE = 3  # labels of such kinds make a text a saved page; a clean text may have fewer
_LIKE_HEADLINES = {"", "caption", "promotion", "related"}  # "Watch: NATO leaders arrive"
_HEADLINE_WORDS = range(4, 31)  # of one that is told from a menu by its length
_TEASER_LENGTH = 120  # characters of the headline of another article
_LEAST_WORDS = 40  # in sentences of an article whose ends can be told
_LOOSE, _KNOWN = -8, -2  # weights of a line that is no sentence, and of boilerplate, in words
_WRAP_WIDTHS = range(45, 101)  # wrapped text has 65-80 columns; an unwrapped page exceeds 100
_LONGEST = 600  # characters; no pattern sees a longer line, so time is linear in the page

_SENTENCE_END = re.compile(r"""[.!?…。！？][)\]"'”’»]*(?:\[?\d{1,3}\]?)*$""")
_SEPARATOR = re.compile(r" [•·›»>/→] |\||\t")
_LABEL_EDGES = " :•*+-–—→›»>▼▾…()[]0123456789"  # bullets, arrows, counts: "▼ Comments (34)"


def split_article(text: str, title: str = "") -> list[tuple[str, str]]:
    r"""Split an article into paragraphs, each with the reason why it is boilerplate, or none.

    Paragraphs are lines, or groups of hard-wrapped lines; each line that is not blank is in one.
    The first line that may be a headline is no boilerplate, whatever it looks like. A text with
    some menus or boxes is a saved page, of which all lines before the first and after the last
    sentence are boilerplate, but for headlines. So is a text with a `title`, its first line.

    >>> split_article("Menu\nNATO leaders meet\nRussia has not commented.\nShare")[:2]
    [('Menu', 'navigation'), ('NATO leaders meet', '')]
    """
    lines = _paragraphs(text)
    reasons = [_reason(line) for line in lines]
    pairs = zip(lines, reasons, strict=True)
    may_head = (reason in _LIKE_HEADLINES and not _reason_of_label(line) for line, reason in pairs)
    headlines = [pos for pos, may in enumerate(may_head) if may or title][:1]
    if title or sum(_reason_of_label(line) in _OF_PAGES for line in lines) >= _LEAST_OF_PAGE:
        _mark_teasers(lines, reasons)
        first = _mark_outside(lines, reasons)
        may_be_head = title or len(lines[0].split()) in _HEADLINE_WORDS or all(reasons[1:first])
        headlines = [0] if may_be_head and 0 in headlines else []
    for pos in headlines:
        reasons[pos] = ""
    return list(zip(lines, reasons, strict=True))


def _paragraphs(text: str) -> list[str]:
    """Return the lines that are not blank, those of a hard-wrapped text joined."""
    lines = [line.strip(EDGES) for line in text.splitlines()]
    width = max(map(len, lines), default=0)

    def is_full(above: str, below: str) -> bool:
        return len(above) + 1 + len(below.split(maxsplit=1)[0]) > width

    is_wrapped = width in _WRAP_WIDTHS and any(
        above and line[:1].islower() and is_full(above, line) and not _is_sentence(above)
        for above, line in pairwise(lines)  # one sentence that goes on is proof
    )
    paragraphs = list[list[str]]()
    for above, line in pairwise(["", *lines]):
        goes_on = line.lstrip("“„‘«\"'")[:1].islower() and len(above) > width // 2
        if is_wrapped and above and line and (goes_on or is_full(above, line)):
            is_cut = above[-1] == "-" and above[-2:-1].isalpha() and line[0].islower()
            paragraphs[-1] += [line] if is_cut else [" ", line]  # "long-" / "term" is made whole
        elif line:
            paragraphs.append([line])
    return ["".join(parts) for parts in paragraphs]


# --- What single lines are ------------------------------------------------------------------------


@cache  # read where there is an article, for compiling takes 40 ms
def _rules() -> tuple[dict[str, str], dict[str, re.Pattern[str]]]:
    """Return reasons by what is boilerplate if nothing else is on the line; patterns by reason."""
    rules = tomllib.loads((DATA / "boilerplate.toml").read_text("utf-8"))
    labels, patterns = dict[str, str](), dict[str, re.Pattern[str]]()
    for reason, listed in rules["labels"].items():
        labels |= dict.fromkeys(re.split(" *[;\n] *", listed.strip()), reason)
    for reason, lines in rules["patterns"].items():
        pattern = expanded("|".join(f"(?:{line})" for line in lines), rules["parts"])
        patterns[reason] = re.compile(pattern, re.IGNORECASE)
    return labels, patterns


def _reason(text: str) -> str:
    """Return why a line is boilerplate, whatever stands around it; empty if it is not."""
    if len(text) > _LONGEST:
        return ""
    parts = [part for part in map(str.strip, _SEPARATOR.split(text)) if part]
    reasons = [_reason_of_part(part) for part in parts]
    return [*reasons, "navigation"][0] if all(reasons) else _reason_of_part(text)


def _reason_of_part(text: str) -> str:
    fitting = (reason for reason, rule in _rules()[1].items() if rule.match(text))
    otherwise = "" if text.strip(_LABEL_EDGES) else "navigation"
    return _reason_of_label(text) or next(fitting, otherwise)


def _reason_of_label(text: str) -> str:
    return _rules()[0].get(text.replace("’", "'").lower().strip(_LABEL_EDGES), "")


def _is_sentence(text: str) -> bool:
    return _SENTENCE_END.search(text[-8:]) is not None


def _is_title(text: str) -> bool:
    return text[-1] == "?" or not _is_sentence(text)


# --- What lines are by those around them ----------------------------------------------------------


def _mark_teasers(lines: Sequence[str], reasons: list[str]) -> None:
    """Mark the headlines under "Most read" and the like, once the article itself has begun."""
    begun = under_heading = False
    for pos, line in enumerate(lines):
        is_teaser = _is_title(line) and len(line) <= _TEASER_LENGTH
        if reasons[pos]:
            under_heading |= begun and _reason_of_label(line) == "related"
        else:
            begun |= not is_teaser
            under_heading &= is_teaser
            reasons[pos] = "related" * under_heading


def _mark_outside(lines: Sequence[str], reasons: list[str]) -> int:
    """Mark what is before the first or after the last sentence; return how many are before.

    The article is the run of lines with the greatest sum of weights: the words of sentences count
    for it, other lines against it (Pasternack & Roth 2009, Extracting article text from the web
    with maximum subsequence segmentation).
    """
    best = total = start = first = last = 0
    for pos, (line, reason) in enumerate(zip(lines, reasons, strict=True)):
        start = start if total > 0 else pos
        sentence = len(line.split()) if _is_sentence(line) else _LOOSE
        total = max(total, 0) + (_KNOWN if reason else sentence)
        if total > best:
            best, first, last = total, start, pos
    if best < _LEAST_WORDS:
        return 0
    kept = _headlines(lines, reasons, range(first, last + 1))
    for pos in (*range(first), *range(last + 1, len(lines))):
        if not reasons[pos] and pos not in kept:
            reasons[pos] = _OUTSIDE
    return first


def _headlines(lines: Sequence[str], reasons: Sequence[str], article: range) -> set[int]:
    """Return the places of lines that may be headline and summary above an article."""
    of_article = {word for pos in article if not reasons[pos] for word in _long_words(lines[pos])}
    above = (pos for pos in range(article.start) if not reasons[pos])
    places = [pos for pos in above if len(lines[pos].split()) in _HEADLINE_WORDS]
    places = [pos for pos in places if len(_SEPARATOR.split(lines[pos])) < 3]  # else a menu
    byline = next((pos for pos in range(article.start) if reasons[pos] == "byline"), 0)
    menus = [pos for pos in range(byline) if reasons[pos] in ("navigation", "promotion")]
    titles = [pos for pos in places if max([-1, *menus]) < pos < byline and _is_title(lines[pos])]
    best = max(places, key=lambda pos: len(_long_words(lines[pos]) & of_article), default=-2)
    return {best, best + 1, *titles[:1]} & set(places)  # a summary follows a headline


def _long_words(text: str) -> set[str]:
    return {word for word in re.findall(r"\w+", text.lower()) if len(word) > 3}
