"""Whole stacks with the real Metacontroller: they converge, say why they do not, and an edit touches nothing else."""

import json
import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.cluster.conftest import Operator
from tests.cluster.kubectl import Manifest, apply, becomes, condition, earlier_tests_are_gone, eventually, get, items, kubectl
from tests.cluster.test_convergence import QUIET_SECONDS, secret
from tests.cluster.test_schemas import KEYVALUE, memo_stacks, of

pytestmark = pytest.mark.metacontroller
OWNED = "deployment,statefulset,service,pdb,hpa,prunner,pbc,replicaset,pod"
BACKEND = {"name": "nats", "type": "messaging", "connectionString": "nats://n:4222"}
SPEC: Manifest = {
    "proxy": {"replicas": 1},
    "admin": {"replicas": 1},
    "patterns": [KEYVALUE, {"name": "events", "type": "pubsub", "backend": "nats"}],
    "backends": [BACKEND],
}


def stack(name: str = "a", /, **spec: Any) -> Manifest:
    return of("PrismStack", {**SPEC, **spec}, name)


def ready(namespace: str, name: str = "a", seconds: float = 60) -> Manifest:
    return becomes(namespace, "prismstack", name, "StackReady", "True", seconds)


MEMO = memo_stacks()
OUTCOMES = {
    "SecretNotFound": "backend/postgres: spec.secretRef: Secret postgres-credentials does not exist in namespace",
    "BackendNotFound": "pattern/cache-redis-large: slot store: BackendConfig redis does not exist in namespace",
}


def test_every_stack_of_the_design_comes_to_rest(operator: Operator, namespace: str) -> None:
    """Four are ready as they stand; one names a Secret that nobody made, one gives no address for its backends."""
    spaces = [f"{namespace}-{index}" for index in range(len(MEMO))]
    for space, made in zip(spaces, MEMO, strict=True):
        kubectl("create", "namespace", space)
        apply(space, made)
    try:
        reasons = []
        for space, made in zip(spaces, MEMO, strict=True):
            name = made["metadata"]["name"]
            found = eventually(lambda: final(space, name), 90, lambda: get(space, "pstack", name).get("status"))  # noqa: B023
            reasons.append(found["reason"])
            assert OUTCOMES.get(found["reason"], "") in found["message"]
        assert sorted(reasons) == ["BackendNotFound", "SecretNotFound", *["StackReady"] * 4]
        kubectl("wait", "--for=condition=Ready", "prismstack/prism-nats", "--timeout=5s", "-n", spaces[named("prism-nats")])
        eventually(earlier_tests_are_gone, 60)
        time.sleep(5)
        before = operator.writes()
        time.sleep(QUIET_SECONDS)
        assert operator.writes() - before == 0
    finally:
        for space in spaces:
            kubectl("delete", "namespace", space, "--wait=false")


def says(space: str) -> str:
    """What Ready says."""
    return str(condition(get(space, "pstack", "a")).get("message", ""))


def named(name: str) -> int:
    return next(index for index, made in enumerate(MEMO) if made["metadata"]["name"] == name)


def final(space: str, name: str) -> Manifest:
    """The Ready condition once nothing is under way but what waits for a person."""
    found = get(space, "pstack", name)
    told = condition(found)
    parts = found.get("status", {}).get("components", [])
    waiting = [part for part in parts if part["ready"] < part["desired"] and "does not exist" not in part["message"]]
    return told if told.get("reason") in (*OUTCOMES, "StackReady") and not waiting else {}


def versions(namespace: str) -> dict[tuple[str, str], tuple[str, str]]:
    """What tells whether anything wrote to an object, its status apart; pods and what controllers make of it left out."""
    found = items(namespace, "deployment,statefulset,service,pdb,prunner,pbc,secret")
    return {
        (each["kind"], each["metadata"]["name"]): (each["metadata"]["uid"], json.dumps(each.get("spec") or each.get("data")))
        for each in found
    }


def pod_image(namespace: str, selector: str) -> set[str]:
    found = items(namespace, "pods", "-l", selector)
    return {p["spec"]["containers"][0]["image"] for p in found if "deletionTimestamp" not in p["metadata"]}


def replicas(namespace: str, kind: str, name: str) -> int:
    return int(get(namespace, kind, name).get("spec", {}).get("replicas", -1))


