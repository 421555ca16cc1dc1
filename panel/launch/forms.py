"""What a launch is asked with. Text becomes values, each fault a sentence beside its field; nothing is saved here."""

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from panel.launch import names
from panel.launch.offers import ISO, USUAL, Catalogue, is_windows
from panel.launch.saved import SavedKey
from panel.money import dollars
from panel.people.ssh_keys import BadKey, PrivateKey, PublicKey, checked, is_private

PASTED = "other"  # in the place of a saved key: the one in the field
LOGIN = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,62}")
MOST_LABELS = 20
_PRIVATE_HEAD = "PRIVATE KEY"
PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class LaunchForm(forms.Form):
    """What every launch needs, whatever the size: where, under which name, who gets in."""

    key = forms.CharField(widget=forms.HiddenInput, max_length=64)
    again = forms.CharField(widget=forms.HiddenInput, max_length=36, required=False)
    name = forms.CharField(
        label=_lazy("Name"), required=False, widget=forms.TextInput(attrs=PLAIN | {"maxlength": str(names.LONGEST)})
    )
    region = forms.CharField(required=False)
    image = forms.CharField(required=False)
    ssh = forms.CharField(required=False)
    public_key = forms.CharField(
        label=_lazy("Public key"),
        required=False,
        widget=forms.Textarea(attrs=PLAIN | {"rows": 3, "placeholder": "ssh-ed25519 AAAA… you@laptop"}),
    )
    labels = forms.CharField(
        label=_lazy("Labels"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs=PLAIN | {"rows": 3, "placeholder": "project=vision"}),
        help_text=_lazy("One a line, such as project=vision. They are kept here: Blue Lobster keeps none."),
        error_messages={"max_length": _lazy("That is too much: at most 4,000 characters.")},
    )

    def __init__(self, *args: Any, catalogue: Catalogue, saved: list[SavedKey], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.catalogue, self.saved = catalogue, saved
        self.key_used: PublicKey | None = None
        self.saved_used: SavedKey | None = None
        self.secret_in = _without_private_keys(self)

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"]).strip()
        fault = names.fault(name)
        if fault:
            raise forms.ValidationError(fault)
        return name  # whether it is free, the service asks under its lock: the same form sent twice is no rival

    def clean_region(self) -> str:
        code = str(self.cleaned_data["region"])
        if self.catalogue.region(code) is None:
            raise forms.ValidationError(_("Choose a region from the list."))
        return code

    def clean_image(self) -> str:
        name = str(self.cleaned_data["image"])
        if name != USUAL and self.catalogue.image(name) is None:
            raise forms.ValidationError(_("Choose an image from the list."))
        return name

    def clean_labels(self) -> dict[str, str]:
        lines = [line.strip() for line in str(self.cleaned_data["labels"]).splitlines() if line.strip()]
        if len(lines) > MOST_LABELS:
            raise forms.ValidationError(_("At most %(most)d labels.") % {"most": MOST_LABELS})
        return dict(_label(number, line) for number, line in enumerate(lines, 1))

    def clean_ssh(self) -> str:
        """Which key: the id of a saved one, or the one in the field. Its line is `key_used`."""
        said = str(self.cleaned_data["ssh"]) or PASTED
        if said == PASTED:
            return said
        chosen = next((one for one in self.saved if one.token == said), None)
        if chosen is None:
            raise forms.ValidationError(_("Choose one of your keys, or paste another one."))
        self.saved_used, self.key_used = chosen, chosen.key
        return said

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for field in self.secret_in:
            self.errors.pop(field, None)
            self.add_error(field, PrivateKey().words)
        if data.get("ssh") == PASTED and "public_key" not in self.secret_in:
            self._read_pasted(str(data.get("public_key") or ""))
        return data

    @property
    def needs_key(self) -> bool:
        return True

    def _read_pasted(self, text: str) -> None:
        if not text.strip() and not self.needs_key:
            return
        try:
            self.key_used = checked(text)
        except BadKey as error:
            self.add_error("public_key", error.words)


class ReadyForm(LaunchForm):
    """A type as the provider offers it, with an image or an ISO."""

    instance_type = forms.CharField(required=False)
    iso_url = forms.CharField(
        label=_lazy("Address of the ISO image"),
        required=False,
        widget=forms.URLInput(attrs=PLAIN | {"placeholder": "https://"}),
        help_text=_lazy("Blue Lobster downloads it, at most 4 GB; Tidepool never opens it."),
    )
    username = forms.CharField(
        label=_lazy("User name"),
        required=False,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_lazy("Small letters, digits, hyphens and underscores; it starts with a letter."),
    )
    password = forms.CharField(
        label=_lazy("Password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_lazy("12 to 72 characters. It is sealed, sent once, and then kept nowhere: note it down."),
    )

    def clean_instance_type(self) -> str:
        name = str(self.cleaned_data["instance_type"])
        if self.catalogue.offer(name) is None:
            raise forms.ValidationError(_("Choose a type."))
        return name

    def clean_image(self) -> str:
        return ISO if self.cleaned_data["image"] == ISO else super().clean_image()

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        offer, region = self.catalogue.offer(data.get("instance_type") or ""), data.get("region")
        shown = str(self.data.get(f"cents.{offer.name}", "")) if offer else ""
        if offer and shown and shown != str(offer.cents):
            changed = _("Its price has changed since you saw it: %(hour)s an hour now. Launch again if that is right.")
            self.add_error("instance_type", changed % {"hour": dollars(offer.cents)})
        place = self.catalogue.region(region) if region else None
        if offer and place and not offer.has_room(place.code):
            full = _("No %(type)s is free in %(where)s now. Choose another region or type.")
            self.add_error("region", full % {"type": offer.label, "where": place.name})
        if data.get("image") == ISO:
            self._check(data, "iso_url", iso_fault(str(data.get("iso_url") or "")))
        if self.is_with_password:
            self._check(data, "username", login_fault(str(data.get("username") or "")))
            self._check(data, "password", password_fault(str(data.get("password") or "")))
        return data

    @property
    def needs_key(self) -> bool:
        return not self.is_with_password

    @property
    def is_with_password(self) -> bool:
        """Windows and what is installed from an ISO know no keys."""
        name = str(self.data.get("image") or "")
        image = self.catalogue.image(name)
        return name == ISO or (image is not None and is_windows(image))

    def _check(self, data: dict[str, Any], field: str, fault: str) -> None:
        if fault and field not in self.errors:
            self.add_error(field, fault)


class OwnForm(LaunchForm):
    """A size of one's own: cores, memory, disk, cards. Linux images only: the provider documents no password here."""

    vcpus = forms.IntegerField(label=_lazy("Cores"), min_value=1, max_value=256, initial=8)
    memory_gib = forms.IntegerField(label=_lazy("Memory, GiB"), min_value=1, max_value=2048, initial=32)
    storage_gib = forms.IntegerField(label=_lazy("Disk, GiB"), min_value=10, max_value=20000, initial=250)
    gpu_count = forms.IntegerField(label=_lazy("GPUs"), min_value=0, max_value=8, initial=0)
    gpu_model = forms.CharField(label=_lazy("Model of the GPUs"), required=False, max_length=40)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("vcpus", "memory_gib", "storage_gib", "gpu_count"):
            field = self.fields[name]
            words = _("A whole number from %(low)d to %(high)d.")
            words %= {"low": field.min_value, "high": field.max_value}  # type: ignore[attr-defined]
            for kind in ("required", "invalid"):
                field.error_messages[kind] = words
            for check in field.validators:
                check.message = words  # type: ignore[attr-defined]

    def clean_image(self) -> str:
        name = super().clean_image()
        image = self.catalogue.image(name)
        if image is not None and is_windows(image):
            raise forms.ValidationError(_("Own sizes come with Linux only. Choose a ready-made type for Windows."))
        return name

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if data.get("gpu_count") and data.get("gpu_model") not in self.catalogue.models:
            self.add_error("gpu_model", _("Choose a model, or set the number of GPUs to 0."))
        return data


def _without_private_keys(form: forms.Form) -> list[str]:
    """The fields that hold a private key, now empty: nothing of it goes back into the page, or on to anybody."""
    found = [
        name
        for name in form.fields
        if is_private(text := str(form.data.get(name, ""))) and (name == "public_key" or _PRIVATE_HEAD in text)
    ]
    if found:
        form.data = {name: value for name, value in form.data.items() if name not in found}
    return found


def iso_fault(text: str) -> str:
    """What is wrong with the address of an ISO image, in words; "" when nothing is."""
    text = text.strip()
    if not text:
        return _("Type the address of the image.")
    if len(text) > 2000 or not text.isprintable() or " " in text:
        return _("This is no address: it is too long, or holds blanks or control characters.")
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return _("This must look like https://example.org/image.iso.")
    if parts.scheme not in {"http", "https"} or "." not in host:
        return _("This must look like https://example.org/image.iso.")
    if parts.username or parts.password:
        return _("An address with a password in it would be shown to others. Use one without.")
    return (
        _("Blue Lobster must be able to reach it: an address inside your network will not do.")
        if _is_inner(host)
        else ""
    )


def _is_inner(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host.strip("[]")).is_global
    except ValueError:
        return host.endswith((".local", ".localhost", ".internal", ".lan"))


def login_fault(text: str) -> str:
    if not text:
        return _("Type a user name.")
    if not LOGIN.fullmatch(text):
        return _("Small letters, digits, hyphens and underscores, at most 32; it starts with a letter.")
    return ""


def password_fault(text: str) -> str:
    if not text:
        return _("Type a password.")
    if not 12 <= len(text) <= 72:
        return _("A password has 12 to 72 characters.")
    return "" if text.isprintable() else _("A password cannot hold control characters.")


def _label(number: int, line: str) -> tuple[str, str]:
    name, sign, value = (part.strip() for part in line.partition("="))
    if not sign or not LABEL.fullmatch(name):
        words = _("Line %(n)d is no label: write name=value, the name in letters, digits, dots and hyphens.")
        raise forms.ValidationError(words % {"n": number})
    if len(value) > 200 or not value.isprintable():
        raise forms.ValidationError(
            _("The value in line %(n)d is too long or holds control characters.") % {"n": number}
        )
    return name, value
