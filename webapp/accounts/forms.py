"""Forms of logins. Passwords are never written back into a page."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, SelectField, SelectMultipleField, StringField, ValidationError
from wtforms.validators import DataRequired, EqualTo, InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from webapp.access import credential, handshaker

_CODE: dict[str, Any] = {
    "autocomplete": "one-time-code",
    "inputmode": "numeric",
    "autocapitalize": "off",
    "spellcheck": "false",
}
_USERNAME: dict[str, Any] = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
_SAID = DataRequired(_l("Write your password."))


def _present(label: Any, **given: Any) -> PasswordField:
    return PasswordField(label, [_SAID, Length(max=1000)], render_kw={"autocomplete": "current-password", **given})


def _chosen() -> PasswordField:
    hint = _l("At least 12 characters. Several words that belong together for you alone are good, and easy to type.")
    return PasswordField(
        _l("New password"),
        [DataRequired(_l("Write a new password.")), Length(max=1000)],
        description=hint,
        render_kw={"autocomplete": "new-password", "minlength": 12},
    )


def _repeated() -> PasswordField:
    return PasswordField(
        _l("The new one again"),
        [DataRequired(_l("Write it once more.")), EqualTo("new", _l("These two are not the same."))],
        render_kw={"autocomplete": "new-password"},
    )


class LoginForm(FlaskForm):  # type: ignore[misc]
    """Everything in one form, so that a refusal does not tell which part was wrong."""

    username = StringField(
        _l("Username"), [DataRequired(_l("Write your username.")), Length(max=200)], render_kw=_USERNAME
    )
    password = _present(_l("Password"))
    code = StringField(
        _l("Code"),
        [Length(max=20)],
        description=_l("6 digits of your authenticator, if you have a second factor"),
        render_kw={**_CODE, "maxlength": 12},
    )


class UnlockForm(FlaskForm):  # type: ignore[misc]
    """The password of whoever locked."""

    password = _present(_l("Password"), autofocus=True)


class WelcomeForm(FlaskForm):  # type: ignore[misc]
    """An invitation, and what its owner chooses."""

    code = StringField(
        _l("Invitation"),
        [DataRequired(_l("Write the code of your invitation.")), Length(max=200)],
        description=_l("It stands at the end of the address that you were given, after the sign #."),
        render_kw={"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"},
    )
    username = StringField(
        _l("Username"),
        [DataRequired(_l("Write a username.")), Length(max=200)],
        description=_l("Letters a to z, digits, dots, hyphens and underscores"),
        render_kw=_USERNAME,
    )
    new = _chosen()
    again = _repeated()

    @property
    def invitation(self) -> str:
        """The code, also where the whole address was pasted."""
        return (self.code.data or "").strip().rpartition("#")[2]


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """A new password in place of the old one."""

    old = _present(_l("Present password"))
    new = _chosen()
    again = _repeated()


class SecondFactorForm(FlaskForm):  # type: ignore[misc]
    """The code that shows that an authenticator works."""

    secret = HiddenField()
    code = StringField(
        _l("Code"),
        [DataRequired(_l("Write the 6 digits that your authenticator shows.")), Length(max=20)],
        description=_l("The 6 digits that your authenticator shows now"),
        render_kw={**_CODE, "maxlength": 12},
    )


class AnotherFactorForm(SecondFactorForm):
    """The same from an open session, where somebody else might be at the screen."""

    password = _present(_l("Password"))


class TokenForm(FlaskForm):  # type: ignore[misc]
    """A token for a program."""

    label = StringField(
        _l("What is it for?"),
        [DataRequired(_l("Write what it is for, so that you know it again.")), Length(max=80)],
        render_kw={"autocomplete": "off"},
    )
    scopes = SelectMultipleField(
        _l("What may it do?"),
        [InputRequired(_l("Choose one at least."))],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    days = SelectField(_l("How long is it valid?"), coerce=int)

    def validate_label(self, field: StringField) -> None:
        """Refuse a name that a live token has: a form that is sent twice makes one token."""
        if any(
            token.label == (field.data or "").strip() for token in handshaker().tokens.of(credential().actor.actor_id)
        ):
            raise ValidationError(_("You have a token of that name. Choose another one, or end that one first."))
