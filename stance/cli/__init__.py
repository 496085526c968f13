"""The ``stance`` command: a short typed function for each of its commands."""

import argparse
import inspect
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from textwrap import indent
from typing import Any, Literal, NoReturn, get_args, get_origin

from stance import __version__
from stance.cli import answers, models
from stance.cli._inputs import GROUPS, MAKERS
from stance.cli._terminal import run_safely, say
from stance.errors import UsageError
from stance.files import DATA

__all__ = ["main", "run"]

_HELP = tomllib.loads((DATA / "help.toml").read_text("utf-8"))
_KEYS = {key for section in _HELP["options"].values() for key in section}

SECTIONS: dict[str, tuple[Callable[..., None], ...]] = {
    "Answer": (answers.predict, answers.explain, answers.read),
    "Study answers": (answers.sample, models.label, answers.shares, answers.report),
    "Train a model": (models.import_, models.check, models.train, models.evaluate),
    "Look inside": (answers.actors, models.inspect, models.doctor),
}
"""Commands by their section of the help."""

COMMANDS = {c.__name__.strip("_"): c for commands in SECTIONS.values() for c in commands}


def main() -> None:
    """Run the command line."""
    run_safely(run, sys.argv[1:])


def run(words: Sequence[str]) -> None:
    """Run the command that some words name; without words, show the help."""
    name, *rest = words or ["--help"]
    if name in ("-h", "--help"):
        say(overview())
    elif name == "--version":
        say(f"stance {__version__}")
    elif name not in COMMANDS:
        raise UsageError(f"no command '{name}'; see stance --help")
    elif {"-h", "--help"} & {*rest}:
        say(parser_of(name).format_help().rstrip("\n"))
    else:
        given = vars(parser_of(name).parse_intermixed_args(rest))
        COMMANDS[name](**_arguments(COMMANDS[name], given))


def overview() -> str:
    """Return the help of the program: its commands by section."""
    about = "Which stance each paragraph takes toward each actor it names, and its sentiment."
    lines = ["usage: stance [--help] [--version] COMMAND ...", "", about]
    for section, commands in SECTIONS.items():
        names = (f"  {command.__name__.strip('_'):<8}  {command.__doc__}" for command in commands)
        lines += ["", f"{section}:", *names]
    return "\n".join([*lines, "", "Examples:", indent(_HELP["examples"]["stance"], "  ")])


# --- Options as `data/help.toml` describes them ---


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Writes names and value of an option in the same way under all versions of Python."""

    def _format_action_invocation(self, action: argparse.Action) -> str:
        names = ", ".join(sorted(action.option_strings, key=len))
        value = "" if action.nargs == 0 else str(action.metavar)
        return f"{names} {value}".strip()


class Parser(argparse.ArgumentParser):
    """Reads the words behind the name of a command."""

    def __init__(self, name: str, about: str | None) -> None:
        examples = f"Examples:\n{indent(_HELP['examples'][name].strip(), '  ')}"
        super().__init__(
            f"stance {name}", description=about, epilog=examples, formatter_class=Formatter,
            add_help=False, allow_abbrev=False,
        )  # fmt: skip
        self._negative_number_matcher = re.compile(r"-\d")  # as in --labels -1=against,1=favor

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong."""
        raise UsageError(f"{message}; see {self.prog} --help")


def parser_of(name: str) -> Parser:
    """Return the parser of a command."""
    command, arguments = COMMANDS[name], list[str]()
    options = {option.name: option for option in _options(command)}
    parser = Parser(name, command.__doc__)
    for section, entries in _HELP["options"].items():
        group = parser.add_argument_group(section)
        for key, entry in entries.items():
            option = options.get(key.removeprefix(f"{name}."))
            if option and (option.name != key or f"{name}.{key}" not in _KEYS):
                action = _add(group, option, *([entry] if isinstance(entry, str) else entry))
                arguments += [] if action.option_strings else [str(action.metavar)]
        if section == "Options":
            group.add_argument("-h", "--help", action="help", help="Show this help and exit.")
    parser.usage = " ".join([parser.prog, "[OPTIONS]", *arguments])
    return parser


def _add(group: argparse._ArgumentGroup, option: inspect.Parameter, *entry: Any) -> argparse.Action:
    """Add an option to a section of the help."""
    texts = [part for part in entry if isinstance(part, str)]
    more = dict(entry[-1]) if isinstance(entry[-1], dict) else {}
    names = more.pop("names", [f"--{option.name.replace('_', '-')}"])
    limits = more.pop("min", None), more.pop("max", None)
    required, kind = option.default is option.empty, option.annotation
    if type(None) in get_args(kind):
        kind, _ = get_args(kind)
    if several := get_origin(kind) is list:
        (kind,) = get_args(kind)
    settings: dict[str, Any] = {"help": texts[-1].replace("%", "%%"), **more}
    if kind is bool:
        settings["action"] = "store_false" if option.default else "store_true"
    elif get_origin(kind) is Literal:
        settings |= {"metavar": texts[0], "choices": get_args(kind)}
    else:
        settings |= {"metavar": texts[0], "type": partial(_read, kind, *limits)}
    if group.title == "Arguments":
        nargs = ("+" if required else "*") if several else (None if required else "?")
        return group.add_argument(option.name, nargs=nargs, **settings)
    settings |= {"action": "append"} if several else {}
    settings |= {"required": True} if required else {"default": option.default}
    return group.add_argument(*names, dest=option.name, **settings)


def _read(kind: type, low: float | None, high: float | None, text: str) -> Any:
    """Return what is given for an option as a value of its type."""
    if kind is Path and not text:  # a variable that is not set
        raise argparse.ArgumentTypeError("must name a file, not ''")
    try:
        value = kind(text)
    except ValueError:
        number = "a whole number" if kind is int else "a number"
        raise argparse.ArgumentTypeError(f"must be {number}, not '{text}'") from None
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        limits = f"{low} or more" if high is None else f"from {low} to {high}"
        raise argparse.ArgumentTypeError(f"must be {limits}, not '{text}'")
    return value


# --- Options as commands take them ---


def _options(function: Callable[..., Any]) -> Iterator[inspect.Parameter]:
    """Yield the options that a function takes, also those of which its arguments are made."""
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            for name, kind in GROUPS[parameter.name].items():
                yield inspect.Parameter(name, parameter.KEYWORD_ONLY, default=None, annotation=kind)
        elif parameter.name in MAKERS:
            yield from _options(MAKERS[parameter.name])
        else:
            yield parameter


def _arguments(command: Callable[..., None], given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a command: options as they are given, or what is made of them."""
    arguments = {}
    for name in inspect.signature(command).parameters:
        make = MAKERS.get(name)
        made_of = {option.name: given[option.name] for option in _options(make)} if make else {}
        arguments[name] = make(**made_of) if make else given[name]
    return arguments
