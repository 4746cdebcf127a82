"""Forms about people and organisations; the rules are those of the registration templates."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, IntegerField, SelectField, StringField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from handshaker import demographics, vocabulary
from webapp.access import handshaker
from webapp.administration.days import today
from webapp.administration.once import OnceForm
from webapp.formats import role as role_words

LARGEST_ORGANISATION = 2**24 - 1
_OLDEST = timedelta(days=130 * 365)


def stripped(value: Any) -> Any:
    """Take the blanks around what was typed away."""
    return " ".join(value.split()) if isinstance(value, str) else value


def name_field(
    label: Any, hint: Any = "", longest: int = 120, *, is_required: bool = True, **given: Any
) -> StringField:
    """Return a field for a name."""
    needed = DataRequired(_l("Write a name.")) if is_required else Optional()
    length = Length(max=longest, message=_l("That is too long: %(max)d characters at most."))
    return StringField(label, [needed, length], [stripped], hint, render_kw={"autocomplete": "off", **given})


class PersonForm(OnceForm):
    """A practitioner: who they are, what they may do, and until when."""

    name = name_field(_l("Name"), _l("As colleagues know them, with title: Dr Ilse Aalto"))
    role = SelectField(_l("Role"), [InputRequired(_l("Choose a role."))])
    organisation = SelectField(_l("Organisation"), [InputRequired(_l("Choose an organisation."))], coerce=str)
    licence_until = DateField(
        _l("Last day of the licence"),
        [InputRequired(_l("Write a date."))],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.role.choices = [("", _("Choose…")), *((each.code, role_words(each.code)) for each in vocabulary.Role)]
        known = handshaker().staff.organisations()
        chosen = {self.organisation.data, str(kwargs.get("organisation", ""))}
        self.organisation.choices = [("", _("Choose…"))] + [
            (str(each.organisation_id), f"{each.name} ({each.organisation_id})")
            for each in known
            if each.active or str(each.organisation_id) in chosen
        ]

    def validate_licence_until(self, field: DateField) -> None:
        """Refuse a licence that is over, and a year with a slip."""
        if field.data is not None and field.data < today():
            raise ValidationError(_("That day is over: a licence must be valid today."))
        if field.data is not None and field.data > today() + timedelta(days=50 * 365):
            raise ValidationError(_("That is more than 50 years from now. Is the year right?"))


class PatientForm(OnceForm):
    """A patient's identity, which only the vault's ciphertext keeps."""

    family = name_field(_l("Family name"), longest=100)
    given = name_field(_l("Given names"), _l("All of them, with blanks between"), 100)
    born = DateField(_l("Date of birth"), [InputRequired(_l("Write a date."))])
    sex = SelectField(_l("Sex"), [InputRequired(_l("Choose one."))])
    number = name_field(
        _l("Hospital number"),
        _l("Optional. The same number finds the same patient again."),
        40,
        is_required=False,
        spellcheck="false",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = {"female": _("female"), "male": _("male"), "other": _("other"), "unknown": _("unknown")}
        self.sex.choices = [("", _("Choose…")), *((code, words[code]) for code in demographics.SEXES)]

    def validate_born(self, field: DateField) -> None:
        """Refuse a day that has not come, and one that nobody alive was born on."""
        if field.data is not None and not today() - _OLDEST <= field.data <= today():
            raise ValidationError(_("Nobody who is treated here was born on that day. Is the year right?"))


class OrganisationForm(FlaskForm):  # type: ignore[misc]
    """A hospital, laboratory or insurer."""

    number = IntegerField(
        _l("Number"),
        [
            InputRequired(_l("Write a number.")),
            NumberRange(1, LARGEST_ORGANISATION, _l("A whole number from %(min)d to %(max)d.")),
        ],
        description=_l("Its number on the chain; it never changes"),
        render_kw={"inputmode": "numeric"},
    )
    name = name_field(_l("Name"))

    def validate_number(self, field: IntegerField) -> None:
        """Refuse a number that is taken."""
        if any(each.organisation_id == field.data for each in handshaker().staff.organisations()):
            raise ValidationError(_("Another organisation has that number."))


class RenameForm(FlaskForm):  # type: ignore[misc]
    """What may change of an organisation."""

    name = name_field(_l("Name"))
    active = BooleanField(_l("Active"), description=_l("People of an organisation that is not active cannot write."))


class ConfirmForm(OnceForm):
    """Yes, really."""

    sure = BooleanField(_l("Yes, this is what I want"), [DataRequired(_l("Tick this to confirm."))])


def next_number() -> int:
    """Return the lowest number that no organisation has."""
    taken = {each.organisation_id for each in handshaker().staff.organisations()}
    return next(number for number in range(1, LARGEST_ORGANISATION) if number not in taken)


def in_two_years() -> date:
    """Return a date that a new licence may well have."""
    return today() + timedelta(days=730)
