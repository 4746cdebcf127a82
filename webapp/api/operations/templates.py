"""What can be handed in."""

from __future__ import annotations

from webapp.api import representations
from webapp.api.calls import Answer, Call


def list_templates(call: Call) -> Answer:
    """Answer the newest version of each."""
    return Answer({"templates": [representations.template_line(each) for each in call.handshaker.templates.list()]})


def read_newest_template(call: Call) -> Answer:
    """Answer the newest version of one."""
    return _template(call, None)


def read_template(call: Call) -> Answer:
    """Answer one version."""
    return _template(call, call.parameters["version"])


def _template(call: Call, version: int | None) -> Answer:
    templates, name = call.handshaker.templates, call.parameters["name"]
    found = templates.get(name, version)
    return Answer(
        {
            "name": found.name,
            "version": found.version,
            "digest": found.digest,
            "versions": list(templates.versions(name)),
            "document": templates.document(name, found.version),
        }
    )
