"""News on their way to open pages: who gets what, drawn once, and nothing after a gap is lost for good."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connections
from django.test import Client

from cloud.models import Account, Instance
from cloud.ports import Change, Point, ports
from cloud.store import store
from panel.live import frames, news, rights
from panel.live.hub import MOST_A_SESSION, Hub, Stream
from panel.live.stream import live
from panel.people.models import User
from panel.teams import members
from panel.teams.actors import actor_by_id
from panel.teams.models import Membership, Team
from panel.teams.policy import Actor, Role
from tests.fixtures import browser_of
from tests.support.fleet import fill

pytestmark = pytest.mark.django_db(transaction=True)


def cookie_of(client: Client) -> str:
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


async def off_loop(work: Callable[..., object], *args: object) -> None:
    """The work in a thread that leaves no database connection behind."""

    def run() -> None:
        work(*args)
        connections.close_all()

    await asyncio.to_thread(run)


class Page:
    """An open page: the status it got and the events that reached it."""

    def __init__(self) -> None:
        self.status = 0
        self.text = ""
        self.leave: Callable[[], None] = lambda: None

    async def until(self, word: str) -> str:
        async with asyncio.timeout(5):
            while word not in self.text:
                await asyncio.sleep(0.01)
        return self.text


@asynccontextmanager
async def opened(hub: Hub, topics: str, cookie: str = "", **headers: str) -> AsyncIterator[Page]:
    page, gone = Page(), asyncio.Event()

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            page.status = message["status"]
        else:
            page.text += message.get("body", b"").decode()

    named = {"host": "localhost:80", "cookie": cookie, **headers}
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/live",
        "query_string": f"topics={topics}".encode(),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()],
    }
    stream = asyncio.create_task(live(hub, scope, receive, send))
    async with asyncio.timeout(5):
        while not page.status:
            await asyncio.sleep(0.01)
    yield page
    gone.set()
    await stream


@asynccontextmanager
async def hub_running() -> AsyncIterator[Hub]:
    hub = Hub()
    hub.start()
    async with asyncio.timeout(5):
        while not hub.is_connected:
            await asyncio.sleep(0.01)
    yield hub
    await hub.stop()


def test_a_change_reaches_an_open_list_as_its_row(planned: Account, team: Team, as_vera: Client) -> None:
    fill(planned, team.pk, 2)
    pk = Instance.objects.latest("pk").pk
    cookie = cookie_of(as_vera)

    async def story() -> None:
        async with hub_running() as hub, opened(hub, "instances", cookie) as page:
            await off_loop(news.tell, Change(planned.pk, {team.pk: [pk]}))
            await page.until(f'<tr id="i{pk}">')

    asyncio.run(story())


def test_another_teams_machine_reaches_nobody_else(planned: Account, team: Team, as_vera: Client) -> None:
    fill(planned, team.pk, 2)
    other = Team.objects.create(name="Other")
    hidden = Instance.objects.latest("pk")
    Instance.objects.filter(pk=hidden.pk).update(team_id=other.pk, name="CANARY")
    cookie = cookie_of(as_vera)

    async def story() -> str:
        topics = f"instances,overview,tasks,instance:{hidden.pk}"
        async with hub_running() as hub, opened(hub, topics, cookie) as page:
            await off_loop(news.tell, Change(planned.pk, {other.pk: [hidden.pk]}, frozenset({other.pk})))
            await off_loop(news.tell, Change(planned.pk, topics=frozenset({"accounts"})))
            return await page.until("data: accounts")

    text = asyncio.run(story())
    assert "CANARY" not in text
    assert "data: instances" not in text
    assert f"i{hidden.pk}" not in text


@pytest.mark.parametrize("is_late", [True, False])
def test_what_changed_while_a_page_was_drawn_is_said_when_its_stream_opens(
    planned: Account, team: Team, as_vera: Client, is_late: bool
) -> None:
    fill(planned, team.pk, 2)
    cookie, ids = cookie_of(as_vera), [Instance.objects.latest("pk").pk]

    async def story() -> bool:
        async with hub_running() as hub:
            await asyncio.sleep(0.01)
            drawn_at = time.time()
            changed = {team.pk: ids} if is_late else {}
            await off_loop(news.tell, Change(planned.pk, changed, topics=frozenset({"catalogue"})))
            async with asyncio.timeout(5):
                while not hub._lately:
                    await asyncio.sleep(0.01)
            async with opened(hub, f"instances&since={drawn_at}", cookie) as page:
                await page.until("hello")
                await asyncio.sleep(0.05)
                return "data: all" in page.text

    assert asyncio.run(story()) == is_late


def test_strangers_and_other_sites_get_no_stream(team: Team, as_vera: Client) -> None:
    cookie = cookie_of(as_vera)

    async def status(cookie: str, **headers: str) -> int:
        async with hub_running() as hub, opened(hub, "instances", cookie, **headers) as page:
            return page.status

    assert asyncio.run(status("")) == 401
    assert asyncio.run(status("tidepool_session=forged")) == 401
    assert asyncio.run(status(cookie, sec_fetch_site="cross-site")) == 403
    assert asyncio.run(status(cookie, host="evil.test")) == 403
    assert asyncio.run(status(cookie)) == 200


def test_a_change_is_drawn_once_however_many_look(planned: Account, team: Team, vera: User) -> None:
    fill(planned, team.pk, 2)
    hub = Hub()
    actor = Actor(vera.pk, vera.email, roles={team.pk: Role.VIEWER})
    streams = [Stream("key", actor, frozenset({"instances"})) for _ in range(50)]
    hub.streams["instances"].update(streams)
    message = {"kind": "change", "account": 1, "instances": {team.pk: [Instance.objects.latest("pk").pk]}}
    made = frames.of_message(message | {"lists": [], "topics": []}, {"instances"})
    hub.send(made)
    sent = {id(stream.queue.get_nowait()) for stream in streams}
    assert len(made) == len(sent) == 1


def test_a_big_change_is_one_word_instead_of_a_thousand_rows(planned: Account, team: Team) -> None:
    ids = list(range(1, 1001))
    message = {"kind": "change", "account": 1, "instances": {team.pk: ids}, "lists": [], "topics": []}
    made = frames.of_message(message, {"instances"})
    assert {frame.data for frame in made} == {
        frames.event("changed", "instances"),
        frames.event("changed", "overview"),
    }


def test_a_browser_that_cannot_keep_up_reads_again_instead(vera: User, team: Team) -> None:
    stream = Stream("key", Actor(vera.pk, vera.email, roles={team.pk: Role.VIEWER}), frozenset())
    for number in range(500):
        stream.put(str(number).encode())
    waiting = [stream.queue.get_nowait() for _ in range(stream.queue.qsize())]
    assert frames.event("changed", "all") in waiting
    assert waiting[-1] == b"499"
    assert len(waiting) <= 100


def test_a_row_of_several_lines_stays_one_event() -> None:
    assert frames.event("html", "<a>\n<b>") == b"event: html\ndata: <a>\ndata: <b>\n\n"


def test_a_session_that_ends_ends_its_stream(team: Team, as_vera: Client, settings: Any) -> None:
    settings.TIME_SCALE = 50
    cookie = cookie_of(as_vera)

    async def story() -> None:
        async with hub_running() as hub, opened(hub, "instances", cookie) as page:
            await off_loop(Session.objects.all().delete)
            await page.until("event: goodbye")

    asyncio.run(story())


def test_a_changed_role_opens_the_page_again_with_the_rights_of_now(
    team: Team, vera: User, as_vera: Client, settings: Any
) -> None:
    settings.TIME_SCALE = 50
    cookie = cookie_of(as_vera)

    async def story() -> None:
        async with hub_running() as hub, opened(hub, "instances", cookie) as page:
            await off_loop(Membership.objects.all().delete)
            await page.until("event: goodbye")

    asyncio.run(story())


def test_one_session_cannot_take_all_streams(team: Team, as_vera: Client) -> None:
    cookie = cookie_of(as_vera)

    async def story() -> int:
        async with hub_running() as hub, AsyncExitStack() as pages:
            for _number in range(MOST_A_SESSION):
                await pages.enter_async_context(opened(hub, "instances", cookie))
            return (await pages.enter_async_context(opened(hub, "instances", cookie))).status

    assert asyncio.run(story()) == 429


def test_whoever_is_removed_hears_goodbye_within_a_second(planned: Account, team: Team, omar: User, olga: User) -> None:
    """Not with the next round of checks, which is five seconds away: with the change itself."""
    fill(planned, team.pk, 1)
    cookie = cookie_of(browser_of(omar))

    def remove() -> None:
        member = Membership.objects.get(user=omar, team=team)
        members.remove(actor=actor_by_id(olga.pk), member=member)

    async def story() -> float:
        async with hub_running() as hub, opened(hub, "instances", cookie) as page:
            await page.until("hello")
            began = time.monotonic()
            await off_loop(remove)
            await page.until("event: goodbye")
            return time.monotonic() - began

    assert asyncio.run(story()) < 1


def test_a_machine_that_was_given_away_is_drawn_for_its_new_team_alone(
    planned: Account, team: Team, as_vera: Client
) -> None:
    """News that was written before the machine went, drawn after it: nothing of it reaches the old team (S03)."""
    fill(planned, team.pk, 1)
    machine = Instance.objects.get()
    other = Team.objects.create(name="Other")
    cookie = cookie_of(as_vera)
    point = Point(1.0, 1.0, None, None, None, None, None, None, None)

    async def story() -> str:
        async with hub_running() as hub, opened(hub, f"instances,instance:{machine.pk}", cookie) as page:
            await page.until("hello")
            await off_loop(lambda: Instance.objects.update(team_id=other.pk, name="CANARY"))
            await off_loop(news.tell, Change(planned.pk, {team.pk: [machine.pk]}))
            await off_loop(news.show_point, machine.pk, point)
            await off_loop(news.tell, Change(planned.pk, topics=frozenset({"accounts"})))
            return await page.until("data: accounts")

    text = asyncio.run(story())
    assert "CANARY" not in text
    assert "event: html" not in text
    assert "event: point" not in text


def test_an_inbox_is_heard_by_its_person_alone(team: Team, vera: User, omar: User) -> None:
    cookie = cookie_of(browser_of(vera))

    async def story() -> str:
        async with hub_running() as hub, opened(hub, f"instances,inbox:{omar.pk}", cookie) as page:
            await page.until("hello")
            for person_id in (omar.pk, vera.pk):
                await off_loop(news.tell, Change(0, topics=frozenset({f"inbox:{person_id}"})))
            return await page.until(f"data: inbox:{vera.pk}")

    assert f"inbox:{omar.pk}\n" not in asyncio.run(story())


def test_many_sessions_are_checked_in_three_queries(
    team: Team, vera: User, olga: User, stan: User, django_assert_num_queries: Any
) -> None:
    keys = {browser_of(user).cookies[settings.SESSION_COOKIE_NAME].value for user in (vera, olga, stan)}
    with django_assert_num_queries(3):
        actors = rights.actors_of(keys | {"forged"})
    assert {actor.label for actor in actors.values()} == {vera.email, olga.email, stan.email}


def test_who_looks_is_told_to_the_workers(planned: Account, team: Team, as_vera: Client) -> None:
    fill(planned, team.pk, 1)
    pk = Instance.objects.get().pk
    cookie = cookie_of(as_vera)

    async def story() -> None:
        async with hub_running() as hub, opened(hub, f"instances,instance:{pk}", cookie):
            assert ports().is_watched("instances")
            assert ports().is_watched("fleet")
            assert list(ports().looked_at()) == [pk]

    assert not ports().is_watched("instances")
    asyncio.run(story())


def test_news_without_redis_fail_nobody(planned: Account, team: Team, settings: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    store.cache_clear()
    try:
        news.tell(Change(planned.pk, {team.pk: [1]}))
        assert not news.is_watched("instances")
        assert list(news.looked_at()) == []
    finally:
        store.cache_clear()


def test_what_is_published_holds_no_names(planned: Account, team: Team) -> None:
    subscription = store().pubsub()  # type: ignore[no-untyped-call]
    subscription.subscribe(news.CHANNEL)
    news.tell(Change(planned.pk, {team.pk: [1]}, frozenset({team.pk})))
    messages = [subscription.get_message(timeout=1) for _ in range(3)]
    (data,) = [json.loads(message["data"]) for message in messages if message and message["type"] == "message"]
    assert set(data) == {"kind", "account", "instances", "lists", "topics"}
    subscription.close()
