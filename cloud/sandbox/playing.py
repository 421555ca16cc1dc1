"""How each fault is played on one call. Without a server beneath (in-process tests) a cut raises `CutOffError`."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from cloud.sandbox.faults import Fault
from cloud.sandbox.transport import Wire, head, wire_of

Handler = Callable[[Scope, Receive, Send], Awaitable[None]]
HANG_S = 3600.0
# How long the client gets to read what was sent before a reset throws it away.
READ_TIME_S = 0.05
HTML = """<!DOCTYPE html><html><head><title>{status} Bad gateway</title></head>
<body><center><h1>{status} Bad gateway</h1></center><hr><center>edge</center></body></html>"""


class CutOffError(ConnectionError):
    """The fault ended the connection, and there is no connection."""


@dataclass
class Answer:
    """A whole answer, held back."""

    status: int = 503
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    @classmethod
    def of(cls, status: int, body: bytes, content_type: str, more: dict[str, str] | None = None) -> "Answer":
        headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
        return cls(status, headers + [(k.lower().encode(), v.encode()) for k, v in (more or {}).items()], body)

    async def send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


async def capture(handler: Handler, scope: Scope, receive: Receive) -> Answer:
    """Let the call take its effect and hold its answer back."""
    answer = Answer()

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], list(message["headers"])
        else:
            answer.body += message.get("body", b"")

    await handler(scope, receive, keep)
    return answer


async def play(fault: Fault, handler: Handler, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one call the way the rule says. The whole request is read first, as from a client that did its part."""
    _body, receive = await read_whole(receive)
    if fault.kind == "latency" and fault.when == "before_commit":
        # The effect comes late, even when the client has given up: as from a slow provider.
        await asyncio.sleep(fault.seconds)
        await handler(scope, receive, send)
        return
    if fault.when == "before_commit":
        body = b'{"error": "unavailable", "message": "Service temporarily unavailable"}'
        answer = Answer.of(503, body, "application/json")
    else:
        answer = await capture(handler, scope, receive)
    wire = wire_of(scope)
    if fault.when == "during_answer" and fault.kind in {"reset", "hang", "latency"}:
        await _break_off(fault, answer, wire, receive)
        return
    seconds = HANG_S if fault.kind == "hang" and fault.seconds == 0 else fault.seconds
    if await _client_left_within(receive, seconds):
        return
    await _show(fault, answer, wire, receive, send)


async def _show(fault: Fault, answer: Answer, wire: Wire | None, receive: Receive, send: Send) -> None:
    """What the client sees once the waiting is over."""
    spoilt = spoil(fault, answer)
    if spoilt is not None:
        await spoilt.send(send)
    elif wire is None:
        raise CutOffError(fault.kind)
    elif fault.kind == "trickle":
        await _trickle(fault, answer, wire, receive)
    else:
        if fault.kind == "cut":
            wire.write(head(answer.status, answer.headers) + answer.body[: int(len(answer.body) * fault.share)])
            wire.close()
        else:
            wire.reset()
        await _until_left(receive)


def spoil(fault: Fault, answer: Answer) -> Answer | None:
    """The answer that a fault above the connection gives instead; None for faults of the connection itself."""
    status = fault.status or 200
    match fault.kind:
        case "latency":
            return answer
        case "status":
            body = (
                fault.body if fault.body is not None else {"error": "server_error", "message": "Something went wrong"}
            )
            raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            return Answer.of(fault.status or 500, raw, fault.content_type, fault.headers)
        case "html":
            status = fault.status or 502
            return Answer.of(status, HTML.format(status=status).encode(), "text/html; charset=utf-8", fault.headers)
        case "truncated":
            kept = answer.body[: int(len(answer.body) * fault.share)]
            return Answer.of(answer.status, kept, "application/json", fault.headers)
        case "garbage" | "empty" | "wrong_type" | "huge" | "deep":
            return Answer.of(status, _filler(fault), "application/json", fault.headers)
        case _:
            return None


def _filler(fault: Fault) -> bytes:
    """A body that no reader wants."""
    match fault.kind:
        case "garbage":
            return b'{"task_id": nope, \xff\xfe\x00 "status": [}'
        case "wrong_type":
            return b'["task_id", 42, null, {"status": {"PENDING": true}}]'
        case "huge":
            return b'{"data": "' + b"x" * int(fault.megabytes * 1_000_000) + b'"}'
        case "deep":
            return b"[" * fault.depth + b"]" * fault.depth
        case _:
            return b""


async def _break_off(fault: Fault, answer: Answer, wire: Wire | None, receive: Receive) -> None:
    """Head and part of the body, then: reset, silence and an end, or silence and the rest."""
    if wire is None:
        raise CutOffError(fault.kind)
    cut_at = int(len(answer.body) * fault.share)
    wire.write(head(answer.status, answer.headers) + answer.body[:cut_at])
    default = {"hang": HANG_S, "reset": READ_TIME_S}.get(fault.kind, 0.0)
    if await _client_left_within(receive, fault.seconds or default):
        return
    if fault.kind == "reset":
        wire.reset()
    else:
        wire.write(answer.body[cut_at:] if fault.kind == "latency" else b"")
        wire.close()
    await _until_left(receive)


async def _trickle(fault: Fault, answer: Answer, wire: Wire, receive: Receive) -> None:
    """One byte every `every_s`, of the head as well or of the body only."""
    top = head(answer.status, answer.headers)
    slow = top + answer.body if fault.part == "header" else answer.body
    if fault.part == "body":
        wire.write(top)
    for at in range(len(slow)):
        if wire.gone:
            break
        wire.write(slow[at : at + 1])
        await asyncio.sleep(fault.every_s)
    wire.close()
    await _until_left(receive)


async def read_whole(receive: Receive) -> tuple[bytes, Receive]:
    """Take in the request's body now; gives it, and a `receive` that hands it out once and then waits for the end.

    So an effect can come after the client has gone, and a reset never meets a client that is still writing.
    """
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        body, more = body + message.get("body", b""), message.get("more_body", False)
    whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return whole.pop() if whole else await receive()

    return body, again


async def _until_left(receive: Receive) -> None:
    """Wait for the end of the connection, so that uvicorn does not answer in our place."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _client_left_within(receive: Receive, seconds: float) -> bool:
    """Wait so long; True as soon as the client closes first."""
    if seconds <= 0:
        return False
    waiting: Awaitable[Any] = _until_left(receive)
    try:
        await asyncio.wait_for(waiting, seconds)
    except TimeoutError:
        return False
    return True
