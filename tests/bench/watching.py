"""So many open pages of the list: `python -m tests.bench.watching PORT COOKIES PAGES` says when each heard of a change.

Reads a line to begin each round and answers with one line of JSON: when each page had its event, in seconds since 1970.
"""

import asyncio
import json
import sys
import time

HEAD = "GET /live?topics=instances HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n"


Page = tuple[asyncio.StreamReader, asyncio.StreamWriter]  # the writer is kept: without it the connection is closed


async def _open(port: int, cookie: str) -> Page:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD.format(cookie=cookie).encode())
    await reader.readuntil(b": hello")
    return reader, writer


async def _heard(reader: asyncio.StreamReader) -> float:
    """When the row of the changed machine came."""
    while line := await reader.readline():
        if b"event: html" in line:
            return time.time()
    raise EOFError("the stream ended")


async def _main(port: int, cookies: list[str], pages: int) -> None:
    opened = [await _open(port, cookies[number % len(cookies)]) for number in range(pages)]
    sys.stdout.write("open\n")
    sys.stdout.flush()
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        waiting = [asyncio.create_task(_heard(reader)) for reader, _writer in opened]
        await asyncio.sleep(0.05)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdout.write(json.dumps(await asyncio.gather(*waiting)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), sys.argv[2].split(","), int(sys.argv[3])))
