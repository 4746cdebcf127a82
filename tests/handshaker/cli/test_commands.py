"""What each command prints when all is well: for people, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from handshaker.cli.output import console
from tests.handshaker.cli.conftest import Shell
from tests.instances import Instance, blood_pressure

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def payload(tmp_path: Path) -> Path:
    path = tmp_path / "payload.json"
    path.write_text(json.dumps(blood_pressure()))
    return path


@pytest.fixture(params=[80, 120])
def width(request: pytest.FixtureRequest) -> Iterator[int]:
    """The columns of the terminal."""
    before = console.width
    console.width = request.param
    yield request.param
    console.width = before


def test_an_instance_is_made_once(shell: Shell) -> None:
    first = shell.json("init")
    tokens = Path(shell.settings["instance"]) / "tokens"
    kept = {path.name: path.read_text() for path in tokens.iterdir()}
    assert kept.keys() == {"administrator.token", "second-administrator.token"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in tokens.iterdir())
    assert shell.json("init") == first
    assert {path.name: path.read_text() for path in tokens.iterdir()} == kept
    assert "vital-signs@1" in first["templates"]
    words = shell.run("init").stdout
    assert "chain start" in words
    assert not any(token.strip() in words for token in kept.values())


def test_a_transaction_is_followed_to_its_acknowledgement(
    ward: Shell, hospital: Instance, patient: str, payload: Path
) -> None:
    answer = ward.json("submit", "vital-signs", payload, "--patient", patient[:12], "--as", "nurse")
    ti = answer["ti"]
    assert answer["acknowledgement"] is None
    assert answer["known"] is False
    assert ward.json("status", ti)["status"] == "received"
    assert "waiting for the acknowledgement" in ward.run("status", ti).stdout
    on_its_way = ward.run("ack", "show", ti)
    assert on_its_way.exit_code == 1
    assert "still on its way" in on_its_way.stderr
    hospital.drain()
    told = ward.json("status", ti)
    assert told["status"] == "valid"
    assert told["acknowledgement"]["block"] > 0
    assert ward.json("status", ti, "--watch") == told
    assert ward.json("status", ti[:8])["ti"] == ti
    shown = ward.json("ack", "show", ti[:8])
    assert shown["ti"] == ti
    assert shown["events"][0]["kind"] == "received"
    assert shown["leafHash"].startswith("0x")
    for words in (("status", ti), ("status", ti, "--watch"), ("ack", "show", ti)):
        assert "valid" in ward.run(*words).stdout


def test_a_payload_may_come_through_a_pipe(ward: Shell, patient: str) -> None:
    words = ("submit", "vital-signs", "-", "--patient", patient.upper().replace("0X", "0x"), "--as", "nurse")
    result = ward.run(*words, standard_input=json.dumps(blood_pressure()).encode())
    assert result.exit_code == 0
    assert "status" in result.stdout, "the next step is named"


def test_the_token_may_come_from_the_environment(ward: Shell, hospital: Instance, patient: str, payload: Path) -> None:
    words = ("submit", "vital-signs", payload, "--patient", patient)
    assert ward.json(*words, token=hospital.tokens["nurse"])["ti"]


def test_an_invalid_acknowledgement_gives_exit_code_3(ward: Shell, hospital: Instance, payload: Path) -> None:
    silent = hospital.silent.actor.actor_id
    words = ("submit", "vital-signs", payload, "--patient", silent, "--as", "nurse", "--key", "once", "--wait")
    assert ward.run(*words, "--timeout", "0").exit_code == 0, "nothing is known yet"
    hospital.drain()
    answer = ward.json(*words, exit_code=3)
    assert answer["known"] is True
    assert answer["acknowledgement"]["code"] == "not-permitted"
    for_people = ward.run(*words)
    assert for_people.exit_code == 3
    assert "✘ invalid" in for_people.stdout


def test_a_refusal_names_its_transaction_which_is_acknowledged(ward: Shell, patient: str, tmp_path: Path) -> None:
    path = tmp_path / "payload.json"
    path.write_text(json.dumps(blood_pressure(systolic=900)))
    words = ("submit", "vital-signs", path, "--patient", patient, "--as", "nurse")
    answer = ward.json(*words, exit_code=1)
    assert answer["error"]["code"] == "implausible"
    assert ward.json("ack", "show", answer["ti"])["verdict"] == "invalid"
    result = ward.run(*words)
    assert "20 to 370 mm[Hg]" in result.stderr
    assert result.stderr.count("is not plausible for") == 1


def test_acknowledgements_are_listed_and_narrowed(ward: Shell, hospital: Instance, patient: str) -> None:
    hospital.acknowledged(hospital.measure())
    hospital.acknowledged(hospital.measure(hospital.silent))
    everything = ward.json("ack", "list", "--limit", "1000")
    assert [each["position"] for each in everything] == sorted(each["position"] for each in everything)
    assert ward.json("ack", "list", "--limit", "1") == everything[-1:]
    after = everything[0]["position"]
    assert ward.json("ack", "list", "--after", str(after), "--limit", "1") == everything[1:2]
    nurse = hospital.nurse.actor.actor_id
    for option, value, key, wanted in (
        ("--verdict", "invalid", "verdict", "invalid"),
        ("--code", "not-permitted", "code", "not-permitted"),
        ("--patient", patient[:10], "patient", patient),
        ("--actor", nurse[:10], "actor", nurse),
        ("--template", "consent-grant@1", "template", "consent-grant@1"),
    ):
        found = ward.json("ack", "list", option, value, "--limit", "1000")
        assert found == [each for each in everything if each[key] == wanted]
        assert found
    assert ward.json("ack", "list", "--code", "of-no-kind") == []
    assert "no such acknowledgements" in ward.run("ack", "list", "--code", "of-no-kind").stdout


def test_no_table_is_wider_than_the_terminal_or_cuts_words_short(ward: Shell, hospital: Instance, width: int) -> None:
    submission = hospital.measure()
    hospital.acknowledged(submission)
    hospital.acknowledged(hospital.measure(hospital.silent))
    for words in (("ack", "list"), ("template", "list"), ("status", submission.ti_id)):
        text = ward.run(*words).stdout
        tables = [line for line in text.splitlines() if line[:1] in "│┃┏└┡├"]
        assert {len(line) for line in tables} <= set(range(20, width + 1)), words
        assert "OrganisationRegist" in text or words != ("ack", "list")
        cut = [line for line in tables if "…" in line.replace("0x", "…0x").split("…0x")[0]]
        assert cut == [], "only hashes are shown by their beginning"


def test_templates_are_listed_and_shown_as_they_are_written(ward: Shell, tmp_path: Path) -> None:
    listed = ward.json("template", "list")
    assert "vital-signs" in [each["name"] for each in listed]
    for each in listed:
        shown = ward.json("template", "show", each["name"])
        assert each["version"] in shown["versions"]
        words = ward.run("template", "show", f"{each['name']}@{each['version']}").stdout
        document = yaml.safe_load(words)
        assert list(document)[:2] == ["name", "version"]
        path = tmp_path / f"{each['name']}.yaml"
        path.write_text(words)
        assert ward.json("template", "check", path)["digest"] == each["digest"], "what is shown can be used"


def test_a_template_is_proposed_by_one_administrator_and_approved_by_another(
    ward: Shell, hospital: Instance, patient: str, tmp_path: Path
) -> None:
    document = ward.json("template", "show", "vital-signs") | {"name": "ward-round", "covers": []}
    del document["versions"], document["covers"]
    path = tmp_path / "ward-round.yaml"
    path.write_text(yaml.safe_dump(document))
    assert "template add" in ward.run("template", "check", path).stdout
    assert "ward-round" not in ward.run("template", "list").stdout
    proposal = ward.json("template", "add", path, "--as", "administrator")
    assert (proposal["name"], proposal["version"]) == ("ward-round", 1)
    assert ward.json("template", "proposals") == [proposal]
    assert "ward-round@1" in ward.run("template", "proposals").stdout
    assert "ward-round" not in ward.run("template", "list").stdout
    approve = ("template", "approve", "ward-round@1", "--as")
    ward.fails("template", "add", path, "--as", "administrator", code="proposal-exists", says="Decide")
    ward.fails(*approve, "administrator", code="second-administrator-needed", says="another administrator")
    assert "submit ward-round" in ward.run(*approve, "second_administrator").stdout
    ward.fails(*approve, "second_administrator", code="not-found", says="No proposal of ward-round@1 waits")
    assert "No template waits" in ward.run("template", "proposals").stdout
    reading = tmp_path / "reading.json"
    reading.write_text(json.dumps(document["example"]))
    submitted = ward.json("submit", "ward-round@1", reading, "--patient", patient, "--as", "nurse")
    assert submitted["statement"]
    path.write_text(path.read_text().replace("title: Vital signs", "title: Something else"))
    ward.fails("template", "add", path, "--as", "administrator", code="template-immutable", says="next version")


def test_the_example_of_the_project_fits(ward: Shell, patient: str) -> None:
    example = ROOT / "examples" / "blood-pressure.json"
    assert ward.json("submit", "vital-signs", example, "--patient", patient, "--as", "nurse")["statement"]
