"""With the real Metacontroller: samples come to rest, edits take effect, what is foreign is left alone."""

import base64
import json
import subprocess
import time
from typing import Any

import pytest

from app.controllers import CONTROLLERS
from tests.cluster.conftest import ROOT, Operator
from tests.cluster.kubectl import (
    Manifest,
    apply,
    becomes,
    condition,
    earlier_tests_are_gone,
    eventually,
    get,
    items,
    kubectl,
    writes,
)
from tests.cluster.test_schemas import of, samples

pytestmark = pytest.mark.metacontroller
QUIET_SECONDS = 60
BASE = {"pattern": "keyvalue", "backend": "memstore"}


def runner(name: str = "a", **spec: Any) -> Manifest:
    return of("PatternRunner", {**BASE, **spec}, name)


def pods(namespace: str, name: str = "a") -> list[Manifest]:
    found = items(namespace, "pods", "-l", f"prism.io/instance={name}")
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def ready(namespace: str, name: str = "a") -> Manifest:
    return becomes(namespace, "patternrunner", name, "DeploymentReady", "True")


def secret(name: str, **data: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


def is_ready(namespace: str, kind: str, name: str) -> bool:
    return condition(get(namespace, kind, name)).get("status") == "True"


def named(given: list[Manifest], kind: str) -> list[str]:
    return [each["metadata"]["name"] for each in given if each["kind"] == kind]


def test_every_sample_comes_to_its_outcome_and_the_cluster_rests(
    operator: Operator, namespace: str, request: pytest.FixtureRequest
) -> None:
    given = samples(namespace)
    request.addfinalizer(lambda: kubectl("delete", "pbackend", *named(given, "PrismBackend"), "--ignore-not-found"))
    apply(namespace, *given)
    for sample in given:
        kind, name = sample["kind"], sample["metadata"]["name"]
        outcome = sample["metadata"].get("annotations", {}).get("prism.io/sample-outcome")
        if outcome == "Ready":
            eventually(lambda: is_ready(namespace, kind, name), 90, lambda: get(namespace, kind, name).get("status"))  # noqa: B023
        elif outcome:
            becomes(namespace, kind, name, outcome, "False")
    kubectl("wait", "-n", namespace, "--for=condition=Ready", "prunner/sessions", "--timeout=5s")
    eventually(earlier_tests_are_gone, 60)
    time.sleep(45)  # the autoscaler of sample 06 looks every 15 s, and says by and by that there are no metrics
    before, patches = operator.writes(), writes(["horizontalpodautoscalers"])
    time.sleep(QUIET_SECONDS)
    # Under server-side apply a change of an autoscaler's status costs Metacontroller one patch that changes nothing.
    free = writes(["horizontalpodautoscalers"]) - patches if operator.strategy == "server-side-apply" else 0
    assert operator.writes() - before - free == 0


def test_the_design_samples_of_these_kinds_converge_too(operator: Operator, namespace: str) -> None:
    """As the memo has them, status and all: one is ready, the other says which Secret nobody made."""
    memo = (ROOT / "tests/bodies/memo-samples.yaml").read_text().replace("namespace: prism-system", f"namespace: {namespace}")
    kubectl("apply", "--validate=strict", "-f", "-", given=memo)
    becomes(namespace, "patternrunner", "keyvalue-memstore-001", "DeploymentReady", "True")
    missing = becomes(namespace, "backendconfig", "nats-production", "SecretNotFound", "False")
    assert "Secret nats-credentials does not exist" in missing["message"]


def test_edits_take_effect(operator: Operator, namespace: str) -> None:
    apply(namespace, runner(replicas=1))
    ready(namespace)
    edits: list[tuple[Manifest, Any]] = [
        (runner(replicas=1, image="x/y:2"), lambda: pods(namespace)[0]["spec"]["containers"][0]["image"] == "x/y:2"),
        (runner(replicas=3), lambda: len(pods(namespace)) == 3),
        (runner(replicas=1, config={"ttl": "1h"}), lambda: "ttl" in get_config(namespace)),
        (
            runner(replicas=1, placement={"nodeSelector": {"kubernetes.io/os": "linux"}}),
            lambda: pods(namespace)[0]["spec"].get("nodeSelector"),
        ),
        (
            runner(replicas=1, backend="redis", config={"redisUrl": "redis://r"}),
            lambda: '"address": "r:6379"' in get_config(namespace),
        ),
    ]
    for manifest, done in edits:
        apply(namespace, manifest)
        eventually(done)
        ready(namespace)
    kubectl("annotate", "prunner/a", "-n", namespace, "prism.io/restartedAt=now")
    eventually(lambda: pods(namespace)[0]["metadata"]["annotations"].get("prism.io/restartedAt") == "now")
    kubectl("scale", "prunner/a", "-n", namespace, "--replicas=2")
    eventually(lambda: len(pods(namespace)) == 2)


def get_config(namespace: str) -> str:
    return base64.b64decode(get(namespace, "secret", "a-config")["data"]["runner.json"]).decode()


def test_an_autoscaler_on_and_off_never_changes_the_number_by_itself(operator: Operator, namespace: str) -> None:
    numbers: list[int] = []

    def look(seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            numbers.append(get(namespace, "deployment", "a")["spec"]["replicas"])
            time.sleep(0.2)

    apply(namespace, runner(replicas=10))
    ready(namespace)
    scaling = {"enabled": True, "minReplicas": 2, "maxReplicas": 20}
    apply(namespace, runner(autoscaling=scaling))
    eventually(lambda: get(namespace, "hpa", "a"))
    look(4)
    apply(namespace, runner(autoscaling=scaling, image="x/y:2"))
    look(3)
    apply(namespace, runner())
    eventually(lambda: not get(namespace, "hpa", "a"))
    look(4)
    assert set(numbers) == {10}
    apply(namespace, runner(replicas=4))
    eventually(lambda: len(pods(namespace)) == 4)


def test_a_deleted_parent_leaves_nothing(operator: Operator, namespace: str) -> None:
    config = of("BackendConfig", {"type": "redis", "connection": {"host": "r"}}, "cache")
    apply(
        namespace,
        config,
        runner(backend="redis", backendConfig={"name": "cache"}, autoscaling={"enabled": True, "maxReplicas": 2}),
    )
    ready(namespace)
    kubectl("delete", "prunner/a", "pbc/cache", "-n", namespace)
    left = "deployment,replicaset,pod,service,secret,hpa"
    eventually(lambda: not items(namespace, left), 60, lambda: [each["metadata"]["name"] for each in items(namespace, left)])


FOREIGN: dict[str, Manifest] = {
    "deployment": {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a"},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"mine": "yes"}},
            "template": {"metadata": {"labels": {"mine": "yes"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
        },
    },
    "service": {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 1}]}},
    "secret": secret("a-config", mine="yes"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_foreign_is_untouched_and_its_going_heals(operator: Operator, namespace: str, kind: str) -> None:
    apply(namespace, FOREIGN[kind])
    name = FOREIGN[kind]["metadata"]["name"]
    before = get(namespace, kind, name)
    apply(namespace, runner())
    stalled = becomes(namespace, "patternrunner", "a", "NameConflict", "False")
    assert f"{FOREIGN[kind]['kind']} {name}" in stalled["message"]
    time.sleep(2)
    assert get(namespace, kind, name)["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    kubectl("delete", kind, name, "-n", namespace)
    ready(namespace)


def test_what_another_parent_of_ours_owns_is_untouched(operator: Operator, namespace: str) -> None:
    """The runner x binds its slot store by the Secret x-store-binding; another kind of ours may have that name already."""
    taken = {**secret("x-store-binding", mine="yes"), "metadata": {"name": "x-store-binding", "ownerReferences": []}}
    config = of("BackendConfig", {"type": "redis", "connection": {"host": "r"}}, "cache")
    apply(namespace, config)
    becomes(namespace, "backendconfig", "cache", "Bound", "True")
    owner = get(namespace, "backendconfig", "cache")["metadata"]
    reference = {
        "apiVersion": "prism.io/v1alpha1",
        "kind": "BackendConfig",
        "name": "cache",
        "uid": owner["uid"],
        "controller": True,
    }
    taken["metadata"]["ownerReferences"] = [reference]
    apply(namespace, taken)
    before = get(namespace, "secret", "x-store-binding")["data"]
    apply(namespace, runner("x", backend="redis", backendConfig={"name": "cache"}))
    stalled = becomes(namespace, "patternrunner", "x", "NameConflict", "False")
    assert "Secret x-store-binding" in stalled["message"]
    time.sleep(2)
    assert get(namespace, "secret", "x-store-binding")["data"] == before
    kubectl("delete", "secret", "x-store-binding", "-n", namespace)
    ready(namespace, "x")


def test_a_backend_that_goes_takes_no_pod_along(operator: Operator, namespace: str) -> None:
    login = secret("login", password="one")
    config = of("BackendConfig", {"type": "redis", "connection": {"host": "r", "secretRef": {"name": "login"}}}, "cache")
    apply(namespace, runner(backend="redis", backendConfig={"name": "cache"}))
    becomes(namespace, "patternrunner", "a", "BackendNotFound", "False")
    apply(namespace, config)
    becomes(namespace, "patternrunner", "a", "BackendNotReady", "False")
    assert not get(namespace, "deployment", "a")
    apply(namespace, login)
    ready(namespace)
    first = get(namespace, "deployment", "a")["spec"]["template"]
    apply(namespace, secret("login", password="two"))
    eventually(lambda: get(namespace, "deployment", "a")["spec"]["template"] != first)
    ready(namespace)
    rotated = get(namespace, "deployment", "a")
    kubectl("delete", "secret", "login", "-n", namespace)
    becomes(namespace, "patternrunner", "a", "BackendNotReady", "False")
    kubectl("delete", "pbc", "cache", "-n", namespace)
    becomes(namespace, "patternrunner", "a", "BackendNotFound", "False")
    time.sleep(2)
    now = get(namespace, "deployment", "a")
    assert (now["metadata"]["uid"], now["spec"]) == (rotated["metadata"]["uid"], rotated["spec"])
    assert len(pods(namespace)) == 1


def test_a_bound_backend_may_change_its_type(operator: Operator, namespace: str) -> None:
    apply(
        namespace,
        of("BackendConfig", {"type": "redis", "connection": {"host": "r"}}, "cache"),
        runner(backend="x", backendConfig={"name": "cache"}),
    )
    ready(namespace)
    old = {pod["metadata"]["name"] for pod in pods(namespace)}
    apply(namespace, of("BackendConfig", {"type": "nats", "connection": {"host": "n"}}, "cache"))
    eventually(lambda: get(namespace, "secret", "a-store-binding").get("type") == "servicebinding.io/nats")
    eventually(lambda: not old & {pod["metadata"]["name"] for pod in pods(namespace)})
    ready(namespace)


def test_a_broken_image_is_told(operator: Operator, namespace: str) -> None:
    apply(namespace, runner(image="x/broken:1"))
    told = becomes(namespace, "patternrunner", "a", "ImagePullFailed", "False", 60)
    assert "x/broken:1" in told["message"]
    apply(namespace, runner(image="x/good:1"))
    ready(namespace)


def test_a_quota_that_forbids_pods_is_told(operator: Operator, namespace: str) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "tight"}, "spec": {"hard": {"pods": "0"}}}
    apply(namespace, quota)
    eventually(lambda: get(namespace, "resourcequota", "tight").get("status", {}).get("hard"))
    apply(namespace, runner())
    told = becomes(namespace, "patternrunner", "a", "QuotaExceeded", "False")
    assert "ResourceQuota tight" in told["message"]


def test_a_change_that_the_api_server_refuses_is_told_and_its_repair_heals(operator: Operator, namespace: str) -> None:
    apply(namespace, runner())
    becomes(namespace, "patternrunner", "a", "DeploymentReady", "True")
    before = get(namespace, "deployment", "a")
    apply(namespace, runner(resources={"limits": {"bogus": "1"}}))
    told = becomes(namespace, "patternrunner", "a", "ChildMissing", "False", 90)
    assert "Deployment a (as changed)" in told["message"]
    assert get(namespace, "deployment", "a")["spec"] == before["spec"]
    apply(namespace, runner(resources={"limits": {"cpu": "1"}}))
    becomes(namespace, "patternrunner", "a", "DeploymentReady", "True", 60)


def test_a_quota_that_forbids_a_child_is_told(operator: Operator, namespace: str) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "tight"}, "spec": {"hard": {"services": "0"}}}
    apply(namespace, quota)
    eventually(lambda: get(namespace, "resourcequota", "tight").get("status", {}).get("hard"))
    apply(namespace, runner())
    told = becomes(namespace, "patternrunner", "a", "ChildMissing", "False", 90)
    assert "Service a" in told["message"]


