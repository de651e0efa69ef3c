"""From a row of the table to its routes: bytes in, typed parent, pure hook, guard, checked bytes out."""

import hmac
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from pydantic import ValidationError

from app import guard, wire
from app.contract import Context, Observed
from app.controllers import Controller, Sync
from app.logs import origin
from app.metrics import Metrics
from app.registry.client import Registry
from app.settings import Settings

log = logging.getLogger("prism.hooks")
Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]
Clock = Callable[[], str]
Respond = Callable[[bytes], bytes | Coroutine[Any, Any, bytes]]
DRAIN_FACTOR = 8


def clock() -> str:
    """The time now, in the form that conditions carry."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class HookRoute(APIRoute):
    """Calls the endpoint with the request as it is: FastAPI's own reading of bodies costs more than a whole sync."""

    def get_route_handler(self) -> Endpoint:
        return self.endpoint


class Rejected(Exception):
    """A request that gets an answer without reaching a hook."""

    def __init__(self, code: int, text: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.code, self.text, self.headers = code, text, headers


@dataclass
class Service:
    """What the endpoints of one application share."""

    settings: Settings
    metrics: Metrics
    now: Clock = clock
    registry: Registry | None = None
    waiting: int = 0

    def admit(self, request: Request) -> None:
        """Turns away callers without the token, requests for another release's pod, and more than can wait."""
        token = self.settings.hook_token
        if token and not hmac.compare_digest(request.headers.get("authorization", "").encode(), f"Bearer {token}".encode()):
            raise Rejected(401, "a bearer token is required", {"WWW-Authenticate": "Bearer"})
        release = request.query_params.get("release", "") if self.settings.release else ""
        if release and release != self.settings.release:
            raise Rejected(429, "this pod serves another release", {"Retry-After": "2"})
        if self.waiting > self.settings.max_waiting:
            raise Rejected(429, "too many requests wait", {"Retry-After": "1"})

    async def body(self, request: Request) -> bytes:
        """The body; one over the limit is read to its end, within bounds, so that its sender hears the answer."""
        limit = self.settings.max_body_bytes
        size, chunks = 0, []
        async for chunk in request.stream():
            size += len(chunk)
            if size <= limit:
                chunks.append(chunk)
            elif size > limit * DRAIN_FACTOR:
                break
        if size > limit:
            raise Rejected(413, f"the body is over the limit of {limit} bytes")
        return b"".join(chunks)


def routes(controller: Controller, service: Service) -> APIRouter:
    """The router of one row: POST /hooks/<controller>/<hook>."""
    router = APIRouter(prefix=f"/hooks/{controller.name}", route_class=HookRoute, tags=[controller.name])
    for hook in controller.hooks:
        respond = _customize(controller, service) if hook == "customize" else _sync(controller, service, hook)
        router.add_api_route(
            f"/{hook}",
            _endpoint(controller, hook, service, respond),
            methods=["POST"],
            name=f"{controller.name} {hook}",
            operation_id=f"{controller.name}-{hook}",
            response_class=Response,
        )
    return router


def _endpoint(controller: Controller, hook: str, service: Service, respond: Respond) -> Endpoint:
    metrics, labels, where = service.metrics, (controller.name, hook), {"controller": controller.name, "hook": hook}
    seconds, good = metrics.seconds.labels(*labels), metrics.requests.labels(*labels, "200")

    async def endpoint(request: Request) -> Response:
        service.waiting += 1
        try:
            service.admit(request)
            body = await service.body(request)
            start = perf_counter()
            answered = respond(body)
            answer = answered if isinstance(answered, bytes) else await answered
            seconds.observe(perf_counter() - start)
            good.inc()
            return Response(answer, media_type="application/json")
        except Rejected as rejected:
            return _rejection(rejected)
        except guard.Refusal as refusal:
            metrics.refusals.labels(controller.name, refusal.rule).inc()
            log.error("the guard held back an answer", extra={**where, "refusal": str(refusal)})
            return _rejection(Rejected(500, f"the answer was held back: {refusal}"))
        except Exception as error:  # one failing parent must neither end the service nor leak what it held
            log.error("a hook failed", extra={**where, **origin(error)})
            return _rejection(Rejected(500, f"internal error: {type(error).__name__}"))
        finally:
            service.waiting -= 1

    def _rejection(rejected: Rejected) -> Response:
        metrics.requests.labels(*labels, str(rejected.code)).inc()
        return Response(rejected.text + "\n", rejected.code, rejected.headers, "text/plain")

    return endpoint


def _sync(controller: Controller, service: Service, hook: str) -> Respond:
    """bytes -> bytes of a sync or finalize hook; of one with a side effect, once that is done or has failed."""
    composite, finalizing = controller.flavor == "composite", hook == "finalize"
    decode: Callable[[bytes], wire.Composite | wire.Decorator] = (wire.composite if composite else wire.decorator).decode
    encode = wire.composite_answer if composite else wire.decorator_answer
    function: Sync = getattr(controller, hook)

    def read(body: bytes) -> tuple[Any, Observed]:
        envelope = _read(decode, body)
        return _parent(controller, envelope.parent), envelope.observed()

    def written(parent: Any, observed: Observed, context: Context) -> bytes:
        desired = function(parent, observed, context)
        answer = encode(desired, finalizing=finalizing)
        guard.check(desired, answer, observed, parent.metadata.namespace, controller.rules)
        return answer

    def pure(body: bytes) -> bytes:
        return written(*read(body), Context(service.now(), service.settings))

    async def effective(body: bytes) -> bytes:
        parent, observed = read(body)
        context = Context(service.now(), service.settings)
        wish = controller.wish(parent, observed, context) if controller.wish else None
        if wish is not None and service.registry is not None:
            context = replace(context, outcome=await service.registry.carry_out(wish))
        return written(parent, observed, context)

    return effective if controller.wish else pure


def _customize(controller: Controller, service: Service) -> Callable[[bytes], bytes]:
    """bytes -> bytes of a customize hook, whose parent is called ``parent`` for both flavors."""

    def respond(body: bytes) -> bytes:
        parent = _parent(controller, _read(wire.customize.decode, body).parent)
        assert controller.customize  # noqa: S101  a route exists only for a hook that does
        related = controller.customize(parent, Context(service.now(), service.settings))
        guard.check_related(related, controller.rules)
        return wire.customize_answer(related)

    return respond


def _read(decode: Callable[[bytes], Any], body: bytes) -> Any:
    try:
        return decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        text = str(error) if isinstance(error, msgspec.DecodeError) else "nested too deeply, or no text"
        raise Rejected(400, f"the body is no request of this hook: {text[:300]}") from None


def _parent(controller: Controller, raw: msgspec.Raw) -> Any:
    kind = controller.parent.definition.kind
    try:
        parent = controller.parent.model_validate_json(bytes(raw))
    except ValidationError as error:
        first, *rest = error.errors(include_input=False, include_url=False, include_context=False)
        place = ".".join(str(part) for part in first["loc"][:12])
        more = f" (and {len(rest)} more)" if rest else ""
        raise Rejected(400, f"{kind.kind}: {place[:200]}: {first['msg'][:200]}{more}") from None
    if (parent.api_version, parent.kind) != (kind.api_version, kind.kind):
        raise Rejected(400, f"kind: this hook answers for {kind.kind} of {kind.api_version}")
    return parent
