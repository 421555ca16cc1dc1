"""What the engine asks of the house when it takes an operation up, and what it puts on the record."""

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from cloud.operations.models import Operation
from cloud.operations.states import State
from panel.actions import table
from panel.audit import record
from panel.audit.models import Outcome
from panel.inbox import notices
from panel.inbox.models import Kind
from panel.teams.actors import actor_by_id, holders
from panel.teams.policy import Actor, Permission, allowed

FAILS = frozenset({State.FAILED, State.NOT_DONE, State.EXPIRED, State.UNCLEAR})


def why_not(row: Operation) -> str:
    """Rights may have gone since it was asked: asked again when it is taken up. "" when it may happen. Two queries.

    What a second person approved, that one must still be able to do, and the asker still to ask for.
    """
    action = table.of(row.kind)
    if action is None:
        return _("This version of Tidepool does not know this action. Nothing was sent.")
    needed: list[tuple[int, str, tuple[Permission, ...]]] = [(row.actor_id, row.actor_label, (action.permission,))]
    if row.approved_by is not None:
        asks = (Permission.OPERATION_ASK,)
        both = (Permission.OPERATION_APPROVE, action.permission)
        needed = [(row.actor_id, row.actor_label, asks), (row.approved_by, row.approved_by_label, both)]
    for user_id, label, permissions in needed:
        actor = actor_by_id(user_id)
        if not all(allowed(actor, permission, row) for permission in permissions):
            return _("%(who)s may not do this any more. Nothing was sent.") % {"who": label}
    return ""


def put_on_record(row: Operation, what: str, at: datetime) -> None:
    """The outcome of an operation, in the name of the person who asked for it; trouble is told to who must know."""
    if what in FAILS:
        _tell(row, State(what))
    outcome = Outcome.DENIED if what == "denied" else Outcome.FAIL if what in FAILS else Outcome.OK
    person = Actor(row.actor_id, row.actor_label)
    record.append(
        f"instance.{row.kind}.{what}",
        actor=person,
        at=at,
        team_id=row.team_id,
        target_kind="instance",
        target_id=str(row.target_id or ""),
        target_label=row.target_label,
        operation_id=row.pk,
        outcome=outcome,
        detail={"words": row.outcome, "attempts": row.attempts},
    )


def _tell(row: Operation, state: State) -> None:
    """Whoever asked; of what nobody knows also those who may settle it. Many at once are one notice."""
    action = table.of(row.kind)
    said = {"verb": action.verb if action else row.kind, "name": row.target_label}
    if row.batch_id:
        words, address = _("%(verb)s: it did not come off on every machine.") % said, _run(row.batch_id)
    else:
        words, address = _words(state) % said, reverse("activity:operation", args=[row.pk])
    people = {row.actor_id}
    if state is State.UNCLEAR:
        people |= set(holders(row.team_id, Permission.OPERATION_SETTLE))
    notices.tell(people, Kind.TROUBLE, words, address)


def _run(batch_id: str) -> str:
    return reverse("bulk:run", args=[batch_id])


def _words(state: State) -> str:
    words = {
        State.FAILED: _("%(verb)s %(name)s failed."),
        State.NOT_DONE: _("%(verb)s %(name)s did not happen."),
        State.EXPIRED: _("%(verb)s %(name)s was given up; nothing was sent."),
        State.UNCLEAR: _("Nobody knows how “%(verb)s %(name)s” ended. Please check."),
    }
    return words[state]
