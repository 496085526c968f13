"""Lines about tables: checks of a corpus, stress tests, actors, answers, samples and shares."""

from collections.abc import Mapping, Sequence

from stance.display import count, shown
from stance.reading.actor_tables import ALIAS_KINDS
from stance.reading.actors import ActorBook
from stance.records import ANSWERS, Stance
from stance.screens import (
    NAME,
    Figures,
    bounds,
    cut,
    listed,
    p_value,
    paragraphs,
    percent,
    stacked,
    table,
    wrap,
)

LABELS = tuple(map(str, Stance))
COMPARED = ("against", "favor", "net")  # of shares

LONGEST = 700  # characters of a paragraph that are shown
ALIASES = 6  # aliases listed per actor
ACTORS = 15  # actors listed with their answers; the rest is counted
EXAMINED = 12  # genres and actors of a corpus that are listed, and differences between shares
GROUPS = 6  # groups whose shares are listed, at most


def check_lines(figures: Figures) -> list[str]:
    """Return the lines about what in a corpus would spoil a study."""
    files = ", ".join(f"{shown(file['name'], 40)} ({file['rows']:,})" for file in figures["files"])
    sizes = ", ".join(count(figures[f"{noun}s"], noun) for noun in ("row", "document", "text"))
    classes = "  ".join(
        f"{name} {part['rows']:,} ({_whole(part['rows'], figures['rows'])} %)"
        for name, part in figures["classes"].items()
    )
    findings = [
        line
        for finding in figures["findings"]
        for line in wrap(finding["text"], f"{finding['severity']:<8}", " " * 8)
    ]
    passed = wrap(f"passed: {', '.join(figures['passed'])}") if figures["passed"] else []
    tables = _shares("genre", figures["genres"]) + _shares("actor", figures["actors"])
    agreement = figures["agreement"]
    coders = coders_lines({"coders": figures["coders"], **agreement}) if agreement else []
    number = sum(finding["severity"] == "spoils" for finding in figures["findings"])
    what = f"{count(number, 'finding')} would" if number else "nothing found that would"
    verdict = [f"{what} spoil a study; examples are file:row"]
    return stacked([[*wrap(files), sizes, classes], findings, passed, tables, coders, verdict])


def _whole(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f}" if whole else "-"


def _shares(title: str, parts: Sequence[Figures]) -> list[str]:
    rows = [
        (part["name"] or "(empty)", part["rows"], *(_whole(part[x], part["rows"]) for x in LABELS))
        for part in parts
    ]
    return table([(f"{title} (% of rows)", "rows", *LABELS), *rows], most=EXAMINED, noun=title)


def coders_lines(figures: Figures) -> list[str]:
    """Return how far coders agree: on all rows, by label and actor, and on further questions."""
    names = " and ".join(shown(name, 20) for name in figures["coders"])
    parts = {"all": figures, **figures["per_label"], **figures["per_group"]}
    parts |= figures.get("questions", {})
    rows = [
        (name, part["units"], *(_coefficient(part[key]) for key in ("alpha", "ac1")))
        for name, part in parts.items()
    ]
    lines = table([("", "units", "alpha", "AC1"), *rows], left=(0, 2, 3), width=NAME - 4)
    return [*wrap(f"agreement of {names} [95 % interval]"), *lines]


def _coefficient(figures: Figures) -> str:
    if figures["value"] is None:
        return "-"
    ends = ", ".join(f"{end:.2f}" for end in figures["interval"] or ())
    return f"{figures['value']:.2f}" + (f" [{ends}]" if ends else "")


def stress_lines(figures: Figures) -> list[str]:
    """Return the lines of `stance.stress.StressReport.to_json`, each under 80 columns."""
    tests = figures["tests"]
    rows = [
        (
            *(test["name"], test["n"], test["failures"], percent(test["rate"])),
            bounds(test["interval"]).strip(),
        )
        for test in tests
    ]
    head = ("may fail; the less often, the better", "n", "failures", "rate", "95 % interval")
    return stacked(
        [
            [f"stress suite  {count(figures['seeds'], 'seed paragraph')} written for it"],
            table([head, *rows], left=(0, 4), width=40),
            wrap("rates in percent with Wilson's 95 % interval; n is seed paragraphs"),
            paragraphs(f"{test['name']}: {test['reason']}" for test in figures["skipped"]),
            *(_examples(test) for test in tests if test["examples"]),
        ]
    )


def _examples(test: Figures) -> list[str]:
    lines = wrap(f"a failure of: {test['name']}") + wrap(test["promise"], "  ", "  ")
    for example in test["examples"][:1]:
        lines += wrap(f"{shown(example['actor'])}: expected {example['expected']}", "  - ", "    ")
        for name in ("before", "after"):
            text = f"{example[f'answer_{name}']}: {shown(example[name], LONGEST)}"
            lines += wrap(text, f"    {name:<7}", " " * 11)
    return lines


def alias_lines(figures: Figures) -> list[str]:
    """Return which aliases fire in a table, as `stance.check.aliases` counts them."""
    rows = []
    for actor, found in figures["actors"].items():
        names = [f"{shown(alias)} {number:,}" for alias, number in found["aliases"].items()]
        rows.append((actor, found["rows"], listed(names, ALIASES, "name")))
    head = f"{count(figures['rows'], 'row')}, {figures['rows_with_actor']:,} name an actor"
    return [head, *table([("actor", "rows", "aliases"), *rows], left=(0, 2))]


