"""Notices: who gets which, what is silenced, and mail that is never lost nor sent twice."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.test import Client

from cloud import standing
from cloud.errors import Refused
from cloud.models import Account
from cloud.operations import moves
from cloud.operations.kinds import KINDS
from cloud.operations.opening import Asker, open_operation
from cloud.operations.states import State
from panel.inbox import notices, post
from panel.inbox.models import Kind, Notice, Silence
from panel.people.models import User
from panel.teams.models import Team
from tests.fixtures import Hands, browser_of
from tests.support.fleet import fill


class Away(BaseEmailBackend):
    """A mail server that is not there."""

    def send_messages(self, email_messages: Any) -> int:
        raise ConnectionRefusedError


class Settling(Away):
    """While it is asked in vain, somebody answers what the mail is about."""

    def send_messages(self, email_messages: Any) -> int:
        notices.settle(Kind.APPROVAL, "/there/")
        return super().send_messages(email_messages)


def told(user: User) -> list[str]:
    return list(Notice.objects.filter(user=user).values_list("words", flat=True))


@pytest.mark.parametrize("state", [State.FAILED, State.UNCLEAR])
def test_trouble_is_told_to_who_asked_and_what_is_unclear_to_who_may_settle(
    planned: Account, team: Team, olga: User, omar: User, vera: User, clock: Hands, state: State
) -> None:
    fill(planned, team.pk, 1)
    machine = planned.instances.get()
    row = open_operation(KINDS["reboot"], machine, by=Asker(omar.pk, omar.email), client_key="k", now=clock()).row
    for to in (State.SENDING, State.RUNNING, state):
        moves.move(row, to, now=clock(), again_at=clock() if to is not State.FAILED else None)
    assert len(told(omar)) == 1
    assert "Restart trainer-0" in told(omar)[0]
    assert len(told(olga)) == (state is State.UNCLEAR)
    assert not told(vera)


def test_many_failures_of_one_run_are_one_notice(planned: Account, team: Team, omar: User, clock: Hands) -> None:
    fill(planned, team.pk, 5)
    for number, machine in enumerate(planned.instances.all()):
        by = Asker(omar.pk, omar.email)
        row = open_operation(KINDS["reboot"], machine, by=by, client_key=f"k{number}", now=clock()).row
        row.batch_id = "01a20b48-0e44-7166-a0f2-bd691a954294"
        moves.move(row, State.EXPIRED, now=clock())
    assert told(omar) == ["Restart: it did not come off on every machine."]


def test_a_refused_key_is_told_to_administrators_once(planned: Account, olga: User, vera: User, clock: Hands) -> None:
    error = Refused(401)
    for _ in range(3):
        standing.failed(planned, error, clock())
    assert told(olga) == ["Blue Lobster rejected the stored key of Production. Replace it."]
    assert not told(vera)


def test_what_is_silenced_is_not_told_and_what_is_silenced_by_mail_is_not_mailed(omar: User, as_omar: Client) -> None:
    as_omar.post("/inbox/wanted/", {"here": ["access", "answer"], "mail": ["access"]})
    assert Silence.objects.filter(user=omar).count() == 3 + 4
    notices.tell([omar.pk], Kind.TROUBLE, "not this")
    notices.tell([omar.pk], Kind.ANSWER, "here only")
    notices.tell([omar.pk], Kind.ACCESS, "both")
    assert told(omar) == ["both", "here only"]
    assert post.deliver(Notice.objects.latest("pk").at) == 1
    assert [(one.to, one.subject) for one in mail.outbox] == [([omar.email], "Tidepool: both")]


def test_one_that_is_unread_is_not_repeated(omar: User) -> None:
    for _ in range(3):
        notices.tell([omar.pk, omar.pk], Kind.ACCESS, "the same")
    assert told(omar) == ["the same"]
    Notice.objects.update(read_at=Notice.objects.get().at)
    notices.tell([omar.pk], Kind.ACCESS, "the same")
    assert len(told(omar)) == 2


def test_a_mail_server_that_is_away_is_tried_again_and_given_up_in_the_end(omar: User, settings: Any) -> None:
    notices.tell([omar.pk], Kind.ACCESS, "later")
    now, usual = Notice.objects.get().at, settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = f"{__name__}.Away"
    assert post.deliver(now) == 0
    assert post.deliver(now + timedelta(seconds=30)) == 0
    settings.EMAIL_BACKEND = usual
    assert post.deliver(now + timedelta(seconds=61)) == 1
    assert post.deliver(now + timedelta(hours=9)) == 0
    assert len(mail.outbox) == 1


def test_a_process_that_died_with_a_mail_in_its_hand_leaves_it_to_the_next(omar: User) -> None:
    notices.tell([omar.pk], Kind.ACCESS, "held")
    now = Notice.objects.get().at
    Notice.objects.update(mail_at=now + post.CLAIM, mail_tries=1)  # claimed, and then nothing more
    assert post.deliver(now + timedelta(minutes=5)) == 0
    assert post.deliver(now + timedelta(minutes=11)) == 1


def test_what_was_settled_while_its_mail_failed_is_not_mailed_later(omar: User, settings: Any) -> None:
    notices.tell([omar.pk], Kind.APPROVAL, "asks", "/there/")
    now, usual = Notice.objects.get().at, settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = f"{__name__}.Settling"
    post.deliver(now)
    settings.EMAIL_BACKEND = usual
    assert post.deliver(now + timedelta(hours=1)) == 0
    assert not mail.outbox


def test_the_figure_falls_as_notices_are_read(omar: User, as_omar: Client) -> None:
    notices.tell([omar.pk], Kind.ACCESS, "one", "/you/")
    notices.tell([omar.pk], Kind.ACCESS, "two")
    assert ">2<" in as_omar.get("/inbox/count/").content.decode()
    one = Notice.objects.get(words="one")
    assert as_omar.post(f"/inbox/{one.pk}/open/")["Location"] == "/you/"
    assert ">1<" in as_omar.get("/inbox/count/").content.decode()
    as_omar.post("/inbox/read/")
    assert ">1<" not in as_omar.get("/inbox/count/").content.decode()


def test_nobody_reads_anothers(omar: User, vera: User) -> None:
    notices.tell([omar.pk], Kind.ACCESS, "CANARY", "/you/")
    client = browser_of(vera)
    assert "CANARY" not in client.get("/inbox/").content.decode()
    assert client.post(f"/inbox/{Notice.objects.get().pk}/open/").status_code == 404


def test_hostile_words_are_shown_as_words(omar: User, as_omar: Client) -> None:
    notices.tell([omar.pk], Kind.ACCESS, "<script>alert(1)</script>\nBcc: x@example.org")
    assert "<script>alert" not in as_omar.get("/inbox/").content.decode()
    assert post.deliver(Notice.objects.get().at) == 1
    assert "\n" not in mail.outbox[0].subject
