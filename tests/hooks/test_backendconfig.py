"""BackendConfig: from an address, a Secret or both to the binding Secret."""

import httpx
import pytest

from tests.asking import asked
from tests.build import NAMESPACE, OTHER_UID, Manifest, backend_config, condition, find, request, secret, values

BINDING = "prism-backendconfig-cache"


async def sync(client: httpx.AsyncClient, body: Manifest) -> Manifest:
    return await asked(client, "prism-backendconfig/sync", body)


SPELLED: Manifest = {"redis-url": "redis://r:7", "pw": "x"}
CREDENTIALS = secret("login", username="ann", password="s p@ss")
BOUND: dict[str, tuple[Manifest, list[Manifest], Manifest]] = {
    "an address": (
        {"type": "messaging", "provider": "nats", "connection": {"url": "nats://n.team-a.svc:4222"}},
        [],
        {"type": "nats", "provider": "nats", "host": "n.team-a.svc", "port": "4222", "uri": "nats://n.team-a.svc:4222"},
    ),
    "the port of the type": (
        {"type": "redis", "connection": {"host": "r"}},
        [],
        {"port": "6379", "uri": "redis://r:6379/0", "database": "0"},
    ),
    "an alias of a type": ({"type": "postgres", "connection": {"host": "p"}}, [], {"type": "postgresql", "port": "5432"}),
    "the type from the address": (
        {"type": "database", "connectionString": "mysql://m/x"},
        [],
        {"type": "mysql", "port": "3306", "database": "x"},
    ),
    "a type that nobody knows": (
        {"type": "weird", "connection": {"url": "weird://w:1"}},
        [],
        {"type": "weird", "host": "w", "port": "1"},
    ),
    "credentials from a Secret": (
        {"type": "redis", "connection": {"host": "r", "secretRef": {"name": "login"}}},
        [CREDENTIALS],
        {"username": "ann", "password": "s p@ss", "uri": "redis://ann:s%20p%40ss@r:6379/0"},
    ),
    "the Secret wins over the parts of the address": (
        {"type": "redis", "connection": {"url": "redis://bob:old@r:1/3", "secretRef": {"name": "login"}}},
        [CREDENTIALS],
        {"username": "ann", "password": "s p@ss", "host": "r", "port": "1", "database": "3"},
    ),
    "a host in the Secret wins over all servers of the address": (
        {"type": "kafka", "connection": {"url": "kafka://a:1,b:2", "secretRef": {"name": "s"}}},
        [secret("s", host="c")],
        {"host": "c", "bootstrap-servers": "c:9092"},
    ),
    "keys by other names": (
        {"type": "redis", "secretRef": {"name": "s", "keys": {"url": "redis-url", "password": "pw"}}},
        [secret("s", **SPELLED)],
        {"host": "r", "port": "7", "password": "x"},
    ),
    "several servers": (
        {"type": "kafka", "connection": {"url": "kafka-0:9092,kafka-1"}},
        [],
        {"bootstrap-servers": "kafka-0:9092,kafka-1:9092", "host": "kafka-0", "uri": "kafka://kafka-0:9092,kafka-1:9092"},
    ),
    "an address of IPv6": (
        {"type": "redis", "connection": {"url": "redis://[fd00::1]:7"}},
        [],
        {"host": "fd00::1", "uri": "redis://[fd00::1]:7/0"},
    ),
    "TLS with a CA": (
        {"type": "redis", "connection": {"host": "r"}, "tls": {"secretRef": {"name": "ca"}}},
        [secret("ca", ca__crt="CA", tls__key="KEY")],
        {"tls": "true", "certificates": "CA", "private-key": "KEY", "uri": "rediss://r:6379/0"},
    ),
    "TLS from the address": ({"type": "redis", "connection": {"url": "rediss://r"}}, [], {"tls": "true"}),
    "a Secret of another namespace whose owner shares it": (
        {"type": "redis", "connection": {"host": "r", "secretRef": {"name": "s", "namespace": "team-b"}}},
        [secret("s", "team-b", annotations={"prism.io/shared-with": f"x, {NAMESPACE}"}, password="p")],
        {"password": "p"},
    ),
    "one that is shared with all": (
        {"type": "redis", "connection": {"host": "r", "secretRef": {"name": "s", "namespace": "team-b"}}},
        [secret("s", "team-b", annotations={"prism.io/shared-with": "*"}, password="p")],
        {"password": "p"},
    ),
}


