"""Many rows at once: the chain and the guards see no difference from rows that were added one by one."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from panel.audit import canonical, guards, record, verify
from panel.audit.models import Entry, Head, Outcome
from panel.audit.record import Line
from panel.teams.policy import NOBODY
from tests.panel.audit.cast import OLGA, say


def lines(count: int) -> list[Line]:
    return [
        Line("instance.reboot.requested", {"team_id": 3, "target_id": f"vm-{number}"}, detail={"batch": "b"})
        for number in range(count)
    ]


def add(count: int) -> None:
    with transaction.atomic():
        record.append_many(lines(count), actor=OLGA)


def test_they_are_chained_in_their_order_between_single_ones(db: None) -> None:
    before = say()
    add(130)
    after = say()
    rows = list(Entry.objects.order_by("sequence"))
    assert [row.sequence for row in rows] == list(range(1, 133))
    assert [row.target_id for row in rows[1:-1]] == [f"vm-{number}" for number in range(130)]
    assert [row.previous_hash for row in rows[1:]] == [row.hash for row in rows[:-1]]
    assert all(row.hash == canonical.hash_of_entry(row) for row in rows)
    assert (rows[0].hash, rows[-1].hash) == (before.hash, after.hash)
    head = Head.objects.get()
    assert (head.sequence, head.hash) == (132, after.hash)
    assert verify.verify({}, None).is_whole
    assert guards.faults() == []


def test_each_row_has_its_own_outcome_and_loses_its_secrets(db: None) -> None:
    told = [
        Line("a.b", {"target_label": "x" * 300}, Outcome.DENIED, {"password": "hunter2"}),
        Line("a.c", {"operation_id": "0192"}),
    ]
    with transaction.atomic():
        record.append_many(told, actor=OLGA)
    first, second = Entry.objects.order_by("sequence")
    assert (first.outcome, second.outcome, second.operation_id) == ("denied", "ok", "0192")
    assert len(first.target_label) == 254
    assert "hunter2" not in first.detail


def test_none_is_none_and_what_is_rolled_back_leaves_none(db: None) -> None:
    add(0)
    with transaction.atomic():
        record.append_many(lines(3), actor=OLGA)
        transaction.set_rollback(True)
    assert not Entry.objects.exists()
    assert say().sequence == 1


def test_the_statements_are_few(db: None) -> None:
    say()
    with CaptureQueriesContext(connection) as queries:
        add(200)
    # The savepoint of the test's own transaction, the head, the rows, and the head's steps in one call.
    assert len(queries) <= (11 if connection.vendor == "sqlite" else 6)


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        record.append_many(lines(1), actor=NOBODY)
