"""Appending: gapless, chained, with the transaction or not at all."""

import threading
from dataclasses import replace

import pytest
from django.db import connections, transaction

from panel.audit import canonical, record
from panel.audit.models import GENESIS, Entry, Head, Outcome
from panel.people.models import User
from panel.teams.policy import NOBODY, Origin
from tests.fixtures import Hands
from tests.panel.audit.cast import OLGA, say


def test_rows_are_numbered_from_one_and_carry_the_hash_of_the_one_before(db: None) -> None:
    first, second = say(), say()
    assert (first.sequence, first.previous_hash) == (1, GENESIS)
    assert (second.sequence, second.previous_hash) == (2, first.hash)
    head = Head.objects.get()
    assert (head.sequence, head.hash) == (2, second.hash)


def test_a_row_copies_the_names_of_who_what_and_from_where(db: None, clock: Hands) -> None:
    say(
        at=clock(), team_id=3, team_label="Research", target_kind="instance", target_id="vm-1", target_label="gpu-1",
        operation_id="0192", outcome=Outcome.FAIL, detail={"reason": "maintenance"},
    )  # fmt: skip
    row = Entry.objects.get()
    assert (row.at, row.actor_id, row.actor_label) == (clock(), 7, "olga@example.org")
    assert (row.address, row.agent, row.session_hash) == ("198.51.100.9", "Firefox", "abcd")
    assert (row.team_id, row.team_label, row.target_id, row.target_label) == (3, "Research", "vm-1", "gpu-1")
    assert (row.operation_id, row.outcome, row.details) == ("0192", "fail", {"reason": "maintenance"})
    assert canonical.hash_of_entry(row) == row.hash


@pytest.mark.django_db(transaction=True)
def test_appending_outside_a_transaction_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        record.append("person.signed_in", actor=NOBODY)


def test_what_is_rolled_back_leaves_no_row(db: None) -> None:
    say("one.kept")
    with transaction.atomic():
        User.objects.create(email="omar@example.org")
        record.append("person.added", actor=OLGA)
        transaction.set_rollback(True)
    assert not User.objects.exists()
    assert say("two.kept").sequence == 2
    assert list(Entry.objects.values_list("code", flat=True)) == ["one.kept", "two.kept"]


@pytest.mark.django_db(transaction=True)
def test_eight_threads_leave_a_chain_without_gaps() -> None:
    def work() -> None:
        for _ in range(25):
            say()
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    rows = list(Entry.objects.order_by("sequence"))
    assert [row.sequence for row in rows] == list(range(1, 201))
    assert [row.previous_hash for row in rows] == [GENESIS, *(row.hash for row in rows[:-1])]


def test_the_actor_is_the_same_wherever_they_come_from() -> None:
    assert replace(OLGA, origin=Origin("203.0.113.1")) == OLGA
