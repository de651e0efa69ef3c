"""Backends that patterns bind to, with the real Metacontroller, the hooks behind a token and a registry beside them."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.cluster.conftest import Operator
from tests.cluster.kubectl import Manifest, apply, becomes, condition, eventually, get, items, kubectl
from tests.cluster.test_convergence import pods, ready, runner, secret
from tests.cluster.test_schemas import of

pytestmark = pytest.mark.metacontroller


def named(namespace: str) -> str:
    """PrismBackends are the whole cluster's: each test has one of its own name."""
    return f"redis-{namespace}"


def backend(namespace: str, kind: str = "redis", **spec: Any) -> Manifest:
    discovery = {
        "service": {"name": "redis-master", "namespace": namespace},
        "secret": {"name": "login", "passwordKey": "redis-password"},
    }
    return of("PrismBackend", {"type": kind, "discovery": discovery, **spec}, named(namespace))


def parts(namespace: str) -> list[Manifest]:
    """A Redis as a chart makes it: Deployment, Service, Secret."""
    labels = {"app": "redis"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "redis", "image": "redis:7"}]}}
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "redis"},
            "spec": {"selector": {"matchLabels": labels}, "template": template},
        },
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "redis-master"}, "spec": {"selector": labels, "ports": [{"port": 6379}]}},
        secret("login", **{"redis-password": "one"}),
    ]  # fmt: skip


def pattern(namespace: str) -> Manifest:
    return of("PrismPattern", {"pattern": "keyvalue", "backendBindings": {"store": {"backendRef": named(namespace)}}}, "a")


@pytest.fixture(autouse=True)
def cleaned(namespace: str) -> Any:
    yield
    kubectl("delete", "pbackend", named(namespace), "--ignore-not-found", "--wait=false")


def said(namespace: str, kind: str = "Ready") -> Manifest:
    return condition(get("", "pbackend", named(namespace)), kind)


def bound(namespace: str) -> Manifest:
    """The Deployment, once the pattern is ready."""
    becomes(namespace, "prismpattern", "a", "DeploymentReady", "True", 60)
    return get(namespace, "deployment", "a")


def took(what: Callable[[], Any]) -> float:
    start = time.monotonic()
    eventually(what, 20, pause=0.02)
    return time.monotonic() - start


def test_a_backend_appears_and_a_pattern_binds_and_a_password_rotates(operator: Operator, namespace: str) -> None:
    apply(namespace, pattern(namespace))
    waiting = becomes(namespace, "prismpattern", "a", "BackendNotFound", "False")
    assert named(namespace) in waiting["message"]
    apply(namespace, *parts(namespace), backend(namespace))
    appeared = took(lambda: get(namespace, "deployment", "a"))
    assert get("", "pbackend", named(namespace))["status"]["phase"] == "Discovered"
    template = bound(namespace)["spec"]["template"]
    eventually(lambda: said(namespace).get("status") == "True")
    apply(namespace, secret("login", **{"redis-password": "two"}))
    rotated = took(lambda: get(namespace, "deployment", "a")["spec"]["template"] != template)
    print(
        f"\n{operator.strategy}: Service, Secret and PrismBackend to Deployment {appeared:.2f} s; password to template {rotated:.2f} s"
    )
    assert appeared < 3
    assert rotated < 3
    bound(namespace)


GONE: dict[str, tuple[Callable[[str], Any], str]] = {
    "the PrismBackend": (lambda ns: kubectl("delete", "pbackend", named(ns)), "BackendNotFound"),
    "the Service": (lambda ns: kubectl("delete", "service", "redis-master", "-n", ns), "BackendNotReady"),
    "the Secret": (lambda ns: kubectl("delete", "secret", "login", "-n", ns), "BackendNotReady"),
    "the grant": (
        lambda ns: apply(ns, backend(ns, allowedNamespaces={"from": "List", "namespaces": ["somebody-else"]})),
        "BackendNotAllowed",
    ),
}


