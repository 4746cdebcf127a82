"""Commands that make and run an instance: ``init``, ``chain``, ``deploy``, ``work``."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack

import click

from handshaker.bootstrap import Handshaker, make_handshaker
from handshaker.cli.figures import offered
from handshaker.cli.output import console, failing, json_option, opened, print_json, token_files, usable_settings
from handshaker.cli.stopping import bounded, stop_on_signals
from handshaker.demo import ADMINISTRATORS
from handshaker.errors import HandshakerError, RelayerUnfunded
from handshaker.ethereum.deployer import deploy as deploy_contracts
from handshaker.ethereum.deployer import fund
from handshaker.ethereum.ganache import GanacheNode, funding_key, load_mnemonic
from handshaker.messages import Deployment
from handshaker.settings import Settings
from handshaker.vocabulary import ActorKind
from handshaker.worker_lock import claim


class PartStopped(HandshakerError):
    """A process that should stay up has ended. Data: ``part``, ``exit_code``."""

    code = "part-stopped"
    mend = "Start again with the same command: nothing is lost."


_ETHER = 10**18
_LOCAL_FUNDS = 1_000 * _ETHER


@click.command(short_help="Make an instance: databases, keys, administrators.")
@json_option
@failing
def init(as_json: bool) -> None:
    """Make an instance: databases, keys, shipped templates and two administrators.

    Safe to run twice: what is there stays. The administrators' tokens are written to instance/tokens, readable only
    by you.
    """
    settings = usable_settings()
    handshaker = make_handshaker(settings)
    try:
        prepare_instance(handshaker)
        templates = [template.reference for template in handshaker.templates.list()]
    finally:
        handshaker.close()
    if as_json:
        print_json({"instance": str(settings.instance), "administrators": list(ADMINISTRATORS), "templates": templates})
    else:
        console.print(
            f"Instance in {settings.instance}: {len(templates)} templates, administrators {', '.join(ADMINISTRATORS)}.",
            soft_wrap=True,
        )
        console.print("Next: `handshaker chain start` in a second terminal, then `handshaker deploy`.")


@click.group()
def chain() -> None:
    """Run the local chain."""


@chain.command("start", short_help="Start Ganache; Ctrl-C stops it.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port (0: any free one). [default: ganache.json's]")
@json_option
@failing
def chain_start(port: int | None, as_json: bool) -> None:
    """Start Ganache as ganache.json says, and keep it until Ctrl-C.

    Its blocks are kept in instance/chain, its accounts come from a mnemonic that is made once, for this instance. With
    another port, set HANDSHAKER_CHAIN_URL for the other commands.
    """
    settings = usable_settings()
    settings.instance.mkdir(parents=True, exist_ok=True, mode=0o700)
    stop = stop_on_signals()
    with GanacheNode(settings.instance, port=port) as node:
        if as_json:
            print_json({"url": node.url, "chainId": node.chain_id, "pid": node.pid})
        else:
            console.print(f"Ganache at {node.url}, chain {node.chain_id}. Ctrl-C stops it.")
            if node.url != settings.chain_url:
                console.print(f"Say so in other terminals: export HANDSHAKER_CHAIN_URL={node.url}", soft_wrap=True)
        while not stop.wait(0.5):
            if not node.is_running:
                raise PartStopped("The local chain has stopped.", part="chain")


@click.command(short_help="Put the contracts on the chain, once.")
@json_option
@failing
def deploy(as_json: bool) -> None:
    """Put the contracts on the chain, once. A second call finds them and changes nothing."""
    with opened() as handshaker:
        prepare_instance(handshaker)
        known = handshaker.chain.deployment is not None
        deployment = ensure_deployed(handshaker, announce=not as_json)
    if as_json:
        print_json(
            {
                "chainId": deployment.identity.chain_id,
                "genesis": "0x" + deployment.identity.genesis.hex(),
                "block": deployment.block_number,
                "addresses": dict(deployment.addresses),
                "new": not known,
            }
        )
    else:
        console.print(
            f"{'The contracts are there already' if known else 'Deployed'}, chain {deployment.identity.chain_id}:"
        )
        for name, address in deployment.addresses.items():
            console.print(f"  {name:16} {address}")
        console.print("Next: `handshaker work` in a terminal of its own, then `handshaker submit`.")


@click.command(short_help="Run a worker; Ctrl-C stops it.")
@click.option("--attached", is_flag=True, hidden=True, help="Stop when standard input ends.")
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    help="Offer figures to Prometheus on this port of 127.0.0.1 (0: any free one).",
)
@json_option
@failing
def work(attached: bool, metrics_port: int | None, as_json: bool) -> None:
    """Run a worker until Ctrl-C: it asks the network, carries what is waiting, and writes acknowledgements.

    It may be stopped or killed at any moment: the next one goes on where it was. Ctrl-C and SIGTERM let it finish the
    pass it is in and give back what it has taken; a second one ends it at once.
    """
    stop = stop_on_signals()
    if attached:
        threading.Thread(target=_stop_when_input_ends, args=(stop,), daemon=True).start()
    with ExitStack() as running:
        handshaker = running.enter_context(opened(is_service=True, worker_metrics_port=metrics_port))
        confirm = running.enter_context(_claimed(handshaker))
        worker = handshaker.worker()
        # Another name is another account, and on the local chain ether costs nothing.
        _fund_locally(handshaker, handshaker.vault.create_relayer(handshaker.settings.worker))
        figures = running.enter_context(offered(handshaker.journal.measures, handshaker.settings.worker_metrics_port))
        if as_json:
            print_json({"worker": handshaker.settings.worker, "chain": handshaker.chain.where, "metricsPort": figures})
        running.enter_context(bounded(stop, worker.release))
        worker.run(stop, confirm)
    if not as_json:
        console.print("Stopped; nothing is in this worker's hands any more.")


def _claimed(handshaker: Handshaker) -> AbstractContextManager[Callable[[], None]]:
    return claim(handshaker.settings.instance, handshaker.settings.worker, handshaker.store)


def prepare_instance(handshaker: Handshaker) -> None:
    """Install the shipped templates, and enroll the administrators once."""
    handshaker.templates.install_shipped()
    tokens = token_files(handshaker.settings)
    enrolled = {administrator.name for administrator in handshaker.store.people.actors(ActorKind.ADMINISTRATOR)}
    for label in ADMINISTRATORS:
        name = label.replace("-", " ").capitalize()
        if name not in enrolled:
            handshaker.registrar.enroll_administrator(name, tokens.under(label))


def ensure_deployed(handshaker: Handshaker, *, announce: bool = True) -> Deployment:
    """Return where the contracts are, after putting them there if they are nowhere yet.

    On a local chain whose mnemonic is this instance's, the accounts get ether first. Raises ``RelayerUnfunded`` with
    the accounts that have none.
    """
    relayer = handshaker.vault.create_relayer(handshaker.settings.worker)
    _fund_locally(handshaker, relayer)
    if handshaker.chain.deployment is not None:
        handshaker.chain.check_deployment()
        return handshaker.chain.deployment
    deployer = handshaker.vault.create_relayer("deployer")
    _fund_locally(handshaker, deployer)
    _refuse_empty_accounts(handshaker, {"deployer": deployer, handshaker.settings.worker: relayer})
    handshaker.chain.asker = deployer
    administrators = handshaker.store.people.actors(ActorKind.ADMINISTRATOR)
    deployment = deploy_contracts(
        handshaker.chain,
        deployer,
        lambda digest: handshaker.vault.sign_as_relayer(deployer, digest),
        [administrator.address for administrator in administrators],
        [relayer],
        progress=lambda name: console.print(f"  {name} deployed") if announce else None,
    )
    handshaker.adopt(deployment)
    return deployment


def _fund_locally(handshaker: Handshaker, account: str) -> None:
    mnemonic = _mnemonic(handshaker.settings)
    if mnemonic is not None and handshaker.chain.profile.name == "ganache":
        fund(handshaker.chain, funding_key(mnemonic), account, _LOCAL_FUNDS)


def _refuse_empty_accounts(handshaker: Handshaker, accounts: dict[str, str]) -> None:
    """Name every account that cannot pay at once, before anything is sent; where gas is free none has to."""
    if handshaker.chain.fees().max_fee == 0:
        return
    empty = {name: account for name, account in accounts.items() if handshaker.chain.balance(account) == 0}
    if empty:
        listed = ", ".join(f"{account} ({name})" for name, account in empty.items())
        raise RelayerUnfunded(f"Without ether: {listed}.", addresses=list(empty.values()), balance=0)


def _mnemonic(settings: Settings) -> str | None:
    path = settings.instance / "keys" / "mnemonic"
    return load_mnemonic(path) if path.exists() else None


def _stop_when_input_ends(stop: threading.Event) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    stop.set()
