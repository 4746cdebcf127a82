"""Templates: reading them, comparing versions, and writing a new one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from werkzeug.wrappers import Response
from wtforms import TextAreaField

from handshaker import DryRun, HandshakerError
from webapp.access import ADMINISTRATOR, credential, handshaker, open_to
from webapp.administration import acts, meaning
from webapp.administration.blueprint import administration, below

Answer = str | Response | tuple[str, int]
_AROUND = 2
"""Lines that are shown before and after one with a problem."""


class TemplateForm(FlaskForm):  # type: ignore[misc]
    """A template as text, pasted or from a file."""

    text = TextAreaField(
        _l("Template"),
        description=_l("YAML or JSON. Indent with blanks."),
        render_kw={"class": "code", "spellcheck": "false", "autocomplete": "off", "rows": 28},
    )
    file = FileField(
        _l("Or a file"),
        description=_l("Its text takes the place of what stands above."),
        render_kw={"accept": ".yaml,.yml,.json,text/yaml,application/json"},
    )

    def read_file(self) -> None:
        """Take the text of the file, where one was sent; what is not UTF-8 is a problem of the field."""
        raw = self.file.data.read() if self.file.data else b""
        if not raw:
            return
        try:
            # A text area sends line ends as CR LF; both ways must look the same.
            self.text.data = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            self.file.errors = [*self.file.errors, _("This file is not UTF-8 text.")]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the text that was sent, with what is wrong there; number 0 stands for lines left out."""

    number: int
    text: str
    problems: tuple[str, ...] = ()


@administration.get("/templates")
@open_to(ADMINISTRATOR)
def templates() -> str:
    """All of them, what waits for approval, and what was decided lately."""
    parts = handshaker()
    newest = parts.templates.list()
    return render_template(
        "administration/templates.html",
        templates=[(each, parts.templates.versions(each.name)) for each in newest],
        proposals=parts.reviews.open(),
        decided=parts.reviews.decided(10),
        own_id=credential().actor.actor_id,
    )


@administration.route("/templates/new", methods=["GET", "POST"])
@below("templates")
@open_to(ADMINISTRATOR)
def new_template() -> Answer:
    """Check a template, try it, propose it; what was typed stays."""
    form = TemplateForm(text=_beginning())
    if not form.validate_on_submit():
        return render_template("administration/new_template.html", form=form, lines=[], template=None)
    form.read_file()
    do = request.form.get("do", "check")
    try:
        document, template = handshaker().reviews.check(form.text.data or "")
        run = handshaker().reviews.dry_run(document) if do == "dry-run" else None
        if do == "propose":
            return _propose(document)
    except HandshakerError as error:
        return _refused(form, error)
    tried = {"template": template, "run": run, "rows": meaning.rows(run.fields) if run else []}
    return render_template("administration/new_template.html", form=form, lines=[], **tried)


@administration.get("/templates/<name>", defaults={"version": None})
@administration.get("/templates/<name>/<int:version>")
@below("templates")
@open_to(ADMINISTRATOR)
def template(name: str, version: int | None) -> str:
    """One version, the newest where none is named."""
    parts = handshaker()
    found = parts.templates.get(name, version)
    document = parts.templates.document(name, found.version)
    return render_template(
        "administration/template.html",
        template=found,
        versions=parts.templates.versions(name),
        text=parts.reviews.text(document),
        run=_try(document),
        meaning=meaning,
    )


@administration.get("/templates/<name>/difference")
@below("templates")
@open_to(ADMINISTRATOR)
def template_difference(name: str) -> str:
    """How one version differs from another; the newest from the one before, where nothing is chosen."""
    parts = handshaker()
    newest = parts.templates.get(name).version
    after = _version("after", newest)
    before = _version("before", max(1, after - 1))
    old, new = (parts.templates.document(name, number) for number in (before, after))
    return render_template(
        "administration/difference.html",
        name=name,
        versions=parts.templates.versions(name),
        before=before,
        after=after,
        lines=parts.reviews.difference(new, old),
    )


def _propose(document: Any) -> Response:
    proposal = handshaker().reviews.propose(credential(), document)
    acts.tell_done(_("Proposed. Another administrator approves it."))
    return redirect(url_for("administration.proposal", proposal_id=proposal.proposal_id), 303)


def _refused(form: TemplateForm, error: HandshakerError) -> Answer:
    """Show what is wrong, beside the line where it is."""
    problems = _placed(error)
    if not problems:
        acts.tell(form, error)
    page = render_template(
        "administration/new_template.html",
        form=form,
        problems=problems,
        lines=excerpt(form.text.data or "", problems),
        template=None,
    )
    return page, 422


def _placed(error: HandshakerError) -> list[dict[str, Any]]:
    """Return problems as ``{"line", "path", "problem"}``."""
    if error.code == "input-invalid":
        return [{"line": error.data.get("line"), "path": "", "problem": error.data["problem"]}]
    problems = [{"line": None, **problem} for problem in error.data.get("problems", [])]
    return sorted(problems, key=lambda problem: problem["line"] or 0)


def excerpt(text: str, problems: list[dict[str, Any]]) -> list[Line]:
    """Return the lines with problems and those around them; between them one that stands for the rest."""
    lines = text.splitlines()
    told: dict[int, list[str]] = {}
    for problem in problems:
        if problem["line"]:
            told.setdefault(problem["line"], []).append(f"{problem['path']} {problem['problem']}".strip())
    shown = {near for number in told for near in range(number - _AROUND, number + _AROUND + 1)}
    found: list[Line] = []
    for number in sorted(near for near in shown if 1 <= near <= len(lines)):
        if found and number > found[-1].number + 1:
            found.append(Line(0, ""))
        found.append(Line(number, lines[number - 1], tuple(told.get(number, ()))))
    return found


def _beginning() -> str:
    """Return the text that a new template begins with: the newest of a name with the next version."""
    name = request.args.get("from", "")
    if not name:
        return ""
    document = handshaker().templates.document(name)
    return handshaker().reviews.text({**document, "version": document["version"] + 1})


def _try(document: Any) -> DryRun | None:
    """Return what the example becomes, where the template has one that still works."""
    try:
        return handshaker().reviews.dry_run(document)
    except HandshakerError:
        return None


def _version(argument: str, default: int) -> int:
    text = request.args.get(argument, "")
    return int(text) if text.isdecimal() and len(text) < 9 else default
