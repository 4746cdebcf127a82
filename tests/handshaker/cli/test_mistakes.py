"""What people do wrong gets exit code 1 and a line that names the mend; never a traceback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from handshaker.worker_lock import claim
from tests.handshaker.cli.conftest import Shell, shell_of
from tests.instances import Instance, blood_pressure

READING = json.dumps(blood_pressure()).encode()
OPENING = [
    ("deploy",),
    ("work",),
    ("ack", "list"),
    ("ack", "show", "0123abcd"),
    ("status", "0123abcd"),
    ("template", "list"),
    ("template", "show", "vital-signs"),
    ("template", "check", "x.yaml"),
    ("template", "add", "x.yaml"),
    ("submit", "vital-signs", "-"),
    ("import", "."),
]
"""Commands that need an instance."""


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port where something listens that is no node."""
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield server.server_port
        server.shutdown()


@pytest.mark.parametrize("words", OPENING, ids=" ".join)
def test_without_an_instance_the_way_to_one_is_named(shell: Shell, words: tuple[str, ...]) -> None:
    line = shell.fails(*words, code="input-invalid", says="`handshaker init`")
    assert "There is no instance" in line
    assert not Path(shell.settings["instance"]).exists(), "asking makes nothing"


@pytest.mark.parametrize("name", ["..", "../x", "a/b", "a b", "", "é", "-x", "x" * 65, "x\n"])
def test_a_worker_needs_a_plain_name(ward: Shell, name: str) -> None:
    ward.fails("work", worker=name, code="settings-invalid", says="HANDSHAKER_WORKER")


@pytest.mark.parametrize(
    ("setting", "value"), [("chain_profile", "x"), ("log_level", "loud"), ("payload_limit", "0"), ("demo", "perhaps")]
)
def test_a_setting_that_is_wrong_is_named(ward: Shell, setting: str, value: str) -> None:
    terminal = Shell(ward.settings | {setting: value})
    for words in (("ack", "list"), ("init",)):
        terminal.fails(*words, code="settings-invalid", says=f"HANDSHAKER_{setting.upper()}")


@pytest.mark.parametrize("place", ["/proc/nowhere/instance", __file__])
def test_an_instance_cannot_be_everywhere(shell: Shell, place: str) -> None:
    for words in (("init",), ("chain", "start"), ("up", "--port", "0")):
        shell.fails(*words, instance=place, code="input-invalid", says="Check the path")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "--as NAME"),
        (("--as", "nobody-here"), "there are administrator, consented, doctor"),
        (("--as", "../keys/root"), "there are administrator"),
    ],
)
def test_whoever_asks_must_say_who_they_are(ward: Shell, patient: str, words: tuple[str, ...], says: str) -> None:
    code = "not-found" if words else "not-authenticated"
    asked = ("submit", "vital-signs", "-", "--patient", patient, *words)
    ward.fails(*asked, code=code, says=says, standard_input=READING)


@pytest.mark.parametrize("token", ["x", "hsk_1_2", "hsk_" + "A" * 3000, "§$%&/", "hsk__", "null"])
def test_a_token_of_garbage_opens_nothing_and_is_not_repeated(ward: Shell, patient: str, token: str) -> None:
    words = ("submit", "vital-signs", "-", "--patient", patient)
    line = ward.fails(*words, token=token, code="not-authenticated", says="administrator", standard_input=READING)
    assert len(token) < 5 or token not in line


@pytest.mark.parametrize(
    ("template", "code", "says"),
    [
        ("nonsense", "template-unknown", "`handshaker template list`"),
        ("vital-signs@99", "template-unknown", "`handshaker template list`"),
        ("vital-signs@x", "envelope-invalid", "template must match"),
        ("[bold]x[/]", "envelope-invalid", "template must match"),
    ],
)
def test_an_unknown_template_is_named(ward: Shell, patient: str, template: str, code: str, says: str) -> None:
    words = ("submit", template, "-", "--patient", patient, "--as", "nurse")
    ward.fails(*words, code=code, says=says, standard_input=READING)


