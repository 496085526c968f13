"""Help in sections: commands by what they are for, options by what they change, and examples."""

import re
from typing import Any

from typer.core import TyperCommand, TyperGroup

MAIN = "Options"
SECTIONS = {
    "Output": (
        *("output", "wide", "prefix", "excel_safe", "title", "figures", "checklist", "report"),
        *("errors", "differences", "regression", "suspects", "as_json", "force", "quiet"),
    ),
    "Groups": ("by", "over", "period", "actor", "quantity"),
    "Audit": ("audit", "coder", "simple_random", "audit_encoding", "surrogate"),
    "Actors": ("actors", "aliases"),
    "Reading tables": (
        *("labels", "text_column", "actor_column", "stance_column", "document_column"),
        *("date_column", "date_format", "delimiter", "encoding", "sheet", "include"),
        *("name_pattern", "names", "rejects", "keep_all", "context_encoding"),
    ),
    "Running": ("jobs", "resume", "cluster"),
}
"""Parameters by the section in which they stand in this order, unless they name another.

All else is `MAIN`.
"""

_SECTION_OF = {name: section for section, names in SECTIONS.items() for name in names}
_PLACES = {name: place for place, name in enumerate(_SECTION_OF)}
_NAME_WIDTH = 30  # characters of a name beside which its text begins on the same line

Rows = list[tuple[str, str]]


class Command(TyperCommand):
    """A command whose options stand in sections."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments and options."""
        sections: dict[str, Rows] = {name: [] for name in ("Arguments", MAIN, *SECTIONS)}
        for parameter in sorted(self.get_params(ctx), key=_place):
            if record := parameter.get_help_record(ctx):
                sections[_section(parameter)].append(_plain(*record))
        if len(sections[MAIN]) == 1:  # --help
            sections[MAIN] = sections.pop(MAIN)
        _write_sections(formatter, sections)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples."""
        _write_examples(formatter, self.epilog)


class Group(TyperGroup):
    """A program whose commands stand in sections."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands."""
        sections: dict[str, Rows] = {}
        for name, command in self.commands.items():
            rows = sections.setdefault(getattr(command, "rich_help_panel", None) or "Commands", [])
            rows.append((name, command.get_short_help_str(formatter.width)))
        _write_sections(formatter, sections)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples."""
        _write_examples(formatter, self.epilog)


def _section(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return "Arguments"
    named: str | None = parameter.rich_help_panel
    return named or _SECTION_OF.get(parameter.name, MAIN)


def _place(parameter: Any) -> int:
    own = _SECTION_OF.get(parameter.name) == _section(parameter)
    return _PLACES[parameter.name] if own else -1


def _plain(name: str, text: str) -> tuple[str, str]:
    """Return a row without the types of Python, and ranges in words."""
    text = re.sub(r"([\d.]+)<=x<=([\d.]+)", r"\1 to \2", text)
    return re.sub(r" <[\w\[\]]+>$", "", name), re.sub(r"x>=([\d.]+)", r"\1 or more", text)


def _write_sections(formatter: Any, sections: dict[str, Rows]) -> None:
    names = [name for rows in sections.values() for name, _ in rows]
    width = max(len(name) for name in names if len(name) <= _NAME_WIDTH)
    for title, rows in sections.items():
        if rows:
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), text) for name, text in rows])


def _write_examples(formatter: Any, epilog: str | None) -> None:
    if epilog:
        with formatter.section("Examples"):
            formatter.write("".join(f"  {line}\n" for line in epilog.splitlines()))
