"""Is it there, is it ready, what does it count, what can it do, what can go wrong."""

from __future__ import annotations

from flask import Response

from handshaker import HealthState, errors, overall_health
from webapp.api import contract, metrics, problems, representations
from webapp.api.calls import Answer, Call
from webapp.refusals import NotReady


def is_live(call: Call) -> Answer:
    """Answer."""
    return Answer({"status": "live"})


def is_ready(call: Call) -> Answer:
    """Answer the checks; raises ``NotReady`` where one is ill."""
    found = call.handshaker.health.ready()
    checks = [representations.check(check) for check in found]
    state = overall_health(found)
    if state is HealthState.ILL:
        ill = ", ".join(check.name for check in found if check.state is HealthState.ILL)
        raise NotReady(f"Not ready: {ill}.", checks=checks)
    return Answer({"status": "ready" if state is HealthState.OK else str(state), "checks": checks})


def read_metrics(call: Call) -> Response:
    """Answer the figures."""
    return Response(metrics.told(call.handshaker), content_type=metrics.MEDIA_TYPE)


def read_document(call: Call) -> Answer:
    """Answer the document."""
    return Answer(contract.document())


def list_problems(call: Call) -> Answer:
    """Answer every kind of problem."""
    return Answer({"problems": list(problems.kinds())})


def read_problem(call: Call) -> Answer:
    """Answer one kind of problem; raises ``NotFound``."""
    for kind in problems.kinds():
        if kind["code"] == call.parameters["code"]:
            return Answer(kind)
    raise errors.NotFound("There is no problem with that code.", what="problem")
