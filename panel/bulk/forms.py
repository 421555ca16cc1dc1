"""What a person confirms: exactly the machines that were shown."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _lazy

from panel.actions.table import Action
from panel.bulk.choice import MOST, numbers


class Ids(forms.CharField):
    """Row ids between commas: one field, for a form may not have a thousand of them."""

    widget = forms.HiddenInput

    def clean(self, value: Any) -> list[int]:
        return numbers(str(super().clean(value)).split(","))[:MOST]


class RunForm(forms.Form):
    """`ids` are the machines that are to get it; `left` were shown as those that do not."""

    key = forms.CharField(widget=forms.HiddenInput, max_length=64)
    ids = Ids(required=False, max_length=20 * MOST)
    left = Ids(required=False, max_length=20 * MOST)
    again = forms.UUIDField(required=False, widget=forms.HiddenInput)


class SureRunForm(RunForm):
    sure = forms.BooleanField(
        label=_lazy("Nobody needs what is in their memory"),
        error_messages={"required": _lazy("Tick this if that is so.")},
    )


def form_for(action: Action) -> type[RunForm]:
    return SureRunForm if action.may_lose else RunForm