@pytest.mark.parametrize("name", ["nonsense", "vital-signs@99", "vital-signs@x", "vital-signs@", "@1", "[/]", "a@²"])
def test_a_template_that_is_not_there_cannot_be_shown(ward: Shell, name: str) -> None:
    ward.fails("template", "show", name, code="template-unknown", says="`handshaker template list`")


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (b"", "envelope-invalid", "line 1"),
        (b'{"a":', "envelope-invalid", "line 1"),
        (b"\x7fELF\x00\xff", "envelope-invalid", "UTF-8"),
        (b"[1]", "envelope-invalid", "must be an object"),
        (b"[" * 100_000, "envelope-invalid", "deep"),
        (b'{"a": NaN}', "envelope-invalid", "JSON"),
        (b"{}", "schema-violated", "status is missing"),
        (json.dumps({"note": "x" * 1_200_000}).encode(), "payload-too-large", "1000000"),
    ],
    ids=["empty", "cut", "binary", "list", "deep", "nan", "bare", "large"],
)
def test_a_payload_that_is_none_is_refused_with_the_place(
    ward: Shell, patient: str, tmp_path: Path, content: bytes, code: str, says: str
) -> None:
    path = tmp_path / "payload.json"
    path.write_bytes(content)
    ward.fails("submit", "vital-signs", path, "--patient", patient, "--as", "nurse", code=code, says=says)


def test_a_missing_file_is_named(ward: Shell, patient: str, tmp_path: Path) -> None:
    missing = tmp_path / "missing.json"
    words = ("submit", "vital-signs", missing, "--patient", patient, "--as", "nurse")
    ward.fails(*words, code="input-invalid", says="missing.json cannot be read: No such file")
    ward.fails("template", "check", missing, code="input-invalid", says="No such file")
    ward.fails("template", "add", missing, "--as", "administrator", code="input-invalid", says="No such file")


@pytest.mark.parametrize("text", ["zz", "0x", "0x12", "0xffffffff", "[bold]", "%", "x" * 5000])
def test_a_patient_who_is_nobody_is_said_to_be(ward: Shell, text: str) -> None:
    says = "register-patient"
    ward.fails("ack", "list", "--patient", text, code="not-found", says=says)
    words = ("submit", "vital-signs", "-", "--patient", text, "--as", "nurse")
    ward.fails(*words, code="not-found", says=says, standard_input=READING)


def test_a_forgotten_patient_is_asked_for(ward: Shell) -> None:
    result = ward.run("submit", "vital-signs", "-", "--as", "nurse", standard_input=READING)
    assert result.exit_code == 1
    assert "--patient" in result.stderr


def test_a_role_that_may_not_is_told_who_may(ward: Shell, patient: str) -> None:
    words = ("submit", "vital-signs", "-", "--patient", patient, "--as", "pathologist")
    ward.fails(*words, code="role-not-allowed", says="doctor, nurse", standard_input=READING)


def test_one_key_is_for_one_request(ward: Shell, patient: str) -> None:
    words = ("submit", "vital-signs", "-", "--patient", patient, "--as", "nurse", "--key", "the same")
    assert ward.run(*words, standard_input=READING).exit_code == 0
    assert "was here before" in ward.run(*words, standard_input=READING).stdout
    other = json.dumps(blood_pressure(systolic=119)).encode()
    ward.fails(*words, code="idempotency-conflict", says="new key", standard_input=other)


@pytest.mark.parametrize("ti", ["x", "", "%", "________", "[/]", "0" * 5000])
def test_an_unknown_ti_is_said_to_be(ward: Shell, ti: str) -> None:
    for words in (("status", ti), ("status", ti, "--watch"), ("ack", "show", ti)):
        ward.fails(*words, code="not-found", says="`handshaker ack list`")


