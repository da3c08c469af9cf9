"""`orchestration completion`: a script that lets a shell complete the command, made from its own parser."""

from __future__ import annotations

import argparse
import re
import shlex
from typing import TYPE_CHECKING, Literal, NamedTuple

from orchestration.cli.exits import Exit
from orchestration.cli.telling import show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

FILES = ("FILE", "WORKFLOW", "REF")  # in the name of a value: it is or begins with a file's
Value = Literal["none", "any", "file"]


class Argument(NamedTuple):
    """An option by its `words`, or without them a place in the line; what it takes, and what may stand there."""

    words: tuple[str, ...]
    help: str
    takes: Value
    choices: tuple[str, ...]
    many: bool


class Command(NamedTuple):
    """A command, and what may stand behind it."""

    name: str
    help: str
    arguments: tuple[Argument, ...]

    @property
    def options(self) -> tuple[Argument, ...]:
        """The options."""
        return tuple(argument for argument in self.arguments if argument.words)

    @property
    def places(self) -> tuple[Argument, ...]:
        """What stands there without a word before it."""
        return tuple(argument for argument in self.arguments if not argument.words)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("shell", choices=tuple(SHELLS), help="which shell the script is for")


def completion(options: argparse.Namespace) -> Exit:
    """Print the script."""
    show(SHELLS[options.shell](commands_of(options.parser)).rstrip("\n"))
    return Exit.SUCCESS


def commands_of(top: argparse.ArgumentParser) -> list[Command]:
    """Return the commands of the top parser; argparse has no public way to ask for them."""
    (below,) = (action for action in top._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001
    helps = {choice.dest: choice.help or "" for choice in below._choices_actions}  # noqa: SLF001
    return [
        Command(name, helps[name], tuple(map(_argument, parser._actions)))  # noqa: SLF001
        for name, parser in below.choices.items()
    ]


def _argument(action: argparse.Action) -> Argument:
    takes: Value = "none" if action.nargs == 0 else "any"
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    if takes == "any" and any(word in metavar for word in FILES):
        takes = "file"
    text = (action.help or "").partition("%(")[0].rstrip(" (:").removesuffix("(default")
    return Argument(
        tuple(action.option_strings), text.strip(), takes, tuple(action.choices or ()), action.nargs in ("+", "*")
    )


def _words(command: Command) -> Iterator[str]:
    for option in command.options:
        yield from option.words


# --- bash

BASH = """\
_orchestration_files() {{
    local IFS=$'\\n'
    COMPREPLY=($(compgen -f -- "$word"))
}}
_orchestration() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command=${{COMP_WORDS[1]}}
    COMPREPLY=()
    if (( COMP_CWORD == 1 )); then
        COMPREPLY=($(compgen -W {names} -- "$word"))
        return
    fi
    case "$command $before" in
{values}
    esac
    case "$command" in
{commands}
    esac
}}
complete -o filenames -o bashdefault -F _orchestration orchestration
"""


def bash(commands: Sequence[Command]) -> str:
    """Return the script for bash."""
    values, cases = [], []
    for command in commands:
        for option in command.options:
            labels = "|".join(shlex.quote(f"{command.name} {word}") for word in option.words)
            if option.takes != "none":
                values.append(f"        {labels}) {_bash_value(option)}; return ;;")
        words = " ".join(_words(command))
        places = [_bash_value(place) for place in command.places[:1]] or [":"]
        reply = f'COMPREPLY=($(compgen -W {shlex.quote(words)} -- "$word"))'
        cases.append(f"        {command.name}) if [[ $word == -* ]]; then {reply}; else {places[0]}; fi ;;")
    names = shlex.quote(" ".join([*(command.name for command in commands), "--help", "--version"]))
    return BASH.format(names=names, values="\n".join(values), commands="\n".join(cases))


def _bash_value(argument: Argument) -> str:
    if argument.choices:
        return f'COMPREPLY=($(compgen -W {shlex.quote(" ".join(argument.choices))} -- "$word"))'
    return "_orchestration_files" if argument.takes == "file" else ":"


# --- zsh

ZSH = """\
#compdef orchestration
_orchestration() {{
    local -a commands
    commands=(
{names}
    )
    if (( CURRENT == 2 )); then
        _describe command commands
        return
    fi
    local command=$words[2]
    shift words
    (( CURRENT-- ))
    case $command in
{commands}
    esac
}}
if [[ $funcstack[1] == _orchestration ]]; then _orchestration "$@"; else compdef _orchestration orchestration; fi
"""


def zsh(commands: Sequence[Command]) -> str:
    """Return the script for zsh."""
    names = "\n".join(f"        {shlex.quote(f'{command.name}:{command.help}')}" for command in commands)
    cases = []
    for command in commands:
        specs = [spec for argument in command.arguments for spec in _zsh_specs(argument)]
        cases.append(f"        {command.name}) _arguments {' '.join(map(shlex.quote, specs))} ;;")
    return ZSH.format(names=names, commands="\n".join(cases))


def _zsh_specs(argument: Argument) -> Iterator[str]:
    told = re.sub(r"([][:])", r"\\\1", argument.help)
    action = f"({' '.join(argument.choices)})" if argument.choices else "_files" if argument.takes == "file" else " "
    for word in argument.words:
        yield f"{word}[{told}]" + ("" if argument.takes == "none" else f":value:{action}")
    if not argument.words:
        yield f"{'*' if argument.many else ''}:{told}:{action}"


# --- fish


def fish(commands: Sequence[Command]) -> str:
    """Return the script for fish."""
    lines = ["complete -c orchestration -f"]
    for command in commands:
        lines.append(_fish("__fish_use_subcommand", f"-a {command.name}", command.help))
        here = f"__fish_seen_subcommand_from {command.name}"
        for option in command.options:
            words = " ".join(f"{'-l' if word.startswith('--') else '-s'} {word.lstrip('-')}" for word in option.words)
            lines.append(_fish(here, f"{words}{_fish_value(option)}", option.help))
        lines += [_fish(here, _fish_value(place).strip(), place.help) for place in command.places[:1]]
    return "\n".join(lines)


def _fish(condition: str, what: str, told: str) -> str:
    return f"complete -c orchestration -n {shlex.quote(condition)} {what} -d {shlex.quote(told)}"


def _fish_value(argument: Argument) -> str:
    if argument.choices:
        return f" -x -a {shlex.quote(' '.join(argument.choices))}"
    return {"none": "", "any": " -x", "file": " -r -F"}[argument.takes]


SHELLS: dict[str, Callable[[Sequence[Command]], str]] = {"bash": bash, "zsh": zsh, "fish": fish}
