"""Forms of the door and of a person's page in our words: labels above the fields, one hint, nothing said twice."""

from typing import Any

from allauth.account.forms import ChangePasswordForm, ResetPasswordForm, ResetPasswordKeyForm
from django import forms
from django.utils.translation import gettext_lazy as _

from panel.people import ssh_keys, zones
from panel.people.models import Theme

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


class ThemeForm(forms.Form):
    theme = forms.ChoiceField(choices=Theme, required=False)


class ZoneForm(forms.Form):
    zone = forms.CharField(required=False, max_length=64)

    def clean_zone(self) -> str:
        zone: str = self.cleaned_data["zone"]
        if zone and zone not in zones.names():
            raise forms.ValidationError(_("Choose a time zone from the list."))
        return zone


class KeyForm(forms.Form):
    """One public key. A private one in either field is refused, and that field comes back empty."""

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        required=False,
        help_text=_("To find it by, such as the computer that it is on. Left empty, it is called after its comment."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    key = forms.CharField(
        label=_("Public key"),
        required=False,  # the check has better words for nothing
        help_text=_(
            "One line from a file that ends in .pub, such as id_ed25519.pub. It begins with ssh-ed25519 or ssh-rsa."
        ),
        widget=forms.Textarea(
            attrs={"rows": 5, "autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
        ),
    )

    def clean_name(self) -> str:
        return ssh_keys.printable(self.cleaned_data["name"])

    def clean_key(self) -> ssh_keys.PublicKey:
        try:
            return ssh_keys.checked(self.cleaned_data["key"])
        except ssh_keys.BadKey as bad:
            raise forms.ValidationError(bad.words) from None

    def clean(self) -> None:
        """Looks at what was typed, not at what is left of it: a field that failed for another reason counts too."""
        for field in self.fields:
            if ssh_keys.is_private(self.data.get(field, "")):
                self.data = {name: self.data.get(name, "") for name in self.fields if name != field}  # not shown again
                self.errors.pop(field, None)
                self.add_error(field, ssh_keys.PrivateKey().words)