def test_a_template_with_mistakes_is_answered_with_lines(ward: Shell, tmp_path: Path) -> None:
    import yaml

    document = ward.json("template", "show", "vital-signs")
    del document["versions"]
    path = tmp_path / "wrong.yaml"
    text = yaml.safe_dump(document | {"lifetime": "long", "roles": ["docter"]}, sort_keys=False)
    path.write_text(text)
    lines = text.splitlines()
    for word in ("check", "add"):
        who = ("--as", "administrator") if word == "add" else ()
        ward.fails("template", word, path, *who, code="template-invalid", says="lifetime: must be a whole number")
    answer = ward.run("template", "check", path).stderr
    assert f"line {lines.index('lifetime: long') + 1}, lifetime" in answer
    assert f"line {lines.index('- docter') + 1}, roles[0]" in answer
    path.write_text("a: [1, 2\nb: {")
    ward.fails("template", "check", path, code="input-invalid", says="line 2")
    path.write_bytes(b"\x00\xff\xfe")
    ward.fails("template", "check", path, code="input-invalid", says="UTF-8")


@pytest.mark.parametrize("person", ["nurse", "consented"])
def test_only_administrators_propose_and_approve_templates(ward: Shell, tmp_path: Path, person: str) -> None:
    path = tmp_path / "any.yaml"
    path.write_text("name: any")
    ward.fails("template", "add", path, "--as", person, code="role-not-allowed", says="administrators")
    ward.fails("template", "add", path, code="not-authenticated", says="--as NAME")
    ward.fails("template", "approve", "any@1", "--as", person, code="role-not-allowed", says="administrators")


def test_a_chain_that_does_not_run_is_said_to_be(ward: Shell, tmp_path: Path) -> None:
    for words in (("deploy",), ("work",)):
        ward.fails(*words, code="chain-unreachable", says="`handshaker chain start`")
    (tmp_path / "bundle.json").write_text("{}")
    importing = ("import", tmp_path, "--as", "nurse", "--administrator", "administrator")
    ward.fails(*importing, code="chain-unreachable", says="`handshaker chain start`")
    ward.fails("deploy", chain_url="nonsense", code="chain-unreachable", says="HANDSHAKER_CHAIN_URL")


def test_a_port_that_is_taken_is_named_and_nothing_is_left_running(shell: Shell, taken_port: int) -> None:
    for words in (("chain", "start"), ("up",)):
        shell.fails(*words, "--port", taken_port, code="port-taken", says=str(taken_port))


def test_a_worker_of_a_name_runs_once(ward: Shell, hospital: Instance) -> None:
    with claim(hospital.handshaker.settings.instance, "worker-1", hospital.handshaker.store):
        ward.fails("work", code="worker-running", says="HANDSHAKER_WORKER")


def test_a_missing_root_key_is_no_reason_to_make_another(own_hospital: Instance) -> None:
    settings = own_hospital.handshaker.settings
    terminal = shell_of(own_hospital)
    kept = settings.root_key_path.rename(settings.root_key_path.with_name("elsewhere"))
    for words in (("ack", "list"), ("work",)):
        assert terminal.run(*words).exit_code == 1
        assert not settings.root_key_path.exists()
    terminal.fails("init", code="root-key-unusable", says="mode 0600")
    assert not settings.root_key_path.exists()
    kept.rename(settings.root_key_path)
    settings.root_key_path.chmod(0o644)
    terminal.fails("ack", "list", code="root-key-unusable", says="chmod 600")
    settings.root_key_path.chmod(0o600)
    assert terminal.run("ack", "list").exit_code == 0
    settings.root_key_path.write_bytes(b"short")
    terminal.fails("ack", "list", code="root-key-unusable", says="32 bytes")
    settings.root_key_path.write_bytes(bytes(32))
    terminal.fails("ack", "list", code="root-key-unusable", says="right key file")


@pytest.mark.sqlite
@pytest.mark.parametrize("name", ["vault.db", "handshaker.db"])
def test_a_corrupted_database_is_said_to_be(own_hospital: Instance, name: str) -> None:
    settings = own_hospital.handshaker.settings
    own_hospital.close()
    for path in settings.instance.glob(f"{name}-*"):
        path.unlink()
    (settings.instance / name).write_bytes(b"no database " * 1000)
    terminal = shell_of(own_hospital)
    terminal.fails("ack", "list", code="store-unavailable", says="database")