def book_lines(book: ActorBook) -> list[str]:
    """Return an actor book as lines of a screen."""
    lines = []
    for actor in book.actors:
        lines.append(f"{shown(actor.name)} ({shown(actor.kind)})")
        aliases = [(kind, actor.aliases.get(kind, ())) for kind in ALIAS_KINDS]
        for kind, names in [*aliases, ("not", actor.exclusions)]:
            if names:
                lines += wrap(", ".join(map(shown, names)), f"  {kind:<12}", " " * 14)
    return lines


def answer_lines(answers: Mapping[tuple[str, str], int]) -> list[str]:
    """Return how often each stance was given per actor."""
    totals: dict[str, dict[str, int]] = {}
    for (actor, label), number in answers.items():
        totals.setdefault(actor, dict.fromkeys(ANSWERS, 0))[label] += number
    order = sorted(totals, key=lambda actor: (-sum(totals[actor].values()), actor))
    rows = [(actor, *totals[actor].values()) for actor in order]
    return table([("actor", *ANSWERS), *rows], most=ACTORS, noun="actor")


def sample_lines(figures: Figures) -> list[str]:
    """Return the lines of a summary of a sample: how it was drawn, and what it will say."""
    strata = f"{figures['strata']:,} {'stratum' if figures['strata'] == 1 else 'strata'}"
    lines = wrap(
        f"{count(figures['answers'], 'answer')} of {figures['population']:,}, in "
        f"{count(figures['documents'], 'document')}; {count(figures['audited'], 'answer')} drawn "
        f"by chance from {strata}"
    )
    known = {name: margin for name, margin in figures["margins"].items() if margin < 1}
    if known:
        parts = sorted(f"{shown(name, 30)} ±{100 * margin:.0f}" for name, margin in known.items())
        lines += wrap(
            "net stance to expect, in points, if the model errs as it says: "
            + listed(parts, EXAMINED, "actor")
        )
    return lines


def share_lines(figures: Figures) -> list[str]:
    """Return the lines of a summary of shares: those of actors and groups, and what differs."""
    known = {(s["actor"], s["group"], s["period"], s["class"]): s for s in figures["shares"]}
    actors = list(dict.fromkeys(share["actor"] for share in figures["shares"]))
    groups = sorted({share["group"] for share in figures["shares"]} - {""})
    audited = bool(figures["labels"])
    sizes = f"{count(figures['answers'], 'answer')} in {count(figures['documents'], 'document')}"
    for what in ("withheld", "missing"):
        number = known[actors[0], "", "", "net"][what]  # of the only one, or of all together
        sizes += f", {number:,} {what}" if number else ""
    sizes += f", {count(figures['labels'], 'label')}" if audited else ""
    rows: list[tuple[str, ...]] = [("counted", "against, %", "favor, %", "net")]
    for actor in actors[:EXAMINED]:
        own = [known[actor, "", "", name] for name in COMPARED]
        number = f" ({own[0]['n']:,})"
        title = cut(actor, 22 - len(number)) + number
        rows.append((title, *(percent(share["counted"]) for share in own)))
        if audited:
            rows.append(_corrected("corrected", own))
            for group in groups if len(groups) <= GROUPS else ():
                parts = [known.get((actor, group, "", name)) for name in COMPARED]
                rows.append(_corrected(f"- {group}", [part for part in parts if part]))
    body = table(rows, left=(0, 1, 2, 3))
    if len(actors) > EXAMINED:
        more = count(len(actors) - EXAMINED, "more actor")
        body.append(f"and {more}; -o FILE.csv lists all")
    return stacked([[sizes], body, _verdict(figures)])


def _corrected(name: str, shares: Sequence[Figures]) -> tuple[str, ...]:
    label = f"  {cut(name, 20)}"
    if not shares or shares[0]["corrected"] is None:
        return (label, shares[0]["method"] if shares else "no answer", "", "")
    return (label, *(percent(s["corrected"]) + bounds((s["low"], s["high"])) for s in shares))


def _verdict(figures: Figures) -> list[str]:
    """Return what may be said of the differences, or what is missing for that."""
    asked, found = figures["by"] or figures["over"], figures["differences"]
    if not figures["labels"]:
        parts = f" -o FILE.csv writes the counts by {shown(asked)}." if asked else ""
        return wrap(
            "Counted only: a model's counts are not shares, for its errors do not cancel. Draw a "
            f"sample with stance sample, label it, and add it with --audit.{parts}"
        )
    if not found:
        return wrap("Nothing to compare: too few labels in each group.") if asked else []
    what = "net stance" if figures["quantity"] == "net" else f"share {figures['quantity']}"
    claimed = sorted((row for row in found if row["claimed"]), key=lambda row: row["p"])
    if not claimed:
        return wrap(
            f"No difference in {what} is beyond chance in {count(len(found), 'comparison')} "
            f"(Holm, 5 %). Half of them would have shown one of {percent(figures['detectable'])} "
            "points, 80 times in 100."
        )
    of = f"{len(claimed)} of {count(len(found), 'comparison')}"
    lines = wrap(f"Differences in {what} beyond chance (Holm, 5 %), in points: {of}")
    for row in claimed[:EXAMINED]:
        value = percent(row["difference"], "+") + bounds((row["low"], row["high"]))
        actor, one, other = (shown(row[name], 30) for name in ("actor", "one", "other"))
        lines += wrap(f"{actor}: {one} less {other} {value}, Holm {p_value(row['holm'])}", "  ")
    return lines + (["  --differences FILE.csv lists all"] if len(claimed) > EXAMINED else [])
