"""Fields of clinical forms."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import DateTimeLocalField, HiddenField, ValidationError
from wtforms.fields.core import Field
from wtforms.widgets import TextInput

from webapp.care import moments

_NUMBER = re.compile(r"\d{1,7}([.,]\d{1,6})?")


class QuantityField(Field):
    """A measured number, with a decimal point or comma; empty means not measured."""

    widget = TextInput()
    data: float | None

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else f"{self.data:g}"

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read what was typed."""
        text = str(valuelist[0]).strip() if valuelist else ""
        self.data = None
        if not text:
            return
        if not _NUMBER.fullmatch(text):
            raise ValueError(_("Write a number, such as 36.8."))
        self.data = float(text.replace(",", "."))


class MomentField(DateTimeLocalField):
    """When something was measured, in the hospital's time zone; not in the future."""

    @property
    def moment(self) -> datetime:
        """What was typed; only for a field that was found to be right."""
        if not isinstance(self.data, datetime):
            raise TypeError("there is no moment in a field that was not validated")
        return self.data

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read what was typed."""
        self.data = None
        try:
            self.data = moments.typed(str(valuelist[0])) if valuelist else None
        except ValueError:
            raise ValueError(_("Write a date and a time.")) from None

    def pre_validate(self, form: Any) -> None:
        """Refuse what has not happened yet."""
        if self.data is None and not self.errors:
            raise ValidationError(_("Write a date and a time."))
        if self.data is not None and self.data > moments.now():
            raise ValidationError(_("That is in the future."))


class SigningForm(FlaskForm):  # type: ignore[misc]
    """A form whose content is signed: sent twice, it is one and the same."""

    key = HiddenField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not re.fullmatch(r"[0-9a-f]{32}", self.key.data or ""):
            self.key.data = secrets.token_hex(16)


def complain(field: Field, text: str) -> None:
    """Say at a field what is wrong with it."""
    field.errors = [*field.errors, text]


def implausible(low: float, high: float, unit: str) -> str:
    """Say what a living person can have."""
    return str(_("A living person has %(low)s to %(high)s %(unit)s.", low=f"{low:g}", high=f"{high:g}", unit=unit))
