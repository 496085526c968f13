"""Options read without pydantic, which typer loads to check any value and which takes 0.1 s."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_origin


def quickened(command: Any) -> Callable[..., None]:
    """Return a command of typer that, like its subcommands, reads by itself what needs no check."""
    for own in getattr(command, "commands", {}).values():
        quickened(own)
    listed = command.get_params
    command.get_params = lambda context: [*map(_quickened, listed(context))]
    found: Callable[..., None] = command
    return found


def _quickened(parameter: Any) -> Any:
    """Let a parameter take texts, paths and defaults as they are, and leave the rest to typer."""
    if "process_value" in vars(parameter):
        return parameter
    # Should typer call its types something else one day, all is left to it.
    kind = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
    one = get_args(kind)[0] if get_origin(kind) is list else kind
    slow = parameter.process_value

    def process(context: Any, value: Any) -> Any:
        callback, several = parameter.callback, parameter.multiple or parameter.nargs != 1
        if value is None and not (several or parameter.required):
            return None if callback is None else callback(context, parameter, None)
        if one in (str, Path) and callback is None:
            if type(value) is str:
                return one(value)
            if type(value) is tuple and value and {*map(type, value)} == {str}:
                return [*map(one, value)]
        if one is int and _is_number(value, parameter.type_descriptor.parameter_info):
            return int(value) if callback is None else callback(context, parameter, int(value))
        return value if value is parameter.default else slow(context, value)

    parameter.process_value = process
    return parameter


def _is_number(value: Any, limits: Any) -> bool:
    """Return whether a value is a short text of digits, within the limits of an option."""
    if type(value) is not str or not re.fullmatch("[0-9]{1,9}", value):
        return False
    least, most = limits.min, limits.max
    return (least is None or least <= int(value)) and (most is None or int(value) <= most)
