"""Every command is there and explains itself."""

from __future__ import annotations

import click
import pytest
from rich.text import Text

from handshaker.cli import main
from tests.handshaker.cli.conftest import Shell

COMMANDS = {
    "init",
    "up",
    "invite",
    "code",
    "chain start",
    "deploy",
    "work",
    "health",
    "serve",
    "submit",
    "status",
    "ack list",
    "ack show",
    "ack proof",
    "log",
    "template list",
    "template show",
    "template check",
    "template add",
    "template proposals",
    "template approve",
    "import",
    "verify",
    "backup",
    "restore",
}


def leaves(group: click.Group, before: str = "") -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        words = f"{before} {name}".strip()
        found |= leaves(command, words) if isinstance(command, click.Group) else {words: command}
    return found


@pytest.fixture
def shell() -> Shell:
    """A terminal; help needs no instance."""
    return Shell()


def test_there_is_a_command_for_everything() -> None:
    assert leaves(main).keys() == COMMANDS


def test_the_first_page_names_every_command_with_what_it_does(shell: Shell) -> None:
    page = shell.run("--help").stdout
    for name in main.commands:
        (line,) = [line for line in page.split("Commands:")[1].splitlines() if line.split()[:1] == [name]]
        assert line.endswith("."), line
        assert "..." not in line, line


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_explains_itself_and_speaks_json(shell: Shell, name: str) -> None:
    for flag in ("--help", "-h"):
        page = shell.run(*name.split(), flag)
        assert page.exit_code == 0
    explanation = page.stdout.split("Options:")[0].split("\n", 1)[1]
    assert len(explanation.split()) >= 6
    assert "--json" in page.stdout


@pytest.mark.parametrize("name", ["", "ack", "chain", "template", *sorted(COMMANDS)])
def test_no_page_of_help_is_wider_than_a_terminal_or_shows_marks_of_its_making(shell: Shell, name: str) -> None:
    page = shell.run(*name.split(), "--help").stdout
    assert max(Text(line).cell_len for line in page.splitlines()) <= 80
    assert "\\b" not in page
    assert "\b" not in page


def test_every_option_has_an_explanation() -> None:
    for name, command in leaves(main).items():
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{name} {option.opts}"


def test_the_version_can_be_asked(shell: Shell) -> None:
    assert shell.run("--version").stdout.startswith("handshaker, version ")