def test_no_node_that_fits_is_told(operator: Operator, namespace: str) -> None:
    apply(namespace, runner(placement={"nodeSelector": {"no-node": "has-this"}}))
    becomes(namespace, "patternrunner", "a", "Unschedulable", "False")


def test_a_new_release_reaches_everyone_and_writes_nothing(operator: Operator, namespace: str) -> None:
    apply(namespace, *(runner(f"r{index}", replicas=0) for index in range(200)))
    eventually(lambda: [r["status"].get("phase") for r in items(namespace, "prunner")] == ["Running"] * 200, 120)
    time.sleep(4)
    before, syncs = operator.writes(), hook_calls(operator)
    operator.manifests(release="another")
    eventually(lambda: hook_calls(operator) - syncs >= 200, 60)
    time.sleep(5)
    events = 4 * len(CONTROLLERS)  # Stopping, Stopped, Starting, Started of each restarted controller
    assert operator.writes() - before <= events
    operator.manifests()


def hook_calls(operator: Operator) -> int:
    text = subprocess.run(["curl", "-s", f"{operator.url}/metrics"], capture_output=True, text=True, check=True).stdout
    lines = [line for line in text.splitlines() if line.startswith("prism_operator_requests_total") and 'hook="sync"' in line]
    return int(sum(float(line.rpartition(" ")[2]) for line in lines))


def test_hooks_that_are_down_change_nothing(operator: Operator, namespace: str) -> None:
    apply(namespace, runner())
    ready(namespace)
    before = json.dumps(get(namespace, "deployment", "a")["spec"])
    operator.stop("service")
    apply(namespace, runner(image="x/y:2"))
    time.sleep(3)
    assert json.dumps(get(namespace, "deployment", "a")["spec"]) == before
    operator.start_service()
    eventually(lambda: pods(namespace)[0]["spec"]["containers"][0]["image"] == "x/y:2", 60)
