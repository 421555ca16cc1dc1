"""A worker that hears nothing while messages wait ends itself; one that is busy, idle or without a broker does not."""

from dataclasses import dataclass, field

import pytest
from redis.exceptions import ConnectionError as Away

from cloud.ears import QUEUE, Ears, waiting
from cloud.store import store
from cloud.timing import Timing


@dataclass
class Played:
    """Time and a queue in our hands."""

    now: float = 1000.0
    messages: int = 5
    is_away: bool = False
    ended: list[int] = field(default_factory=list)

    def count(self) -> int:
        if self.is_away:
            raise Away
        return self.messages

    def ears(self) -> Ears:
        return Ears(Timing(), messages=self.count, end=self.ended.append, clock=lambda: self.now)

    def pass_s(self, ears: Ears, seconds: int) -> None:
        for _ in range(seconds // 10):
            self.now += 10
            ears.check()


def test_it_ends_after_a_minute_in_which_messages_waited() -> None:
    played = Played()
    ears = played.ears()
    played.pass_s(ears, 60)
    assert not played.ended
    played.pass_s(ears, 10)
    assert played.ended == [75]


def test_what_it_takes_up_in_between_shows_that_it_hears() -> None:
    played = Played()
    ears = played.ears()
    for _ in range(10):
        played.pass_s(ears, 50)
        ears.took_up()
        ears.put_down()
    assert not played.ended


@pytest.mark.parametrize("why", ["busy", "nothing waits", "no broker"])
def test_it_goes_on(why: str) -> None:
    played = Played(messages=0 if why == "nothing waits" else 5, is_away=why == "no broker")
    ears = played.ears()
    if why == "busy":
        ears.took_up()
    played.pass_s(ears, 600)
    assert not played.ended


def test_a_minute_begins_anew_when_the_queue_was_empty() -> None:
    played = Played()
    ears = played.ears()
    played.pass_s(ears, 50)
    played.messages = 0
    played.pass_s(ears, 10)
    played.messages = 5
    played.pass_s(ears, 60)
    assert not played.ended


def test_the_queue_is_where_celery_puts_it() -> None:
    from cloud.tasks import canary  # noqa: PLC0415 -- with Celery's application
    from panel.celery import app  # noqa: PLC0415

    assert app.conf.broker_transport_options["global_keyprefix"] + app.conf.task_default_queue == QUEUE
    before = waiting()
    store().rpush(QUEUE, "x")
    assert (waiting(), canary.name) == (before + 1, "cloud.tasks.canary")
