"""Ten thousand failures are a few rows, and the rows say how many there were."""

import threading
from dataclasses import replace

import pytest
from django.db import connections, transaction

from panel.audit import record
from panel.audit.models import Entry, Fold, Outcome
from panel.teams.policy import Actor, Origin
from tests.fixtures import Hands
from tests.panel.audit.cast import OLGA

STRANGER = Actor(origin=Origin("198.51.100.9"))


def deny(clock: Hands, actor: Actor = STRANGER, code: str = "access.denied", target: str = "account.manage") -> None:
    record.denied(code, actor=actor, at=clock(), target_kind="permission", target_id=target)


def test_one_row_a_minute_and_the_next_says_how_many_followed(db: None, clock: Hands) -> None:
    for _ in range(10):
        deny(clock)
        clock.move(5)
    assert Entry.objects.get().details == {}
    clock.move(60)
    deny(clock)
    assert Entry.objects.get(sequence=2).details == {"folded": 9}
    assert Entry.objects.get(sequence=2).outcome == Outcome.DENIED


def test_other_people_places_codes_and_targets_have_rows_of_their_own(db: None, clock: Hands) -> None:
    for _ in range(3):
        deny(clock)
        deny(clock, OLGA)
        deny(clock, replace(STRANGER, origin=Origin("203.0.113.5")))
        deny(clock, code="person.sign_in.refused")
        deny(clock, target="health.view")
    assert Entry.objects.count() == 5


def test_the_addresses_of_one_customer_are_one_place(db: None, clock: Hands) -> None:
    for number in range(5):
        deny(clock, Actor(origin=Origin(f"2001:db8::{number}")))
    assert Entry.objects.count() == 1


def test_what_was_counted_is_told_even_when_nothing_follows(db: None, clock: Hands) -> None:
    for _ in range(4):
        deny(clock, OLGA)
    record.settle(clock())
    assert Entry.objects.count() == 1
    record.settle(clock.move(61))
    last = Entry.objects.get(sequence=2)
    assert (last.details, last.actor_label, last.target_id) == ({"folded": 3}, OLGA.label, "account.manage")
    assert last.at == clock()
    assert not Fold.objects.exists()
    record.settle(clock.move(61))
    assert Entry.objects.count() == 2


def test_a_clock_that_goes_back_does_not_fold_for_ever(db: None, clock: Hands) -> None:
    deny(clock)
    clock.move(-3600)
    deny(clock)
    assert Entry.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_tries_side_by_side_are_all_counted(clock: Hands) -> None:
    def work() -> None:
        for _ in range(10):
            deny(clock)
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    record.settle(clock.move(61))
    rows = list(Entry.objects.order_by("sequence"))
    assert len(rows) + sum(row.details.get("folded", 0) for row in rows) == 60 + 1
    assert len(rows) == 2


@pytest.mark.django_db(transaction=True)
def test_a_refusal_outlives_the_request_that_rolls_back_after_it(clock: Hands) -> None:
    deny(clock)
    with transaction.atomic():
        transaction.set_rollback(True)
    assert Entry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction_it_goes_the_way_of_that(clock: Hands) -> None:
    with transaction.atomic():
        deny(clock)
        transaction.set_rollback(True)
    assert not Entry.objects.exists()
    assert not Fold.objects.exists()
