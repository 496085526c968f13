"""Lines about tables: a corpus checked, actors, coders, answers, samples and shares."""

from collections import defaultdict
from collections.abc import Sequence

from stance.display import count, joined, shown
from stance.reading.actor_tables import ALIAS_KINDS
from stance.reading.actors import ActorBook
from stance.records import ANSWERS
from stance.runs.summary import Done
from stance.screens import (
    Figures,
    bounds,
    listed,
    p_value,
    percent,
    ranged,
    stacked,
    table,
    wrap,
)

COMPARED = ("against", "favor", "net")  # of shares

ALIASES = 6  # aliases listed per actor
ACTORS = 15  # actors listed with their answers; the rest is counted
EXAMINED = 12  # actors whose shares are listed, and differences between shares
PAIRS = 20  # pairs of a holder and an actor that are listed
GROUPS = 6  # groups whose shares are listed, at most


def check_lines(figures: Figures) -> list[str]:
    """Return the lines about what in a corpus would spoil a study."""
    files = ", ".join(f"{shown(file['name'], 40)} ({file['rows']:,})" for file in figures["files"])
    sizes = ", ".join(count(figures[f"{noun}s"], noun) for noun in ("row", "document", "text"))
    findings = [
        line
        for finding in figures["findings"]
        for line in wrap(finding["text"], f"{finding['severity']:<8}", " " * 8)
    ]
    passed = wrap(f"passed: {', '.join(figures['passed'])}") if figures["passed"] else []
    coders: list[str] = []
    if agreement := figures["agreement"]:
        rows = [
            (name, part["units"], *(_coefficient(part[key]) for key in ("alpha", "percent")))
            for name, part in ({"all": agreement} | agreement["per_label"]).items()
        ]
        head = ("agreement [95 % interval]", "rows", "alpha", "agreed")
        names = joined([shown(name, 20) for name in figures["coders"]])
        coders = [*wrap(f"coders: {names}"), *table([head, *rows])]
    number = sum(finding["severity"] == "spoils" for finding in figures["findings"])
    what = f"{count(number, 'finding')} would" if number else "nothing found that would"
    verdict = [f"{what} spoil a study; examples are file:row"]
    total = max(figures["rows"], 1)
    classes = "  ".join(
        f"{name} {part['rows']:,} ({100 * part['rows'] / total:.0f} %)"
        for name, part in figures["classes"].items()
    )
    return stacked([[*wrap(files), sizes, *wrap(classes)], findings, passed, coders, verdict])


def _coefficient(figures: Figures) -> str:
    if figures["value"] is None:
        return "-"
    ends = ", ".join(f"{end:.2f}" for end in figures["interval"] or ())
    return f"{figures['value']:.2f}" + (f" [{ends}]" if ends else "")


def alias_lines(figures: Figures) -> list[str]:
    """Return which aliases fire in a table, as `stance.actors` counts them."""
    rows: list[tuple[object, ...]] = [("actor", "rows", "aliases")]
    for actor, part in figures["actors"].items():
        names = [f"{shown(alias)} {number:,}" for alias, number in part["aliases"].items()]
        rows.append((actor, part["rows"], listed(names, ALIASES, "name")))
    head = f"{count(figures['rows'], 'row')}, {figures['rows_with_actor']:,} name an actor"
    return [head, *table(rows)]


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


def run_lines(done: Done) -> list[str]:
    """Return how many rows a run has judged, and how often each stance was given per actor."""
    tally = done.tally
    head = (
        f"{count(done.rows_in, 'row')} in = {tally.rows:,} judged + {done.rejected:,} rejected; "
        f"{tally.named:,} naming an actor; {count(done.rows_out, 'row')} out"
    )
    totals = defaultdict[str, dict[str, int]](lambda: dict.fromkeys(ANSWERS, 0))
    for (actor, label), number in tally.answers.items():
        totals[actor][label] += number
    order = sorted(totals, key=lambda actor: (-sum(totals[actor].values()), actor))
    rows = [(actor, *totals[actor].values()) for actor in order]
    return [head, *table([("actor", *ANSWERS), *rows], most=ACTORS, noun="actor")]


def sample_lines(figures: Figures) -> list[str]:
    """Return the lines of a summary of a sample: how it was drawn, and what it will say."""
    lines = wrap(
        f"{count(figures['answers'], 'answer')} of {figures['population']:,}, in "
        f"{count(figures['documents'], 'document')}; {count(figures['audited'], 'answer')} drawn "
        f"at random from {count(figures['strata'], 'group')}"
    )
    known = {name: margin for name, margin in figures["margins"].items() if margin < 1}
    if not figures["margins"]:
        lines += wrap("answers without probabilities: how precise the shares will be is unknown")
    if known:
        parts = sorted(f"{shown(name, 30)} ±{100 * margin:.0f}" for name, margin in known.items())
        lines += wrap(
            "expected margin of net stance, in points, if the model errs as it says: "
            + listed(parts, EXAMINED, "actor")
        )
    return lines


