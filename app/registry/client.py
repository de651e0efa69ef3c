"""The operator's side of the registry: makes a wish come true, or says why not, within three seconds and without a retry.

Nothing that a status shows is remembered here: only when a record was last told, so that one that did not change is told
again about every ten minutes, and a failed one not more often than every other second.
"""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx

from app.contract import Outcome, Wish
from app.settings import Settings

DEADLINE_SECONDS, REFRESH_SECONDS, PAUSE_SECONDS = 3.0, 540.0, 2.0
MAX_ANSWER_BYTES = 64 * 1024
Answer = tuple[int, bytes]


class Registry:
    """Reaches the registry of the settings. ``transport`` and ``clock`` (seconds) are for tests and the embedded one."""

    def __init__(
        self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        headers = {"Authorization": f"Bearer {settings.registry_token}"} if settings.registry_token else {}
        limits, timeout = httpx.Limits(max_connections=20), httpx.Timeout(DEADLINE_SECONDS, connect=1)
        self.client = httpx.AsyncClient(
            base_url=settings.registry_url, headers=headers, limits=limits, timeout=timeout, transport=transport, trust_env=False
        )
        self.clock = clock
        self.told: dict[str, tuple[str, float]] = {}
        self.failed: dict[str, tuple[str, float]] = {}

    async def carry_out(self, wish: Wish) -> Outcome:
        """What came of it; never raises for what the registry does."""
        if self._rests(wish):
            return Outcome("kept")
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                outcome = heard(wish, await self._ask(wish))
        except TimeoutError:
            outcome = Outcome("failed", "RegistryTimeout", f"the registry did not answer within {DEADLINE_SECONDS:.0f} s")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            slow = isinstance(error, httpx.TimeoutException)
            reason = "RegistryTimeout" if slow else "RegistryUnreachable"
            outcome = Outcome("failed", reason, f"the registry cannot be reached: {type(error).__name__}")
        self._note(wish, outcome)
        return outcome

    def _rests(self, wish: Wish) -> bool:
        now = self.clock()
        told, failed = self.told.get(wish.name, ("", 0.0)), self.failed.get(wish.name, ("", 0.0))
        recently = told[0] == wish.hash and now - told[1] < REFRESH_SECONDS
        return (not wish.changed and recently) or (failed[0] == _key(wish) and now - failed[1] < PAUSE_SECONDS)

    def _note(self, wish: Wish, outcome: Outcome) -> None:
        self.failed.pop(wish.name, None)
        self.told.pop(wish.name, None)
        if outcome.state == "failed":
            self.failed[wish.name] = _key(wish), self.clock()
        elif wish.record is not None:
            self.told[wish.name] = wish.hash, self.clock()

    async def _ask(self, wish: Wish) -> Answer:
        method, path, sent = request_of(wish)
        async with self.client.stream(method, path, json=sent) as response:
            body = b""
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    break
            return response.status_code, body

    async def close(self) -> None:
        await self.client.aclose()


def _key(wish: Wish) -> str:
    return wish.hash or "delete"


def request_of(wish: Wish) -> tuple[str, str, dict[str, Any] | None]:
    """Method, path and body of a wish."""
    path = f"/v1/backends/{quote(wish.name, safe='')}"
    if wish.record is None:
        return "DELETE", str(httpx.URL(path, params=wish.source)), None
    return "PUT", path, {**wish.record, "hash": wish.hash}


def heard(wish: Wish, answer: Answer) -> Outcome:
    """What an answer means. The body is believed only where it is what was asked for, and never quoted."""
    code, body = answer
    if wish.record is None and code in (200, 204, 404):
        return Outcome("done")
    if wish.record is None and code == 409:
        return Outcome("done", "SourceConflict", "the record is another source's and stays")
    if wish.record is not None and code in (200, 201):
        if _hash(body) == wish.hash:
            return Outcome("done", hash=wish.hash)
        return Outcome("failed", "UnexpectedAnswer", "the registry answered, but not with the record that it was told")
    known = {
        401: ("Unauthorized", "the registry does not take the operator's token"),
        403: ("Unauthorized", "the registry does not take the operator's token"),
        409: ("SourceConflict", "the registry holds a record of this name from another source"),
    }
    return Outcome("failed", *known.get(code, ("RegistryError", f"the registry answered {code}")))


def _hash(body: bytes) -> str:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return str(said.get("hash", "")) if isinstance(said, dict) else ""