@pytest.mark.parametrize(("go", "reason"), GONE.values(), ids=GONE)
def test_what_goes_takes_no_pod_along(operator: Operator, namespace: str, go: Callable[[str], Any], reason: str) -> None:
    apply(namespace, *parts(namespace), backend(namespace), pattern(namespace))
    before, names = bound(namespace), {pod["metadata"]["name"] for pod in pods(namespace)}
    eventually(lambda: said(namespace).get("status") == "True")
    go(namespace)
    becomes(namespace, "prismpattern", "a", reason, "False")
    time.sleep(2)
    now = get(namespace, "deployment", "a")
    assert (now["metadata"]["uid"], now["spec"]) == (before["metadata"]["uid"], before["spec"])
    assert {pod["metadata"]["name"] for pod in pods(namespace)} == names
    apply(namespace, *parts(namespace), backend(namespace, allowedNamespaces={"from": "All"}))
    bound(namespace)


def test_the_type_of_a_bound_backend_changes(operator: Operator, namespace: str) -> None:
    apply(namespace, *parts(namespace), backend(namespace), pattern(namespace))
    bound(namespace)
    old = {pod["metadata"]["name"] for pod in pods(namespace)}
    apply(namespace, backend(namespace, "memcached"))
    eventually(lambda: get(namespace, "secret", "a-store-binding").get("type") == "servicebinding.io/memcached")
    eventually(lambda: not old & {pod["metadata"]["name"] for pod in pods(namespace)}, 60)
    bound(namespace)


def test_grants_in_their_four_forms_while_bound(operator: Operator, namespace: str) -> None:
    apply(namespace, *parts(namespace), backend(namespace), pattern(namespace))
    before = bound(namespace)["spec"]
    forms: list[tuple[Manifest, bool]] = [
        ({"from": "List", "namespaces": ["x"]}, False),
        ({"from": "List", "namespaces": ["x", namespace]}, True),
        ({"from": "Selector", "selector": {"matchLabels": {"team": "orders"}}}, False),
        ({"from": "Same"}, True),
        ({"from": "Selector", "selector": {"matchLabels": {"team": "nobody"}}}, False),
        ({"from": "All"}, True),
    ]
    for allowed, good in forms:
        apply(namespace, backend(namespace, allowedNamespaces=allowed))
        if good:
            bound(namespace)
        else:
            becomes(namespace, "prismpattern", "a", "BackendNotAllowed", "False")
    apply(namespace, backend(namespace, allowedNamespaces=forms[2][0]))
    becomes(namespace, "prismpattern", "a", "BackendNotAllowed", "False")
    kubectl("label", "namespace", namespace, "team=orders")
    bound(namespace)
    assert get(namespace, "deployment", "a")["spec"] == before, "no pod was touched by any of it"


def test_the_registry_is_told_and_told_again_after_it_was_down(operator: Operator, namespace: str) -> None:
    if operator.strategy == "in-cluster":
        pytest.fail("needs to stop the registry for a moment")
    apply(namespace, *parts(namespace), backend(namespace))
    eventually(lambda: said(namespace, "AdminSynced").get("status") == "True")
    record = operator.record(named(namespace))
    assert record["binding"] == {"namespace": "prism-operator", "secret": f"prism-backend-{named(namespace)}"}
    assert "one" not in json.dumps(record)
    operator.stop("registry")
    apply(namespace, backend(namespace, metadata={"env": "production"}))
    eventually(lambda: said(namespace, "AdminSynced").get("reason") == "RegistryUnreachable")
    assert get("", "pbackend", named(namespace))["status"]["phase"] == "Discovered"
    assert said(namespace)["status"] == "True"
    before = get("", "pbackend", named(namespace))["metadata"]["resourceVersion"]
    time.sleep(12)
    after = get("", "pbackend", named(namespace))["metadata"]["resourceVersion"]
    assert after == before, "it is tried again, and nothing is written while nothing is new"
    operator.start_registry()
    eventually(lambda: said(namespace, "AdminSynced").get("status") == "True", 60)
    assert operator.record(named(namespace))["metadata"] == {"env": "production"}
    kubectl("delete", "pbackend", named(namespace), "--timeout=20s")
    assert operator.record(named(namespace)) == 404
    assert not get("prism-operator", "secret", f"prism-backend-{named(namespace)}")


def test_without_the_token_nothing_is_reconciled_and_the_event_says_why(operator: Operator, namespace: str) -> None:
    if operator.strategy == "in-cluster":
        pytest.fail("needs to take the token from the controllers for a moment")
    operator.manifests(release="no-token", token=False)
    time.sleep(2)
    apply(namespace, runner())
    eventually(lambda: [e for e in items(namespace, "events") if "401" in e.get("message", "")], 30)
    assert not get(namespace, "deployment", "a")
    operator.manifests()
    ready(namespace)