def share_lines(figures: Figures) -> list[str]:
    """Return the lines of a summary of shares: those of actors and groups, and what differs."""
    known = {(s["actor"], s["group"], s["period"], s["class"]): s for s in figures["shares"]}
    actors = list(dict.fromkeys(share["actor"] for share in figures["shares"]))
    groups = sorted({share["group"] for share in figures["shares"]} - {""})
    groups = groups if len(groups) <= GROUPS else []
    audited = bool(figures["labels"])
    sizes = f"{count(figures['answers'], 'answer')} in {count(figures['documents'], 'document')}"
    for what in ("withheld", "missing"):
        number = known[actors[0], "", "", "net"][what]  # of the only one, or of all together
        sizes += f", {number:,} {what}" if number else ""
    sizes += f", {count(figures['labels'], 'label')}" if audited else ""
    rows: list[tuple[object, ...]] = [("counted", "against, %", "favor, %", "net")]
    for actor in actors[:EXAMINED]:
        shares = [known[actor, "", "", name] for name in COMPARED]
        rows.append((f"{actor} ({shares[0]['n']:,})", *(percent(s["counted"]) for s in shares)))
        if audited:
            rows.append(_corrected("corrected", shares))
            by_group = [
                _corrected(f"- {group}", [known[actor, group, "", name] for name in COMPARED])
                for group in groups
                if (actor, group, "", COMPARED[0]) in known
            ]
            rows += _by_group(by_group)
    body = table(rows)
    if len(actors) > EXAMINED:
        more = count(len(actors) - EXAMINED, "more actor")
        body.append(f"and {more}; -o FILE.csv lists all")
    return stacked([[sizes], body, _verdict(figures)])


def pair_lines(figures: Figures) -> list[str]:
    """Return who judges whom, most stances first."""
    pairs = figures["pairs"]
    audited = any("labels" in row for row in pairs)
    keys = ("holder", "target", "n", *(() if audited else ("against", "favor")))
    rows: list[tuple[object, ...]] = [(*keys, "net", *["corrected"] * audited)]
    for row in pairs:
        nets = [_net(row["net"], row["low"], row["high"])]
        if audited:
            nets.append(_net(*(row[f"corrected{end}"] for end in ("", "_low", "_high"))))
        rows.append((*(row[key] for key in keys), *nets))
    title = f"{count(figures['answers'], 'answer')} whose holder is known"
    return stacked([[title], table(rows, most=PAIRS, noun="pair")])


def _net(net: float | None, low: float, high: float) -> str:
    """Return a net stance, unless its interval says next to nothing."""
    from stance.findings.shares import WIDE  # which is loaded by now

    return "few" if net is None or high - low > WIDE else ranged(net, (low, high))


def _corrected(name: str, shares: Sequence[Figures]) -> tuple[str, ...]:
    if shares[0]["corrected"] is None:
        why = shares[0]["method"].removeprefix("not corrected: ")
        return (f"  {name}", why, "", "")  # short enough for its column
    return (f"  {name}", *(ranged(s["corrected"], (s["low"], s["high"])) for s in shares))


def _by_group(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return the corrected shares by group, in one line if there are none for the same reason."""
    reasons = {row[1:] for row in rows}
    if len(rows) > 1 and len(reasons) == 1 and not rows[0][-1]:
        return [("  - each group", *rows[0][1:])]
    return list(rows)


def _verdict(figures: Figures) -> list[str]:
    """Return what may be said of the differences, or what is missing for that."""
    asked, differences = figures["by"] or figures["over"], figures["differences"]
    if not figures["labels"]:
        advice = f" -o FILE.csv writes the counts by {shown(asked)}." if asked else ""
        return wrap(
            "Counted only: a model's counts are not shares, since its errors do not cancel out. "
            f"Draw a sample with stance sample, label it, and add it with --audit.{advice}"
        )
    if not differences:
        return wrap("Nothing is compared: no two groups have enough labels.") if asked else []
    claimed = sorted((row for row in differences if row["claimed"]), key=lambda row: row["p"])
    comparisons = count(len(differences), "comparison")
    if not claimed:
        return wrap(f"No difference in net stance is beyond chance in {comparisons} (Holm, 5 %).")
    lines = wrap(
        f"Differences in net stance beyond chance (Holm, 5 %), in points: {len(claimed)} of "
        f"{comparisons}"
    )
    for row in claimed[:EXAMINED]:
        value = percent(row["difference"], "+") + bounds((row["low"], row["high"]))
        actor, one, other = (shown(row[name], 30) for name in ("actor", "one", "other"))
        lines += wrap(f"{actor}: {one} less {other} {value}, Holm {p_value(row['holm'])}", "  ")
    return lines + (["  --differences FILE.csv lists all"] if len(claimed) > EXAMINED else [])
