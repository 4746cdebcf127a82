"""The command line: ``handshaker``. Thin: parse, call, print; what can be printed for people is also there as JSON."""

from __future__ import annotations

import click

from handshaker.cli.acknowledgements import ack
from handshaker.cli.backups import backup, restore_command
from handshaker.cli.health import health
from handshaker.cli.importing import import_command
from handshaker.cli.instance import chain, deploy, init, work
from handshaker.cli.logbook import log
from handshaker.cli.logins import code, invite
from handshaker.cli.serving import serve
from handshaker.cli.templates import template
from handshaker.cli.transactions import status, submit
from handshaker.cli.up import up
from handshaker.cli.verifying import verify


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="blockchain-handshaker", prog_name="handshaker")
def main() -> None:
    """Carry signed statements of hospitals and patients to Ethereum, and acknowledge what the chain said.

    \b
    A first walk:
      handshaker up                     everything at once, with a demo hospital

    \b
    The same by hand:
      handshaker init                   make an instance: databases and keys
      handshaker chain start            run the local chain (keep it open)
      handshaker deploy                 put the contracts on it
      handshaker work                   run a worker (keep it open)
      handshaker serve                  run the web application (keep it open)
      handshaker submit …               hand in an initial transaction
      handshaker status TI --watch      see it become an acknowledgement

    Everything of an instance lies in one folder, ./instance unless HANDSHAKER_INSTANCE says otherwise.
    """  # noqa: D301


for command in (init, up, chain, deploy, work, serve, submit, status, ack, log, template, import_command, invite, code):
    main.add_command(command)
for command in (backup, restore_command, health, verify):
    main.add_command(command)
