"""The section of the most telling paragraphs for and against each actor."""

from collections.abc import Sequence

from stance.display import count
from stance.reports.examples import Example, where_found
from stance.reports.findings import Findings
from stance.reports.markup import Html, escaped, isolated, joined, named, tag
from stance.reports.page import paragraph, section

OPEN = 5
"""Actors whose paragraphs are open to view."""

WINDOW = 700
"""Characters of a paragraph that are shown."""

Places = Sequence[tuple[int, int]]
"""Starts and ends of words in a text."""


def telling(found: Findings) -> Html:
    """Return the section; nothing where the table has no texts."""
    kept, actors = found.marked.kept, found.tally.examples.actors
    blocks = []
    for at, actor in enumerate(actors):
        sides = [(side, kept[at, number]) for number, side in ((0, "against"), (2, "favor"))]
        if any(listed for _, listed in sides):
            columns = [_side(side, listed) for side, listed in sides]
            heading = tag("h3", isolated(named(actor)))
            blocks.append(joined([heading, tag("div", columns, class_="examples")]))
    if not blocks:
        return escaped("")
    marks = ""
    if found.marked.reproduced:
        marks = "Marked are the words that pushed the answer most. "
    elif any(each.marks for listed in kept.values() for each in listed):
        marks = "Marked are the words that the table names as reasons. "
    note = (
        "The answers of which the classifier is most certain, each text once. "
        f"{marks}They are extremes, not typical paragraphs."
    )
    rest = count(len(blocks) - OPEN, "more actor")
    more = tag("details", tag("summary", f"Paragraphs on {rest}"), blocks[OPEN:])
    return section(
        "telling",
        "Most telling paragraphs",
        paragraph(note, "note"),
        *blocks[:OPEN],
        *([more] if blocks[OPEN:] else []),
    )


def _side(side: str, listed: Sequence[Example]) -> Html:
    title = tag("h4", "In favor" if side == "favor" else "Against", class_=side)
    none = paragraph("No answer has a probability above one half.", "note")
    return tag("div", title, [_quote(example, side) for example in listed] or none)


def _quote(example: Example, side: str) -> Html:
    source = f"{where_found(example)}; probability {example.probability:.2f}"
    return quotation(example.text, example.marks, source, side)


def quotation(text: str, marks: Places, source: str, side: str) -> Html:
    """Return a paragraph, or the part of it with most marks, and where it stands.

    Parameters
    ----------
    text : str
    marks : sequence of (int, int)
        Where words are marked, in reading order.
    source : str
    side : str
        Stance that the words speak for.
    """
    start, end = _window(text, marks)
    parts: list[str] = ["… " if start else ""]
    at = start
    for low, high in marks:
        if low >= at and high <= end:
            parts += [text[at:low], tag("mark", text[low:high], class_=side)]
            at = high
    parts += [text[at:end], " …" if end < len(text) else ""]
    return tag(
        "blockquote",
        tag("p", tag("bdi", joined(parts))),
        tag("p", isolated(source), class_="note"),
    )


def _window(text: str, marks: Places) -> tuple[int, int]:
    """Return which part of a text to show: the one with most marks."""
    size = len(text)
    if size <= WINDOW:
        return 0, size
    starts = [0, *(max(0, low - WINDOW // 4) for low, _ in marks)]
    best = max(
        starts,
        key=lambda start: sum(low >= start and high <= start + WINDOW for low, high in marks),
    )
    best = min(best, size - WINDOW)
    space = text.rfind(" ", 0, best + 1)
    start = space + 1 if best and best - space < 40 else best
    space = text.find(" ", start + WINDOW)
    return start, space if 0 <= space - start - WINDOW < 40 else min(size, start + WINDOW)
