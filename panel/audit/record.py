"""Writing on the record: `append` what happened (`append_many` at once), `denied` what was refused or failed and may
happen very often.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypedDict, Unpack

from django.db import DatabaseError, connection, models, transaction

from cloud.clock import system_clock
from panel.audit import canonical, folding
from panel.audit.cleaning import detail_text, plain
from panel.audit.models import Entry, Head, Outcome
from panel.teams.policy import Actor

log = logging.getLogger(__name__)
MOST_SETTLED = 500  # at a time: the sweeper has other things to do
Detail = Mapping[str, Any]


class About(TypedDict, total=False):
    """What an entry is about; each is left empty where it does not apply. Ids of targets and operations are text."""

    team_id: int | None
    team_label: str
    target_kind: str
    target_id: str
    target_label: str
    operation_id: str


class Named(Protocol):
    pk: Any
    name: str


def of_team(team: Named) -> About:
    """What an entry about a team itself is about."""
    return {
        "team_id": team.pk,
        "team_label": team.name,
        "target_kind": "team",
        "target_id": str(team.pk),
        "target_label": team.name,
    }


def append(
    code: str,
    *,
    actor: Actor,
    at: datetime | None = None,
    outcome: Outcome = Outcome.OK,
    detail: Detail | None = None,
    **about: Unpack[About],
) -> Entry:
    """Add one row: the last statement of the transaction that does what it tells. Three queries.

    From here to the commit all other appends wait, so nothing slow may follow. Texts are cut to their columns and
    lose what looks like a secret. Raises RuntimeError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("The record is written in the transaction that does what it tells.")
    return _add(_draft(code, actor, at or system_clock(), outcome, detail, about))


@dataclass(frozen=True)
class Line:
    """One of many entries that are added together; the fields are those of `append`."""

    code: str
    about: About
    outcome: Outcome = Outcome.OK
    detail: Detail | None = None


def append_many(lines: Sequence[Line], *, actor: Actor, at: datetime | None = None) -> None:
    """Add many rows of one person and one moment, in their order, as `append` adds one: the last statement of the
    transaction. Four queries, and on SQLite one more for some forty rows. Raises RuntimeError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("The record is written in the transaction that does what it tells.")
    now = at or system_clock()
    drafts = [_draft(line.code, actor, now, line.outcome, line.detail, line.about) for line in lines]
    head = _head()
    last, last_hash = head.sequence, head.hash
    for entry in drafts:
        last, last_hash = _link(entry, last, last_hash)
    Entry.objects.bulk_create(drafts)
    # The database lets the head go one row at a time.
    with connection.cursor() as cursor:
        steps = [(entry.sequence, entry.hash, Head.ROW) for entry in drafts]
        cursor.executemany("UPDATE audit_head SET sequence = %s, hash = %s WHERE id = %s", steps)


def denied(
    code: str,
    *,
    actor: Actor,
    at: datetime | None = None,
    outcome: Outcome = Outcome.DENIED,
    detail: Detail | None = None,
    **about: Unpack[About],
) -> Entry | None:
    """Put a refusal or a stranger's failure on the record, one row a minute for each address block, person, code and
    target; None when it was only counted. The next row of its kind says how many were (`folded`), or `settle` does.

    Commits by itself: called outside a transaction, as it should be, it outlives a request that rolls back later.
    Inside one it goes the way of that transaction. Never raises for the database: what is refused stays refused.
    """
    now = at or system_clock()
    draft = _draft(code, actor, now, outcome, detail, about)
    try:
        with transaction.atomic():
            untold = folding.take(draft, now)
            if untold is None:
                return None
            if untold:
                draft.detail = detail_text({**(detail or {}), "folded": untold})
            return _add(draft)
    except DatabaseError:
        log.exception("%s could not be put on the record", code)
        return None


def settle(now: datetime) -> None:
    """Write down what was counted and never followed by another of its kind. For the sweeper, once in a while."""
    folding.over(now).filter(count=0).delete()
    for fold in folding.over(now)[:MOST_SETTLED]:
        with transaction.atomic():
            if folding.close(fold) and fold.count:
                draft = folding.first_of(fold)
                draft.at, draft.detail = now, detail_text({**draft.details, "folded": fold.count})
                _add(draft)


def _draft(
    code: str, actor: Actor, at: datetime, outcome: Outcome, detail: Detail | None, about: Mapping[str, Any]
) -> Entry:
    """The row as it will be, but for its place in the chain."""
    entry = Entry(
        version=canonical.VERSION,
        at=at,
        code=code,
        actor_id=actor.user_id,
        actor_label=actor.label,
        token_id=actor.origin.token_id,
        session_hash=actor.origin.session_hash,
        address=actor.origin.address,
        agent=actor.origin.agent,
        outcome=outcome.value,
        detail=detail_text(detail),
        **about,
    )
    for field in Entry._meta.get_fields():
        if isinstance(field, models.CharField) and field.max_length:
            setattr(entry, field.name, plain(getattr(entry, field.name), field.max_length))
    return entry


def _add(entry: Entry) -> Entry:
    """Take the head, add the row, move the head."""
    head = _head()
    _link(entry, head.sequence, head.hash)
    entry.save(force_insert=True)
    Head.objects.filter(pk=Head.ROW).update(sequence=entry.sequence, hash=entry.hash)
    return entry


def _link(entry: Entry, last: int, last_hash: str) -> tuple[int, str]:
    """Give it its place behind the last one; its own sequence and hash."""
    entry.sequence, entry.previous_hash = last + 1, last_hash
    entry.hash = canonical.hash_of_entry(entry)
    return entry.sequence, entry.hash


def _head() -> Head:
    """The head, held until the commit. One is made for an empty record alone: the database sees to that."""
    row = Head.objects.select_for_update().filter(pk=Head.ROW)
    found = row.first()
    if found is None:
        Head.objects.get_or_create(pk=Head.ROW)
        found = row.get()
    return found
