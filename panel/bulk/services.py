"""Asking many machines at once, and taking it back: policy, rows and record in one transaction, as for one machine."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from cloud.clock import system_clock
from cloud.models import Instance
from cloud.operations import batches
from cloud.operations.models import Operation
from cloud.operations.opening import Asker, KeyReused
from panel.actions.table import Action
from panel.audit import record
from panel.audit.models import Outcome
from panel.audit.record import About, Line
from panel.bulk import choice, queries
from panel.bulk.choice import Choice, Refused
from panel.bulk.models import Run
from panel.teams import policy
from panel.teams.policy import Actor

FIRST = 10  # machines that a line of denials names
__all__ = ["KeyReused", "start", "take_back"]


def start(
    *,
    actor: Actor,
    action: Action,
    ids: Sequence[int],
    left: Sequence[int] = (),
    client_key: str,
    again: Run | None = None,
) -> Run:
    """Write an action down for many machines; workers send it. One that is refused does not stop the others.

    `left` were shown as those that do not get it: they do not, whatever they are by now. `again` is the run whose
    failed ones these are. The same key by the same person gives the same run. Raises PermissionDenied, and KeyReused
    when the key came with other contents. No network; about twenty queries.
    """
    policy.require(actor, action.permission)
    run = _draft(actor, action, ids, client_key, again)
    with transaction.atomic():
        written = _written(run)
        if written is not run:
            return written
        both = list(dict.fromkeys([*ids, *left]))[: choice.MOST]
        found = choice.judge(actor, action, both, batches.locked(choice.chosen(actor, both)))
        lines = _open(actor, action, run, _narrowed(found, set(ids)), queries.failed(actor, again))
        if lines:
            record.append_many(lines, actor=actor)
    return run


def take_back(*, actor: Actor, run: Run) -> int:
    """Cancel what was not sent yet, of the machines that the actor may act on; how many that was."""
    ids = [row.pk for row in queries.unsent(actor, run)]
    words = _("Taken back by %(who)s. Nothing was sent.") % {"who": actor.label}
    with transaction.atomic():
        ended = batches.take_back(run.pk, ids, by=actor.label, now=system_clock(), words=words)
        if ended:
            record.append_many([_line(row, "undone") for row in ended], actor=actor)
    return len(ended)


def _draft(actor: Actor, action: Action, ids: Sequence[int], client_key: str, again: Run | None) -> Run:
    retry_of = again.pk if again else ""
    body = json.dumps([action.name, sorted(ids), retry_of])
    return Run(
        client_key=client_key,
        body_hash=hashlib.sha256(body.encode()).hexdigest(),
        kind=action.name,
        actor_id=actor.user_id or 0,
        actor_label=actor.label,
        created_at=system_clock(),
        retry_of=retry_of,
    )


def _written(run: Run) -> Run:
    """The run, or the one that the same form wrote before."""
    try:
        with transaction.atomic():
            run.save(force_insert=True)
    except IntegrityError:
        known = Run.objects.get(actor_id=run.actor_id, client_key=run.client_key)
        if known.body_hash != run.body_hash:
            raise KeyReused from None
        return known
    return run


def _narrowed(found: Choice, wanted: set[int]) -> Choice:
    """What was not free when it was shown is left alone, though it may be free by now."""
    words = _("It could not get it when you looked, and was left alone.")
    late = [choice.refusal(machine, words) for machine in found.fit if machine.pk not in wanted]
    return Choice([machine for machine in found.fit if machine.pk in wanted], [*found.refused, *late])


def _open(actor: Actor, action: Action, run: Run, found: Choice, retries: Mapping[int, str]) -> list[Line]:
    """Write the operations and the refusals; what is to stand on the record."""
    asker = Asker(run.actor_id, run.actor_label, session_hash=actor.origin.session_hash)
    batch = batches.open_many(action.kind, found.fit, by=asker, batch_id=run.pk, now=run.created_at, retries=retries)
    refused = [*found.refused, *_taken(found.fit, batch.taken)]
    run.refused = [one.packed() for one in refused]
    run.save(update_fields=["refused"])
    seen = batches.put_aside(row.retry_of for row in batch.opened if row.retry_of)
    return [
        *(_line(row, "put_aside", batch=run.pk) for row in seen),
        *(_line(row, "requested", batch=run.pk, retry_of=row.retry_of) for row in batch.opened),
        *_denials(action, run, refused),
    ]


def _taken(machines: Iterable[Instance], holders: Mapping[int, Operation]) -> Iterator[Refused]:
    return (choice.busy(machine, holders[machine.pk]) for machine in machines if machine.pk in holders)


def _line(row: Operation, what: str, **detail: str) -> Line:
    about: About = {
        "team_id": row.team_id,
        "target_kind": "instance",
        "target_id": str(row.target_id or ""),
        "target_label": row.target_label,
        "operation_id": row.pk,
    }
    return Line(f"instance.{row.kind}.{what}", about, detail={name: value for name, value in detail.items() if value})


def _denials(action: Action, run: Run, refused: Iterable[Refused]) -> Iterator[Line]:
    """What the policy refused stands on the record: a line a team, however many machines it was."""
    by_team: dict[int | None, list[Refused]] = defaultdict(list)
    for one in refused:
        if one.is_denied:
            by_team[one.team_id].append(one)
    for team, denied in by_team.items():
        target_id = str(denied[0].machine_id) if len(denied) == 1 else ""
        label = denied[0].label if len(denied) == 1 else ""
        about: About = {"team_id": team, "target_kind": "instance", "target_id": target_id, "target_label": label}
        detail = {"batch": run.pk, "machines": len(denied), "first": [one.machine_id for one in denied[:FIRST]]}
        yield Line(f"instance.{action.name}.denied", about, Outcome.DENIED, detail)
