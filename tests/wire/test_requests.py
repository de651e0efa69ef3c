"""What the service does with requests, good and bad."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.api.kinds import SECRET
from app.api.v1alpha1.patternrunner import PatternRunner
from app.contract import Context, Desired, Observed
from app.controllers import ALL, Controller
from app.examples import EXAMPLES
from app.main import create_app
from app.settings import Settings, from_environment
from tests.build import request, runner

SYNC = "/hooks/prism-runner/sync"
MARKED = "pa55-w0rd-that-must-not-come-back"
BODIES = Path(__file__).parents[1] / "bodies"


def opened(settings: Settings | None = None, *rows: Controller) -> httpx.AsyncClient:
    app = create_app(settings or Settings(), rows or ALL, now=lambda: "2026-01-01T00:00:00Z")
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://operator")


def nested(depth: int) -> bytes:
    return b'{"parent":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"


BAD = {
    "no JSON": (b"hello", 400, "the body is no request"),
    "an empty body": (b"", 400, "the body is no request"),
    "a body cut short": (json.dumps(request(runner())).encode()[:-30], 400, "the body is no request"),
    "a list": (b"[]", 400, "the body is no request"),
    "no parent": (b"{}", 400, "parent"),
    "a null parent": (b'{"parent": null}', 400, "PatternRunner"),
    "children of the wrong type": (b'{"parent": {}, "children": []}', 400, "children"),
    "bytes that are no text": (b'{"parent": "\xff\xfe"}', 400, ""),
    "nested beyond reason": (nested(100_000), 400, ""),
    "nested deeply": (nested(900), 400, ""),
    "settings that no object holds": (
        json.dumps(request(runner({"config": {"a": MARKED + "x" * 70_000}}))).encode(),
        400,
        "spec.config: Value error, must be at most 64 KiB",
    ),
    "another kind": (json.dumps(request({**runner(), "kind": "PrismStack"})).encode(), 400, "kind"),
    "a field of the wrong type": (json.dumps(request(runner({"replicas": MARKED}))).encode(), 400, "spec.replicas"),
    "a field out of bounds": (json.dumps(request(runner({"service": {"port": 70000}}))).encode(), 400, "spec.service.port"),
    "an unknown choice": (
        json.dumps(request(runner({"autoscaling": {"scaler": MARKED}}))).encode(),
        400,
        "spec.autoscaling.scaler",
    ),
    "a quantity that is none": (
        json.dumps(request(runner({"resources": {"limits": {"cpu": MARKED}}}))).encode(),
        400,
        "spec.resources.limits.cpu",
    ),
    "64 MB": (b'{"parent": "' + b"x" * 64_000_000 + b'"}', 413, "over the limit"),
}


@pytest.mark.parametrize(("body", "code", "says"), BAD.values(), ids=BAD)
async def test_a_bad_body_is_a_clear_4xx_and_the_service_lives(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, body: bytes, code: int, says: str
) -> None:
    response = await client.post(SYNC, content=body)
    assert response.status_code == code
    assert says in response.text
    assert MARKED not in response.text + caplog.text
    assert "Traceback" not in response.text
    assert len(response.text) < 800
    assert (await client.post(SYNC, json=request(runner()))).status_code == 200


async def test_unknown_keys_are_tolerated(client: httpx.AsyncClient) -> None:
    body = request(runner()) | {"future": {"a": 1}}
    assert (await client.post(SYNC, json=body)).status_code == 200


async def test_a_body_posted_by_hand_needs_no_more_than_the_parent(client: httpx.AsyncClient) -> None:
    by_hand = await client.post(SYNC, json={"parent": runner()})
    assert by_hand.json() == (await client.post(SYNC, json=request(runner()))).json()


class Fails:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def __call__(self, *_: Any) -> Desired:
        raise self.error


@pytest.mark.parametrize(
    "error", [KeyError(MARKED), RecursionError(), ValueError(MARKED)], ids=lambda error: type(error).__name__
)
async def test_a_failing_hook_is_a_short_500_without_what_it_held(caplog: pytest.LogCaptureFixture, error: Exception) -> None:
    row = Controller(name="fails", parent=PatternRunner, children=(), sync=Fails(error))
    async with opened(None, row) as client:
        response = await client.post("/hooks/fails/sync", json=request(runner()))
    assert response.status_code == 500
    assert response.text == f"internal error: {type(error).__name__}\n"
    from app.logs import JsonFormatter

    assert MARKED not in "".join(JsonFormatter().format(record) for record in caplog.records)


async def test_an_answer_that_the_guard_refuses_is_a_500_and_counted() -> None:
    def sync(_: PatternRunner, __: Observed, ___: Context) -> Desired:
        return Desired([None], {})  # type: ignore[list-item]

    async with opened(None, Controller(name="bad", parent=PatternRunner, children=(SECRET,), sync=sync)) as client:
        response = await client.post("/hooks/bad/sync", json=request(runner()))
        metrics = (await client.get("/metrics")).text
    assert response.status_code == 500
    assert "null-child" in response.text
    assert 'prism_operator_guard_refusals_total{controller="bad",rule="null-child"} 1.0' in metrics


TOKENS = {
    "no token": ({}, 401),
    "a wrong one": ({"Authorization": "Bearer wrong"}, 401),
    "the right one in the wrong scheme": ({"Authorization": "Basic t0ken"}, 401),
    "no ASCII": ({"Authorization": "Bearer ü".encode()}, 401),
    "the right one": ({"Authorization": "Bearer t0ken"}, 200),
}


@pytest.mark.parametrize(("headers", "code"), TOKENS.values(), ids=TOKENS)
async def test_hooks_ask_for_the_token_where_one_is_set(headers: dict[str, Any], code: int) -> None:
    async with opened(Settings(hook_token="t0ken")) as client:
        assert (await client.post(SYNC, json=request(runner()), headers=headers)).status_code == code
        assert (await client.get("/healthz")).status_code == 200


RELEASES = {
    "the pod's own": ("1.2.3", "?release=1.2.3", 200),
    "another one": ("1.2.3", "?release=1.2.4", 429),
    "none in the path": ("1.2.3", "", 200),
    "a pod that serves all": ("", "?release=1.2.4", 200),
}


@pytest.mark.parametrize(("own", "query", "code"), RELEASES.values(), ids=RELEASES)
async def test_a_pod_of_another_release_sends_the_caller_away_for_a_moment(own: str, query: str, code: int) -> None:
    async with opened(Settings(release=own)) as client:
        response = await client.post(SYNC + query, json=request(runner()))
    assert response.status_code == code
    assert code == 200 or int(response.headers["Retry-After"]) >= 1


async def test_more_than_can_wait_are_sent_away_for_a_moment() -> None:
    """Bodies that never end hold their place; the next caller is told when to come back."""
    held = asyncio.Event()

    async def slow() -> Any:
        yield b"{"
        await held.wait()

    async with opened(Settings(max_waiting=2)) as client:
        waiting = [asyncio.create_task(client.post(SYNC, content=slow())) for _ in range(2)]
        await asyncio.sleep(0.01)
        response = await client.post(SYNC, json=request(runner()))
        held.set()
        codes = [(await each).status_code for each in waiting]
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) >= 1
    assert codes == [400, 400]


async def test_every_hook_is_documented_with_a_body_that_can_be_sent(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    hooks = {path: entry["post"] for path, entry in paths.items() if path.startswith("/hooks/")}
    assert len(hooks) == sum(len(row.hooks) for row in ALL)
    for path, operation in hooks.items():
        example = operation["requestBody"]["content"]["application/json"]["example"]
        assert example.get("parent", example.get("object")) in EXAMPLES.values()
        assert operation["description"]
        assert (await client.post(path, json=example)).status_code == 200
    assert (await client.get("/docs")).status_code == 200


async def test_answers_are_counted_by_controller_hook_and_code(client: httpx.AsyncClient) -> None:
    await client.post(SYNC, json=request(runner()))
    await client.post(SYNC, content=b"x")
    metrics = (await client.get("/metrics")).text
    for code in ("200", "400"):
        assert f'prism_operator_requests_total{{code="{code}",controller="prism-runner",hook="sync"}} 1.0' in metrics


@pytest.mark.parametrize("path", sorted(BODIES.glob("composite-*.json")), ids=lambda path: path.stem)
async def test_requests_of_the_real_metacontroller_are_understood(path: Path) -> None:
    """Captured bodies, their parent changed for one of ours: everything around it is as Metacontroller sent it."""
    body = json.loads(path.read_text())
    metadata = {**body["parent"]["metadata"], "name": "sessions"}
    body["parent"] = {**runner(), "metadata": metadata, "status": None} | {}
    del body["parent"]["status"]
    hook = "customize" if "customize" in path.stem else "sync"
    async with opened() as client:
        response = await client.post(f"/hooks/prism-runner/{hook}", json=body)
    assert response.status_code == 200
    assert set(response.json()) == ({"relatedResources"} if hook == "customize" else {"status", "children"})


@pytest.mark.parametrize("path", sorted(BODIES.glob("decorator-*.json")), ids=lambda path: path.stem)
async def test_decorators_requests_of_the_real_metacontroller_are_understood(path: Path) -> None:
    seen: list[Observed] = []

    def sync(_: PatternRunner, observed: Observed, __: Context) -> Desired:
        seen.append(observed)
        return Desired([], None, finalized=observed.finalizing)

    row = Controller(
        name="d", parent=PatternRunner, children=(SECRET,), sync=sync, finalize=sync, customize=lambda *_: (), flavor="decorator"
    )
    body = json.loads(path.read_text())
    key = "object" if "object" in body else "parent"
    body[key] = runner()
    hook = path.stem.rpartition("-")[2]
    body["attachments"] = {}
    async with opened(None, row) as client:
        response = await client.post(f"/hooks/d/{hook}", json=body)
    assert response.status_code == 200
    expected = {
        "customize": {"relatedResources": []},
        "sync": {"attachments": []},
        "finalize": {"attachments": [], "finalized": True},
    }
    assert response.json() == expected[hook]
    assert all(observed.related.groups for observed in seen)


ENVIRONMENTS = {
    "nothing set": ({}, Settings()),
    "names are PRISM_ and the field": ({"PRISM_RELEASE": "7", "PRISM_MAX_WAITING": "3"}, Settings(release="7", max_waiting=3)),
    "others are left alone": ({"PRISM_STRANGE": "1", "PATH": "x"}, Settings()),
}


@pytest.mark.parametrize(("environ", "expected"), ENVIRONMENTS.values(), ids=ENVIRONMENTS)
def test_settings_come_from_the_environment(environ: dict[str, str], expected: Settings) -> None:
    assert from_environment(environ) == expected


def test_the_token_does_not_show() -> None:
    assert MARKED not in repr(Settings(hook_token=MARKED))
