"""What people do with machines: policy, row and record in one transaction, the knock after its commit."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cloud.clock import system_clock
from cloud.models import Instance
from cloud.operations import opening
from cloud.operations.models import Operation
from cloud.operations.opening import Asker, KeyReused, Opened, Taken, TooLate
from cloud.operations.states import State
from cloud.ports import Change, ports
from panel.actions import table
from panel.actions.lines import append_line
from panel.actions.refusing import Refusal, refuse
from panel.actions.table import Action
from panel.approvals import services as approvals
from panel.audit import record
from panel.teams import policy, rules
from panel.teams.models import Team
from panel.teams.policy import Actor, Permission

__all__ = ["KeyReused", "Refusal", "Taken", "TooLate", "put_aside", "request", "retry", "set_lock", "settle", "undo"]


def request(
    *,
    actor: Actor,
    machine: Instance,
    action: Action,
    client_key: str,
    params: Mapping[str, Any] | None = None,
    retry_of: str = "",
) -> Opened:
    """Write down what somebody wants with a machine; a worker sends it. No network.

    Raises PermissionDenied, Refusal (protected, gone, the name is in use), Taken (somebody else's operation has the
    machine) and KeyReused (the form was changed and sent again).
    """
    asker = Asker(actor.user_id or 0, actor.label, session_hash=actor.origin.session_hash)
    with transaction.atomic():
        # As it is now, and held until the commit: a lock that was set a moment ago counts.
        fresh = Instance.objects.select_for_update().defer("raw", "search").get(pk=machine.pk)
        takes_two = rules.takes_two(Team.objects.get(pk=fresh.team_id), action.name)
        if not (takes_two and policy.allowed(actor, Permission.OPERATION_ASK, fresh)):
            policy.require(actor, action.permission, fresh)
        known = Operation.objects.filter(actor_id=asker.actor_id, client_key=client_key).exists()
        if not known:
            refuse(action, fresh, params or {})
            if takes_two:
                _refuse_twice(action, fresh)
        opened = opening.open_operation(
            action.kind,
            fresh,
            by=asker,
            client_key=client_key,
            now=system_clock(),
            params=params,
            retry_of=retry_of,
            takes_two=takes_two,
        )
        if opened.is_new:
            approvals.ask(opened.row)
            append_line(actor, opened.row, "requested", _detail(opened.row, retry_of))
    return opened


def retry(*, actor: Actor, row: Operation, client_key: str) -> Opened:
    """The same again, with the same inputs, as a new operation.

    Raises as `request`, TooLate unless it ended badly, and Refusal for what must be confirmed each time.
    """
    action = table.of(row.kind)
    policy.require(actor, action.permission if action else Permission.INSTANCE_DELETE, row)
    if action and action.may_lose:
        raise Refusal(_("What may lose data is asked for anew, with its confirmation."))
    if (
        action is None
        or action.makes
        or row.target is None
        or row.state not in {State.FAILED, State.NOT_DONE, State.EXPIRED}
    ):
        raise TooLate(row)
    opened = request(
        actor=actor, machine=row.target, action=action, client_key=client_key, params=row.params, retry_of=row.pk
    )
    put_aside(actor=actor, row=row)
    return opened


def undo(*, actor: Actor, row: Operation) -> None:
    """Take back what was not sent yet: whoever asked, or could have asked. Raises PermissionDenied, TooLate."""
    action = table.of(row.kind)
    if row.actor_id != actor.user_id or not policy.allowed(actor, Permission.INSTANCE_VIEW, row):
        policy.require(actor, action.permission if action else Permission.INSTANCE_DELETE, row)
    said = _("Taken back by %(who)s. What was sent before had not taken effect.") if row.attempts else ""
    words = (said or _("Taken back by %(who)s. Nothing was sent.")) % {"who": actor.label}
    with transaction.atomic():
        opening.take_back(row, by=actor.label, now=system_clock(), words=words)
        approvals.withdrawn(row)
        append_line(actor, row, "undone")


def settle(*, actor: Actor, row: Operation, has_happened: bool, reason: str) -> None:
    """Say how an unclear operation ended, with the reason. Raises PermissionDenied, TooLate."""
    policy.require(actor, Permission.OPERATION_SETTLE, row)
    said = _("%(who)s looked: it happened.") if has_happened else _("%(who)s looked: it did not happen.")
    with transaction.atomic():
        words = said % {"who": actor.label}
        opening.settle(row, has_happened=has_happened, reason=reason, by=actor.label, now=system_clock(), words=words)
        append_line(actor, row, "settled", {"has_happened": has_happened, "reason": reason})


def put_aside(*, actor: Actor, row: Operation) -> None:
    """Its trouble was seen: the machine shows it no more. Nothing else changes. Raises PermissionDenied."""
    action = table.of(row.kind)
    policy.require(actor, action.permission if action else Permission.OPERATION_SETTLE, row)
    with transaction.atomic():
        if opening.put_aside(row):
            append_line(actor, row, "put_aside")


def set_lock(*, actor: Actor, machine: Instance, is_locked: bool) -> None:
    """Protect a machine from deletion, or no longer. Raises PermissionDenied."""
    policy.require(actor, Permission.INSTANCE_LOCK if is_locked else Permission.INSTANCE_UNLOCK, machine)
    with transaction.atomic():
        if not Instance.objects.filter(pk=machine.pk, is_locked=not is_locked).update(is_locked=is_locked):
            return
        record.append(
            "instance.protected" if is_locked else "instance.unprotected",
            actor=actor,
            team_id=machine.team_id,
            target_kind="instance",
            target_id=str(machine.pk),
            target_label=machine.label,
        )
        change = Change(machine.account_id, {machine.team_id: [machine.pk]})
        transaction.on_commit(lambda: ports().tell(change))


def _refuse_twice(action: Action, machine: Instance) -> None:
    """One request for the same is enough for whoever must approve it."""
    waiting = Operation.objects.filter(target=machine, kind=action.name, state=State.WAITING_APPROVAL).first()
    if waiting is not None:
        raise Refusal(_("%(who)s asked for this already; it waits for approval.") % {"who": waiting.actor_label})


def _detail(row: Operation, retry_of: str) -> dict[str, Any]:
    """What was asked for; a change of the name with the one before."""
    detail: dict[str, Any] = {name: value for name, value in row.params.items() if name != "name"}
    if "name" in row.params:
        detail |= {"before": {"name": row.precondition.get("name", "")}, "after": {"name": row.params["name"]}}
    if row.state == State.WAITING_APPROVAL:
        detail["waits_for_approval"] = True
    return detail | ({"retry_of": retry_of} if retry_of else {})