@pytest.mark.parametrize(("spec", "related", "expected"), BOUND.values(), ids=BOUND)
async def test_publishes_a_binding(
    client: httpx.AsyncClient, spec: Manifest, related: list[Manifest], expected: Manifest
) -> None:
    parent = backend_config(spec)
    first = await sync(client, request(parent, related=related))
    child = find(first, "Secret", BINDING)
    assert values(child).items() >= expected.items()
    assert child["type"] == f"servicebinding.io/{values(child)['type']}"
    answer = await sync(client, request(parent, [child], related))
    assert answer["children"] == first["children"]
    assert condition(answer, "Ready")["status"] == "True"
    assert answer["status"]["binding"] == {"name": BINDING}
    assert answer["status"]["phase"] == "Ready"
    assert condition(answer, "Healthy")["status"] == "Unknown"
    assert "healthy" not in answer["status"]
    assert "s p@ss" not in str(answer["status"])


UNBOUND: dict[str, tuple[Manifest, list[Manifest], str, str]] = {
    "a Secret that nobody made": (
        {"type": "redis", "connection": {"host": "r", "secretRef": {"name": "s"}}},
        [],
        "SecretNotFound",
        "spec.connection.secretRef: Secret s does not exist in namespace team-a",
    ),
    "a key that is not there": (
        {"type": "redis", "secretRef": {"name": "login", "keys": {"url": "address"}}},
        [CREDENTIALS],
        "SecretKeyMissing",
        "spec.secretRef.keys.url: Secret login has no key address",
    ),
    "no address anywhere": ({"type": "redis", "secretRef": {"name": "login"}}, [CREDENTIALS], "NoAddress", "spec.connection"),
    "an address that cannot be read": (
        {"type": "redis", "connection": {"url": "redis://:hidden@h:port"}},
        [],
        "InvalidAddress",
        "spec.connection.url",
    ),
    "an address in a Secret that cannot be read": (
        {"type": "redis", "secretRef": {"name": "s"}},
        [secret("s", url="redis://:hidden@")],
        "InvalidAddress",
        "spec.secretRef.keys.url",
    ),
    "a Secret of another namespace": (
        {"type": "redis", "connection": {"host": "r", "secretRef": {"name": "s", "namespace": "team-b"}}},
        [secret("s", "team-b", password="hidden")],
        "SecretNotShared",
        "namespace team-b is not shared with team-a",
    ),
    "one that is shared with others": (
        {"type": "redis", "connection": {"host": "r", "secretRef": {"name": "s", "namespace": "team-b"}}},
        [secret("s", "team-b", annotations={"prism.io/shared-with": "team-aa,team"}, password="hidden")],
        "SecretNotShared",
        "not shared",
    ),
    "certificates of another namespace": (
        {"type": "redis", "connection": {"host": "r"}, "tls": {"secretRef": {"name": "s", "namespace": "team-b"}}},
        [secret("s", "team-b", ca__crt="hidden")],
        "SecretNotShared",
        "spec.tls.secretRef",
    ),
    "another namespace's Secret that does not exist tells no more": (
        {"type": "redis", "connection": {"host": "r", "secretRef": {"name": "s", "namespace": "team-b"}}},
        [],
        "SecretNotShared",
        "not shared",
    ),
    "a TLS Secret without certificates": (
        {"type": "redis", "connection": {"host": "r"}, "tls": {"secretRef": {"name": "login"}}},
        [CREDENTIALS],
        "SecretKeyMissing",
        "has none of ca.crt, tls.crt, tls.key",
    ),
}


@pytest.mark.parametrize(("spec", "related", "reason", "says"), UNBOUND.values(), ids=UNBOUND)
async def test_says_what_is_missing_and_keeps_what_there_is(
    client: httpx.AsyncClient, spec: Manifest, related: list[Manifest], reason: str, says: str
) -> None:
    answer = await sync(client, request(backend_config(spec), related=related))
    assert answer["children"] == []
    for kind in ("Ready", "CredentialsResolved"):
        assert condition(answer, kind)["status"] == "False"
        assert condition(answer, kind)["reason"] == reason
        assert says in condition(answer, kind)["message"]
    assert "hidden" not in str(answer["status"])
    held = secret(BINDING, kind="servicebinding.io/redis", type="redis", host="old", port="1")
    kept = await sync(client, request(backend_config(spec), [held], related))
    assert values(find(kept, "Secret", BINDING)) == {"type": "redis", "host": "old", "port": "1"}
    assert kept["status"]["binding"] == {"name": BINDING}


