"""Secrets appear in no log line, status, error body or metric: everything that the service emits is looked through."""

import base64
import json
import logging
from typing import Any

import httpx
import pytest

from app.hooks import backend as backend_hook
from app.logs import JsonFormatter
from app.main import create_app
from app.registry.client import Registry
from app.settings import Settings
from tests.backend import BINDING, DISCOVERY, OPERATOR, backend, service, slices
from tests.build import Manifest, backend_config, parent, request, secret
from tests.hooks.test_pattern_bindings import backend as observed_backend
from tests.hooks.test_pattern_bindings import pattern

MARK = "m4rk3d-p@ss/w0rd"
FORMS = (MARK, base64.b64encode(MARK.encode()).decode(), "m4rk3d-p%40ss", "m4rk3d")
NOW = "2026-01-01T00:00:00Z"
URL = f"redis://ann:{MARK.replace('@', '%40').replace('/', '%2F')}@h:6379"
PASSWORD: Manifest = {"redis-password": MARK}
FROM_SECRET = secret("login", "infra", **PASSWORD)
PUBLISHED = secret(
    BINDING, OPERATOR, uid="33333333-0000-4000-8000-000000000003", kind="servicebinding.io/redis",
    type="redis", host="h", port="6379", password=MARK, uri=URL,
)  # fmt: skip
REQUESTS: dict[str, tuple[str, Any]] = {
    "a BackendConfig with a password": (
        "prism-backendconfig/sync",
        request(backend_config({"type": "redis", "connection": {"host": "h", "secretRef": {"name": "s"}}}), related=[secret("s", password=MARK)]),
    ),
    "a BackendConfig with an address that cannot be read": (
        "prism-backendconfig/sync",
        request(backend_config({"type": "redis", "secretRef": {"name": "s"}}), related=[secret("s", url=f"redis://ann:{MARK}@h:port")]),
    ),
    "a host that is a password": (
        "prism-backendconfig/sync",
        request(backend_config({"type": "redis", "secretRef": {"name": "s"}}), related=[secret("s", host="m4rk3d", password=MARK)]),
    ),
    "a PrismBackend": ("prism-backend/sync", request(backend(), related=[service(), slices(True), FROM_SECRET])),
    "a PrismBackend with a type that is none": ("prism-backend/sync", request(backend({"type": 5, "discovery": DISCOVERY, "config": {"x": MARK}}))),
    "a pattern bound to it": ("prism-pattern/sync", request(pattern(), related=[observed_backend(), PUBLISHED])),
    "a runner with an address of its own": (
        "prism-runner/sync",
        request(parent("PatternRunner", "a", {"pattern": "keyvalue", "backend": "redis", "config": {"redisUrl": URL}})),
    ),
    "a runner whose address cannot be read": (
        "prism-runner/sync",
        request(parent("PatternRunner", "a", {"pattern": "keyvalue", "backend": "redis", "config": {"redisUrl": f"redis://{MARK}"}})),
    ),
    "a value of the wrong type": ("prism-runner/sync", request(parent("PatternRunner", "a", {"pattern": "keyvalue", "replicas": MARK}))),
    "a Secret of the wrong type": (
        "prism-runner/sync",
        {**request(parent("PatternRunner", "a", {"pattern": "keyvalue"})), "related": {"Secret.v1": {"x": {"data": {"a": [MARK]}}}}},
    ),
    "no JSON": ("prism-runner/sync", MARK),
    "a stack": ("prism-stack/sync", request(parent("PrismStack", "a", {"proxy": {"tls": {"secretRef": {"name": "s"}}}}), related=[secret("s", key=MARK)])),
}  # fmt: skip


def public(text: str) -> str:
    """An answer without what Secrets of it hold."""
    try:
        answer = json.loads(text)
    except ValueError:
        return text
    for child in answer.get("children", []):
        if child["kind"] == "Secret":
            del child["data"]
    return json.dumps(answer)


def failing(asked: httpx.Request) -> httpx.Response:
    """A registry that says what it was told."""
    return httpx.Response(500, content=asked.content + MARK.encode())


async def emitted(caplog: pytest.LogCaptureFixture, path: str, body: Any) -> str:
    caplog.set_level(logging.DEBUG)
    settings = Settings(registry_url="http://registry", registry_token=MARK, registry_credentials="inline", hook_token=MARK)
    app = create_app(settings, now=lambda: NOW, registry=Registry(settings, httpx.MockTransport(failing)))
    headers = {"Authorization": f"Bearer {MARK}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://operator") as client:
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        answers = [await client.post(f"/hooks/{path}", content=content, headers=headers) for _ in range(2)]
        answers.append(await client.post(f"/hooks/{path}", content=content))
        assert answers[-1].status_code == 401
        shown = [await client.get(each) for each in ("/metrics", "/openapi.json", "/healthz")]
    logs = [JsonFormatter().format(record) for record in caplog.records if record.name.startswith(("prism", "uvicorn", "app"))]
    return "\n".join([*(public(answer.text) for answer in answers), *(each.text for each in shown), *logs, repr(settings)])


@pytest.mark.parametrize(("path", "body"), REQUESTS.values(), ids=REQUESTS)
async def test_nothing_marked_is_emitted(caplog: pytest.LogCaptureFixture, path: str, body: Any) -> None:
    text = await emitted(caplog, path, body)
    assert [form for form in FORMS if form in text] == []


async def test_an_error_that_quotes_a_secret_is_not_quoted(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise ValueError(MARK)

    monkeypatch.setattr(backend_hook, "record", broken)
    text = await emitted(caplog, *REQUESTS["a PrismBackend"])
    assert "internal error: ValueError" in text
    assert [form for form in FORMS if form in text] == []


async def test_the_search_would_find_something(caplog: pytest.LogCaptureFixture) -> None:
    """The Secrets that are answered do hold the marked values: what is left out above is there to be left out."""
    app = create_app(Settings(), now=lambda: NOW)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://operator") as client:
        path, body = REQUESTS["a PrismBackend"]
        assert FORMS[1] in (await client.post(f"/hooks/{path}", json=body)).text
