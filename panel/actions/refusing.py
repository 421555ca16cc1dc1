"""Why something cannot be done with a machine as it is now, in words for the person who asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from cloud.models import Instance
from panel.actions.table import Action


@dataclass
class Refusal(Exception):
    words: str


def refuse(action: Action, machine: Instance, params: Mapping[str, Any]) -> None:
    """Raises Refusal: it is gone, not there yet, protected, or the name is in use."""
    if machine.gone_at:
        raise Refusal(_("%(name)s no longer exists.") % {"name": machine.label})
    if machine.is_awaited:
        raise Refusal(_("%(name)s is not there yet.") % {"name": machine.label})
    if machine.is_locked and action.kind.is_stopped_by_lock:
        raise Refusal(
            _("%(name)s is protected from deletion. Take the protection away first.") % {"name": machine.label}
        )
    name = params.get("name")
    if name and name == machine.name:
        raise Refusal(_("It has this name already."))
    others = Instance.objects.present().filter(account=machine.account_id, name=name).exclude(pk=machine.pk)
    if name and others.exists():
        raise Refusal(_("This name is taken in this account."))
