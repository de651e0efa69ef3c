"""PrismPattern and PatternRunner bound to PrismBackends and Services: grants, discovery, capabilities, who may read what."""

import json
from typing import Any

import httpx
import pytest

from tests.asking import asked
from tests.backend import service
from tests.build import NAMESPACE, Manifest, condition, find, parent, request, secret, values

BACKEND_UID = "33333333-0000-4000-8000-000000000003"
OPERATOR = "prism-operator"
REF: Manifest = {"pattern": "keyvalue", "backendBindings": {"store": {"backendRef": "redis"}}}


def backend(spec: Manifest | None = None, ready: str = "True", message: str = "") -> Manifest:
    conditions = [{"type": "Ready", "status": ready, "message": message}]
    metadata = {"name": "redis", "uid": BACKEND_UID, "generation": 1}
    body = {"type": "redis", "discovery": {"service": {"name": "r", "namespace": "infra"}}, **(spec or {})}
    return {
        "apiVersion": "prism.io/v1alpha1",
        "kind": "PrismBackend",
        "metadata": metadata,
        "spec": body,
        "status": {"conditions": conditions},
    }


def published(uid: str = BACKEND_UID, **data: str) -> Manifest:
    held: Manifest = {"type": "redis", "provider": "redis", "host": "r.infra", "port": "6379", "password": "hunter2", **data}
    return secret("prism-backend-redis", OPERATOR, uid=uid, kind=f"servicebinding.io/{held['type']}", **held)


def space(**labels: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}}


def pattern(spec: Manifest | None = None, **metadata: Any) -> Manifest:
    return parent("PrismPattern", "sessions", REF if spec is None else spec, **metadata)


async def sync(client: httpx.AsyncClient, body: Manifest) -> Manifest:
    hook = {"PrismPattern": "prism-pattern", "PatternRunner": "prism-runner"}[body["parent"]["kind"]]
    return await asked(client, f"{hook}/sync", body)


