"""Lines about tables and tests: checks of a corpus, the stress suite, actors and answers."""

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence

from stance.display import WIDTH, count, shown
from stance.reading.actors import ALIAS_KINDS, ActorBook
from stance.records import ANSWERS, Stance
from stance.screens import Figures, bounds, cell, paragraphs, percent, row, stacked, wrap

LABELS = tuple(map(str, Stance))

NAME = 30  # columns for the name of a genre or actor
CODED = 15  # columns for a name in the table of agreement
TEST = 40  # columns for a test's name
LONGEST = 700  # characters of a paragraph that are shown
ALIASES = 6  # aliases listed per actor
ACTORS = 15  # actors listed with their answers; the rest is counted
GENRES, EXAMINED = 8, 12  # genres and actors of a corpus that are listed


def check_lines(figures: Figures) -> list[str]:
    """Return the lines about what in a corpus would spoil a study."""
    found = [
        line
        for each in figures["findings"]
        for line in wrap(each["text"], f"{each['severity']:<8}", " " * 8)
    ]
    tables = _shares("genre", figures["genres"], GENRES)
    tables += _shares("actor", figures["actors"], EXAMINED)
    passed = wrap(f"passed: {', '.join(figures['passed'])}") if figures["passed"] else []
    number = sum(finding["severity"] == "spoils" for finding in figures["findings"])
    what = f"{count(number, 'finding')} would" if number else "nothing found that would"
    verdict = [f"{what} spoil a study; examples are file:row"]
    return stacked([_head(figures), found, passed, tables, _agreement(figures), verdict])


def _head(figures: Figures) -> list[str]:
    files = ", ".join(f"{shown(file['name'], 40)} ({file['rows']:,})" for file in figures["files"])
    classes = "  ".join(
        f"{name} {part['rows']:,} ({_whole(part['rows'], figures['rows'])} %)"
        for name, part in figures["classes"].items()
    )
    sizes = ", ".join(count(figures[f"{noun}s"], noun) for noun in ("row", "document", "text"))
    return [*wrap(files), sizes, classes]


def _whole(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f}" if whole else "-"


def _shares(title: str, parts: Sequence[Figures], most: int) -> list[str]:
    if not parts:
        return []
    head = f"{title + ' (% of rows)':<{NAME}}{'rows':>9}"
    lines = [head + row(LABELS, ">10")]
    for part in parts[:most]:
        cells = row((_whole(part[label], part["rows"]) for label in LABELS), ">10")
        lines.append(f"{cell(part['name'] or '(empty)', NAME)}{part['rows']:>9,}{cells}")
    if len(parts) > most:
        rest = sum(part["rows"] for part in parts[most:])
        lines.append(f"and {count(len(parts) - most, 'more ' + title)} in {count(rest, 'row')}")
    return lines


def _agreement(figures: Figures) -> list[str]:
    report = figures["agreement"]
    return [] if report is None else coders_lines({"coders": figures["coders"], **report})


def coders_lines(figures: Figures) -> list[str]:
    """Return how far coders agree: on all rows, by label and actor, and on further questions."""
    names = " and ".join(shown(name, 20) for name in figures["coders"])
    lines = wrap(f"agreement of {names} [95 % interval]")
    lines.append(f"{'':<{CODED}} units  " + row(("alpha", "AC1", "kappa"), "<18"))
    parts = {"all": figures, **figures["per_label"], **figures["per_group"]}
    for name, part in [*parts.items(), *figures.get("questions", {}).items()]:
        cells = row((_coefficient(part[key]) for key in ("alpha", "ac1", "kappa")), "<18")
        lines.append(f"{cell(name, CODED)}{part['units']:>6,}  {cells}")
    return lines


def _coefficient(figures: Figures) -> str:
    if figures["value"] is None:
        return "-"
    ends = ", ".join(map(_hundredths, figures["interval"] or ()))
    return _hundredths(figures["value"]) + (f" [{ends}]" if ends else "")


def _hundredths(value: float) -> str:
    """Return the value in four characters at most: .97, -.20, -1 or 1.00."""
    text = f"{value:.2f}"
    return "-1" if text == "-1.00" else text.replace("0.", ".", 1)