async def test_a_binding_of_another_type_goes_before_it_comes(client: httpx.AsyncClient) -> None:
    held = secret(BINDING, kind="servicebinding.io/redis", type="redis", host="old")
    parent = backend_config({"type": "nats", "connection": {"host": "n"}})
    assert (await sync(client, request(parent, [held])))["children"] == []
    assert find(await sync(client, request(parent)), "Secret")["type"] == "servicebinding.io/nats"


@pytest.mark.parametrize("uid", ["", OTHER_UID], ids=["nobody's", "another parent's"])
async def test_a_name_that_is_taken_is_left_alone(client: httpx.AsyncClient, uid: str) -> None:
    parent = backend_config({"type": "redis", "connection": {"host": "r"}})
    answer = await sync(client, request(parent, related=[secret(BINDING, uid=uid)]))
    assert answer["children"] == []
    assert condition(answer, "Stalled")["reason"] == "NameConflict"
    assert BINDING in condition(answer, "Stalled")["message"]


async def test_asks_for_the_secrets_that_it_names_and_no_other(client: httpx.AsyncClient) -> None:
    spec = {
        "type": "redis",
        "connection": {"secretRef": {"name": "s", "namespace": "team-b"}},
        "tls": {"secretRef": {"name": "t"}},
    }
    answer = (await client.post("/hooks/prism-backendconfig/customize", json={"parent": backend_config(spec)})).json()
    assert answer["relatedResources"] == [
        {"apiVersion": "v1", "resource": "secrets", "namespace": NAMESPACE, "names": [BINDING, "t"]},
        {"apiVersion": "v1", "resource": "secrets", "namespace": "team-b", "names": ["s"]},
    ]


async def test_a_secret_with_other_keys_is_no_credential(client: httpx.AsyncClient) -> None:
    parent = backend_config({"type": "redis", "connection": {"host": "r", "secretRef": {"name": "s"}}})
    answer = await sync(client, request(parent, related=[secret("s", REDIS_PASSWORD="p")]))
    assert condition(answer, "Ready")["reason"] == "SecretKeyMissing"
    assert "keys" in condition(answer, "Ready")["message"]


async def test_a_secrets_address_replaces_the_specs_as_a_whole(client: httpx.AsyncClient) -> None:
    """The old login must not go to the new host."""
    connection = {"url": "postgresql://old:oldpw@a:5000/olddb?sslmode=require", "secretRef": {"name": "s"}}
    parent = backend_config({"type": "postgres", "connection": connection})
    answer = await sync(client, request(parent, related=[secret("s", url="postgresql://b/newdb")]))
    assert values(find(answer, "Secret"))["uri"] == "postgresql://b:5432/newdb"


@pytest.mark.parametrize("key", ["host", "url"])
async def test_the_status_shows_nothing_that_a_secret_holds(client: httpx.AsyncClient, key: str) -> None:
    """Who may write a BackendConfig may not be one who may read Secrets."""
    spec = {"type": "redis", "connection": {"secretRef": {"name": "s", "keys": {key: "password"}}}}
    answer = await sync(client, request(backend_config(spec), related=[secret("s", password="hunter2")]))
    assert "hunter2" not in str(answer["status"])


async def test_is_not_ready_before_the_binding_is_written(client: httpx.AsyncClient) -> None:
    parent = backend_config({"type": "redis", "connection": {"host": "new"}})
    old = secret(BINDING, kind="servicebinding.io/redis", type="redis", host="old")
    assert condition(await sync(client, request(parent, [old])), "Ready")["status"] == "False"


async def test_certificates_beyond_reason_are_said(client: httpx.AsyncClient) -> None:
    parent = backend_config({"type": "redis", "connection": {"host": "r"}, "tls": {"secretRef": {"name": "ca"}}})
    answer = await sync(client, request(parent, related=[secret("ca", ca__crt="x" * 220_000)]))
    assert condition(answer, "Stalled")["reason"] == "BindingTooLarge"
