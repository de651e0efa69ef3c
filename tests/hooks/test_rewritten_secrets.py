"""External Secrets and people write a Secret in steps: what it lacks for a moment is taken from nobody that runs."""

import httpx
import pytest

from tests.asking import asked
from tests.backend import backend, service
from tests.backend import sync as sync_backend
from tests.build import NAMESPACE, Manifest, backend_config, condition, find, request, runner, secret, values


async def sync(client: httpx.AsyncClient, body: Manifest) -> Manifest:
    return await asked(client, "prism-backendconfig/sync", body)


REDIS = service("redis", NAMESPACE)
SEEN: Manifest = {"observedGeneration": 1, "conditions": []}
PLAIN: Manifest = {"type": "redis", "connection": {"host": "spec", "secretRef": {"name": "s"}}}
WITH_TLS: Manifest = {"type": "redis", "connection": {"host": "r"}, "tls": {"enabled": True, "secretRef": {"name": "s"}}}
WHOLE: Manifest = {"host": "r", "port": "7000", "username": "u", "password": "p", "database": "3"}
FILES: Manifest = {"ca__crt": "ca", "tls__crt": "crt", "tls__key": "key"}
CONFIGS: dict[str, tuple[Manifest, Manifest, Manifest, str]] = {
    "the password": (PLAIN, WHOLE, {"password": None}, "password"),
    "a password of blanks": (PLAIN, WHOLE, {"password": " \n"}, "password"),
    "the user": (PLAIN, WHOLE, {"username": None}, "username"),
    "the host, in whose place the spec's would come": (PLAIN, WHOLE, {"host": None}, "host"),
    "the port, in whose place the usual one would come": (PLAIN, WHOLE, {"port": None}, "port"),
    "the database": (PLAIN, WHOLE, {"database": None}, "database"),
    "the password of an address": (PLAIN, {"url": "redis://:p@r:7000"}, {"url": "redis://r:7000"}, "password"),
    "the private key": (WITH_TLS, FILES, {"tls__key": None}, "private-key"),
    "the authority": (WITH_TLS, FILES, {"ca__crt": None}, "certificates"),
}


@pytest.mark.parametrize(("spec", "held", "change", "gone"), CONFIGS.values(), ids=CONFIGS)
async def test_a_backendconfig_keeps(
    client: httpx.AsyncClient, spec: Manifest, held: Manifest, change: Manifest, gone: str
) -> None:
    before = find(await sync(client, request(backend_config(spec), related=[secret("s", **held)])), "Secret")
    assert before
    left = secret("s", **{key: text for key, text in (held | change).items() if text is not None})
    answer = await sync(client, request(backend_config(spec, status=SEEN), [before], [left]))
    assert find(answer, "Secret") == before
    assert condition(answer, "Ready")["reason"] == "SecretKeyMissing"
    assert gone in condition(answer, "Ready")["message"]


BOUND: Manifest = {"type": "redis", "bindingRef": {"name": "s", "namespace": "infra"}, "connection": {"host": "spec"}}
BINDING: Manifest = {"host": "r.infra.svc", "port": "7000", "password": "p", "username": "u", "tls": "true", "certificates": "ca"}
BACKENDS = {key: key for key in ("host", "port", "username", "password", "tls", "certificates")}


@pytest.mark.parametrize("gone", BACKENDS.values(), ids=BACKENDS)
async def test_a_prismbackend_keeps(client: httpx.AsyncClient, gone: str) -> None:
    first = await sync_backend(client, request(backend(BOUND), related=[secret("s", "infra", **BINDING)]))
    before = find(first, "Secret")
    assert values(before)["uri"] == "rediss://u:p@r.infra.svc:7000/0"
    left = secret("s", "infra", **{key: text for key, text in BINDING.items() if key != gone})
    answer = await sync_backend(client, request(backend(BOUND, status=SEEN), [before], [left]))
    assert find(answer, "Secret") == before
    assert condition(answer, "Ready")["reason"] == "SecretKeyMissing"
    assert gone in condition(answer, "Ready")["message"]


async def test_an_edit_of_the_spec_may_do_without(client: httpx.AsyncClient) -> None:
    before = find(await sync(client, request(backend_config(PLAIN), related=[secret("s", **WHOLE)])), "Secret")
    edited = backend_config(PLAIN, generation=2, status=SEEN)
    answer = await sync(client, request(edited, [before], [secret("s", host="r")]))
    assert values(find(answer, "Secret"))["uri"] == "redis://r:6379/0"


async def test_an_edit_that_cannot_be_followed_at_once_may_do_without_too(client: httpx.AsyncClient) -> None:
    before = find(await sync(client, request(backend_config(PLAIN), related=[secret("s", **WHOLE)])), "Secret")
    edited = backend_config(PLAIN, generation=2, status={**SEEN, "observedGeneration": 2})
    waiting = await sync(client, request(edited, [before]))
    assert find(waiting, "Secret") == before
    answer = await sync(client, request(edited, waiting["children"], [secret("s", host="r")]))
    assert values(find(answer, "Secret"))["uri"] == "redis://r:6379/0"


async def test_a_stale_look_at_the_published_secret_undoes_no_edit(client: httpx.AsyncClient) -> None:
    """The status may be seen sooner than the Secret that was written before it."""
    spec = {"type": "redis", "connection": {"host": "old"}}
    before = find(await sync(client, request(backend_config(spec))), "Secret")
    edited = {"type": "redis", "connection": {"host": "new"}}
    seen = {**SEEN, "observedGeneration": 2}
    answer = await sync(client, request(backend_config(edited, generation=2, status=seen), [before]))
    assert values(find(answer, "Secret"))["host"] == "new"


async def test_another_address_in_a_secret_is_a_rotation(client: httpx.AsyncClient) -> None:
    before = find(await sync(client, request(backend_config(PLAIN), related=[secret("s", url="rediss://u:p@a:1/2")])), "Secret")
    answer = await sync(client, request(backend_config(PLAIN, status=SEEN), [before], [secret("s", url="redis://:q@b")]))
    assert values(find(answer, "Secret"))["uri"] == "redis://:q@b:6379/0"


@pytest.mark.parametrize(
    "left", [{"password": " "}, {"password": "p"}, {"username": "u"}], ids=["blanks", "no user", "no password"]
)
async def test_a_slot_by_its_service_keeps(client: httpx.AsyncClient, left: Manifest) -> None:
    spec = {"pattern": "keyvalue", "backendBindings": {"store": {"discover": {"service": "redis", "secret": "s"}}}}
    related = [REDIS, secret("s", username="u", password="p")]
    first = await asked(client, "prism-runner/sync", request(runner(spec), related=related))
    made = first["children"]
    answer = await asked(client, "prism-runner/sync", request(runner(spec, status=SEEN), made, [REDIS, secret("s", **left)]))
    assert find(answer, "Secret", "sessions-store-binding") == find(first, "Secret", "sessions-store-binding")
    assert condition(answer, "BackendsBound")["reason"] == "SecretKeyMissing"