def stress_lines(figures: Figures) -> list[str]:
    """Return the lines of `stance.stress.StressReport.to_json`, each under 80 columns."""
    tests = figures["tests"]
    hard, soft = ([test for test in tests if test["kind"] == kind] for kind in ("hard", "soft"))
    broken = ", ".join(test["name"] for test in hard if test["failures"])
    return stacked(
        [
            [f"stress suite  {count(figures['seeds'], 'seed paragraph')} written for it"],
            wrap(f"BROKEN PROMISE: {broken}. Do not use this model.") if broken else [],
            _tests("must always hold", hard),
            _tests("may fail; the less often, the better", soft),
            wrap("rates in percent with Wilson's 95 % interval; n is seed paragraphs"),
            paragraphs(f"{each['name']}: {each['reason']}" for each in figures["skipped"]),
            *(_examples(test) for test in tests if test["examples"]),
        ]
    )


def _tests(title: str, tests: Sequence[Figures]) -> list[str]:
    lines = [f"{title:<{TEST}}  {'n':>4}  failures   rate  95 % interval"] if tests else []
    return lines + [
        f"{test['name']:<{TEST}}  {test['n']:>4}  {test['failures']:>8}  "
        f"{percent(test['rate']):>5} {bounds(test['interval'])}"
        for test in tests
    ]


def _examples(test: Figures) -> list[str]:
    lines = wrap(f"a failure of: {test['name']}") + wrap(test["promise"], "  ", "  ")
    for example in test["examples"] if test["kind"] == "hard" else test["examples"][:1]:
        lines += wrap(f"{shown(example['actor'])}: expected {example['expected']}", "  - ", "    ")
        if example["before"] != example["after"]:
            before = f"{example['answer_before']}: {shown(example['before'], LONGEST)}"
            lines += wrap(before, "    before ", " " * 11)
        after = f"{example['answer_after']}: {shown(example['after'], LONGEST)}"
        lines += wrap(after, "    after  ", " " * 11)
    return lines


def alias_lines(figures: Figures) -> list[str]:
    """Return which aliases fire in a table, as `stance.check.aliases` counts them."""
    lines = [f"{count(figures['rows'], 'row')}, {figures['rows_with_actor']:,} name an actor"]
    for actor, found in figures["actors"].items():
        names = [f"{shown(alias)} {number:,}" for alias, number in found["aliases"].items()]
        names[ALIASES:] = [f"{len(names) - ALIASES} more"] * (len(names) > ALIASES)
        lines.append(f"{shown(actor, 22):<24}{found['rows']:>9,}  {', '.join(names)}")
    return lines


def book_lines(book: ActorBook) -> list[str]:
    """Return an actor book as lines of a screen."""
    lines = []
    for actor in book.actors:
        lines.append(f"{shown(actor.name)} ({shown(actor.kind)})")
        aliases = [(kind, actor.aliases.get(kind, ())) for kind in ALIAS_KINDS]
        for kind, names in [*aliases, ("not", actor.exclusions)]:
            text, lead, rest = ", ".join(map(shown, names)), f"  {kind:<12}", " " * 14
            lines += textwrap.TextWrapper(WIDTH, lead, rest, break_on_hyphens=False).wrap(text)
    return lines


def answer_lines(
    answers: Mapping[tuple[str, str], int], aliases: Mapping[tuple[str, str], int]
) -> list[str]:
    """Return how often each stance was given per actor, and by what kind of alias it is named."""
    totals: dict[str, dict[str, int]] = {}
    for (actor, label), number in answers.items():
        totals.setdefault(actor, dict.fromkeys(ANSWERS, 0))[label] += number
    if not totals:
        return []
    order = sorted(totals, key=lambda actor: (-sum(totals[actor].values()), actor))
    lines = [f"{'actor':<24}" + row(ANSWERS, ">11")]
    for actor in order[:ACTORS]:
        lines.append(f"{shown(actor, 22):<24}{row(totals[actor].values(), '>11,')}")
    if len(order) > ACTORS:
        lines.append(f"and {count(len(order) - ACTORS, 'more actor')}")
    return [*lines, *_kind_lines(order[:ACTORS], aliases)]


def _kind_lines(actors: Sequence[str], aliases: Mapping[tuple[str, str], int]) -> list[str]:
    """Return which kinds of alias carry actors; a kind below half a percent is left out."""
    lines, alone = [], 0
    for actor in actors:
        found = Counter({kind: aliases.get((actor, kind), 0) for kind in ALIAS_KINDS})
        if found.total() == found["name"]:
            alone += found["name"] > 0
            continue
        shares = [(kind, _whole(n, found.total())) for kind, n in found.most_common() if n]
        listed = ", ".join(f"{kind} {share} %" for kind, share in shares if share != "0")
        lines.append(f"{shown(actor, 22):<24}{listed}")
    if alone:
        lines.append(f"{'by name alone':<24}{count(alone, 'actor')}")
    return ["mentions by kind of alias", *lines] if lines else []
