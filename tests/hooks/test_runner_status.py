"""The status of a runner: from what is observed, in words that stay the same while nothing changes."""

from typing import Any

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from tests.build import OTHER_UID, Manifest, condition, find, owned, request, runner, running
from tests.hooks.test_runner_children import sync


async def deployed(client: httpx.AsyncClient, spec: Manifest | None = None) -> list[Manifest]:
    return (await sync(client, request(runner(spec))))["children"]  # type: ignore[no-any-return]


def replace(children: list[Manifest], deployment: Manifest) -> list[Manifest]:
    return [deployment if child["kind"] == "Deployment" else child for child in children]


def pod(state: Manifest | None = None, **status: Any) -> Manifest:
    metadata = {"name": "p", "namespace": "team-a", "labels": {"prism.io/instance": "sessions", "prism.io/component": "runner"}}
    container = {"name": "keyvalue-runner", "image": "i:broken", "ready": False, **(state or {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": {"containerStatuses": [container], **status}}


def waiting(reason: str, message: str = "") -> Manifest:
    return {"state": {"waiting": {"reason": reason, "message": message}}}


QUOTA = 'pods "sessions-7d4-x2k9q" is forbidden: exceeded quota: tight, requested: pods=1, used: pods=3, limited: pods=3'


async def test_pods_of_others_are_not_its_own(client: httpx.AsyncClient) -> None:
    children = await deployed(client)
    live = replace(children, running(find({"children": children}, "Deployment"), available=0))
    other = pod(waiting("ImagePullBackOff"))
    other["metadata"]["labels"] = {"runner": "sessions"}
    assert condition(await sync(client, request(runner(), live, [other])), "Ready")["reason"] == "Progressing"


WHY: dict[str, tuple[list[Manifest], Manifest, str, str]] = {
    "an image that cannot be pulled": ([pod(waiting("ImagePullBackOff"))], {}, "ImagePullFailed", "i:broken"),
    "the other name of the same": ([pod(waiting("ErrImagePull"))], {}, "ImagePullFailed", "i:broken"),
    "a container that keeps stopping": (
        [pod({"restartCount": 4, "lastState": {"terminated": {"exitCode": 2}}})],
        {},
        "CrashLoopBackOff",
        "exit code 2",
    ),
    "a Secret that the container misses": (
        [pod(waiting("CreateContainerConfigError", 'secret "x" not found'))],
        {},
        "CreateContainerConfigError",
        'secret "x" not found',
    ),
    "no node that fits": (
        [pod(conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/8 nodes"}])],
        {},
        "Unschedulable",
        "0/8 nodes",
    ),
    "a quota": (
        [],
        {"conditions": [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": QUOTA}]},
        "QuotaExceeded",
        "ResourceQuota tight forbids more pods: requested pods=1, limited to pods=3",
    ),
    "an admission webhook": (
        [],
        {
            "conditions": [
                {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": 'pods "a-b" denied by x'}
            ]
        },
        "FailedCreate",
        "pods denied by x",
    ),
    "no progress": (
        [],
        {"conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]},
        "ProgressDeadlineExceeded",
        "no progress",
    ),
    "nothing but time": ([pod(waiting("ContainerCreating"))], {}, "Progressing", "waiting for 1 available pods"),
}


@pytest.mark.parametrize(("pods", "status", "reason", "says"), WHY.values(), ids=WHY)
async def test_says_why_it_is_not_ready(
    client: httpx.AsyncClient, pods: list[Manifest], status: Manifest, reason: str, says: str
) -> None:
    children = await deployed(client)
    live = running(find({"children": children}, "Deployment"), available=0, **status)
    answer = await sync(client, request(runner(), replace(children, live), pods))
    assert condition(answer, "Ready")["reason"] == reason
    assert says in condition(answer, "Ready")["message"]
    assert condition(answer, "Reconciling")["status"] == "True"


async def test_running(client: httpx.AsyncClient) -> None:
    children = await deployed(client)
    live = running(find({"children": children}, "Deployment"))
    status = (await sync(client, request(runner(), replace(children, live))))["status"]
    assert status["phase"] == "Running"
    assert [c["type"] for c in status["conditions"]] == ["Available", "Ready"]
    assert status["replicas"] == status["availableReplicas"] == 1
    assert status["selector"] == "prism.io/component=runner,prism.io/instance=sessions"


STILL_GOING: dict[str, Manifest] = {
    "the old template still runs": {"template": "old"},
    "the Deployment controller has not looked yet": {"observedGeneration": 0},
    "an old pod is left": {"replicas": 2},
    "not all are of the new template": {"updatedReplicas": 0},
}


@pytest.mark.parametrize("change", STILL_GOING.values(), ids=STILL_GOING)
async def test_is_not_ready_before_the_rollout_is_done(client: httpx.AsyncClient, change: Manifest) -> None:
    children = await deployed(client)
    live = running(find({"children": children}, "Deployment"))
    if "template" in change:
        live["metadata"]["annotations"]["prism.io/template-hash"] = "old"
    live["status"] |= change
    answer = await sync(client, request(runner(), replace(children, live)))
    assert condition(answer, "Ready") | {"lastTransitionTime": ""} == {
        "type": "Ready",
        "status": "False",
        "reason": "Progressing",
        "message": "waiting for 1 available pods of the present template",
        "lastTransitionTime": "",
        "observedGeneration": 1,
    }


async def test_no_replicas_is_ready_too(client: httpx.AsyncClient) -> None:
    spec = {"replicas": 0}
    children = await deployed(client, spec)
    live = running(find({"children": children}, "Deployment"))
    live["status"] = {"observedGeneration": 1}
    answer = await sync(client, request(runner(spec), replace(children, live)))
    assert condition(answer, "Ready")["reason"] == "ScaledToZero"


async def test_a_child_that_does_not_come_is_said_after_a_while(client: httpx.AsyncClient) -> None:
    since = {"type": "ChildrenExist", "status": "False", "lastTransitionTime": "2025-12-31T23:59:50Z"}
    parent = runner(status={"conditions": [since]})
    answer = await sync(client, request(parent))
    assert condition(answer, "Ready")["reason"] == "ChildMissing"
    assert "Deployment sessions" in condition(answer, "Ready")["message"]
    assert answer["resyncAfterSeconds"] == 30


async def test_a_change_that_is_not_taken_is_said_after_a_while(client: httpx.AsyncClient) -> None:
    children = await deployed(client)
    edited = runner({"image": "x/new:1"}, status={"conditions": [{"type": "Ready", "status": "True"}]}, generation=2)
    live = replace(children, running(find({"children": children}, "Deployment")))
    first = await sync(client, request(edited, live))
    assert condition(first, "Ready")["reason"] == "Progressing"
    since = [{**each, "lastTransitionTime": "2025-12-31T23:59:50Z"} for each in first["status"]["conditions"]]
    later = await sync(client, request(runner({"image": "x/new:1"}, status={"conditions": since}, generation=2), live))
    assert condition(later, "Ready")["reason"] == "ChildMissing"
    assert "Deployment sessions (as changed)" in condition(later, "Ready")["message"]
    assert later["resyncAfterSeconds"] == 30


async def test_a_name_that_is_taken_late_is_degraded_while_pods_serve(client: httpx.AsyncClient) -> None:
    children = await deployed(client)
    live = replace(children, running(find({"children": children}, "Deployment")))
    left = [child for child in live if child["kind"] != "Service"]
    taken = owned(find({"children": children}, "Service"), OTHER_UID)
    answer = await sync(client, request(runner(), left, [taken]))
    assert condition(answer, "Stalled")["reason"] == "NameConflict"
    assert answer["status"]["phase"] == "Degraded"


async def test_times_move_only_with_the_status() -> None:
    times = iter(["2026-01-01T00:00:00Z", "2026-01-01T00:00:05Z", "2026-01-01T00:00:07Z"])
    app = create_app(Settings(), now=lambda: next(times))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://operator") as client:
        first = await sync(client, request(runner()))
        again = await sync(client, request(runner(status=first["status"]), first["children"]))
        live = running(find(first, "Deployment"))
        up = await sync(client, request(runner(status=again["status"]), replace(first["children"], live)))
    assert again["status"] == first["status"], "children that have come, and no more, are not worth another write"
    assert condition(up, "Ready")["lastTransitionTime"] == "2026-01-01T00:00:07Z"


SCALING = {"autoscaling": {"enabled": True, "maxReplicas": 5}}


@pytest.mark.parametrize(
    ("conditions", "status", "reason"),
    [
        ([], "Unknown", "Progressing"),
        ([{"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound"}], "True", "ValidMetricFound"),
        ([{"type": "ScalingActive", "status": "False", "reason": "FailedGetResourceMetric"}], "False", "FailedGetResourceMetric"),
    ],
    ids=["it has not looked", "it works", "it has no metrics"],
)
async def test_says_whether_the_autoscaler_works(
    client: httpx.AsyncClient, conditions: list[Manifest], status: str, reason: str
) -> None:
    children = await deployed(client, SCALING)
    hpa = {**find({"children": children}, "HorizontalPodAutoscaler"), "status": {"conditions": conditions}}
    answer = await sync(client, request(runner(SCALING), [c for c in children if c["kind"] != hpa["kind"]] + [hpa]))
    assert (condition(answer, "AutoscalingActive")["status"], condition(answer, "AutoscalingActive")["reason"]) == (
        status,
        reason,
    )


APPLIED = {"metacontroller.k8s.io/last-applied-configuration": '{"spec":{"replicas":10}}'}
OURS = [{"manager": "metacontroller", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}}]
SCALED = [{"manager": "hpa", "operation": "Update", "subresource": "scale", "fieldsV1": {"f:spec": {"f:replicas": {}}}}]
REPLICAS: dict[str, tuple[Manifest, Manifest, Manifest, int | None]] = {
    "a number without an autoscaler is emitted": ({"replicas": 3}, {}, {}, 3),
    "autoscaled, the field still ours (dynamic apply): the live number": ({**SCALING, "replicas": 3}, APPLIED, {}, 10),
    "autoscaled, the field still ours (server-side apply): the live number": (SCALING, {}, {"managedFields": OURS}, 10),
    "autoscaled, the field a scaler's: nothing": (SCALING, {}, {"managedFields": SCALED}, None),
    "autoscaling off, no number, the field ours: the live number": ({}, APPLIED, {}, 10),
    "autoscaling off, no number, the field a scaler's: nothing": ({}, {}, {"managedFields": SCALED}, None),
    "autoscaling off with a number goes there": ({"replicas": 4}, {}, {"managedFields": SCALED}, 4),
}


@pytest.mark.parametrize(("spec", "annotations", "metadata", "expected"), REPLICAS.values(), ids=REPLICAS)
async def test_replicas_never_change_by_themselves(
    client: httpx.AsyncClient, spec: Manifest, annotations: Manifest, metadata: Manifest, expected: int | None
) -> None:
    children = await deployed(client)
    live = running(owned(find({"children": children}, "Deployment")), replicas=10)
    live["metadata"]["annotations"] |= annotations
    live["metadata"] |= metadata
    answer = await sync(client, request(runner(spec), replace(children, live)))
    assert find(answer, "Deployment")["spec"].get("replicas") == expected


async def test_a_number_of_pods_that_is_not_there_yet_is_not_ready(client: httpx.AsyncClient) -> None:
    children = await deployed(client, {"replicas": 5})
    live = running(find({"children": children}, "Deployment"))
    live["spec"]["replicas"] = 1
    live["status"] |= {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
    answer = await sync(client, request(runner({"replicas": 5}), replace(children, live)))
    assert condition(answer, "Ready")["status"] == "False"


async def test_a_service_that_does_not_come_is_not_ready(client: httpx.AsyncClient) -> None:
    children = await deployed(client)
    live = running(find({"children": children}, "Deployment"))
    rest = [child for child in replace(children, live) if child["kind"] != "Service"]
    first = await sync(client, request(runner(), rest))
    assert condition(first, "Ready")["reason"] == "Progressing"
    answer = await sync(client, request(runner(status=first["status"]), rest))
    assert condition(answer, "Ready")["reason"] == "Progressing"
    assert condition(answer, "ChildrenExist")["status"] == "False"


ODD: dict[str, Manifest] = {
    "a storage that is no map": {"pattern": "mailbox", "config": {"storage": "sqlite"}},
    "a database that looks like a number": {"backend": "redis", "config": {"redisUrl": "redis://h/²"}},
    "metrics with floats, nulls and nothing": {
        "autoscaling": {
            "enabled": True,
            "maxReplicas": 3,
            "metrics": [
                {
                    "type": "Pods",
                    "pods": {
                        "metric": {"name": "a", "selector": {"matchLabels": {}}},
                        "target": {"averageValue": 1.5, "x": None},
                    },
                }
            ],
        }
    },
    "an annotation of kubectl": {"service": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}},
    "two spreads over zones": {
        "placement": {
            "strategy": "MultiZone",
            "topologySpreadConstraints": [
                {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway"}
            ],
        }
    },
}


@pytest.mark.parametrize("spec", ODD.values(), ids=ODD)
async def test_odd_input_is_answered(client: httpx.AsyncClient, spec: Manifest) -> None:
    response = await client.post("/hooks/prism-runner/sync", json=request(runner(spec)))
    assert response.status_code == 200, response.text
