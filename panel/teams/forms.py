"""Shapes and words of the forms about teams and people. They save nothing and call nobody."""

import re
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from cloud.clock import system_clock
from panel.actions import table
from panel.people.models import folded_email
from panel.teams.policy import SENTENCES, Permission, Role
from panel.teams.rules import APPROVABLE

PATTERN = re.compile(r"[A-Za-z0-9_.*?-]{1,64}")
PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class TeamForm(forms.Form):
    name = forms.CharField(
        label=_lazy("Name"),
        max_length=64,
        widget=forms.TextInput(attrs=PLAIN),
        help_text=_lazy("What people call it, such as Vision or Climate."),
        error_messages={"required": _lazy("Give it a name."), "max_length": _lazy("At most 64 characters.")},
    )

    def clean_name(self) -> str:
        name = " ".join(str(self.cleaned_data["name"]).split())
        if not name.isprintable():
            raise forms.ValidationError(_("A name cannot hold control characters."))
        return name


class RoleForm(forms.Form):
    """One of the roles that may be given here, and until when."""

    role = forms.ChoiceField(
        label=_lazy("Role"),
        error_messages={
            "required": _lazy("Choose a role."),
            "invalid_choice": _lazy("Choose one of the roles that you may give."),
        },
    )
    until = forms.DateField(
        label=_lazy("Member until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_lazy("Left empty, the membership does not end by itself."),
        error_messages={"invalid": _lazy("Choose a day, such as 2027-03-31.")},
    )

    def __init__(self, *args: Any, roles: list[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["role"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [(role.value, role.value.title()) for role in roles]

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])

    def clean_until(self) -> datetime | None:
        """The end of that day, where the person is."""
        day = self.cleaned_data["until"]
        if day is None:
            return None
        if not 2000 < day.year < 2200:
            raise forms.ValidationError(_("Choose a day, such as 2027-03-31."))
        end = timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
        if end <= system_clock():
            raise forms.ValidationError(_("This day is over. Choose a later one."))
        return end


class InviteForm(RoleForm):
    email = forms.EmailField(
        label=_lazy("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs=PLAIN),
        help_text=_lazy("The invitation is good for this address alone."),
        error_messages={
            "required": _lazy("Type the person's address."),
            "invalid": _lazy("This must look like kim@example.org."),
        },
    )
    field_order = ("email", "role", "until")

    def clean_email(self) -> str:
        return folded_email(self.cleaned_data["email"])


class RulesForm(forms.Form):
    """What takes a second person."""

    kinds = forms.MultipleChoiceField(
        label=_lazy("These take two people"),
        required=False,
        choices=[(kind, table.ACTIONS[kind].verb) for kind in APPROVABLE],
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )
    dollars = forms.DecimalField(
        label=_lazy("Launches above, in dollars an hour"),
        required=False,
        min_value=0,
        max_value=10_000,
        max_digits=8,
        decimal_places=2,
        widget=forms.TextInput(attrs=PLAIN | {"inputmode": "decimal"}),
        help_text=_lazy("Left empty, nobody needs a second person to launch. 0 means every launch."),
        error_messages={
            "invalid": _lazy("Type an amount, such as 0.50."),
            "min_value": _lazy("Not less than 0."),
            "max_value": _lazy("That is more than any machine costs."),
            "max_decimal_places": _lazy("At most two decimals, such as 0.50."),
        },
    )

    @property
    def cents_per_hour(self) -> int | None:
        amount = self.cleaned_data["dollars"]
        return None if amount is None else int(amount * 100)


class GiveForm(forms.Form):
    """Which machines go to which team: ticked ones, or those whose name fits."""

    ids = forms.CharField(required=False, max_length=20_000, widget=forms.HiddenInput)
    team = forms.CharField(max_length=18)

    def clean_ids(self) -> list[int]:
        return [int(word) for word in str(self.cleaned_data["ids"]).split(",") if word.isdecimal() and len(word) < 19]


class PatternForm(forms.Form):
    pattern = forms.CharField(
        label=_lazy("Name"),
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs=PLAIN | {"placeholder": "train-*"}),
        help_text=_lazy("* stands for any letters, ? for one. Or tick machines in the list of instances."),
        error_messages={"max_length": _lazy("At most 64 characters.")},
    )

    def clean_pattern(self) -> str:
        pattern = str(self.cleaned_data["pattern"]).strip()
        if pattern and not PATTERN.fullmatch(pattern):
            raise forms.ValidationError(_("Only letters, digits, hyphens, dots, * and ?."))
        return pattern


class WhyForm(forms.Form):
    """Who, what, and in which team."""

    person = forms.EmailField(
        label=_lazy("Person"),
        max_length=254,
        widget=forms.EmailInput(attrs=PLAIN),
        error_messages={
            "required": _lazy("Type the person's address."),
            "invalid": _lazy("This must look like kim@example.org."),
        },
    )
    permission = forms.ChoiceField(
        label=_lazy("May they"),
        choices=[(each.value, SENTENCES[each]) for each in Permission],
        error_messages={"invalid_choice": _lazy("Choose one."), "required": _lazy("Choose one.")},
    )
    team = forms.CharField(required=False, max_length=18)

    def clean_person(self) -> str:
        return folded_email(self.cleaned_data["person"])

    def clean_permission(self) -> Permission:
        return Permission(self.cleaned_data["permission"])


class JoinForm(forms.Form):
    """Somebody new: their name and a password. What makes a password good, the validators say."""

    name = forms.CharField(
        label=_lazy("Your name"), required=False, max_length=100, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    password = forms.CharField(
        label=_lazy("Choose a password"),
        max_length=500,
        strip=False,
        help_text=_lazy("At least 12 characters. A few words in a row are good."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": _lazy("Choose a password.")},
    )
