"""How an account stands, in words and looks."""

from django.utils.translation import gettext as _

from cloud.models import Account
from panel.fleet.shown import State


def standing(account: Account) -> State:
    """The one state of an account: what stops everything first."""
    if not account.is_enabled:
        return State("off", _("Disabled"))
    if account.key_state == Account.Key.REJECTED:
        return State("bad", _("Key refused"))
    if account.silent_since:
        return State("bad", _("Silent"), _("since"), account.silent_since)
    if account.next_sealed_key:
        return State("busy", _("Testing the new key…"))
    if account.is_next_key_refused:
        return State("check", _("New key refused"), _("the old one is still used"))
    if account.key_state == Account.Key.ACCEPTED:
        return State("run", _("Key accepted"))
    return State("busy", _("Testing the key…"))