EDITS: dict[str, tuple[Manifest, Callable[[str], Any], set[str]]] = {
    "the proxy's image": (
        {"proxy": {"replicas": 1, "image": "x/y:2"}},
        lambda ns: pod_image(ns, "app=prism-proxy") == {"x/y:2"},
        {"a-proxy"},
    ),
    "the proxy's replicas": ({"proxy": {"replicas": 3}}, lambda ns: replicas(ns, "deployment", "a-proxy") == 3, {"a-proxy"}),
    "the proxy's port": (
        {"proxy": {"replicas": 1, "port": 9090}},
        lambda ns: get(ns, "service", "a-proxy")["spec"]["ports"][0]["port"] == 9090,
        {"a-proxy"},
    ),
    "the admin's placement": (
        {"admin": {"replicas": 1, "runnerSpec": {"nodeSelector": {"role": "prism-control-plane"}}}},
        lambda ns: {p["spec"].get("nodeName") for p in items(ns, "pods", "-l", "app=prism-admin")} == {"admin-1"},
        {"a-admin"},
    ),
    "a pattern more": (
        {"patterns": [*SPEC["patterns"], {"name": "more", "type": "keyvalue"}]},
        lambda ns: get(ns, "deployment", "more"),
        {"more", "more-config"},
    ),
    "a pattern's image": (
        {"patterns": [{**KEYVALUE, "image": "x/y:3"}, SPEC["patterns"][1]]},
        lambda ns: pod_image(ns, "prism.io/instance=cache") == {"x/y:3"},
        {"cache"},
    ),
    "a pattern renamed": (
        {"patterns": [{**KEYVALUE, "name": "store"}, SPEC["patterns"][1]]},
        lambda ns: get(ns, "deployment", "store") and not get(ns, "deployment", "cache"),
        {"store", "store-config", "cache", "cache-config"},
    ),
    "a backend's address": (
        {"backends": [{**BACKEND, "connectionString": "nats://m:4222"}]},
        lambda ns: "nats://m:4222" in json.dumps(get(ns, "pbc", "nats")["spec"]),
        {"nats", "prism-backendconfig-nats", "events", "events-config", "events-messaging-binding"},
    ),
    "observability on": (
        {"observability": {"enabled": True}},
        lambda ns: "prometheus.io/port" in json.dumps(get(ns, "deployment", "a-proxy")),
        {"a-proxy", "a-admin"},
    ),
}


@pytest.mark.parametrize(("edit", "done", "touched"), EDITS.values(), ids=EDITS)
def test_an_edit_takes_effect_and_touches_nothing_else(
    operator: Operator, namespace: str, edit: Manifest, done: Callable[[str], Any], touched: set[str]
) -> None:
    apply(namespace, stack())
    ready(namespace)
    before = versions(namespace)
    apply(namespace, stack(**edit))
    eventually(lambda: done(namespace), 60)
    ready(namespace)
    after = versions(namespace)
    changed = {name for kind, name in before.keys() | after.keys() if before.get((kind, name)) != after.get((kind, name))}
    assert changed <= touched
    assert changed


def test_an_autoscaler_of_the_proxy_never_changes_the_number_by_itself(operator: Operator, namespace: str) -> None:
    numbers: list[int] = []

    def look(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            numbers.append(replicas(namespace, "deployment", "a-proxy"))
            time.sleep(0.2)

    apply(namespace, stack(proxy={"replicas": 7}))
    ready(namespace)
    scaling = {"enabled": True, "minReplicas": 2, "maxReplicas": 20}
    apply(namespace, stack(proxy={"autoscaling": scaling}))
    eventually(lambda: get(namespace, "hpa", "a-proxy"))
    look(3)
    apply(namespace, stack(proxy={"autoscaling": scaling, "image": "x/y:2"}))
    look(3)
    apply(namespace, stack(proxy={}))
    eventually(lambda: not get(namespace, "hpa", "a-proxy"))
    look(3)
    assert set(numbers) == {7}
    kubectl("scale", "pstack/a", "-n", namespace, "--replicas=2")
    eventually(lambda: replicas(namespace, "deployment", "a-proxy") == 2)


@pytest.mark.parametrize("cascade", ["background", "foreground"])
def test_a_deleted_stack_leaves_nothing_but_its_volumes(operator: Operator, namespace: str, cascade: str) -> None:
    apply(namespace, stack(admin={"replicas": 3}))
    ready(namespace)
    kubectl("delete", "pstack/a", "-n", namespace, f"--cascade={cascade}", "--wait=true")
    eventually(lambda: not items(namespace, OWNED + ",secret"), 60, lambda: items(namespace, OWNED + ",secret"))
    volumes = sorted(each["metadata"]["name"] for each in items(namespace, "pvc"))
    assert volumes == ["data-a-admin-1", "data-a-admin-2", "data-a-admin-3"]


def test_a_broken_image_is_told_and_its_repair_heals(operator: Operator, namespace: str) -> None:
    apply(namespace, stack(admin={"replicas": 1, "image": "x/broken:1"}))
    told = becomes(namespace, "pstack", "a", "ImagePullFailed", "False", 60)
    assert "admin: container prism-admin: image x/broken:1 cannot be pulled" in told["message"]
    apply(namespace, stack())
    eventually(lambda: condition(get(namespace, "pstack", "a")).get("reason") != "ImagePullFailed")
    # A StatefulSet does not replace a pod that never became ready: that is left to a person.
    if condition(get(namespace, "pstack", "a")).get("status") != "True":
        kubectl("delete", "pod", "a-admin-1", "-n", namespace)
    ready(namespace)


def quota(**hard: str) -> Manifest:
    hard = {name.replace("__", "."): text for name, text in hard.items()}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "tight"}, "spec": {"hard": hard}}


