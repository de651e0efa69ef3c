"""Fail static, the gate, rotation and name conflicts: nothing that runs goes away, and a condition says why."""

from copy import deepcopy
from typing import Any

import httpx
import pytest

from tests.build import (
    NAMESPACE,
    OTHER_UID,
    Manifest,
    backend_config,
    condition,
    find,
    owned,
    request,
    runner,
    running,
    secret,
    values,
)  # fmt: skip
from tests.hooks.test_runner_children import sync

SPEC = {"backend": "redis", "backendConfig": {"name": "cache"}}
BINDING = "sessions-store-binding"


def source(password: str = "one", kind: str = "redis", **status: Any) -> list[Manifest]:
    """A BackendConfig named cache and the binding Secret that it publishes."""
    data: Manifest = {
        "type": kind,
        "provider": kind,
        "host": "cache",
        "port": "6379",
        "password": password,
        "uri": f"redis://:{password}@cache:6379",
    }
    published = secret("prism-backendconfig-cache", uid="uid-cache", kind=f"servicebinding.io/{kind}", **data)
    return [backend_config({"type": kind}, uid="uid-cache", status=status or None), published]


async def bound(client: httpx.AsyncClient, **spec: Any) -> tuple[Manifest, list[Manifest]]:
    """The answer of a bound runner, and its children as they then exist."""
    parent = runner({**SPEC, **spec})
    answer = await sync(client, request(parent, related=source()))
    return answer, [running(child) if child["kind"] == "Deployment" else child for child in answer["children"]]


def without(children: list[Manifest], *names: str) -> list[Manifest]:
    return [child for child in children if child["metadata"]["name"] not in names]


async def test_a_first_deployment_waits_for_its_backend(client: httpx.AsyncClient) -> None:
    answer = await sync(client, request(runner(SPEC)))
    assert find(answer, "Deployment") == {}
    assert condition(answer, "Ready")["reason"] == "BackendNotFound"
    assert "BackendConfig cache does not exist in namespace team-a" in condition(answer, "BackendsBound")["message"]
    assert answer["status"]["phase"] == "Pending"


async def test_a_builtin_waits_for_nobody(client: httpx.AsyncClient) -> None:
    answer = await sync(client, request(runner({"backendConfig": {"name": "absent"}})))
    assert find(answer, "Deployment")
    assert condition(answer, "BackendsBound") == {}


GONE: dict[str, tuple[list[Manifest], str]] = {
    "the BackendConfig is gone": ([], "BackendNotFound"),
    "its binding Secret is gone": (source()[:1], "BackendNotReady"),
    "its binding Secret is somebody else's": ([source()[0], owned(source()[1], OTHER_UID)], "BackendNotReady"),
    "it says that its own Secret is gone": (
        source(conditions=[{"type": "Ready", "status": "False", "message": "Secret x does not exist"}]),
        "BackendNotReady",
    ),
}


@pytest.mark.parametrize(("related", "reason"), GONE.values(), ids=GONE)
async def test_what_runs_stays_as_it_was(client: httpx.AsyncClient, related: list[Manifest], reason: str) -> None:
    before, children = await bound(client)
    after = await sync(client, request(runner(SPEC), children, related))
    assert after["children"] == before["children"]
    assert condition(after, "BackendsBound")["status"] == "False"
    assert condition(after, "Ready")["reason"] == reason
    assert after["status"]["phase"] == "Degraded"


async def test_backends_json_is_the_second_memory(client: httpx.AsyncClient) -> None:
    before, children = await bound(client)
    after = await sync(client, request(runner(SPEC), without(children, BINDING)))
    assert after["children"] == before["children"]


async def test_with_no_memory_left_the_deployment_keeps_its_hash(client: httpx.AsyncClient) -> None:
    before, children = await bound(client)
    after = await sync(client, request(runner(SPEC), without(children, BINDING, "sessions-config")))
    assert find(after, "Deployment") == find(before, "Deployment")
    assert find(after, "Secret") == {}


