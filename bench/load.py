"""A load of connections that stay open, as Metacontroller's workers send it; light enough not to be the limit."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import cast

import uvloop

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass
class Target:
    """Where the requests go, and how many are left to send and to hear."""

    message: bytes
    unsent: int
    unheard: int
    done: asyncio.Event = field(default_factory=asyncio.Event)
    bad: str = ""


class Connection(asyncio.Protocol):
    """Sends the next request when the answer of the last one is whole."""

    def __init__(self, target: Target) -> None:
        self.target, self.buffer, self.wanted = target, 0, 0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass
        self._send()

    def data_received(self, data: bytes) -> None:
        if not self.wanted:
            head, _, _ = data.partition(b"\r\n\r\n")
            found = LENGTH.search(head)
            if not found or not head.startswith(b"HTTP/1.1 200"):
                self.target.bad = head[:60].decode(errors="replace") or "no answer"
                self.target.done.set()
                return
            self.wanted = len(head) + 4 + int(found[1])
        self.buffer += len(data)
        if self.buffer >= self.wanted:
            self.buffer = self.wanted = 0
            self.target.unheard -= 1
            if self.target.unheard == 0:
                self.target.done.set()
            self._send()

    def _send(self) -> None:
        if self.target.unsent > 0 and self.transport:
            self.target.unsent -= 1
            self.transport.write(self.target.message)


def send(port: int, body: bytes, times: int, connections: int, path: str) -> None:
    """Sends the body so many times. Raises RuntimeError where an answer is no 200: the bench measures answers, not errors."""
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_send(port, head.encode() + body, times, connections))


async def _send(port: int, message: bytes, times: int, connections: int) -> None:
    target = Target(message, times, times)
    loop = asyncio.get_running_loop()
    opened = [await loop.create_connection(lambda: Connection(target), "127.0.0.1", port) for _ in range(connections)]
    await target.done.wait()
    for transport, _ in opened:
        transport.close()
    if target.bad:
        raise RuntimeError(target.bad)
