"""What cannot be undone asks the person once more who they are, when they signed in a while ago."""

from django.utils.translation import gettext as _

from cloud.clock import system_clock
from cloud.operations.kind import Tier
from panel.actions.forms import PasswordForm
from panel.actions.table import Action
from panel.http import PanelRequest
from panel.people import fresh


def is_needed(request: PanelRequest, action: Action) -> bool:
    return action.kind.tier is Tier.IRREVERSIBLE and not fresh.is_fresh(request.session, system_clock())


def form_of(request: PanelRequest, action: Action) -> PasswordForm | None:
    """What was typed; None when nothing needs to be."""
    return PasswordForm(request.POST) if is_needed(request, action) else None


def is_given(request: PanelRequest, form: PasswordForm | None) -> bool:
    """The person is who they were when they signed in. What is wrong stands in the form."""
    if form is None:
        return True
    if not form.is_valid():
        return False
    if fresh.prove(request, request.actor.label, form.cleaned_data["password"]):
        return True
    words = _("That is not your password, or it was tried too often. Wait a little after ten tries.")
    form.add_error("password", words)
    return False
