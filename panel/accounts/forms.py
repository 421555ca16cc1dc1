"""Shapes and words of the account forms. They save nothing and call nobody."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from cloud.clock import system_clock
from cloud.models import Account


class KeyForm(forms.Form):
    """A provider's key. It is shown once, while it is typed, and never sent back to a browser."""

    key = forms.CharField(
        label=_("API key"),
        min_length=8,
        max_length=512,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("From the provider's site. It is sealed at once: nobody can read it here again, you included."),
        error_messages={"min_length": _("This is too short for a key."), "required": _("Paste the key.")},
    )

    def clean_key(self) -> str:
        key = str(self.cleaned_data["key"]).strip()
        if not key.isascii() or not key.isprintable() or " " in key:
            raise forms.ValidationError(_("A key has only letters, digits and signs, without blanks. Copy it again."))
        return key


class AccountForm(KeyForm):
    name = forms.CharField(
        label=_("Name"),
        max_length=64,
        help_text=_("How people here call it, such as Production."),
        error_messages={"required": _("Give it a name.")},
    )
    base_url = forms.URLField(
        label=_("Address of the API"),
        max_length=300,
        assume_scheme="https",
        error_messages={"invalid": _("This must look like https://api.example.org/api/v1.")},
    )
    field_order = ("name", "base_url", "key")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["base_url"].initial = settings.BLUELOBSTER_BASE_URL

    def clean_name(self) -> str:
        name = " ".join(str(self.cleaned_data["name"]).split())
        if not name.isprintable():
            raise forms.ValidationError(_("A name cannot hold control characters."))
        if Account.objects.filter(name__iexact=name).exists():
            raise forms.ValidationError(_("There is an account of this name already."))
        return name

    def clean_base_url(self) -> str:
        url = str(self.cleaned_data["base_url"]).rstrip("/")
        parts = urlsplit(url)
        if parts.username or parts.password or parts.query or parts.fragment:
            raise forms.ValidationError(_("Only the address, without a password, a question mark or a hash sign."))
        if parts.scheme != "https" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
            raise forms.ValidationError(_("The key travels with every call: the address must begin with https://."))
        return url


class MissingForm(forms.Form):
    """Until when those had vanished that a person saw and calls gone: what vanished later is not meant."""

    until = forms.CharField(max_length=40)

    def clean_until(self) -> datetime:
        try:
            until: datetime | None = datetime.fromisoformat(str(self.cleaned_data["until"]))
        except ValueError:
            until = None
        if until is None or until.tzinfo is None or until > system_clock():
            raise forms.ValidationError(_("Open the page again and look at the list."))
        return until