@pytest.mark.parametrize("kind", ["PrismPattern", "PatternRunner"])
async def test_both_kinds_bind_alike(client: httpx.AsyncClient, kind: str) -> None:
    answer = await sync(client, request({**pattern(), "kind": kind}, related=[backend(), published(), space()]))
    made = find(answer, "Secret", "sessions-store-binding")
    assert values(made)["password"] == "hunter2"
    assert made["type"] == "servicebinding.io/redis"
    entry = json.loads(values(find(answer, "Secret", "sessions-config"))["backends.json"])["store"]
    assert (entry["type"], entry["config"]["host"], entry["config"]["port"]) == ("redis", "r.infra", 6379)
    mounts = find(answer, "Deployment")["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    assert "/bindings/store" in [mount["mountPath"] for mount in mounts]
    assert condition(answer, "BackendsBound")["status"] == "True"


GRANTS: dict[str, tuple[Manifest, list[Manifest], bool]] = {
    "nothing said admits all": ({}, [space()], True),
    "All": ({"from": "All"}, [space()], True),
    "Same is the namespace of its Service": ({"from": "Same"}, [space()], False),
    "List with this namespace": ({"from": "List", "namespaces": ["x", NAMESPACE]}, [space()], True),
    "List without it": ({"from": "List", "namespaces": ["x"]}, [space()], False),
    "an empty List": ({"from": "List"}, [space()], False),
    "Selector by a label": ({"from": "Selector", "selector": {"matchLabels": {"team": "a"}}}, [space(team="a")], True),
    "Selector by another": ({"from": "Selector", "selector": {"matchLabels": {"team": "b"}}}, [space(team="a")], False),
    "Selector by an expression": (
        {"from": "Selector", "selector": {"matchExpressions": [{"key": "team", "operator": "In", "values": ["a"]}]}}, [space(team="a")], True,
    ),
    "Selector that excludes": (
        {"from": "Selector", "selector": {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["a"]}]}}, [space(team="a")], False,
    ),
    "Selector by presence": (
        {"from": "Selector", "selector": {"matchExpressions": [{"key": "team", "operator": "Exists"}]}}, [space()], False,
    ),
    "Selector by absence": (
        {"from": "Selector", "selector": {"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}}, [space()], True,
    ),
    "Selector while the Namespace is not seen": ({"from": "Selector", "selector": {}}, [], False),
    "a form that nobody knows": ({"from": "Friends"}, [space()], False),
}  # fmt: skip


@pytest.mark.parametrize(("allowed", "seen", "good"), GRANTS.values(), ids=GRANTS)
async def test_a_backend_chooses_its_namespaces(
    client: httpx.AsyncClient, allowed: Manifest, seen: list[Manifest], good: bool
) -> None:
    spec = {"allowedNamespaces": allowed} if allowed else {}
    answer = await sync(client, request(pattern(), related=[backend(spec), published(), *seen]))
    assert (find(answer, "Deployment") != {}) is good
    if not good:
        assert condition(answer, "Ready")["reason"] == "BackendNotAllowed"
        assert "hunter2" not in json.dumps(answer)


async def test_same_admits_the_namespace_of_the_service(client: httpx.AsyncClient) -> None:
    here = {"discovery": {"service": {"name": "r", "namespace": NAMESPACE}}, "allowedNamespaces": {"from": "Same"}}
    assert find(await sync(client, request(pattern(), related=[backend(here), published()])), "Deployment")


LOST: dict[str, list[Manifest]] = {
    "the backend": [],
    "its Secret": [backend(ready="False", message="Secret login does not exist")],
    "the grant": [backend({"allowedNamespaces": {"from": "List", "namespaces": ["x"]}}), published()],
    "the backend, its Secret left behind": [published()],
}


@pytest.mark.parametrize("related", LOST.values(), ids=LOST)
async def test_what_is_lost_takes_no_workload_along(client: httpx.AsyncClient, related: list[Manifest]) -> None:
    before = (await sync(client, request(pattern(), related=[backend(), published(), space()])))["children"]
    answer = await sync(client, request(pattern(), before, [*related, space()]))
    assert answer["children"] == before
    bound = condition(answer, "BackendsBound")
    assert bound["status"] == "False"
    assert bound["message"].endswith("the last values stay in use")


async def test_a_rotated_password_rolls_the_pods(client: httpx.AsyncClient) -> None:
    def template(answer: Manifest) -> Any:
        return find(answer, "Deployment")["spec"]["template"]

    one = await sync(client, request(pattern(), related=[backend(), published()]))
    two = await sync(client, request(pattern(), one["children"], [backend(), published(password="new")]))
    assert template(one) != template(two)


async def test_a_backendconfig_of_the_own_namespace_comes_first(client: httpx.AsyncClient) -> None:
    own = {**parent("BackendConfig", "redis", {"type": "redis"}, uid="uid-own"), "status": {}}
    held = secret("prism-backendconfig-redis", uid="uid-own", kind="servicebinding.io/redis", type="redis", host="own", port="1")
    answer = await sync(client, request(pattern(), related=[own, held, backend(), published()]))
    assert values(find(answer, "Secret", "sessions-store-binding"))["host"] == "own"


DISCOVER: dict[str, tuple[Manifest, list[Manifest], Manifest]] = {
    "a DNS name and a port": (
        {"service": "redis-master.infra.svc.cluster.local", "port": 6379},
        [service()],
        {"type": "redis", "host": "redis-master.infra.svc.cluster.local", "port": "6379"},
    ),
    "a name of the own namespace, and its type": (
        {"service": "cache", "type": "memcached"},
        [service("cache", NAMESPACE, 11211)],
        {"type": "memcached", "host": f"cache.{NAMESPACE}.svc.cluster.local", "port": "11211"},
    ),
    "whose own port tells what it is": (
        {"service": "redis-master.infra"},
        [service()],
        {"type": "redis", "port": "6379"},
    ),
    "with the credentials of a Secret": (
        {"service": "redis-master.infra", "port": 6379, "secret": "login"},
        [service(), secret("login", password="p", host="elsewhere")],
        {"password": "p", "host": "redis-master.infra.svc.cluster.local"},
    ),
}


@pytest.mark.parametrize(("said", "related", "want"), DISCOVER.values(), ids=DISCOVER)
async def test_a_service_alone_is_enough(
    client: httpx.AsyncClient, said: Manifest, related: list[Manifest], want: Manifest
) -> None:
    spec = {"pattern": "keyvalue", "backendBindings": {"store": {"discover": said}}}
    held = values(find(await sync(client, request(pattern(spec), related=related)), "Secret", "sessions-store-binding"))
    assert {key: held.get(key) for key in want} == want


AWAY: dict[str, tuple[Manifest, list[Manifest], str, str]] = {
    "no such Service": (
        {"service": "r.infra", "port": 6379},
        [],
        "ServiceNotFound",
        "Service r does not exist in namespace infra",
    ),
    "no such port": (
        {"service": "redis-master.infra", "port": 9092},
        [service()],
        "PortNotFound",
        "Service redis-master has 6379",
    ),
    "a port that tells nothing": ({"service": "x.infra", "port": 1}, [service("x", "infra", 1)], "UnknownType", "give type"),
    "a Secret without credentials": (
        {"service": "redis-master.infra", "port": 6379, "secret": "s"},
        [service(), secret("s", other="x")],
        "SecretKeyMissing",
        "Secret s has none of",
    ),
    "no such Secret": (
        {"service": "redis-master.infra", "port": 6379, "secret": "s"},
        [service()],
        "SecretNotFound",
        "Secret s does not exist",
    ),
}


@pytest.mark.parametrize(("said", "related", "reason", "says"), AWAY.values(), ids=AWAY)
async def test_what_discover_does_not_find_is_said(
    client: httpx.AsyncClient, said: Manifest, related: list[Manifest], reason: str, says: str
) -> None:
    spec = {"pattern": "keyvalue", "backendBindings": {"store": {"discover": said}}}
    ready = condition(await sync(client, request(pattern(spec), related=related)), "Ready")
    assert ready["reason"] == reason
    assert "spec.backendBindings.store.discover" in ready["message"]
    assert says in ready["message"]


async def test_a_secret_that_is_renamed_takes_no_password_along(client: httpx.AsyncClient) -> None:
    said = {"service": "redis-master.infra", "port": 6379, "secret": "login"}
    of = pattern({"pattern": "keyvalue", "backendBindings": {"store": {"discover": said}}})
    before = (await sync(client, request(of, related=[service(), secret("login", username="u", password="pw")])))["children"]
    answer = await sync(client, request(of, before, [service(), secret("login", username="u", redis_pass="pw")]))
    assert answer["children"] == before
    assert condition(answer, "BackendsBound")["reason"] == "SecretKeyMissing"


async def test_settings_that_look_like_the_connection_are_remembered_apart_from_it(client: httpx.AsyncClient) -> None:
    held = published(config='{"host":null,"port":9999,"tls":false,"x":1e-7}')
    before = (await sync(client, request(pattern(), related=[backend(), held])))["children"]
    left = [child for child in before if child["metadata"]["name"] != "sessions-store-binding"]
    answer = await sync(client, request(pattern(), left))
    assert answer["children"] == before


async def test_a_capability_that_a_slot_misses_is_a_warning(client: httpx.AsyncClient) -> None:
    spec = {"pattern": "consumer", "backendBindings": {"message_source": {"backendRef": "redis"}}}
    answer = await sync(client, request(pattern(spec), related=[backend(), published(capabilities="keyvalue_basic")]))
    warning = condition(answer, "CapabilitiesMatched")
    assert (warning["status"], warning["message"]) == ("False", "slot message_source: redis lacks pubsub_basic")
    assert find(answer, "Deployment")
    fine = await sync(client, request(pattern(spec), related=[backend(), published()]))
    assert condition(fine, "CapabilitiesMatched") == {}


async def test_settings_of_a_backend_reach_the_driver(client: httpx.AsyncClient) -> None:
    answer = await sync(client, request(pattern(), related=[backend(), published(config='{"pool_size":20}')]))
    told = json.loads(values(find(answer, "Secret", "sessions-config"))["runner.json"])["namespaces"][0]["backend_config"]
    assert (told["address"], told["pool_size"]) == ("r.infra:6379", 20)


async def test_capabilities_and_settings_are_remembered(client: httpx.AsyncClient) -> None:
    """The binding Secret is lost as well as its source: backends.json is the second memory, and loses nothing."""
    held = published(capabilities="keyvalue_basic,x", config='{"pool_size":20}')
    before = (await sync(client, request(pattern(), related=[backend(), held])))["children"]
    left = [child for child in before if child["metadata"]["name"] != "sessions-store-binding"]
    answer = await sync(client, request(pattern(), left))
    assert find(answer, "Secret", "sessions-store-binding") == find({"children": before}, "Secret", "sessions-store-binding")
    assert find(answer, "Secret", "sessions-config") == find({"children": before}, "Secret", "sessions-config")


HANDS: dict[str, Manifest] = {
    "no text of JSON": {"backends.json": "{"},
    "a list where an entry belongs": {"backends.json": '{"store":[]}'},
    "nothing where an entry belongs": {"backends.json": '{"store":null}'},
    "a number where a type belongs": {"backends.json": '{"store":{"type":5,"config":{}}}'},
}


@pytest.mark.parametrize("held", HANDS.values(), ids=HANDS)
async def test_a_memory_that_a_hand_has_changed_is_no_error(client: httpx.AsyncClient, held: Manifest) -> None:
    answer = await sync(client, request(pattern(), [secret("sessions-config", **held)]))
    assert condition(answer, "BackendsBound")["reason"] == "BackendNotFound"


@pytest.mark.parametrize("config", ["garbage", "[1]", "5", "null"])
async def test_settings_that_a_hand_has_changed_are_none(client: httpx.AsyncClient, config: str) -> None:
    answer = await sync(client, request(pattern(), related=[backend(), published(config=config)]))
    assert condition(answer, "BackendsBound")["status"] == "True"


STOLEN = secret("admin", "victim", password="hunter2", url="redis://:hunter2@r")
ATTEMPTS: dict[str, tuple[str, Manifest, list[Manifest], str]] = {
    "a BackendConfig that names another namespace's Secret": (
        "prism-backendconfig", parent("BackendConfig", "x", {"type": "redis", "secretRef": {"name": "admin", "namespace": "victim"}}), [STOLEN], "SecretNotShared",
    ),
    "its certificates": (
        "prism-backendconfig",
        parent("BackendConfig", "x", {"type": "redis", "connection": {"host": "h"}, "tls": {"secretRef": {"name": "admin", "namespace": "victim"}}}),
        [STOLEN], "SecretNotShared",
    ),
    "a pattern that names a BackendConfig of another namespace": (
        "prism-pattern", pattern({"pattern": "keyvalue", "backend": "redis", "backendConfig": {"name": "x", "namespace": "victim"}}), [STOLEN], "CrossNamespaceReference",
    ),
    "a PrismBackend that does not admit the namespace": (
        "prism-pattern", pattern(), [backend({"allowedNamespaces": {"from": "Same"}}), published()], "BackendNotAllowed",
    ),
    "a Secret that somebody put where a PrismBackend's would be": (
        "prism-pattern", pattern(), [backend(), published(uid="someone")], "BackendNotReady",
    ),
    "a PrismBackend's Secret without the PrismBackend": ("prism-pattern", pattern(), [published()], "BackendNotFound"),
    "discover with a Secret that the own namespace does not have": (
        "prism-pattern",
        pattern({"pattern": "keyvalue", "backendBindings": {"store": {"discover": {"service": "redis-master.infra", "port": 6379, "secret": "admin"}}}}),
        [service(), STOLEN], "SecretNotFound",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("hook", "of", "related", "reason"), ATTEMPTS.values(), ids=ATTEMPTS)
async def test_no_field_reaches_another_namespaces_secret(
    client: httpx.AsyncClient, hook: str, of: Manifest, related: list[Manifest], reason: str
) -> None:
    response = await client.post(f"/hooks/{hook}/sync", json=request(of, related=related))
    assert response.status_code == 200
    assert "hunter2" not in response.text
    assert "aHVudGVyM" not in response.text
    assert condition(response.json(), "Ready")["reason"] == reason


@pytest.mark.parametrize(("hook", "of", "related", "reason"), ATTEMPTS.values(), ids=ATTEMPTS)
async def test_nor_does_customize_ask_for_more_than_was_named(
    client: httpx.AsyncClient, hook: str, of: Manifest, related: list[Manifest], reason: str
) -> None:
    response = await client.post(f"/hooks/{hook}/customize", json={"parent": of})
    for rule in response.json()["relatedResources"]:
        if rule["resource"] == "secrets":
            assert rule["names"]
