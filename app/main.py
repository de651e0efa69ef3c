"""The application: routes of every controller, health, metrics, and a garbage collector tuned for short requests."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from app import __version__
from app.controllers import ALL, Controller
from app.endpoints import Clock, Service, clock, routes
from app.metrics import Metrics
from app.openapi import document
from app.registry.client import Registry
from app.settings import Settings


def create_app(
    settings: Settings, controllers: tuple[Controller, ...] = ALL, now: Clock = clock, registry: Registry | None = None
) -> FastAPI:
    """The service for these controllers. ``now`` gives RFC 3339 times; tests set it, and ``registry``."""
    if registry is None and settings.registry_url:
        registry = Registry(settings)
    service = Service(settings, Metrics(), now, registry)
    service.metrics.waiting.set_function(lambda: service.waiting)
    app = FastAPI(
        title="Prism operator",
        version=__version__,
        summary="Metacontroller hooks as plain HTTP: POST a parent, read what should exist.",
        lifespan=partial(lifespan, registry=registry),
        redirect_slashes=False,  # a redirect would turn Metacontroller's POST into a GET
        telemetry={"tracing": False, "metrics": False, "logs": False},
        redoc_url=None,
    )
    for controller in controllers:
        app.include_router(routes(controller, service))

    @app.get("/healthz", tags=["service"], response_class=Response)
    @app.get("/readyz", tags=["service"], response_class=Response)
    async def health() -> Response:
        """200 while the service can answer."""
        return Response("ok\n", media_type="text/plain")

    @app.get("/metrics", tags=["service"], response_class=Response)
    async def metrics() -> Response:
        """Counts and times for Prometheus."""
        return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    document(app, controllers)
    return app


@asynccontextmanager
async def lifespan(_: FastAPI, registry: Registry | None = None) -> AsyncIterator[None]:
    """Full collections were the whole tail of the answer times: what lives for ever is set aside, the rest looked at rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    yield
    if registry is not None:
        await registry.close()
