"""Shapes and words of the forms around saved views."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from panel.fleet import columns


class TidyField(forms.CharField):
    """A line without blanks around it and with single ones in it; its length is counted after that."""

    def to_python(self, value: Any) -> str:
        return " ".join(str(super().to_python(value)).split())


class NameForm(forms.Form):
    name = TidyField(
        label=_("Name"),
        max_length=40,
        help_text=_("Up to 40 characters. Only you see your views."),
        error_messages={
            "required": _("Give it a name."),
            "max_length": _("A name has at most %(limit_value)d characters; this one has %(show_value)d."),
        },
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if not name.isprintable():
            raise forms.ValidationError(_("Only letters, digits and signs that can be seen."))
        return name


class SaveForm(NameForm):
    """`query` is the address of the list as it was when the form was opened."""

    query = forms.CharField(widget=forms.HiddenInput, required=False, max_length=10_000)
    may_replace = forms.BooleanField(required=False)


class ColumnsForm(forms.Form):
    """The ticked columns of the list at `query`, kept for `view` or, without one, for the whole list."""

    column = forms.MultipleChoiceField(required=False, choices=tuple(columns.COLUMNS.items()))
    view = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    query = forms.CharField(required=False, max_length=10_000)

    def hidden(self) -> list[str]:
        chosen: Any = self.cleaned_data["column"]
        return columns.hidden_of(chosen)
