"""The whole API, fuzzed against its own document by schemathesis, as several people and as nobody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi import checks

from handshaker.worker_lock import claim
from tests.instances import Instance
from tests.webapp.api.conftest import make_api
from webapp.api.contract import document
from webapp.api.streams import Patience
from webapp.extensions import limiter

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.missing_required_header,
    checks.unsupported_method,
    checks.allow_header_conformance,
    checks.ignored_auth,
]
EXAMPLES = 15
"""Of each operation and person, beside those that cover every boundary of the document."""


PEOPLE = ("nurse", "administrator", "consented", "nobody")


class Stage:
    """The application that is on: schemathesis wants one before there is a hospital."""

    app: Flask

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self.app(environ, start_response)


stage = Stage()
described = schemathesis.openapi.from_dict(
    document(), config=SchemathesisConfig.from_dict({"generation": {"max-examples": EXAMPLES, "no-shrink": True}})
)
described.app = stage


@pytest.fixture(scope="module", autouse=True)
def fuzzed(hospital: Instance) -> Iterator[None]:
    """An instance that is ready, streams that end at once, and nobody who counts."""
    stage.app = make_api(hospital)
    stage.app.extensions["api-patience"] = Patience(pause=0.001, longest=0)
    limiter.enabled = False
    settings = hospital.handshaker.settings
    with claim(settings.instance, settings.worker, hospital.handshaker.store):
        yield
    limiter.enabled = True


@pytest.fixture(params=PEOPLE)
def headers(request: pytest.FixtureRequest, hospital: Instance) -> dict[str, str]:
    """What somebody sends, with a token of their own that the fuzzing may spoil."""
    if request.param == "nobody":
        return {}
    credential = getattr(hospital, request.param)
    token = hospital.handshaker.tokens.issue(credential, credential.scopes, label="fuzzed")
    return {"Authorization": f"Bearer {token}"}


@described.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_of_the_document(case: schemathesis.Case, headers: dict[str, str]) -> None:
    case.call_and_validate(headers=headers, checks=CHECKS)


@pytest.mark.parametrize("name", ["nurse", "administrator"])
def test_one_thing_leads_to_another_as_the_document_links_them(name: str, hospital: Instance) -> None:
    """Lists lead to what they list, what was made to what it is; what is gone is not found again."""
    hospital.measure()
    hospital.drain()
    token = hospital.handshaker.tokens.issue(getattr(hospital, name), ("submit", "read"), label="fuzzed")

    class Walk(described.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: schemathesis.Case) -> dict[str, Any]:
            return {"headers": {"Authorization": f"Bearer {token}"}}

        def validate_response(self, response: Any, case: schemathesis.Case, **more: Any) -> None:
            # Whether the token counts is asked above, where schemathesis knows of it.
            asked = [check for check in CHECKS if check is not checks.ignored_auth]
            case.validate_response(response, checks=[*asked, checks.use_after_free])

    Walk.run(
        settings=settings(max_examples=8, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck))
    )
