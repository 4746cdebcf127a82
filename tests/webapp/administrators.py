"""What tests of the administrators' pages share: their words, their forms, and people to register."""

from __future__ import annotations

import re
from html import unescape

from werkzeug.test import TestResponse

from handshaker.messages import Actor
from tests.instances import Instance

HOME = "/administration"


def words(answer: TestResponse) -> str:
    """What a page says, without its markup."""
    text = re.sub(r"<script.*?</script>", " ", answer.text, flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def form_of(answer: TestResponse) -> dict[str, str]:
    """The values that the fields of a page's main form have."""
    main = answer.text.partition("<main")[2]
    found = {}
    for tag in re.findall(r"<input[^>]+>", main):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and 'type="checkbox"' not in tag:
            found[name[1]] = unescape(value[1]) if value else ""
    return found


def person(**changes: str) -> dict[str, str]:
    return {"name": "Dr Noor Lindgren", "role": "doctor", "organisation": "1", "licence_until": "2029-05-01", **changes}


def patient(**changes: str) -> dict[str, str]:
    return {"family": "Brimstad", "given": "Halvard Odd", "born": "1951-03-07", "sex": "male", "number": "", **changes}


def actor_named(hospital: Instance, name: str) -> Actor:
    return next(member.actor for member in hospital.handshaker.staff.members() if member.actor.name == name)
