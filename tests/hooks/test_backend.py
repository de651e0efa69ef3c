"""PrismBackend: from what the cluster holds to the binding Secret in the operator's namespace."""

from typing import Any

import httpx
import pytest

from tests.backend import BINDING, CLUSTER, DISCOVERY, LOGIN, OPERATOR, backend, service, slices, sync
from tests.build import NAMESPACE, OTHER_UID, Manifest, backend_config, condition, find, owned, request, secret, values

SERVERS: Manifest = {"bootstrap-servers": "k-0:9093,k-1:9093"}
SUPERUSER: Manifest = {"postgres-password": "pw"}
HOST = "redis-master.infra.svc.cluster.local"


def of(kind: str, **spec: Any) -> Manifest:
    return {"type": kind, **spec}


def at(name: str, namespace: str = "infra") -> Manifest:
    return {"service": {"name": name, "namespace": namespace}}


def config_map(**data: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "address", "namespace": "infra"}, "data": data}


FOUND: dict[str, tuple[Manifest, list[Manifest], Manifest]] = {
    "a Service and the password that the chart made": (
        of("redis", discovery=DISCOVERY),
        CLUSTER,
        {"type": "redis", "host": HOST, "port": "6379", "password": "hunter2", "uri": f"redis://:hunter2@{HOST}:6379/0"},
    ),
    "keys by name": (
        of("redis", discovery={**DISCOVERY, "secret": {"name": "s", "usernameKey": "u", "passwordKey": "p"}}),
        [service(), secret("s", "infra", u="ann", p="pw")],
        {"username": "ann", "password": "pw"},
    ),
    "the password of a chart belongs to the chart's user": (
        of("postgresql", discovery={**at("pg"), "secret": {"name": "s"}}),
        [service("pg", "infra", 5432), secret("s", "infra", **SUPERUSER)],
        {"username": "postgres", "password": "pw", "port": "5432"},
    ),
    "the port that was said": (
        of("redis", discovery={"service": {"name": "redis-master", "namespace": "infra", "port": 26379}}),
        [service("redis-master", "infra", 6379, 26379)],
        {"port": "26379"},
    ),
    "the only port, where it is not the usual one": (
        of("redis", discovery=at("redis-master")), [service("redis-master", "infra", 7000)], {"port": "7000"},
    ),
    "a name outside the cluster": (
        of("redis", discovery=at("redis-master")),
        [service(type="ExternalName", externalName="cache.example.com", selector=None, ports=None)],
        {"host": "cache.example.com", "port": "6379"},
    ),
    "a literal address": (
        of("redis", connection={"uri": "rediss://cache.example.com:6380/2"}),
        [],
        {"host": "cache.example.com", "port": "6380", "database": "2", "tls": "true"},
    ),
    "several servers": (
        of("kafka", connection={"bootstrapServers": ["a:9092", "b:9093"]}), [], {"bootstrap-servers": "a:9092,b:9093"},
    ),
    "an address in a ConfigMap": (
        of("kafka", discovery={"configMap": {"name": "address", "namespace": "infra", "key": "brokers"}}),
        [config_map(brokers="k-0:9092,k-1:9092")],
        {"bootstrap-servers": "k-0:9092,k-1:9092", "host": "k-0"},
    ),
    "a Secret that says everything": (
        of("mysql", bindingRef={"name": "s", "namespace": "x"}),
        [secret("s", "x", uri="mysql://u:p@db.example.com/shop")],
        {"host": "db.example.com", "port": "3306", "username": "u", "password": "p", "database": "shop"},
    ),
    "a Secret with keys of its own": (
        of("redis", bindingRef={"name": "s", "namespace": "x", "keys": {"host": "endpoint", "password": "auth"}}),
        [secret("s", "x", endpoint="e.example.com", auth="p")],
        {"host": "e.example.com", "password": "p"},
    ),
    "a CloudNativePG Cluster, whose Secret has a name for its own namespace alone": (
        of("postgresql", bindingRef={"kind": "Cluster", "name": "orders", "namespace": "x"}),
        [secret("orders-app", "x", username="app", password="p", dbname="app", host="orders-rw", port="5432")],
        {"host": "orders-rw.x.svc.cluster.local", "username": "app", "database": "app"},
    ),
    "a RabbitmqCluster": (
        of("rabbitmq", bindingRef={"kind": "RabbitmqCluster", "name": "mq", "namespace": "x"}),
        [secret("mq-default-user", "x", username="u", password="p", host="mq.x.svc", port="5672")],
        {"host": "mq.x.svc", "uri": "amqp://u:p@mq.x.svc:5672"},
    ),
    "a KafkaUser beside an address": (
        of("kafka", connection={"bootstrapServers": ["k:9093"]}, bindingRef={"kind": "KafkaUser", "name": "orders", "namespace": "x"}),
        [secret("orders", "x", password="p")],
        {"username": "orders", "password": "p", "bootstrap-servers": "k:9093"},
    ),
    "a BackendConfig": (
        of("redis", bindingRef={"kind": "BackendConfig", "name": "cache", "namespace": "x"}),
        [secret("prism-backendconfig-cache", "x", host="r", port="6379")],
        {"host": "r.x.svc.cluster.local"},
    ),
    "one server with its scheme": (
        of("kafka", bindingRef={"name": "s", "namespace": "x"}), [secret("s", "x", bootstrapServers=" kafka://k:9093 ")], {"bootstrap-servers": "k.x.svc.cluster.local:9093"},
    ),
    "a binding that is encrypted": (
        of("kafka", bindingRef={"kind": "BackendConfig", "name": "k", "namespace": "x"}),
        [secret("prism-backendconfig-k", "x", uri="kafka://k-0:9093,k-1:9093", tls="true", certificates="CA", **SERVERS)],
        {
            "tls": "true",
            "certificates": "CA",
            "bootstrap-servers": "k-0.x.svc.cluster.local:9093,k-1.x.svc.cluster.local:9093",
        },
    ),
    "certificates": (
        of("redis", discovery=at("redis-master"), tls={"secretRef": {"name": "ca", "namespace": "infra"}}),
        [service(), secret("ca", "infra", ca__crt="PEM")],
        {"tls": "true", "certificates": "PEM", "uri": f"rediss://{HOST}:6379/0"},
    ),
    "capabilities and settings of its own": (
        of("redis", discovery=at("redis-master"), capabilities=["keyvalue_basic", "x"], config={"pool_size": 20}),
        [service()],
        {"capabilities": "keyvalue_basic,x", "config": '{"pool_size":20}'},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("spec", "related", "want"), FOUND.values(), ids=FOUND)
async def test_what_is_found_is_published(
    client: httpx.AsyncClient, spec: Manifest, related: list[Manifest], want: Manifest
) -> None:
    answer = await sync(client, request(backend(spec), related=related))
    made = find(answer, "Secret")
    assert (made["metadata"]["namespace"], made["metadata"]["name"]) == (OPERATOR, BINDING)
    held = values(made)
    assert {key: held.get(key) for key in want} == want
    assert made["type"] == f"servicebinding.io/{held['type']}"
    assert answer["status"]["phase"] == "Discovered"


async def test_a_backend_that_is_found_says_so(client: httpx.AsyncClient) -> None:
    first = await sync(client, request(backend(), related=CLUSTER))
    answer = await sync(client, request(backend(), first["children"], CLUSTER))
    said = {c["type"]: (c["status"], c["reason"]) for c in answer["status"]["conditions"]}
    assert said == {
        "Ready": ("True", "Discovered"),
        "ServiceResolved": ("True", "Resolved"),
        "CredentialsResolved": ("True", "Resolved"),
        "AdminSynced": ("Unknown", "NoRegistry"),
    }
    assert answer["status"]["resolvedEndpoint"] == f"{HOST}:6379"
    labels = find(answer, "Secret")["metadata"]["labels"]
    assert {key: labels[key] for key in ("prism.io/backend", "prism.io/service", "prism.io/service-namespace")} == {
        "prism.io/backend": "redis", "prism.io/service": "redis-master", "prism.io/service-namespace": "infra",
    }  # fmt: skip


NOT_FOUND: dict[str, tuple[Manifest, list[Manifest], str, str, str]] = {
    "no Service": (of("redis", discovery=DISCOVERY), [LOGIN], "ServiceNotFound", "spec.discovery.service: Service redis-master", "Pending"),
    "no Secret": (of("redis", discovery=DISCOVERY), [service()], "SecretNotFound", "spec.discovery.secret: Secret login", "Pending"),
    "no ConfigMap": (
        of("kafka", discovery={"configMap": {"name": "a", "namespace": "x"}}), [], "ConfigMapNotFound", "ConfigMap a", "Pending",
    ),
    "no such key": (
        of("redis", discovery={**DISCOVERY, "secret": {"name": "login", "passwordKey": "pw"}}),
        [service(), LOGIN], "SecretKeyMissing", "Secret login has no key pw", "Pending",
    ),
    "none of the usual keys": (
        of("redis", discovery=DISCOVERY), [service(), secret("login", "infra", odd="x")], "SecretKeyMissing", "redis-password", "Pending",
    ),
    "no such port": (
        of("redis", discovery={"service": {"name": "redis-master", "namespace": "infra", "port": 1}}),
        [service()], "PortNotFound", "Service redis-master has 6379", "Pending",
    ),
    "a Service of no namespace": (
        of("redis", discovery={"service": {"name": "r"}}), [], "NamespaceMissing", "spec.discovery.service.namespace", "Error",
    ),
    "an address that is none": (
        of("redis", connection={"uri": "redis://h:port"}), [], "InvalidAddress", "spec.connection.uri", "Error",
    ),
    "no address at all": (of("redis", connection={"username": "u"}), [], "NoAddress", "neither a Service", "Error"),
}  # fmt: skip


@pytest.mark.parametrize(("spec", "related", "reason", "says", "phase"), NOT_FOUND.values(), ids=NOT_FOUND)
async def test_what_is_missing_is_named(
    client: httpx.AsyncClient, spec: Manifest, related: list[Manifest], reason: str, says: str, phase: str
) -> None:
    answer = await sync(client, request(backend(spec), related=related))
    ready = condition(answer, "Ready")
    assert (ready["status"], ready["reason"]) == ("False", reason)
    assert says in ready["message"]
    assert answer["status"]["phase"] == phase
    assert (condition(answer, "Stalled") != {}) == (phase == "Error")
    assert answer["children"] == []


GONE = {"the Service": [LOGIN], "the Secret": [service()], "its key": [service(), secret("login", "infra", other="x")], "all": []}


@pytest.mark.parametrize("left", GONE.values(), ids=GONE)
async def test_what_goes_takes_no_binding_along(client: httpx.AsyncClient, left: list[Manifest]) -> None:
    made = (await sync(client, request(backend(), related=CLUSTER)))["children"]
    answer = await sync(client, request(backend(), made, left))
    assert answer["children"] == made
    assert condition(answer, "Ready")["status"] == "False"


async def test_no_ready_endpoint_is_said_and_the_binding_stays(client: httpx.AsyncClient) -> None:
    for endpoints in (slices(False), slices()):
        answer = await sync(client, request(backend(), related=[service(), endpoints, LOGIN]))
        assert condition(answer, "Ready")["reason"] == "NoReadyEndpoint"
        assert find(answer, "Secret")
        assert answer["status"]["phase"] == "Discovered"


async def test_a_changed_type_replaces_the_secret(client: httpx.AsyncClient) -> None:
    made = (await sync(client, request(backend(), related=CLUSTER)))["children"]
    other = backend(of("memcached", discovery=at("redis-master")), generation=2)
    away = await sync(client, request(other, made, CLUSTER))
    assert away["children"] == []
    back = await sync(client, request(other, related=CLUSTER))
    assert find(back, "Secret")["type"] == "servicebinding.io/memcached"


async def test_a_name_that_is_taken_is_left_alone(client: httpx.AsyncClient) -> None:
    taken = owned(secret(BINDING, OPERATOR, a="b"), OTHER_UID)
    answer = await sync(client, request(backend(), related=[*CLUSTER, taken]))
    assert condition(answer, "Stalled")["reason"] == "NameConflict"
    assert answer["children"] == []


async def test_a_host_that_a_secret_says_is_not_shown(client: httpx.AsyncClient) -> None:
    """Whoever may read a PrismBackend need not be allowed to read Secrets."""
    spec = of("redis", bindingRef={"name": "s", "namespace": "x"})
    answer = await sync(client, request(backend(spec), related=[secret("s", "x", host="marked-host.example.com")]))
    assert "marked-host" not in str(answer["status"])


NO_PORTS: dict[str, tuple[str, Manifest]] = {
    "of a BackendConfig": ("prism-backendconfig", backend_config({"type": "redis", "connection": {"host": "h", "secretRef": {"name": "s"}}})),
    "of one with several servers": ("prism-backendconfig", backend_config({"type": "nats", "connection": {"host": "h", "secretRef": {"name": "s"}}})),
    "under a key that was named": (
        "prism-backendconfig",
        backend_config({"type": "redis", "connection": {"host": "h", "secretRef": {"name": "s", "keys": {"port": "port"}}}}),
    ),
    "of a PrismBackend": ("prism-backend", backend(of("kafka", connection={"host": "h"}, bindingRef={"name": "s", "namespace": NAMESPACE}))),
}  # fmt: skip


@pytest.mark.parametrize(("hook", "parent"), NO_PORTS.values(), ids=NO_PORTS)
async def test_a_port_that_is_none_is_refused_and_not_shown(client: httpx.AsyncClient, hook: str, parent: Manifest) -> None:
    response = await client.post(f"/hooks/{hook}/sync", json=request(parent, related=[secret("s", port="m4rk3d")]))
    assert response.status_code == 200
    assert condition(response.json(), "Ready")["reason"] == "InvalidAddress"
    assert "m4rk3d" not in response.text


async def test_a_port_of_a_secret_is_used_and_not_shown(client: httpx.AsyncClient) -> None:
    of_config = backend_config({"type": "redis", "connection": {"host": "h", "secretRef": {"name": "s"}}})
    answer = (
        await client.post("/hooks/prism-backendconfig/sync", json=request(of_config, related=[secret("s", port="7777")]))
    ).json()
    assert values(find(answer, "Secret"))["port"] == "7777"
    assert "7777" not in str(answer["status"])


async def test_a_password_that_the_spec_no_longer_names_goes_with_the_edit_alone(client: httpx.AsyncClient) -> None:
    first = await sync(client, request(backend(), related=CLUSTER))
    seen = {**first["status"], "observedGeneration": 1}
    gone = [service(), slices(True), secret("login", "infra", username="u")]
    held = await sync(client, request(backend(status=seen), first["children"], gone))
    assert held["children"] == first["children"]
    assert condition(held, "Ready")["reason"] == "SecretKeyMissing"
    edited = backend(of("redis", discovery=at("redis-master")), generation=2, status=seen)
    assert "password" not in values(find(await sync(client, request(edited, first["children"], CLUSTER)), "Secret"))


async def test_a_password_in_the_spec_is_no_loss_of_a_secret(client: httpx.AsyncClient) -> None:
    spec = of("redis", connection={"uri": "rediss://u:pw@h:6379"}, tls={"secretRef": {"name": "ca", "namespace": "infra"}})
    related = [secret("ca", "infra", ca__crt="PEM")]
    first = await sync(client, request(backend(spec), related=related))
    seen = {**first["status"], "observedGeneration": 1}
    assert (
        condition(await sync(client, request(backend(spec, status=seen), first["children"], related)), "Ready")["status"]
        == "True"
    )


async def test_customize_asks_for_what_the_spec_names(client: httpx.AsyncClient) -> None:
    response = await client.post("/hooks/prism-backend/customize", json={"parent": backend()})
    rules = {(r["resource"], r["namespace"], *r.get("names", ())) for r in response.json()["relatedResources"]}
    assert rules == {
        ("services", "infra", "redis-master"),
        ("secrets", "infra", "login"),
        ("secrets", OPERATOR, BINDING),
        ("endpointslices", "infra"),
    }


async def test_without_a_registry_a_deletion_waits_for_nothing_but_the_secret(client: httpx.AsyncClient) -> None:
    made = (await sync(client, request(backend(), related=CLUSTER)))["children"]
    going = backend(deletionTimestamp="2026-01-01T00:00:00Z")
    body = {**request(going, made), "finalizing": True}
    first = await sync(client, body, "finalize")
    assert (first["children"], first["finalized"]) == ([], False)
    last = await sync(client, {**request(going), "finalizing": True}, "finalize")
    assert last["finalized"] is True
