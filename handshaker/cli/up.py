"""``handshaker up``: everything at once, with a demo hospital."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress

import click
import requests
from rich.table import Table

from handshaker.bootstrap import Handshaker, make_handshaker
from handshaker.cli.children import child, first_words
from handshaker.cli.instance import PartStopped, ensure_deployed, prepare_instance
from handshaker.cli.output import (
    acknowledgement_json,
    acknowledgement_table,
    console,
    credential,
    failing,
    json_option,
    login_files,
    print_json,
    token_files,
    usable_settings,
)
from handshaker.cli.stopping import stop_on_signals
from handshaker.demo import (
    ADMINISTRATORS,
    ORGANISATIONS,
    PATIENCE,
    PATIENTS,
    PRACTITIONERS,
    Demo,
    make_demo,
    show_blood_pressures,
)
from handshaker.errors import ChainError
from handshaker.ethereum.ganache import GanacheNode
from handshaker.login_files import LoginFiles
from handshaker.messages import Acknowledgement
from handshaker.settings import read_settings

_PAUSE = 0.1


class _Stopped(Exception):
    """Somebody pressed Ctrl-C before everything stood."""


@click.command(short_help="Run everything at once, with a demo hospital.")
@click.option("--once", is_flag=True, help="Stop after the two acknowledgements are shown, instead of at Ctrl-C.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port of the local chain (0: any free one). [default: ganache.json's]"
)
@click.option(
    "--web-port", type=click.IntRange(0, 65535), help="Port of the web application (0: any free one). [default: 8080]"
)
@json_option
@failing
def up(once: bool, port: int | None, web_port: int | None, as_json: bool) -> None:
    """Run everything: the local chain, contracts, a demo hospital, a worker, the web application. Ctrl-C stops it all.

    Submits a blood pressure for a patient who consented and for one who did not, and shows both acknowledgements.
    A second run finds everything where it was.
    """
    settings = usable_settings(demo=True)
    settings.instance.mkdir(parents=True, exist_ok=True, mode=0o700)
    stop = stop_on_signals()
    with suppress(_Stopped), ExitStack() as running:
        say = _Steps(stop, quiet=as_json)
        say("local chain")
        node = running.enter_context(GanacheNode(settings.instance, port=port))
        settings = read_settings(demo=True, chain_url=node.url, web_port=web_port)
        handshaker = make_handshaker(settings)
        running.callback(handshaker.close)
        say("contracts")
        prepare_instance(handshaker)
        ensure_deployed(handshaker, announce=False)
        say("worker")
        worker = running.enter_context(child(settings, "handshaker", "work", HANDSHAKER_WORKER=settings.worker))
        administrator = credential(handshaker, "administrator")
        # It needs seconds to begin; meanwhile the demo hospital is made.
        web = running.enter_context(
            child(settings, "webapp", "--json", says=True, HANDSHAKER_WEB_PORT=str(settings.web_port))
        )
        look = _watcher(stop, node, {"worker": worker, "web application": web})
        demo = make_demo(handshaker, administrator, token_files(settings), say, look)
        say("web application")
        address = first_words(web, "web application")["url"]
        say("two blood pressures")
        shown = show_blood_pressures(handshaker, credential(handshaker, "nurse-1"), demo, look)
        _wait_until_ready(address, look)
        _show(handshaker, demo, shown, node.url, address, as_json=as_json)
        while not once:
            look()
            stop.wait(0.5)
    if not as_json:
        console.print("Stopped; everything is kept for the next run.")


def _wait_until_ready(address: str, look: Callable[[], None]) -> None:
    """Return when the web application says that every part works; raises ``ChainError`` with what does not."""
    until = time.monotonic() + PATIENCE
    while True:
        said = "it does not answer"
        # If it does not answer because it has stopped, `look` says so.
        with suppress(requests.RequestException):
            answer = requests.get(f"{address}/api/v1/health/ready", timeout=PATIENCE)
            if answer.ok:
                return
            said = answer.text[:500]
        if time.monotonic() > until:
            raise ChainError(f"The web application is not ready: {said}")
        look()
        time.sleep(_PAUSE)


def _watcher(
    stop: threading.Event, node: GanacheNode, parts: Mapping[str, subprocess.Popen[bytes]]
) -> Callable[[], None]:
    """Return what raises when somebody wants to stop, or when a part has stopped by itself."""

    def look() -> None:
        if stop.is_set():
            raise _Stopped
        if not node.is_running:
            raise PartStopped("The local chain has stopped.", part="chain")
        for part, process in parts.items():
            if process.poll() is not None:
                raise PartStopped(
                    f"The {part} has stopped with {process.returncode}.", part=part, exit_code=process.returncode
                )

    return look


def _show(
    handshaker: Handshaker, demo: Demo, shown: list[Acknowledgement], chain: str, address: str, *, as_json: bool
) -> None:
    logins = login_files(handshaker.settings)
    if as_json:
        print_json(
            {
                "chain": chain,
                "web": address,
                "logins": str(logins.folder),
                "practitioners": demo.practitioners,
                "patients": demo.patients,
                "acknowledgements": [acknowledgement_json(each) for each in shown],
            }
        )
        return
    labels = {pseudonym: label for label, pseudonym in demo.patients.items()}
    console.print("[bold]Two blood pressures, acknowledged[/]")
    console.print(acknowledgement_table(shown, labels))
    _show_command_line(handshaker, demo, chain)
    console.print(_patients(demo))
    console.print(_staff(logins))
    console.print(f"\n[bold]Open {address}[/] and log in as one of them.", soft_wrap=True)
    console.print("An administrator's code: .venv/bin/handshaker code administrator", soft_wrap=True)
    console.print("[bold]Ctrl-C stops everything.[/]")


def _staff(logins: LoginFiles) -> Table:
    table = Table(title="\nStaff of the demo hospital", header_style="bold", title_justify="left")
    for column in ("log in as", "password", "who"):
        table.add_column(column, no_wrap=column != "who")
    houses = dict(ORGANISATIONS)
    for label in ADMINISTRATORS:
        table.add_row(label, logins.password(label), "[dim]needs a code, too[/]")
    for label, name, role, organisation in PRACTITIONERS:
        table.add_row(label, logins.password(label), f"{name}, {role}\n[dim]{houses[organisation]}[/]")
    return table


def _patients(demo: Demo) -> Table:
    table = Table(title="\nPatients", header_style="bold", title_justify="left")
    for column in ("--as", "--patient", ""):
        table.add_column(column)
    for label, *_, consented in PATIENTS:
        # Patients' names stay where they are: under their keys.
        wish = "consented" if consented else "did not consent"
        table.add_row(label, demo.patients[label][:10], wish)
    return table


def _show_command_line(handshaker: Handshaker, demo: Demo, chain: str) -> None:
    console.print(f"\nThe chain is at {chain}.", soft_wrap=True)
    console.print(
        f"Tokens for --as and for the API: {token_files(handshaker.settings).folder}/NAME.token", soft_wrap=True
    )
    console.print("Try in another terminal:")
    console.print("  source .venv/bin/activate")
    if chain != read_settings().chain_url:
        console.print(f"  export HANDSHAKER_CHAIN_URL={chain}", soft_wrap=True)
    console.print("  handshaker submit vital-signs examples/blood-pressure.json \\", soft_wrap=True)
    console.print(f"    --patient {demo.patients['patient-2'][:10]} --as nurse-1 --wait", soft_wrap=True)
    console.print("  handshaker ack list")


class _Steps:
    """Says what is being done, and begins nothing new after Ctrl-C."""

    def __init__(self, stop: threading.Event, *, quiet: bool) -> None:
        self._stop = stop
        self._quiet = quiet

    def __call__(self, step: str) -> None:
        if self._stop.is_set():
            raise _Stopped
        if not self._quiet:
            console.print(f"[dim]…[/] {step}")
