"""Nothing that the system wrote in a full run tells a name, a reading or a secret: logs, databases, the chain."""

from __future__ import annotations

import base64
import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount

from handshaker.errors import HandshakerError
from handshaker.ethereum.ganache import GanacheNode
from handshaker.logs import fields
from tests.databases import Databases
from tests.instances import Instance, blood_pressure, consent_payload, make_instance
from tests.nodes import Node

pytestmark = [pytest.mark.ganache, pytest.mark.sqlite]

QUIETED = ("alembic", "urllib3", "web3", "asyncio")
FAMILY, GIVEN, BORN = "Xylander-Quux", "Ottokarine", "1931-07-23"
IDENTIFIER = "urn:oid:9.9.9.42|ZQ-77-8812-XY"
READING, IMPLAUSIBLE, NOTE = 137.03125, 937.03125, "wandering melancholia of the left knee"
STAFF = "Quillfeather-Noor"
READABLE = (FAMILY, GIVEN, BORN, IDENTIFIER, IDENTIFIER.split("|")[1], str(READING), str(IMPLAUSIBLE), NOTE)


@dataclass
class Run:
    """All that one full run left behind."""

    instance: Instance
    log: str
    files: dict[Path, bytes]
    secrets: dict[str, bytes]


class Everything(logging.Handler):
    """Every record of every library at every level, with its arguments, its fields and its traceback."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{self.format(record)} {fields(record)}")


@pytest.fixture(scope="module")
def run(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("secrets")
    handler, root = Everything(), logging.getLogger()
    # The command line tells libraries to be quiet, and other tests of this process use it.
    levels = {logger: logger.level for logger in (root, *map(logging.getLogger, QUIETED))}
    root.addHandler(handler)
    for logger in levels:
        logger.setLevel(logging.DEBUG)
    raised: list[str] = []
    try:
        with GanacheNode(folder / "instance", port=0) as ganache:
            node = Node("ganache", ganache.url, ganache.funding_key())
            instance = make_instance(folder, node)
            wallet = Account.create()
            live(instance, wallet, raised)
            files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        instance.close()
        files |= {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        tokens = {f"token of {name}": token.split("_", 2)[2] for name, token in instance.tokens.items()}
        root_key = instance.handshaker.settings.root_key_path
        secrets = {
            **{name: base64.urlsafe_b64decode(secret + "=") for name, secret in tokens.items()},
            "wallet's key": bytes(wallet.key),
            "funding key": ganache.funding_key(),
            "root key": root_key.read_bytes(),
        }
        yield Run(instance, "\n".join([*handler.lines, *raised]), files, secrets)
    finally:
        root.removeHandler(handler)
        for logger, level in levels.items():
            logger.setLevel(level)


def live(instance: Instance, wallet: LocalAccount, raised: list[str]) -> None:
    """A day: registration, consent, readings valid, refused at each gate and by the chain, wallets, errors."""
    registrar, intake = instance.handshaker.registrar, instance.handshaker.intake
    demographics = {
        "resourceType": "Patient",
        "name": [{"family": FAMILY, "given": [GIVEN]}],
        "birthDate": BORN,
        "identifier": [{"system": IDENTIFIER.split("|")[0], "value": IDENTIFIER.split("|")[1]}],
    }
    doctor = instance.hire(STAFF, "doctor")
    registered = registrar.register_patient(instance.administrator, demographics, IDENTIFIER)
    instance.drain()
    assert registered.token is not None
    instance.tokens["the patient"] = registered.token
    patient = instance.handshaker.tokens.authenticate(registered.token)
    reading = blood_pressure(READING) | {"note": [{"text": NOTE}]}
    key = f"{IDENTIFIER}/{FAMILY}"
    early = instance.measure(patient, doctor, payload=reading, idempotencyKey=key)
    assert instance.acknowledged(early).code == "not-permitted"
    instance.acknowledged(instance.consent(patient))
    valid = instance.measure(patient, doctor, payload=reading, idempotencyKey=f"{key}/2")
    assert instance.acknowledged(valid).code == "effect"
    for payload in (
        blood_pressure(IMPLAUSIBLE) | {"note": [{"text": NOTE}]},
        {"resourceType": "Observation", "status": NOTE, "code": {"text": FAMILY}},
    ):
        assert instance.measure(patient, doctor, payload=payload).refusal is not None
    unknown = instance.submit(doctor, "vital-signs", reading, patient="0x" + "77" * 32)
    assert unknown.refusal is not None
    nurse = instance.hire_with_wallet(wallet.address)
    signed = instance.sign_and_submit(
        wallet,
        nurse,
        "vital-signs",
        reading,
        patient=patient.actor.actor_id,
    )
    assert instance.acknowledged(signed).code == "effect"
    own = instance.admit_with_wallet(wallet)
    instance.acknowledged(instance.sign_and_submit(wallet, own, "consent-grant", consent_payload()))
    for bad in (
        f'{{"template": "vital-signs", "payload": {{"family": "{FAMILY}", broken'.encode(),
        f'{{"template": "{FAMILY}", "payload": {{}}, "idempotencyKey": "{NOTE}"}}'.encode(),
        {"template": "vital-signs", "payload": {}, "idempotencyKey": "k", FAMILY: NOTE},
    ):
        with contextlib.suppress(HandshakerError):
            intake.submit(bad, doctor)
    try:
        intake.submit({"template": "vital-signs", "payload": reading, "idempotencyKey": f"{key}/2"}, doctor)
    except HandshakerError as error:
        raised.append(f"{error} {error.to_json()}")
    for token in ("hsk_1_2", registered.token + "x"):
        try:
            instance.handshaker.tokens.authenticate(token)
        except HandshakerError as error:
            raised.append(f"{error} {error.to_json()}")


def spellings(word: str) -> list[bytes]:
    plain = word.encode()
    return [plain, plain.lower(), word.encode("utf-16-le"), plain.hex().encode(), base64.b64encode(plain)[:-4]]


@pytest.mark.parametrize("word", READABLE)
def test_no_name_and_no_reading_is_in_any_file_or_log(run: Run, word: str) -> None:
    assert len(run.files) > 5
    for spelling in spellings(word):
        assert [str(path) for path, content in run.files.items() if spelling in content] == []
    assert word not in run.log


def test_names_of_staff_are_in_no_log_either(run: Run) -> None:
    assert len(run.log) > 10_000, "the libraries had their say too"
    assert STAFF not in run.log


def test_no_secret_is_anywhere_but_in_its_own_file(run: Run) -> None:
    own = run.instance.handshaker.settings.root_key_path
    for name, secret in run.secrets.items():
        forms = [
            secret,
            secret.hex().encode(),
            base64.b64encode(secret).rstrip(b"="),
            base64.urlsafe_b64encode(secret)[:-1],
        ]
        for form in forms:
            found = [str(path) for path, content in run.files.items() if form in content and path != own]
            assert found == [], name
        assert not any(form.decode("latin-1") in run.log for form in forms), name


def test_the_mnemonic_is_only_in_its_own_file_which_only_its_owner_reads(run: Run) -> None:
    paths = [path for path in run.files if "mnemonic" in path.name]
    assert len(paths) == 1
    words = run.files[paths[0]].decode().split()
    assert len(words) == 12
    assert paths[0].stat().st_mode & 0o077 == 0
    phrase = " ".join(words).encode()
    assert [path for path, content in run.files.items() if phrase in content] == paths
    assert phrase.decode() not in run.log


def test_the_searches_look_where_things_are(run: Run) -> None:
    """A pseudonym is in the store, and what the chain was told is in the chain's files."""
    patient = run.instance.consented.actor.actor_id
    store = b"".join(content for path, content in run.files.items() if path.name.startswith("handshaker.db"))
    assert patient.encode() in store
    assert STAFF.encode() in store
    chain = b"".join(content for path, content in run.files.items() if path.suffix not in (".db", ".key"))
    assert patient[2:].encode() in chain or bytes.fromhex(patient[2:]) in chain
