"""Signs of life: who presumes a sender dead must be right, and who could not say that it lives must be dead."""

import os
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError

from cloud import processes
from cloud.clock import system_clock
from cloud.models import Process
from cloud.processes import Heart
from cloud.timing import Timing
from tests.fixtures import Hands
from tests.support.early import BASE

FAST = Timing(heartbeat_s=0.05, watchdog_s=0.4)


def _beats(heart: Heart, for_s: float) -> None:
    before = set(threading.enumerate())
    heart.start()
    time.sleep(for_s)
    heart.stop()
    for thread in set(threading.enumerate()) - before:
        thread.join(5)


@pytest.mark.django_db(transaction=True)
def test_a_heart_says_again_and_again_that_its_process_lives() -> None:
    ended: list[int] = []
    also: list[int] = []
    _beats(Heart(Process.Kind.WORKER, system_clock, FAST, end=ended.append, also=lambda: also.append(1)), 0.6)
    row = Process.objects.get(label=processes.label())
    assert row.seen_at - row.started_at > timedelta(seconds=0.1)
    assert len(also) > 2
    assert not ended


@pytest.mark.django_db(transaction=True)
def test_a_process_whose_heartbeat_the_database_refuses_ends_itself() -> None:
    ended: list[int] = []
    without_kind: Any = None  # which no row may be
    _beats(Heart(without_kind, system_clock, FAST, end=ended.append), 1.0)
    assert ended[:1] == [processes.EX_TEMPFAIL]


def test_a_heartbeat_that_hangs_ends_the_process_too() -> None:
    ended: list[int] = []
    let_go = threading.Event()

    def end(code: int) -> None:
        ended.append(code)
        let_go.set()

    def hang() -> datetime:
        let_go.wait(5)
        raise OperationalError

    _beats(Heart(Process.Kind.WORKER, hang, FAST, end=end), 1.0)
    assert ended[:1] == [processes.EX_TEMPFAIL]


@pytest.mark.usefixtures("db")
def test_a_sender_is_gone_only_after_it_was_silent_for_long(clock: Hands) -> None:
    pace = Timing()
    processes.lives(Process.Kind.WORKER, clock())
    sent_at = clock()
    clock.move(pace.sender_gone_s - 1)
    assert not processes.is_gone(processes.label(), sent_at, clock(), pace)
    clock.move(2)
    assert processes.is_gone(processes.label(), sent_at, clock(), pace)


@pytest.mark.usefixtures("db")
def test_a_sender_without_a_heart_is_not_gone_at_once_and_one_that_is_forgotten_is(clock: Hands) -> None:
    pace = Timing()
    sent_at = clock()
    assert not processes.is_gone("without a heart", sent_at, clock(), pace)
    processes.lives(Process.Kind.WORKER, clock())
    clock.move(2 * pace.sender_gone_s + 1)
    processes.forget_old(clock(), pace)
    assert not Process.objects.exists()
    assert processes.is_gone(processes.label(), sent_at, clock(), pace)


def _said(code: str, **environ: str) -> str:
    """What a process of its own prints."""
    run = (sys.executable, "-c", f"import os, time, django; django.setup(); {code}")
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "panel.settings"} | environ
    return subprocess.run(run, cwd=BASE, env=env, stdout=subprocess.PIPE, check=True, text=True).stdout


def test_a_label_is_never_used_again_even_when_the_number_of_the_process_is() -> None:
    code = "from cloud import processes; os.getpid = lambda: 7; print(processes.label())"
    first, second = _said(code), _said(code)
    assert first != second
    assert first.rpartition(":")[0] == second.rpartition(":")[0]


def test_a_broker_that_is_away_holds_nobody_up() -> None:
    code = "from cloud import knock; at = time.monotonic(); print(knock.canary(), time.monotonic() - at < 1.5)"
    assert _said(code, REDIS_URL="unix:///nowhere/valkey.sock").split() == ["False", "True"]
