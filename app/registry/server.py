"""The admin registry: which backends there are, for whoever has the token. PUT, GET and DELETE are idempotent."""

import hmac
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from app import __version__
from app.registry.store import Conflict, Source, Store

NAME = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
Name = Annotated[str, Path(max_length=253, pattern=NAME)]


class SourceModel(BaseModel):
    """Who speaks of the record; changes are taken from nobody else."""

    cluster: Annotated[str, Field(min_length=1, max_length=253)]
    uid: Annotated[str, Field(min_length=1, max_length=63)]


class Record(BaseModel):
    """A backend. ``binding`` names the Secret with the credentials; ``credentials`` are here only where that is wanted."""

    model_config = ConfigDict(extra="allow")
    name: Annotated[str, Field(max_length=253, pattern=NAME)]
    type: Annotated[str, Field(min_length=1, max_length=63)]
    config: dict[str, Any] = {}
    capabilities: list[str] = []
    metadata: dict[str, str] = {}
    binding: dict[str, str] = {}
    credentials: dict[str, str] | None = None
    source: SourceModel
    hash: Annotated[str, Field(min_length=1, max_length=64)]


def clock() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def create_registry(store: Store, token: str = "", now: Callable[[], str] = clock) -> FastAPI:
    """The registry over a store; with a token, whoever does not show it hears 401."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        store.close()

    app = FastAPI(
        title="Prism registry",
        version=__version__,
        summary="Which backends there are.",
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        redoc_url=None,
    )
    app.add_exception_handler(RequestValidationError, _unreadable)
    secured = [Depends(_bouncer(token))]

    @app.put("/v1/backends/{name}", dependencies=secured, tags=["backends"], responses={409: {}, 401: {}})
    def put(name: Name, record: Record, response: Response) -> dict[str, str]:
        """Creates or replaces a record. 409 where it is another source's."""
        if record.name != name:
            raise HTTPException(400, "name: the record's is not that of the path")
        source = Source(record.source.cluster, record.source.uid)
        kept = record.model_dump(exclude={"hash"}, exclude_none=True)
        with _own():
            new = store.put(name, source, kept, record.hash, now())
        response.status_code = 201 if new else 200
        return {"name": name, "hash": record.hash}

    @app.get("/v1/backends/{name}", dependencies=secured, tags=["backends"], responses={404: {}, 401: {}})
    def get(name: Name) -> dict[str, Any]:
        """A record, whole."""
        found = store.get(name)
        if found is None:
            raise HTTPException(404, "there is no such record")
        return found

    @app.delete("/v1/backends/{name}", dependencies=secured, tags=["backends"], status_code=204, responses={409: {}, 401: {}})
    def delete(name: Name, cluster: Annotated[str, Query(min_length=1)], uid: Annotated[str, Query(min_length=1)]) -> None:
        """Removes a record; one that is not there is gone already. 409 where it is another source's."""
        with _own():
            store.delete(name, Source(cluster, uid))

    @app.get("/v1/backends", dependencies=secured, tags=["backends"], responses={401: {}})
    def listed(after: str = "", limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> dict[str, list[dict[str, str]]]:
        """Which records there are, without what they say. ``after`` is the last name of the page before."""
        return {"backends": store.list(after, limit)}

    @app.get("/healthz", tags=["service"])
    def health() -> PlainTextResponse:
        """200 while the store can be read."""
        store.list("", 1)
        return PlainTextResponse("ok\n")

    return app


def _bouncer(token: str) -> Callable[[Request], None]:
    def admitted(request: Request) -> None:
        shown = request.headers.get("authorization", "").encode()
        if token and not hmac.compare_digest(shown, f"Bearer {token}".encode()):
            raise HTTPException(401, "a bearer token is required", {"WWW-Authenticate": "Bearer"})

    return admitted


@contextmanager
def _own() -> Iterator[None]:
    try:
        yield
    except Conflict:
        raise HTTPException(409, "the record belongs to another source") from None


def _unreadable(_: Request, error: Exception) -> Response:
    """Names the field and never its value."""
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    said = "; ".join(f"{'.'.join(map(str, each['loc']))[:200]}: {each['type']}" for each in problems[:5])
    return PlainTextResponse(re.sub(r"[^\x20-\x7e]", "?", said) + "\n", 422)
