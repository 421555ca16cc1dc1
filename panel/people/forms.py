"""The door's forms in our words: labels above the fields, one hint, nothing said twice."""

from typing import Any

from allauth.account.forms import ChangePasswordForm, ResetPasswordForm, ResetPasswordKeyForm
from django import forms
from django.utils.translation import gettext_lazy as _

LABELS = {
    "email": _("E-mail"),
    "oldpassword": _("Your password now"),
    "password1": _("The new password"),
    "password2": _("The new password once more"),
}


def said_once(form: forms.BaseForm) -> None:
    for name, field in form.fields.items():
        field.label = LABELS.get(name, field.label)
        field.help_text = ""
        field.widget.attrs.pop("placeholder", None)


class ChangeForm(ChangePasswordForm):  # type: ignore[misc]  # allauth has no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        said_once(self)


class ForgottenForm(ResetPasswordForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        said_once(self)


class NewForm(ResetPasswordKeyForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        said_once(self)