def test_a_quota_that_forbids_pods_is_told_for_both_workloads(operator: Operator, namespace: str) -> None:
    apply(namespace, quota(pods="0"))
    eventually(lambda: get(namespace, "resourcequota", "tight").get("status", {}).get("hard"))
    apply(namespace, stack(patterns=[], backends=[]))
    becomes(namespace, "pstack", "a", "QuotaExceeded", "False")
    eventually(lambda: "ResourceQuota tight" in part(namespace, "admin")["message"])
    eventually(lambda: "proxy: ResourceQuota tight" in condition(get(namespace, "pstack", "a"))["message"])
    kubectl("delete", "quota", "tight", "-n", namespace)
    ready(namespace, seconds=120)


def part(namespace: str, name: str) -> Manifest:
    parts = get(namespace, "pstack", "a").get("status", {}).get("components", [])
    return next((each for each in parts if each["name"] == name), {"message": ""})


def test_a_quota_on_storage_is_told(operator: Operator, namespace: str) -> None:
    apply(namespace, quota(requests__storage="1Gi"))
    eventually(lambda: get(namespace, "resourcequota", "tight").get("status", {}).get("hard"))
    apply(namespace, stack())
    told = becomes(namespace, "pstack", "a", "QuotaExceeded", "False")
    assert "ResourceQuota tight forbids more pods: requests.storage: 0 used of 1Gi" in told["message"]


def test_a_selector_that_fits_no_node_is_told(operator: Operator, namespace: str) -> None:
    apply(namespace, stack(proxy={"placement": {"nodeSelector": {"no-node": "has-this"}}}))
    assert "proxy: 0/8 nodes" in becomes(namespace, "pstack", "a", "Unschedulable", "False")["message"]


def test_a_volume_that_cannot_bind_is_told(operator: Operator, namespace: str) -> None:
    apply(namespace, stack(admin={"storage": {"storageClassName": "nobody-has-this"}}))
    assert "admin: " in becomes(namespace, "pstack", "a", "VolumePending", "False")["message"]


def test_secrets_that_nobody_made_are_told_and_their_coming_heals(operator: Operator, namespace: str) -> None:
    backends = [{"name": "nats", "type": "nats", "connection": {"host": "n", "secretRef": {"name": "login"}}}]
    apply(namespace, stack(proxy={"tls": {"secretRef": {"name": "cert"}}}, backends=backends))
    told = becomes(namespace, "pstack", "a", "SecretNotFound", "False")
    assert "spec.proxy.tls.secretRef: Secret cert does not exist" in told["message"]
    assert "Secret login does not exist" in part(namespace, "backend/nats")["message"]
    apply(namespace, secret("cert", **{"tls.crt": "x", "tls.key": "y"}))
    eventually(lambda: "backend/nats" in says(namespace))
    apply(namespace, secret("login", password="p"))
    ready(namespace)


