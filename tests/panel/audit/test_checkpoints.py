"""Where the record ends, signed: in time, once, on the disk, whatever dies in between."""

import threading
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections
from pytest_django.fixtures import Settings

from panel.audit import claims, outside
from panel.audit.checkpoints import checkpoint_if_due
from panel.audit.models import GENESIS, Checkpoint
from tests.fixtures import Hands
from tests.panel.audit.cast import say, tell


def test_it_says_where_the_record_ended_and_is_signed(
    db: None, clock: Hands, copies: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tell(2)
    assert checkpoint_if_due(clock())
    row = Checkpoint.objects.get()
    assert (row.number, row.sequence, row.hash, row.at) == (1, 2, rows[-1].hash, clock())
    (claim,) = outside.read(copies)
    assert claim == claims.claim_of(row) == claims.read_line(capsys.readouterr().out)
    assert claims.is_signed(claim, claims.public_keys(settings.RECORD_PUBLIC_KEY))


def test_it_comes_every_five_minutes_also_when_nothing_happens(db: None, clock: Hands) -> None:
    assert checkpoint_if_due(clock())
    assert Checkpoint.objects.get().hash == GENESIS
    assert not checkpoint_if_due(clock.move(299))
    assert checkpoint_if_due(clock.move(1))
    assert Checkpoint.objects.count() == 2


def test_it_comes_after_a_thousand_rows(db: None, clock: Hands) -> None:
    tell(2)
    assert checkpoint_if_due(clock())
    tell(999)
    assert not checkpoint_if_due(clock.move(1))
    say()
    assert checkpoint_if_due(clock.move(1))


def test_a_clock_that_goes_back_does_not_stop_it(db: None, clock: Hands) -> None:
    assert checkpoint_if_due(clock())
    assert checkpoint_if_due(clock.move(-3600))


def test_nothing_is_due_costs_two_queries(db: None, clock: Hands, django_assert_num_queries: object) -> None:
    checkpoint_if_due(clock())
    with django_assert_num_queries(2):  # type: ignore[operator]
        assert not checkpoint_if_due(clock.move(5))


def test_half_a_line_of_a_killed_process_is_passed_over(db: None, clock: Hands, copies: Path) -> None:
    assert checkpoint_if_due(clock())
    whole = copies.read_text()
    copies.write_text(whole[: len(whole) // 2])
    assert not checkpoint_if_due(clock.move(1))
    assert [claim.number for claim in outside.read(copies)] == [1]
    assert copies.read_text().endswith(f"\n{whole}")
    assert checkpoint_if_due(clock.move(300))
    assert [claim.number for claim in outside.read(copies)] == [1, 2]


def test_a_whole_line_without_its_end_is_not_written_twice(db: None, clock: Hands, copies: Path) -> None:
    assert checkpoint_if_due(clock())
    copies.write_text(copies.read_text().rstrip("\n"))
    assert checkpoint_if_due(clock.move(300))
    assert [claim.number for claim in outside.read(copies)] == [1, 2]


def test_killed_before_the_file_the_next_call_makes_up_for_it(db: None, clock: Hands, copies: Path) -> None:
    for _ in range(3):
        assert checkpoint_if_due(clock.move(300))
    copies.write_text(copies.read_text().splitlines(keepends=True)[0])
    assert not checkpoint_if_due(clock.move(1))
    assert [claim.number for claim in outside.read(copies)] == [1, 2, 3]


def test_without_a_file_it_is_at_least_said(
    db: None, clock: Hands, settings: Settings, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    settings.CHECKPOINT_FILE = "/dev/null/none"
    assert checkpoint_if_due(clock())
    assert claims.read_line(capsys.readouterr().out)
    assert "cannot be written" in caplog.text
    assert not checkpoint_if_due(clock.move(1))
    assert not capsys.readouterr().out


def test_without_a_key_nothing_is_made_and_it_is_said_once(
    db: None, clock: Hands, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.RECORD_KEY_FILE = "/dev/null"
    assert not checkpoint_if_due(clock())
    assert not checkpoint_if_due(clock.move(1))
    assert caplog.text.count("holds no key") == 1
    assert not Checkpoint.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_sweepers_make_one_checkpoint(clock: Hands, copies: Path) -> None:
    tell(1)
    made: list[bool] = []
    gate = threading.Barrier(4)

    def work() -> None:
        gate.wait(10)
        made.append(checkpoint_if_due(clock()))
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(made) == [False, False, False, True]
    assert Checkpoint.objects.count() == len(outside.read(copies)) == 1
