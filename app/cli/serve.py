"""The service under uvicorn: one worker a pod, since hooks are stateless and replicas scale better than workers."""

import os
import sys
from collections.abc import Callable

import httpx
import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError

from app import logs
from app.main import create_app
from app.registry.client import Registry
from app.settings import PREFIX, Settings, from_environment

KEEP_ALIVE_SECONDS = 120  # above the 90 s for which Metacontroller keeps an idle connection: it does not repeat a POST


def serve(host: str, port: int, *, embedded_registry: bool) -> int:
    """Serves until it is told to stop; 2 where the environment is malformed."""
    settings = settings_or_complaint()
    if settings is None:
        return 2
    return run(lambda: with_registry(settings) if embedded_registry else create_app(settings), settings, host, port)


def registry(host: str, port: int) -> int:
    """Serves the registry alone; 2 where the environment is malformed or the store is not this release's."""
    settings = settings_or_complaint()
    if settings is None:
        return 2
    return run(lambda: registry_of(settings), settings, host, port)


def run(made: Callable[[], FastAPI], settings: Settings, host: str, port: int) -> int:
    """Serves an application; 2 where its store cannot be opened."""
    try:
        app = made()
    except StoreError as error:
        print(f"{PREFIX}REGISTRY_STORE: {error}", file=sys.stderr)
        return 2
    server(app, settings, host, port).run()
    return 0


class StoreError(Exception):
    """Why the registry's store cannot be opened, without its URL, which may hold a password."""


def registry_of(settings: Settings) -> FastAPI:
    """The registry alone; raises StoreError."""
    from sqlalchemy.exc import SQLAlchemyError

    from app.registry.server import create_registry
    from app.registry.store import Store, WrongVersion

    try:
        return create_registry(Store(settings.registry_store), settings.registry_token)
    except WrongVersion as error:
        raise StoreError(str(error)) from None
    except SQLAlchemyError as error:
        raise StoreError(f"the store cannot be opened ({type(error).__name__})") from None


def with_registry(settings: Settings) -> FastAPI:
    """The service with a registry in the same process, which people reach below /registry; raises StoreError."""
    inner = registry_of(settings)
    told = settings.model_copy(update={"registry_url": "http://registry"})
    app = create_app(told, registry=Registry(told, httpx.ASGITransport(inner, raise_app_exceptions=False)))
    app.mount("/registry", inner)
    return app


def settings_or_complaint() -> Settings | None:
    """The settings of the environment; where one is malformed, none, and a complaint on standard error."""
    try:
        return from_environment(os.environ)
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            print(f"{PREFIX}{str(problem['loc'][0]).upper()}: {problem['msg']}", file=sys.stderr)
        return None


def server(app: FastAPI, settings: Settings, host: str, port: int) -> uvicorn.Server:
    """A server that is configured, not started."""
    logs.configure(settings.log_level)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=10,
        server_header=False,
        date_header=False,
    )
    return uvicorn.Server(config)
