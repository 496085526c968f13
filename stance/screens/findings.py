"""Lines about findings: samples drawn, shares counted and corrected, and how they differ."""

from collections.abc import Sequence

from stance.display import count, shown
from stance.screens import Figures, bounds, cell, p_value, percent, stacked, wrap

ACTORS = 12  # actors listed
GROUPS = 6  # groups listed, at most
DIFFERENCES = 10  # differences listed
NAME, VALUE = 18, 20  # columns of an actor's name, and of a value with its interval
LISTED = ("against", "favor", "net")


def sample_lines(figures: Figures) -> list[str]:
    """Return the lines of a summary of a sample: how it was drawn, and what it will say."""
    size = f"{count(figures['answers'], 'answer')} of {figures['population']:,}"
    chance = count(figures["audited"], "answer")
    lines = wrap(
        f"{size}, in {count(figures['documents'], 'document')}; {chance} drawn by chance from "
        f"{count(figures['strata'], 'stratum').replace('stratums', 'strata')}"
    )
    known = {name: each for name, each in figures["margins"].items() if each < 1}
    if known:
        parts = [f"{shown(name, 30)} ±{100 * each:.0f}" for name, each in known.items()]
        more = ["…"] if len(parts) > ACTORS else []
        listed = ", ".join(sorted(parts[:ACTORS]) + more)
        lines += wrap(f"net stance to expect, in points, if the model errs as it says: {listed}")
    return lines


def share_lines(figures: Figures) -> list[str]:
    """Return the lines of a summary of shares: those of actors and groups, and what differs."""
    known = {(s["actor"], s["group"], s["period"], s["class"]): s for s in figures["shares"]}
    actors = list(dict.fromkeys(each["actor"] for each in figures["shares"]))
    groups = sorted({each["group"] for each in figures["shares"]} - {""})
    nouns = ("answers", "documents", *(["labels"] if figures["labels"] else []))
    sizes = ", ".join(count(figures[name], name[:-1]) for name in nouns)
    heads = "".join(cell(f"{name}, %" if name != "net" else name, VALUE) for name in LISTED)
    table = [" " * NAME + heads.rstrip()]
    for actor in actors[:ACTORS]:
        own = [known[actor, "", "", name] for name in LISTED]
        number = count(own[0]["n"], "answer")
        number += f", {own[0]['withheld']:,} withheld" if own[0]["withheld"] else ""
        number += f", {count(own[0]['labels'], 'label')}" if figures["labels"] else ""
        table.append(f"{cell(actor, NAME - 1).rstrip()}: {number}")
        table.append(_values("counted", [percent(each["counted"]) for each in own]))
        table += [_corrected("corrected", own)] if figures["labels"] else []
        for group in groups if figures["labels"] and len(groups) <= GROUPS else ():
            parts = [known.get((actor, group, "", name)) for name in LISTED]
            table += [_corrected(f"- {group}", [part for part in parts if part])]
    if len(actors) > ACTORS:
        table.append(f"and {count(len(actors) - ACTORS, 'more actor')}; -o FILE.csv lists all")
    return stacked([[sizes], table, _verdict(figures)])


def _corrected(name: str, shares: Sequence[Figures]) -> str:
    if not shares or shares[0]["corrected"] is None:
        return f"{cell(f'  {name}', NAME)}{shares[0]['method'] if shares else 'no answer'}"
    return _values(name, [percent(s["corrected"]) + bounds((s["low"], s["high"])) for s in shares])


def _values(name: str, values: Sequence[str]) -> str:
    return cell(f"  {name}", NAME) + "".join(cell(value, VALUE) for value in values).rstrip()


def _verdict(figures: Figures) -> list[str]:
    if not figures["labels"]:
        asked = figures["by"] or figures["over"]
        parts = (
            f" Counts by {shown(asked)} are in the table that -o FILE.csv writes." if asked else ""
        )
        return wrap(
            "Counted only: a model's counts are not shares, for its errors do not cancel. Draw a "
            f"sample with stance sample, label it, and add it with --audit.{parts}"
        )
    found = figures["differences"]
    if not found:
        asked = figures["by"] or figures["over"]
        return wrap("Nothing to compare: too few labels in each group.") if asked else []
    what = "net stance" if figures["quantity"] == "net" else f"share {figures['quantity']}"
    claimed = sorted((each for each in found if each["claimed"]), key=lambda each: each["p"])
    if not claimed:
        least = percent(figures["detectable"])
        return wrap(
            f"No difference in {what} is beyond chance in {count(len(found), 'comparison')} "
            f"(Holm, 5 %). Half of them would have shown one of {least} points, 80 times in 100."
        )
    of = f"{len(claimed)} of {count(len(found), 'comparison')}"
    lines = wrap(f"Differences in {what} beyond chance (Holm, 5 %), in points: {of}")
    for each in claimed[:DIFFERENCES]:
        value = percent(each["difference"], "+") + bounds((each["low"], each["high"]))
        names = [shown(each[name], 30) for name in ("one", "other")]
        line = f"{shown(each['actor'], 30)}: {names[0]} less {names[1]} {value}"
        lines += wrap(f"{line}, p {p_value(each['p'])}, Holm {p_value(each['holm'])}", "  ")
    more = len(claimed) - DIFFERENCES
    return [*lines, f"  and {more} more; --differences FILE.csv lists all"] if more > 0 else lines
