"""What takes a second person: who may approve it, the approval with everything asked once more, the rejection."""

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from cloud.clock import system_clock
from cloud.models import Instance
from cloud.operations import opening
from cloud.operations.models import Operation
from cloud.operations.opening import Asker, Taken, TooLate
from cloud.operations.states import State
from panel.actions import table
from panel.actions.lines import append_line
from panel.actions.refusing import Refusal, refuse
from panel.inbox import notices
from panel.inbox.models import Kind
from panel.launch import offers
from panel.money import dollars
from panel.teams import policy
from panel.teams.actors import actor_by_id, holders
from panel.teams.policy import Actor, Permission

__all__ = ["Refusal", "Taken", "TooLate", "approve", "ask", "may_approve", "reject", "waiting_for"]


def may_approve(actor: Actor, row: Operation) -> bool:
    """Somebody else who may approve, and who may do it themselves: nobody lets through what they could not do."""
    action = table.of(row.kind)
    if action is None or row.actor_id == actor.user_id:
        return False
    needed = (Permission.OPERATION_APPROVE, action.permission)
    return all(policy.allowed(actor, permission, row) for permission in needed)


def waiting_for(actor: Actor) -> QuerySet[Operation]:
    """What waits for somebody like this actor, the oldest first; what they asked for themselves is not among it."""
    rows = Operation.objects.filter(
        state=State.WAITING_APPROVAL, team_id__in=actor.teams_with(Permission.OPERATION_APPROVE)
    )
    return rows.exclude(actor_id=policy.person_id(actor)).select_related("target", "account").order_by("created_at")


def ask(row: Operation) -> None:
    """Tell everybody who may approve it. In the transaction that writes it down."""
    action = table.of(row.kind)
    if row.state != State.WAITING_APPROVAL or action is None:
        return
    able = set(holders(row.team_id, Permission.OPERATION_APPROVE)) & set(holders(row.team_id, action.permission))
    said = {"who": row.actor_label, "verb": str(action.verb).lower(), "name": row.target_label}
    words = _("%(who)s asks to %(verb)s %(name)s.") % said
    notices.tell(able - {row.actor_id}, Kind.APPROVAL, words, _address(row))


def approve(*, actor: Actor, row: Operation, seen_price: int | None = None) -> Operation:
    """Let it go on. Rights, lock and price are asked once more; `seen_price` is what the approver was shown.

    Raises PermissionDenied, Refusal (protected or gone by now, the asker may not ask any more, another price), Taken
    (another operation has the machine), TooLate.
    """
    require(actor, row)
    action = table.ACTIONS[row.kind]
    by = Asker(actor.user_id or 0, actor.label, session_hash=actor.origin.session_hash)
    with transaction.atomic():
        if not policy.may_ask(actor_by_id(row.actor_id), action.permission, row.kind, row):
            raise Refusal(_("%(who)s may not ask for this any more.") % {"who": row.actor_label})
        if row.target_id and not action.makes:
            refuse(action, Instance.objects.select_for_update().get(pk=row.target_id), row.params)
        price = price_of(row)
        if action.makes and price != seen_price:
            raise Refusal(_("Its price is %(price)s an hour now. Look again.") % {"price": dollars(price)})
        fresh = opening.approve(row, by=by, now=system_clock(), price=price)
        _answer(fresh, _("%(who)s approved: %(verb)s %(name)s."), actor)
        append_line(actor, fresh, "approved", {"asked_by": row.actor_label, "cents_per_hour": price})
    return fresh


def reject(*, actor: Actor, row: Operation, reason: str) -> None:
    """It is not done; the asker is told why. Raises PermissionDenied, TooLate."""
    require(actor, row)
    with transaction.atomic():
        words = _("Rejected by %(who)s: %(reason)s Nothing was sent.") % {"who": actor.label, "reason": _ended(reason)}
        waits = (State.WAITING_APPROVAL,)  # what somebody approved in this very moment is rejected no more
        opening.take_back(row, by=actor.label, now=system_clock(), words=words, states=waits)
        _answer(row, _("%(who)s rejected: %(verb)s %(name)s.") + f" {reason}", actor)
        append_line(actor, row, "rejected", {"asked_by": row.actor_label, "reason": reason})


def price_of(row: Operation) -> int | None:
    """What a launch would cost an hour now, in cents; of other actions what its machine costs."""
    action = table.of(row.kind)
    if action is not None and action.makes:
        return offers.price_of(row.account, row.kind, row.params)
    return row.target.price_cents_per_hour if row.target else None


def require(actor: Actor, row: Operation) -> None:
    if not may_approve(actor, row):
        policy.deny(Permission.OPERATION_APPROVE)


def _answer(row: Operation, words: str, actor: Actor) -> None:
    notices.settle(Kind.APPROVAL, _address(row))
    action = table.of(row.kind)
    said = {"who": actor.label, "verb": action.verb if action else row.kind, "name": row.target_label}
    notices.tell([row.actor_id], Kind.ANSWER, words % said, _address(row))


def withdrawn(row: Operation) -> None:
    """Whoever asked took it back: nobody needs to answer. In the same transaction."""
    notices.settle(Kind.APPROVAL, _address(row))


def _address(row: Operation) -> str:
    return reverse("activity:operation", args=[row.pk])


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."
