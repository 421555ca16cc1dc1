"""Access that ends, ends at once: sessions, open streams, and what was asked for and not sent yet.

Called within the transaction that takes the access away; the record stays its last statement.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from cloud.operations import opening
from cloud.operations.models import Operation
from cloud.operations.states import UNSENT
from cloud.ports import Change, ports
from panel.audit.record import Line
from panel.people import sessions
from panel.people.models import User
from panel.teams.policy import Actor


def changed(*user_ids: int) -> None:
    """After the commit every web process looks again at the open streams of these people."""
    topics = frozenset(f"access:{user_id}" for user_id in user_ids)
    transaction.on_commit(lambda: ports().tell(Change(0, topics=topics)), robust=True)


def cut(person: User, *, by: Actor, now: datetime, team_id: int | None = None) -> list[Line]:
    """End the person's sessions and take back what they asked for and nobody has sent, in one team or in all.

    What is to stand on the record beside the caller's own line.
    """
    rows = Operation.objects.filter(actor_id=person.pk, state__in=sorted(UNSENT))
    lines = list(_taken_back(rows if team_id is None else rows.filter(team_id=team_id), person, by, now))
    sessions.end_all(person)
    changed(person.pk)
    return lines


def _taken_back(rows: Iterable[Operation], person: User, by: Actor, now: datetime) -> Iterable[Line]:
    words = _("%(who)s does not belong to the team any more. Nothing was sent.") % {"who": person.email}
    for row in rows:
        try:
            opening.take_back(row, by=by.label, now=now, words=words)
        except opening.TooLate:
            continue  # it is being sent in this very moment
        about = {"team_id": row.team_id, "target_kind": "instance", "target_id": str(row.target_id or "")}
        yield Line(
            f"instance.{row.kind}.withdrawn",
            {**about, "target_label": row.target_label, "operation_id": row.pk},  # type: ignore[typeddict-item]
            detail={"asked_by": row.actor_label},
        )
