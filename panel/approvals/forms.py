from django import forms
from django.utils.translation import gettext_lazy as _


class RejectForm(forms.Form):
    """Why it is not to be done, for whoever asked."""

    reason = forms.CharField(
        label=_("Why not?"),
        min_length=3,
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": _("Say why, in a few words: they will read it."),
            "min_length": _("Say it in a few words more."),
        },
    )


class ApproveForm(forms.Form):
    """The price an hour, in cents, that the approver was shown."""

    price = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)
