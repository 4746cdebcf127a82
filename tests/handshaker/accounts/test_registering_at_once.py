"""The same patient, registered by several people at the same moment."""

from __future__ import annotations

import threading

import pytest

from handshaker.registrar import Registered
from tests.instances import Instance, demographics


@pytest.mark.parametrize("family", ["Abdi", "Berg", "Costa"])
def test_of_many_who_register_the_same_patient_at_once_one_gets_the_code_and_it_signs(
    hospital: Instance, family: str
) -> None:
    registrar, found = hospital.handshaker.registrar, list[Registered]()
    together = threading.Barrier(6)

    def register(number: int) -> None:
        administrator = (hospital.administrator, hospital.second_administrator)[number % 2]
        together.wait()
        found.append(registrar.register_patient(administrator, demographics(family), f"urn:example|{family}"))

    people = [threading.Thread(target=register, args=(number,)) for number in range(6)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    hospital.drain()

    (code,) = [each.token for each in found if each.token is not None]
    assert (len(found), len({(each.actor_id, each.submission.ti_id) for each in found})) == (6, 1)
    patient = hospital.handshaker.tokens.authenticate(code)
    assert hospital.acknowledged(hospital.consent(patient)).code == "effect"
