"""The quick form: from what is typed to what is valid, refused or asked about."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.instances import demographics
from tests.webapp.care.ward import LIVE, Ward, main
from tests.webapp.web import Web


@pytest.fixture
def ward(web: Web) -> Ward:
    return Ward(web)


def test_what_is_sent_goes_from_received_to_valid_by_itself_with_evidence(own_web: Web) -> None:
    ward = Ward(own_web)
    address = ward.measure(systolic="128", diastolic="82", temperature="36,8")
    page = ward.see(address)
    assert "2 records are on their way" in page
    assert 'hx-trigger="every 1s"' in page
    part = re.search(r'hx-get="([^"]+)"', main(page))
    assert part is not None
    assert ward.client.get(part[1]).status_code == 204
    own_web.hospital.drain()
    page = ward.see(part[1])
    assert "All is valid" in page
    assert "hx-get" not in page
    assert '<div hx-swap-oob="innerHTML:#announced">All is valid' in page
    assert "hx-swap-oob" not in ward.see(address)
    assert page.count("<dt>Block</dt>") == page.count("<dt>Audit log</dt>") == 2
    assert "128/82" in page
    assert "36.8" in page


def test_each_measurement_is_one_transaction(own_web: Web) -> None:
    ward = Ward(own_web)
    before = ward.count()
    ward.measure(**{"systolic": "120", "diastolic": "75", "heart-rate": "70", "weight": "82.5", "height": "181"})
    assert ward.count() == before + 4


def test_a_form_that_is_sent_twice_is_sent_once(own_web: Web) -> None:
    ward = Ward(own_web)
    opened, before = ward.opened(ward.vital_signs()), ward.count()
    first = ward.send_again(ward.vital_signs(), opened, temperature="36.8")
    again = ward.send_again(ward.vital_signs(), opened, temperature="36.8")
    assert first.location == again.location
    assert ward.count() == before + 1


def test_a_form_that_is_sent_again_with_another_value_changes_nothing_and_says_so(own_web: Web) -> None:
    ward = Ward(own_web)
    opened, before = ward.opened(ward.vital_signs()), ward.count()
    ward.send_again(ward.vital_signs(), opened, temperature="36.8")
    answer = ward.send_again(ward.vital_signs(), opened, temperature="37.8")
    assert ward.count() == before + 1
    page = ward.see(answer.location)
    assert "This form was sent before." in page
    assert "37.8" not in page


def test_a_forged_key_is_replaced(ward: Ward) -> None:
    opened = ward.opened(ward.vital_signs()) | {"key": "../../etc"}
    answer = ward.send_again(ward.vital_signs(), opened, temperature="36.6")
    assert re.fullmatch(r"/sent/together/[0-9a-f]{32}", answer.location)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({}, "Enter at least one measurement."),
        ({"systolic": "120"}, "Both pressures belong together."),
        ({"diastolic": "80"}, "Both pressures belong together."),
        ({"systolic": "70", "diastolic": "82"}, "must not be below the diastolic one"),
        ({"systolic": "12", "diastolic": "8"}, "A living person has 20 to 370 mmHg."),
        ({"temperature": "98.6"}, "A living person has 11 to 47 °C."),
        ({"oxygen-saturation": "120"}, "A living person has 5 to 100 %."),
        ({"temperature": "warm"}, "Write a number, such as 36.8."),
        ({"temperature": "-1"}, "Write a number, such as 36.8."),
        ({"temperature": "nan"}, "Write a number, such as 36.8."),
        ({"temperature": "1e1"}, "Write a number, such as 36.8."),
        ({"temperature": "36.8", "taken_at": "yesterday"}, "Write a date and a time."),
        ({"temperature": "36.8", "taken_at": ""}, "Write a date and a time."),
        ({"temperature": "36.8", "taken_at": "2999-01-01T00:00"}, "That is in the future."),
        ({"temperature": "36.8", "taken_at": "1969-12-31T23:59"}, "before the patient was born"),
    ],
)
def test_what_is_wrong_is_said_at_the_field_and_nothing_is_sent(
    ward: Ward, values: dict[str, str], problem: str
) -> None:
    before = ward.count()
    answer = ward.fill(ward.vital_signs(), **values)
    assert answer.status_code == 200
    assert problem in answer.text
    assert 'role="alert"' in answer.text
    for name, value in values.items():
        if name != "taken_at":
            assert f'name="{name}"' in answer.text
            assert f'value="{value}"' in answer.text
    assert ward.count() == before


def test_a_rare_value_is_asked_about_once(own_web: Web) -> None:
    ward = Ward(own_web)
    opened, before = ward.opened(ward.vital_signs()), ward.count()
    values = {"systolic": "228", "diastolic": "112"}
    asked = ward.send_again(ward.vital_signs(), opened, **values)
    assert asked.status_code == 200
    assert "Is this right?" in asked.text
    assert "Systolic pressure 228 mmHg" in asked.text
    assert ward.count() == before
    sure = re.search(r'name="sure" value="([0-9a-f]+)"', asked.text)
    assert sure is not None
    other = ward.send_again(ward.vital_signs(), opened, **values | {"systolic": "238"}, sure=sure[1])
    assert "Systolic pressure 238 mmHg" in other.text
    sent = ward.send_again(ward.vital_signs(), opened, **values, sure=sure[1])
    assert sent.status_code == 303
    assert ward.count() == before + 1


def test_of_a_child_nothing_is_called_usual_or_rare(own_web: Web) -> None:
    ward, hospital = Ward(own_web), own_web.hospital
    resource = demographics("Child") | {"birthDate": str(hospital.clock.now().date() - timedelta(days=400))}
    registered = hospital.handshaker.registrar.register_patient(hospital.administrator, resource, None)
    hospital.drain()
    address = ward.vital_signs(registered.actor_id)
    assert "usual 60–100" not in ward.see(address)
    assert ward.fill(address, **{"heart-rate": "145", "weight": "10,4"}).status_code == 303


def test_the_time_may_be_set_back_and_is_the_hospitals(own_web: Web) -> None:
    ward, hospital = Ward(own_web), own_web.hospital
    hospital.handshaker.settings = hospital.handshaker.settings.model_copy(update={"timezone": "Asia/Kolkata"})
    earlier = hospital.clock.now() - timedelta(hours=3)
    typed = (earlier + timedelta(hours=5, minutes=30)).strftime("%Y-%m-%dT%H:%M")
    ward.measure(temperature="36.8", taken_at=typed)
    row = hospital.handshaker.explorer.search(limit=1).rows[0]
    record = hospital.handshaker.submissions.get(hospital.nurse, row.ti_id)
    assert record.payload["effectiveDateTime"] == earlier.strftime("%Y-%m-%dT%H:%M:00Z")


def test_without_consent_it_becomes_invalid_with_a_sentence_and_a_next_step(own_web: Web) -> None:
    ward = Ward(own_web)
    address = ward.measure(ward.silent, temperature="36.8")
    own_web.hospital.drain()
    page = main(ward.see(address))
    assert "The patient has not allowed writing vital signs for treatment." in page
    assert "Nothing is lost" in page
    assert "Ask the patient for consent" in page


def test_while_the_chain_is_down_it_is_kept_and_goes_on_by_itself(
    own_web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    ward = Ward(own_web)
    with ward.without_chain(monkeypatch):
        address = ward.measure(temperature="36.8")
        assert "1 record is on its way" in ward.see(address)
        assert "Received" in ward.see("/today")
    own_web.hospital.drain()
    assert "All is valid" in ward.see(address)


@pytest.mark.parametrize("role", ["pathologist", "administrator", "auditor"])
def test_another_role_cannot_measure(web: Web, role: str) -> None:
    ward = Ward(web, role)
    assert ward.client.get(ward.vital_signs()).status_code == 403


def test_what_was_sent_together_is_shown_to_its_author_only(web: Web) -> None:
    address = Ward(web).measure()
    assert Ward(web, "doctor").client.get(address).status_code == 404
    assert Ward(web, "doctor").client.get(f"{address}/progress", headers=LIVE).status_code == 404