async def test_a_new_slot_that_cannot_be_bound_leaves_the_old_configuration(client: httpx.AsyncClient) -> None:
    before, children = await bound(client)
    spec = {"pattern": "multicast-registry", "backendBindings": {"registry": {"backendRef": "nowhere"}}}
    after = await sync(client, request(runner(spec), children))
    assert find(after, "Secret", "sessions-config")["data"] == find(before, "Secret", "sessions-config")["data"]
    assert find(after, "Deployment")
    assert condition(after, "Stalled")["reason"] == "SlotNotGiven"


async def test_a_rotated_password_arrives_and_rolls_the_pods(client: httpx.AsyncClient) -> None:
    before, children = await bound(client)
    after = await sync(client, request(runner(SPEC), children, source("two")))
    assert values(find(after, "Secret", BINDING))["password"] == "two"
    note = "prism.io/config-hash"
    hashes = [find(answer, "Deployment")["spec"]["template"]["metadata"]["annotations"][note] for answer in (before, after)]
    assert hashes[0] != hashes[1]
    assert condition(after, "Ready")["status"] == "False"


async def test_a_binding_of_another_type_goes_before_it_comes(client: httpx.AsyncClient) -> None:
    before, children = await bound(client)
    related = source(kind="nats")
    gone = await sync(client, request(runner(SPEC), children, related))
    assert find(gone, "Secret", BINDING) == {}
    assert find(gone, "Deployment") == find(before, "Deployment"), "the pods roll once the Secret is there"
    back = await sync(client, request(runner(SPEC), without(children, BINDING), related))
    assert find(back, "Secret", BINDING)["type"] == "servicebinding.io/nats"
    assert find(back, "Deployment") != find(before, "Deployment")


@pytest.mark.parametrize("kind", ["Deployment", "Service", "Secret"])
@pytest.mark.parametrize("uid", ["", OTHER_UID], ids=["nobody's", "another parent's"])
async def test_a_name_that_is_taken_is_left_alone(client: httpx.AsyncClient, kind: str, uid: str) -> None:
    first = await sync(client, request(runner()))
    foreign = deepcopy(find(first, kind))
    answer = await sync(client, request(runner(), related=[owned(foreign, uid) if uid else foreign]))
    assert find(answer, kind) == {}
    stalled = condition(answer, "Stalled")
    assert stalled["reason"] == "NameConflict"
    assert f"{kind} {foreign['metadata']['name']}" in stalled["message"]
    assert condition(answer, "Ready")["status"] == "False"


async def test_a_foreign_secret_is_never_mounted(client: httpx.AsyncClient) -> None:
    answer = await sync(client, request(runner(), related=[secret("sessions-config")]))
    assert find(answer, "Deployment") == {}


async def test_a_foreign_deployment_is_never_scaled(client: httpx.AsyncClient) -> None:
    spec = {"autoscaling": {"enabled": True, "maxReplicas": 3}}
    foreign = find(await sync(client, request(runner())), "Deployment")
    answer = await sync(client, request(runner(spec), related=[foreign]))
    assert find(answer, "HorizontalPodAutoscaler") == {}


async def test_another_namespaces_backendconfig_is_refused(client: httpx.AsyncClient) -> None:
    spec = {"backend": "redis", "backendConfig": {"name": "cache", "namespace": "team-b"}}
    answer = await sync(client, request(runner(spec), related=source()))
    assert condition(answer, "Stalled")["reason"] == "CrossNamespaceReference"
    assert find(answer, "Deployment") == {}
    asked = (await client.post("/hooks/prism-runner/customize", json={"parent": runner(spec)})).json()
    assert {rule["namespace"] for rule in asked["relatedResources"]} == {NAMESPACE}


