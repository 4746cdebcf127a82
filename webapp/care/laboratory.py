"""The pathologist's work list, and laboratory reports."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import abort, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import RadioField, TextAreaField
from wtforms.validators import Length

from handshaker import Draft, Identity, vocabulary, writing
from webapp.access import DOCTOR, PATHOLOGIST, credential, handshaker, open_to
from webapp.care import fields, moments, people, sending, submissions
from webapp.care.blueprint import below, care
from webapp.care.fields import MomentField, QuantityField, SigningForm
from webapp.looks import look

_TEMPLATE = "laboratory-report"
SEXES = ("male", "female", "other", "unknown")
"""FHIR's administrative genders."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a laboratory has to do, as far as this system knows: it gets no orders."""

    allowing: Any
    """Who lets it report now."""
    refused: list[Draft]
    """Own reports that wait for consent."""
    sent: list[submissions.Line]
    """Own reports sent last."""


def work() -> Work:
    """Return the work list of this person."""
    laboratory = vocabulary.CATEGORY_BY_CODE["laboratory"]
    return Work(
        handshaker().roster.allowing(credential(), vocabulary.Action.WRITE, laboratory, within=look()),
        [draft for draft in handshaker().drafts.of(credential(), look()) if draft.category == "laboratory"],
        submissions.lines(template=_TEMPLATE, limit=10),
    )


@care.get("/laboratory")
@open_to(PATHOLOGIST)
def work_list() -> str:
    """Show who lets this laboratory report, what was reported last, and what was refused."""
    found = work()
    refused = people.known(draft.patient_id for draft in found.refused)
    return render_template("care/work_list.html", work=found, people=refused)


class ReportForm(SigningForm):
    """One panel; a subclass for each panel has a field for each of its lines."""

    taken_at = MomentField(_l("Specimen taken at"), format=moments.TYPED)
    status = RadioField(
        _l("Status"),
        choices=[("final", _l("Final")), ("preliminary", _l("Preliminary: a final one will follow"))],
        default="final",
    )
    conclusion = TextAreaField(
        _l("Conclusion"), validators=[Length(max=5_000, message=_l("That is too long: 5,000 characters at most."))]
    )
    panel: writing.Panel

    @property
    def values(self) -> dict[str, float]:
        """What was measured, by LOINC code."""
        found = {each.code: self[each.code].data for each in self.panel.analytes}
        return {code: value for code, value in found.items() if value is not None}

    def check(self) -> bool:
        """Whether it can be sent; what is wrong stands at the fields."""
        if self.validate() and not self.values:
            self.form_errors.append(_("Enter at least one result."))
        ranges = {known.code: known.units for known in handshaker().templates.get(_TEMPLATE).plausibility}
        for each in self.panel.analytes:
            low, high = ranges.get(each.code, {}).get(each.ucum, (float("-inf"), float("inf")))
            field = self[each.code]
            if field.data is not None and not low <= field.data <= high:
                fields.complain(field, fields.implausible(low, high, each.unit))
        return not self.errors


@lru_cache(maxsize=64)
def form_of(code: str, sex: str) -> type[ReportForm]:
    """Return the form of a panel; raises ``KeyError``."""
    panel = writing.panel(code, sex)
    values = {each.code: QuantityField(each.name, id=f"value-{each.code}") for each in panel.analytes}
    return type("PanelForm", (ReportForm,), {"panel": panel, **values})


@care.get("/patients/<patient_id>/report")
@below("care.work_list")
@open_to(DOCTOR, PATHOLOGIST)
def report(patient_id: str) -> str:
    """Choose a panel."""
    return render_template("care/panels.html", identity=people.patient(patient_id), panels=writing.PANELS)


@care.get("/patients/<patient_id>/report/<code>")
@below("care.work_list")
@open_to(DOCTOR, PATHOLOGIST)
def report_panel(patient_id: str, code: str) -> str:
    """Show the empty form of a panel."""
    identity = people.patient(patient_id)
    form = _form(code, identity.sex, is_new=True)
    form.taken_at.data = moments.now()
    return _page(identity, form)


@care.post("/patients/<patient_id>/report/<code>")
@below("care.work_list")
@open_to(DOCTOR, PATHOLOGIST)
def send_report(patient_id: str, code: str) -> str | Response:
    """Sign and send it, once."""
    identity = people.patient(patient_id)
    form = _form(code, identity.sex)
    if not form.check():
        return _page(identity, form)
    more = {"sex": identity.sex, "conclusion": form.conclusion.data or "", "status": form.status.data}
    payload = writing.laboratory_report(code, form.values, form.taken_at.moment, **more)
    sending.send(_TEMPLATE, patient_id, payload, f"{form.key.data}/report")
    return sending.see(str(form.key.data))


@care.post("/patients/<patient_id>/report/<code>/flag")
@below("care.work_list")
@open_to(DOCTOR, PATHOLOGIST)
def flag(patient_id: str, code: str) -> str:
    """Say high, low or in range, for one value as it is typed. Opens nobody's identity: the page says the sex."""
    people.checked(patient_id)
    form = _form(code, request.args.get("sex", ""))
    form.validate()
    analyte = next((each for each in form.panel.analytes if each.code == request.args.get("of")), None)
    if analyte is None:
        abort(404)
    return render_template("care/_flag.html", flag=flag_of(analyte, form[analyte.code].data))


def flag_of(analyte: writing.Analyte, value: float | None) -> str:
    """Return the flag of a value, or nothing."""
    return "" if value is None else writing.interpretation(value, analyte.low, analyte.high)


def _form(code: str, sex: str, *, is_new: bool = False) -> ReportForm:
    try:
        kind = form_of(code, sex if sex in SEXES else "")
    except KeyError:
        abort(404)
    return kind(formdata=None) if is_new else kind()


def _page(identity: Identity, form: ReportForm) -> str:
    latest = moments.now().strftime(moments.TYPED)
    return render_template("care/report.html", identity=identity, form=form, flag_of=flag_of, latest=latest)