def test_a_foreign_service_and_another_stacks_pattern_are_left_alone(operator: Operator, namespace: str) -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "b-proxy"}, "spec": {"ports": [{"port": 1}]}}
    apply(namespace, service, stack())
    ready(namespace)
    before = get(namespace, "service", "b-proxy"), get(namespace, "prunner", "cache")
    apply(namespace, stack("b", patterns=[KEYVALUE], backends=[]))
    told = becomes(namespace, "pstack", "b", "NameConflict", "False")
    assert "Service b-proxy" in told["message"]
    assert "PatternRunner cache" in told["message"]
    time.sleep(2)
    after = get(namespace, "service", "b-proxy"), get(namespace, "prunner", "cache")
    assert [each["metadata"]["resourceVersion"] for each in before] == [each["metadata"]["resourceVersion"] for each in after]
    kubectl("delete", "service/b-proxy", "-n", namespace)
    apply(namespace, stack(patterns=SPEC["patterns"][1:]))
    ready(namespace, "b")


def test_members_do_not_shrink_below_their_quorum_unheard(operator: Operator, namespace: str) -> None:
    apply(namespace, stack(admin={"replicas": 3}))
    ready(namespace)
    apply(namespace, stack(admin={"replicas": 1}))
    becomes(namespace, "pstack", "a", "BelowQuorum", "False")
    assert replicas(namespace, "statefulset", "a-admin") == 3
    kubectl("annotate", "pstack/a", "-n", namespace, "prism.io/allow-quorum-loss=true")
    eventually(lambda: replicas(namespace, "statefulset", "a-admin") == 1)
    ready(namespace)


def test_what_an_older_release_made_otherwise_is_kept_and_said(operator: Operator, namespace: str) -> None:
    """A StatefulSet of this stack that exists already with another serviceName, as an older release may have made it."""
    if operator.strategy == "in-cluster":
        pytest.fail("needs to stop the service for a moment")
    operator.stop("service")
    apply(namespace, stack())
    uid = get(namespace, "pstack", "a")["metadata"]["uid"]
    labels = {"prism.io/component": "admin", "prism.io/instance": "a", "controller-uid": uid}
    owner = {"apiVersion": "prism.io/v1alpha1", "kind": "PrismStack", "name": "a", "uid": uid, "controller": True}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "prism-admin", "image": "old/image:1"}]}}
    spec = {"serviceName": "old", "replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    metadata = {"name": "a-admin", "labels": labels, "ownerReferences": [owner]}
    apply(namespace, {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata, "spec": spec})
    operator.start_service()
    told = becomes(namespace, "pstack", "a", "ImmutableField", "False", 90)
    assert "StatefulSet serviceName" in told["message"]
    eventually(lambda: pod_image(namespace, "app=prism-admin") == {"ghcr.io/prism/prism-admin:latest"}, 60)
    time.sleep(5)
    before = operator.writes()
    time.sleep(10)
    assert operator.writes() - before == 0


def monitors_crd() -> Manifest:
    """A ServiceMonitor as far as it matters here, where the Prometheus operator is not installed."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    names = {"kind": "ServiceMonitor", "plural": "servicemonitors", "singular": "servicemonitor"}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    spec = {"group": "monitoring.coreos.com", "scope": "Namespaced", "names": names, "versions": [version]}
    metadata = {"name": "servicemonitors.monitoring.coreos.com"}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": metadata, "spec": spec}


def test_a_stack_is_monitored_where_that_is_installed(operator: Operator, namespace: str) -> None:
    if operator.strategy == "in-cluster":
        pytest.fail("needs the controllers at this service")
    apply("default", monitors_crd())
    kubectl("wait", "--for=condition=Established", "crd/servicemonitors.monitoring.coreos.com", "--timeout=20s")
    operator.manifests(optional="monitoring")
    user = f"--user={os.environ.get('METACONTROLLER_USER', 'metacontroller')}"
    role = "--clusterrole=prism-operator-monitoring"
    binding = kubectl("create", "clusterrolebinding", "prism-e2e-monitoring", role, user, "--dry-run=client", "-o", "yaml")
    kubectl("apply", "-f", "-", given=binding)
    try:
        apply(namespace, stack(observability={"enabled": True}))
        ready(namespace)
        eventually(lambda: len(items(namespace, "servicemonitors")) == 2, 60)
        apply(namespace, stack())
        eventually(lambda: not items(namespace, "servicemonitors"))
    finally:
        kubectl("delete", "decoratorcontroller", "prism-monitoring")
        kubectl("delete", "crd", "servicemonitors.monitoring.coreos.com")