BAD_ADDRESSES = {
    "no host": {"redisUrl": "redis://"},
    "a port that is none": {"redisUrl": "redis://:hidden@h:99999"},
    "brackets that do not close": {"redisUrl": "redis://:hidden@[::1"},
}


@pytest.mark.parametrize("config", BAD_ADDRESSES.values(), ids=BAD_ADDRESSES)
async def test_an_address_that_cannot_be_read_is_said_without_its_password(client: httpx.AsyncClient, config: Manifest) -> None:
    answer = await sync(client, request(runner({"backend": "redis", "config": config})))
    assert condition(answer, "Stalled")["reason"] == "InvalidAddress"
    assert "spec.config" in condition(answer, "Ready")["message"]
    assert "hidden" not in str(answer["status"])


async def test_the_selector_of_an_older_release_is_kept_and_said(client: httpx.AsyncClient) -> None:
    answer = await sync(client, request(runner()))
    old = running(find(answer, "Deployment"))
    old["spec"]["selector"] = {"matchLabels": {"app": "old"}}
    after = await sync(client, request(runner(), [old]))
    deployment = find(after, "Deployment")["spec"]
    assert deployment["selector"] == {"matchLabels": {"app": "old"}}
    assert deployment["template"]["metadata"]["labels"]["app"] == "old"
    assert condition(after, "Stalled")["reason"] == "ImmutableField"


EDITS: dict[str, Manifest] = {
    "another backend that is not there": {"backend": "nats", "backendConfig": {"name": "absent"}, "pattern": "pubsub"},
    "a reference to another namespace": {
        "backend": "redis",
        "backendConfig": {"name": "cache", "namespace": "b"},
        "image": "new",
    },
    "a slot that is not given": {
        "pattern": "multicast-registry",
        "backend": None,
        "backendBindings": {"registry": {"backendRef": "absent"}},
    },
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
async def test_an_edit_that_cannot_be_bound_rolls_no_pod(client: httpx.AsyncClient, edit: Manifest) -> None:
    """What runs, here a runner that keeps its data in memory, goes on until the edit can be carried out."""
    first = await sync(client, request(runner()))
    children = [running(child) if child["kind"] == "Deployment" else child for child in first["children"]]
    held = await sync(client, request(runner(edit), children))
    deployment = find(held, "Deployment")
    assert deployment["spec"]["paused"] is True
    note = "prism.io/template-hash"
    assert deployment["metadata"]["annotations"][note] == find(first, "Deployment")["metadata"]["annotations"][note]
    assert find(held, "Secret", "sessions-config")["data"] == find(first, "Secret", "sessions-config")["data"]
    again = await sync(
        client, request(runner(edit), [running(deployment), *without(children, "sessions"), find(first, "Service")])
    )
    assert find(again, "Deployment") == deployment
    mended = await sync(client, request(runner(), [running(deployment), *without(children, "sessions")]))
    assert find(mended, "Deployment") == find(first, "Deployment")


async def test_a_configuration_that_became_somebody_elses_rolls_no_pod(client: httpx.AsyncClient) -> None:
    first = await sync(client, request(runner()))
    live = running(find(first, "Deployment"))
    answer = await sync(client, request(runner({"config": {"ttl": "2h"}}), [live], [secret("sessions-config")]))
    assert find(answer, "Deployment") == find(first, "Deployment")
    assert condition(answer, "Stalled")["reason"] == "NameConflict"


async def test_a_misspelled_slot_is_named(client: httpx.AsyncClient) -> None:
    spec = {"pattern": "consumer", "backend": None, "backendBindings": {"mesage_source": {"backendRef": "cache"}}}
    answer = await sync(client, request(runner(spec), related=source()))
    assert condition(answer, "Stalled")["reason"] == "SlotNotGiven"
    assert "message_source" in condition(answer, "Ready")["message"]
    assert "mesage_source" in condition(answer, "SlotsKnown")["message"]
    assert find(answer, "Deployment") == {}
