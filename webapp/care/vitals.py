"""The quick form for vital signs."""

from __future__ import annotations

from flask import render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import HiddenField

from handshaker import Identity, is_unusual, writing
from webapp import live
from webapp.access import DOCTOR, NURSE, handshaker, open_to
from webapp.care import moments, people, sending, words
from webapp.care.blueprint import below, care
from webapp.care.fields import MomentField, QuantityField, SigningForm, complain, implausible

_ADULT = 18


class VitalSignsForm(SigningForm):
    """Any of the vital signs, measured at one time."""

    taken_at = MomentField(_l("Measured at"), format=moments.TYPED)
    sure = HiddenField()

    @property
    def signs(self) -> dict[str, QuantityField]:
        """The fields by the key of their vital sign."""
        return {sign.key: self[sign.key] for sign in writing.VITAL_SIGNS}

    @property
    def values(self) -> dict[str, float]:
        """What was measured."""
        return {key: field.data for key, field in self.signs.items() if field.data is not None}

    def check(self, identity: Identity) -> bool:
        """Whether it can be sent; what is wrong stands at the fields."""
        is_fine = bool(self.validate())
        if is_fine and not self.values:
            self.form_errors.append(_("Enter at least one measurement."))
        self._check_pressures()
        self._check_values()
        if identity.born and self.taken_at.data and self.taken_at.data.date() < identity.born:
            complain(self.taken_at, _("That is before the patient was born."))
        return not self.errors

    def doubts(self, identity: Identity) -> list[str]:
        """Return what is possible and rare, to be asked about once; of children nobody knows here what is rare."""
        found = [
            _("%(what)s %(value)s %(unit)s", what=field.label.text, value=f"{field.data:g}", unit=SIGNS[key].unit)
            for key, field in self.signs.items()
            if is_adult(identity) and field.data is not None and is_unusual(key, field.data)
        ]
        if self.taken_at.data and (moments.now() - self.taken_at.data).days >= 1:
            found.append(_("measured more than a day ago"))
        return found

    def _check_pressures(self) -> None:
        systolic, diastolic = (self[key] for key in sending.PRESSURES)
        for one, other in ((systolic, diastolic), (diastolic, systolic)):
            if one.data is None and other.data is not None and not one.errors:
                complain(one, _("Both pressures belong together."))
        if systolic.data is not None and diastolic.data is not None and systolic.data < diastolic.data:
            complain(systolic, _("The systolic pressure must not be below the diastolic one."))

    def _check_values(self) -> None:
        limits = plausible()
        for key, value in self.values.items():
            low, high = limits.get(key, (float("-inf"), float("inf")))
            if not low <= value <= high:
                complain(self[key], implausible(low, high, SIGNS[key].unit))


SIGNS = {sign.key: sign for sign in writing.VITAL_SIGNS}
for _key, _sign in SIGNS.items():
    setattr(VitalSignsForm, _key, QuantityField(words.SIGNS.get(_key, _sign.name)))


def is_adult(identity: Identity) -> bool:
    """Whether the usual values of adults say something about a patient."""
    age = identity.age(moments.today())
    return age is None or age >= _ADULT


def plausible() -> dict[str, tuple[float, float]]:
    """Return what the template takes for each vital sign, in the unit of the form."""
    ranges = {known.code: known.units for known in handshaker().templates.get("vital-signs").plausibility}
    return {key: ranges[sign.code][sign.ucum] for key, sign in SIGNS.items() if sign.ucum in ranges.get(sign.code, {})}


@care.get("/patients/<patient_id>/vital-signs")
@below("care.patients")
@open_to(DOCTOR, NURSE)
def vital_signs(patient_id: str) -> str:
    """Show the empty form."""
    identity, form = people.patient(patient_id), VitalSignsForm(formdata=None)
    form.taken_at.data = moments.now().replace(second=0, microsecond=0)
    return _page(identity, form)


@care.post("/patients/<patient_id>/vital-signs")
@below("care.patients")
@open_to(DOCTOR, NURSE)
def send_vital_signs(patient_id: str) -> str | Response:
    """Sign and send each measurement, once."""
    identity, form = people.patient(patient_id), VitalSignsForm()
    if not form.check(identity):
        return _page(identity, form)
    doubts = form.doubts(identity)
    if doubts and form.sure.data != live.mark(*doubts):
        form.sure.data = form.sure.raw_data = None
        return _page(identity, form, doubts)
    for payload in writing.vital_signs(form.values, form.taken_at.moment):
        sending.send("vital-signs", patient_id, payload, f"{form.key.data}/{_part(payload)}")
    return sending.see(str(form.key.data))


def _part(payload: dict[str, object]) -> str:
    """Return which part of the form a payload is."""
    if "component" in payload:
        return "blood-pressure"
    codes = {coding["code"] for coding in payload["code"]["coding"]}  # type: ignore[index]
    return next(key for key, sign in SIGNS.items() if sign.code in codes)


def _page(identity: Identity, form: VitalSignsForm, doubts: list[str] | None = None) -> str:
    return render_template(
        "care/vital_signs.html",
        identity=identity,
        form=form,
        signs=SIGNS,
        has_ranges=is_adult(identity),
        latest=moments.now().strftime(moments.TYPED),
        doubts=doubts or [],
        sure=live.mark(*doubts) if doubts else "",
    )
