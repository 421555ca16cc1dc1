"""From a message to the bytes that go to browsers. Each is made once and handed to every stream that may see it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from panel.fleet import fragments

MOST_ROWS = 40  # more changed rows than this are one "read the list again"


@dataclass(frozen=True)
class Frame:
    """What to send, to streams of which topic, and whose team one must be of to get it (None: any)."""

    topic: str
    data: bytes
    team: int | None = None


def event(name: str, text: str) -> bytes:
    """One server-sent event. A text of several lines becomes several data lines, as the standard wants."""
    lines = "".join(f"data: {line}\n" for line in text.splitlines() or [""])
    return f"event: {name}\n{lines}\n".encode()


def of_message(message: Mapping[str, Any], topics: Collection[str]) -> list[Frame]:
    """The frames of one message for the topics that are open here. Reads the cache when rows are to be drawn."""
    kind = message["kind"]
    if kind == "point":
        topic = f"instance:{message['id']}"
        team = fragments.team_of(message["id"]) if topic in topics else None
        return [Frame(topic, event("point", message["text"]), team)] if team is not None else []
    if kind == "fresh":
        return [Frame("fresh", event("fresh", f"{message['account']} {message['at']}"))]
    return _of_change(message, topics)


def topics_of(message: Mapping[str, Any]) -> set[str]:
    """Every topic that a change is news for, open here or not. Readings and ages come again by themselves."""
    if message["kind"] != "change":
        return set()
    touched = {f"instance:{pk}" for ids in message["instances"].values() for pk in ids}
    fleet = {"instances", "overview"} if message["instances"] or message["lists"] else set()
    return touched | fleet | set(message["topics"])


def _of_change(message: Mapping[str, Any], topics: Collection[str]) -> list[Frame]:
    frames = [Frame(topic, event("changed", topic)) for topic in message["topics"]]
    lists = set(message["lists"])
    for team, ids in message["instances"].items():
        pages = [pk for pk in ids if f"instance:{pk}" in topics]
        frames += [
            Frame(f"instance:{pk}", event("html", html), int(team)) for pk, html in fragments.heads(int(team), pages)
        ]
        # The state at once; name, facts and how to connect with the next reading.
        frames += [Frame(f"instance:{pk}", event("changed", f"instance:{pk}"), int(team)) for pk in pages]
        if len(ids) > MOST_ROWS:
            lists.add(int(team))
        elif "instances" in topics:
            frames += [
                Frame("instances", event("html", html), int(team)) for _pk, html in fragments.rows(int(team), ids)
            ]
    frames += [Frame(topic, event("changed", topic), team) for team in lists for topic in ("instances", "overview")]
    return frames
