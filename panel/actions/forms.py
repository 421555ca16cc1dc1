"""What a person must say before an action is written down: by tier, a tick, a name, a password."""

import re
import secrets
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from cloud.models import Instance
from cloud.operations.kind import Tier
from panel.actions.table import Action

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{1,62})[A-Za-z0-9]")


def new_key() -> str:
    """A form's own key: sent twice, it is one operation."""
    return secrets.token_urlsafe(18)


class ActionForm(forms.Form):
    """The confirmation of one action. Its key was made when the form was shown."""

    key = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, action: Action, machine: Instance, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.action, self.machine = action, machine

    def params(self) -> dict[str, Any]:
        """What the operation keeps of the form."""
        return {}


class SureForm(ActionForm):
    sure = forms.BooleanField(
        label=_lazy("Nobody needs what is in its memory"),
        error_messages={"required": _lazy("Tick this if that is so.")},
    )


class RenameForm(ActionForm):
    name = forms.CharField(
        label=_lazy("New name"),
        help_text=_lazy("3 to 64 letters, digits, hyphens and underscores."),
        error_messages={"required": _lazy("Give it a name.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "maxlength": "64"}),
    )

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"]).strip()
        if not 3 <= len(name) <= 64:
            raise forms.ValidationError(_("A name has 3 to 64 characters; this one has %(n)d.") % {"n": len(name)})
        if not NAME.fullmatch(name):
            raise forms.ValidationError(
                _("Only letters A to Z, digits, hyphens and underscores; it starts and ends with a letter or a digit.")
            )
        return name

    def params(self) -> dict[str, Any]:
        return {"name": self.cleaned_data["name"]}


class DeleteForm(ActionForm):
    name = forms.CharField(
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Type %(name)s to confirm") % {"name": self.machine.label}

    def clean_name(self) -> str:
        typed = str(self.cleaned_data["name"]).strip()
        if typed != self.machine.label.strip():
            raise forms.ValidationError(_("This is not the machine's name."))
        return typed


def form_for(action: Action) -> type[ActionForm]:
    if action.name == "rename":
        return RenameForm
    by_tier: dict[Tier, type[ActionForm]] = {Tier.MAY_LOSE: SureForm, Tier.IRREVERSIBLE: DeleteForm}
    return by_tier.get(action.kind.tier, ActionForm)


class PasswordForm(forms.Form):
    """Asked for beside an irreversible action when the sign-in is older than some minutes."""

    password = forms.CharField(
        label=_lazy("Your password"),
        help_text=_lazy("You signed in a while ago. What cannot be undone asks who you are once more."),
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": _lazy("Type your password.")},
    )


class SettleForm(forms.Form):
    """How an unclear operation ended, and how the person knows."""

    has_happened = forms.TypedChoiceField(
        label=_lazy("What did you find?"),
        choices=(("yes", _lazy("It happened")), ("no", _lazy("It did not happen"))),
        coerce=lambda said: said == "yes",
        widget=forms.RadioSelect,
        error_messages={"required": _lazy("Choose one.")},
    )
    reason = forms.CharField(
        label=_lazy("How do you know?"),
        min_length=5,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_lazy("One sentence for the record, such as: looked at the provider's own page, the machine is off."),
        error_messages={
            "required": _lazy("Say how you know."),
            "min_length": _lazy("Say it in a few words more."),
        },
    )
