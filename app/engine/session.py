"""A cluster, the loop and the stand-ins together, driven until nothing changes."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import httpx

from app.controllers import CONTROLLERS, Controller
from app.engine.cluster import Cluster
from app.engine.loop import Loop
from app.engine.standins import Standins

START = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
HORIZON_SECONDS = 2.0
MOST_STEPS = 20_000


class NeverSettles(Exception):
    """Work did not end: something changes for ever."""


class Session:
    """Time is the session's own: it moves only where ``advance`` or a retry within the horizon moves it."""

    def __init__(self, client: httpx.AsyncClient, controllers: tuple[Controller, ...] = CONTROLLERS) -> None:
        self.time = START
        self.cluster = Cluster(self.now)
        self.loop = Loop(self.cluster, client, lambda: self.time, controllers)
        self.standins = Standins(self.cluster)

    def now(self) -> str:
        return datetime.fromtimestamp(self.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    async def settle(self, after_step: Callable[[], Awaitable[None]] | None = None) -> None:
        """Works until nothing is due within two seconds. Raises NeverSettles where that does not come."""
        end = self.time + HORIZON_SECONDS
        for _ in range(MOST_STEPS):
            worked = await self.loop.step() or self.standins.step()
            if worked and after_step is not None:
                await after_step()
            if not worked:
                due = self.loop.timers[0][0] if self.loop.timers else end + 1
                if due > end:
                    return
                self.time = max(self.time, due)
        raise NeverSettles(f"{MOST_STEPS} steps and no end")

    async def advance(self, seconds: float) -> None:
        """Lets time pass, and the work that falls due in it be done."""
        self.time += seconds
        await self.settle()
