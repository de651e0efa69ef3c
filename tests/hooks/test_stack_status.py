"""The status of a stack: from what is observed, every part with the reason why it is not ready."""

from typing import Any

import httpx
import pytest

from tests.build import Manifest, condition, find, request, secret
from tests.stack import SPEC, foreign, not_ready, replaced, settled, stack, sync, up


def part(answer: Manifest, name: str) -> Manifest:
    found: Manifest = next(each for each in answer["status"]["components"] if each["name"] == name)
    return found


async def look(client: httpx.AsyncClient, of: Manifest, *related: Manifest, **changed: Manifest) -> Manifest:
    """The answer once everything is up, but for what is changed."""
    return await sync(client, request(of, await settled(client, of, **changed), list(related)))


async def test_all_parts_ready_is_ready(client: httpx.AsyncClient) -> None:
    answer = await look(client, stack())
    ready = condition(answer, "Ready")
    assert (ready["status"], ready["reason"]) == ("True", "StackReady")
    assert ready["message"] == "proxy 2/2, admin 3/3, patterns 2/2, backends 1/1"
    status = answer["status"]
    assert status["phase"] == "Running"
    assert status["summary"] == {"proxy": "2/2", "admin": "3/3", "patterns": "2/2", "backends": "1/1"}
    assert (status["replicas"], status["readyReplicas"]) == (2, 2)
    assert {c["type"] for c in status["conditions"]} == {"Ready", "Available", "AdminReady", "PatternsReady", "BackendsReady"}
    assert [c["name"] for c in status["components"]] == ["proxy", "admin", "pattern/sessions", "pattern/events", "backend/nats"]


async def test_a_stack_that_was_just_made_is_reconciling(client: httpx.AsyncClient) -> None:
    answer = await sync(client, request(stack()))
    assert condition(answer, "Ready")["status"] == "False"
    assert condition(answer, "Reconciling")["status"] == "True"
    assert answer["status"]["phase"] == "Pending"
    assert condition(answer, "Stalled") == {}


def waiting(role: str, reason: str, **more: Any) -> Manifest:
    """A pod of the proxy or the admin whose container waits."""
    labels = {"prism.io/instance": "demo", "prism.io/component": role}
    container = {"name": f"prism-{role}", "image": "x:broken", "ready": False, "state": {"waiting": {"reason": reason}}}
    metadata = {"name": f"demo-{role}-1", "namespace": "team-a", "labels": labels}
    status = more or {"containerStatuses": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": status}


def unscheduled(message: str) -> Manifest:
    return {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}]}


def quota(hard: Manifest, used: Manifest, **spec: Any) -> Manifest:
    metadata = {"name": "tight", "namespace": "team-a"}
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": metadata,
        "spec": {"hard": hard, **spec},
        "status": {"hard": hard, "used": used},
    }


DOWN: Manifest = {"available": 0}
NONE: Manifest = {"availableReplicas": 0, "readyReplicas": 0, "replicas": 0, "updatedReplicas": 0}
WHY: dict[str, tuple[dict[str, Manifest], list[Manifest], str, str, str]] = {
    "an image of the proxy that cannot be pulled": (
        {"demo_proxy": DOWN}, [waiting("proxy", "ImagePullBackOff")], "proxy", "ImagePullFailed", "x:broken",
    ),
    "an image of the admin that cannot be pulled": (
        {"demo_admin": DOWN}, [waiting("admin", "ErrImagePull")], "admin", "ImagePullFailed", "x:broken",
    ),
    "a proxy that no node fits": (
        {"demo_proxy": DOWN}, [waiting("proxy", "", **unscheduled("0/8 nodes are available"))], "proxy", "Unschedulable", "0/8 nodes",
    ),
    "a volume that cannot bind": (
        {"demo_admin": DOWN},
        [waiting("admin", "", **unscheduled("pod has unbound immediate PersistentVolumeClaims"))],
        "admin", "VolumePending", "unbound immediate PersistentVolumeClaims",
    ),
    "a quota on pods, which a StatefulSet's status does not tell": (
        {"demo_admin": NONE}, [quota({"pods": "3"}, {"pods": "3"})], "admin", "QuotaExceeded", "ResourceQuota tight forbids more pods: pods: 3 used of 3",
    ),
    "a quota on storage": (
        {"demo_admin": NONE},
        [quota({"requests.storage": "15Gi"}, {"requests.storage": "10Gi"})],
        "admin", "QuotaExceeded", "requests.storage: 10Gi used of 15Gi",
    ),
    "a quota that wants requests of every container": (
        {"demo_admin": NONE}, [quota({"limits.cpu": "4"}, {})], "admin", "QuotaExceeded", "limits.cpu",
    ),
    "a quota with room is no reason": (
        {"demo_admin": NONE}, [quota({"pods": "9"}, {"pods": "3"})], "admin", "Progressing", "waiting for 3",
    ),
    "a quota for some pods only is not judged": (
        {"demo_admin": NONE}, [quota({"pods": "0"}, {"pods": "0"}, scopes=["BestEffort"])], "admin", "Progressing", "waiting for 3",
    ),
    "a pattern that says why": (
        {"events": not_ready("BackendNotFound", "slot messaging: nothing there")}, [], "pattern/events", "BackendNotFound", "slot messaging: nothing",
    ),
    "a backend that says why": (
        {"nats": not_ready("SecretNotFound", "spec.secretRef: Secret s does not exist")}, [], "backend/nats", "SecretNotFound", "Secret s does not exist",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("changed", "related", "name", "reason", "says"), WHY.values(), ids=WHY)
async def test_an_unready_part_says_why(
    client: httpx.AsyncClient, changed: dict[str, Manifest], related: list[Manifest], name: str, reason: str, says: str
) -> None:
    answer = await look(client, stack(), *related, **changed)
    ready = condition(answer, "Ready")
    assert (ready["status"], ready["reason"]) == ("False", reason)
    assert says in ready["message"]
    assert says in part(answer, name)["message"]
    assert condition(answer, "Stalled") == {}


async def test_a_part_that_is_stuck_makes_the_stack_stuck(client: httpx.AsyncClient) -> None:
    answer = await look(client, stack(), events=not_ready("NameConflict", "Service events: taken", Stalled="True"))
    assert condition(answer, "Stalled")["reason"] == "NameConflict"
    assert condition(answer, "Ready")["message"] == "pattern/events: Service events: taken"
    assert answer["status"]["phase"] == "Degraded"


async def test_a_part_is_not_believed_before_it_has_seen_the_edit(client: httpx.AsyncClient) -> None:
    """Its Ready speaks of the spec before the edit: kubectl wait would return too early."""
    children = await settled(client, stack())
    edited = stack({**SPEC, "patterns": [{**SPEC["patterns"][0], "image": "x:2"}, SPEC["patterns"][1]]}, generation=2)
    answer = await sync(client, request(edited, children))
    assert condition(answer, "Ready")["status"] == "False"
    assert part(answer, "pattern/sessions")["message"] == "waiting for its own status"
    later = [up(child) for child in answer["children"]]
    stale = [{**c, "metadata": {**c["metadata"], "generation": 2}} if c["metadata"]["name"] == "sessions" else c for c in later]
    assert condition(await sync(client, request(edited, stale)), "Ready")["status"] == "False"
    assert condition(await sync(client, request(edited, later)), "Ready")["status"] == "True"


async def test_many_open_parts_are_counted(client: httpx.AsyncClient) -> None:
    spec = {"patterns": [{"name": f"p{index}", "type": "keyvalue", "backend": "x"} for index in range(9)]}
    wrong = {f"p{index}": not_ready("BackendNotFound", "no x") for index in range(9)}
    answer = await look(client, stack(spec), **wrong)
    assert condition(answer, "PatternsReady")["message"].endswith("; and 4 more")


@pytest.mark.parametrize(
    ("kind", "name"),
    [("Deployment", "demo-proxy"), ("StatefulSet", "demo-admin"), ("Service", "demo-admin-peers"), ("PatternRunner", "events"), ("BackendConfig", "nats")],
)  # fmt: skip
async def test_a_name_that_is_taken_is_left_alone_and_said(client: httpx.AsyncClient, kind: str, name: str) -> None:
    first = await sync(client, request(stack()))
    taken = foreign(find(first, kind, name))
    answer = await sync(client, request(stack(), [c for c in first["children"] if c != find(first, kind, name)], [taken]))
    assert condition(answer, "Stalled")["reason"] == "NameConflict"
    assert f"{kind} {name}" in condition(answer, "Ready")["message"]
    assert find(answer, kind, name) == {}
    assert len(answer["children"]) == len(first["children"]) - 1


async def test_an_autoscaler_of_ours_never_scales_what_is_foreign(client: httpx.AsyncClient) -> None:
    of = stack({"proxy": {"autoscaling": {"enabled": True, "maxReplicas": 3}}})
    first = await sync(client, request(of))
    answer = await sync(client, request(of, [], [foreign(find(first, "Deployment", "demo-proxy"))]))
    assert find(answer, "HorizontalPodAutoscaler") == {}


async def test_a_thousand_names_that_are_taken_fit_a_condition(client: httpx.AsyncClient) -> None:
    of = stack({"patterns": [{"name": f"a-rather-long-name-of-a-pattern-{index}", "type": "keyvalue"} for index in range(1000)]})
    first = await sync(client, request(of))
    taken = [foreign(child) for child in first["children"] if child["kind"] == "PatternRunner"]
    ready = condition(await sync(client, request(of, [], taken)), "Ready")
    assert ready["reason"] == "NameConflict"
    assert "and 990 more" in ready["message"]


async def test_a_number_of_any_size_in_a_pattern_stops_nothing(client: httpx.AsyncClient) -> None:
    """The API server keeps 1e20 as a float and shows it as a long integer."""
    config = {"a": 10**20, "b": 1e300, "c": 2**63 - 1, "d": 0.5, "e": [10**30]}
    answer = await sync(client, request(stack({"patterns": [{"name": "p", "type": "keyvalue", "config": config}]})))
    assert find(answer, "PatternRunner")["spec"]["config"] == {"a": 1e20, "b": 1e300, "c": 2**63 - 1, "d": 0.5, "e": [1e30]}


async def test_a_secret_that_the_stack_names_and_nobody_made_is_said(client: httpx.AsyncClient) -> None:
    key = {"secretKeyRef": {"name": "token", "key": "t"}}
    spec = {
        "proxy": {
            "tls": {"secretRef": {"name": "cert"}},
            "podTemplate": {
                "env": [
                    {"name": "T", "valueFrom": key},
                    {"name": "O", "valueFrom": {"secretKeyRef": {"name": "o", "key": "o", "optional": True}}},
                ]
            },
        },
        "admin": {"podTemplate": {"envFrom": [{"secretRef": {"name": "more"}}]}},
    }
    answer = await look(client, stack(spec), secret("more", a="b"))
    ready = condition(answer, "Ready")
    assert ready["reason"] == "SecretNotFound"
    assert ready["message"] == (
        "spec.proxy.tls.secretRef: Secret cert does not exist in namespace team-a;"
        " spec.proxy.podTemplate.env.T: Secret token does not exist in namespace team-a"
    )


async def test_what_only_an_edit_helps_is_degraded_while_the_proxy_serves(client: httpx.AsyncClient) -> None:
    made = await settled(client, stack())
    taken = foreign(find({"children": made}, "PatternRunner", "sessions"))
    left = [child for child in made if child["metadata"]["name"] != "sessions"]
    answer = await sync(client, request(stack(), left, [taken]))
    assert condition(answer, "Stalled")["reason"] == "NameConflict"
    assert answer["status"]["phase"] == "Degraded"


COUNTS: dict[str, tuple[Manifest, int, tuple[int, int]]] = {
    "an autoscaler has its own number": ({"replicas": 10, "autoscaling": {"enabled": True, "maxReplicas": 5}}, 3, (3, 3)),
    "nobody says a number": ({}, 4, (4, 4)),
    "scaled to nothing": ({"replicas": 0}, 0, (0, 0)),
    "scaled to nothing by kubectl": ({}, 0, (0, 0)),
}


@pytest.mark.parametrize(("fields", "pods", "expected"), COUNTS.values(), ids=COUNTS)
async def test_a_pattern_counts_the_pods_that_it_wants(
    client: httpx.AsyncClient, fields: Manifest, pods: int, expected: tuple[int, int]
) -> None:
    of = stack({"patterns": [{"name": "a", "type": "keyvalue", **fields}]})
    answer = await look(client, of, a={"replicas": pods, "readyReplicas": pods})
    assert (part(answer, "pattern/a")["ready"], part(answer, "pattern/a")["desired"]) == expected


async def test_a_child_that_does_not_appear_is_said(client: httpx.AsyncClient) -> None:
    made = [c for c in await settled(client, stack()) if c["kind"] != "PodDisruptionBudget"]
    first = await sync(client, request(stack(), made))
    assert first["status"]["phase"] == "Progressing"
    second = await sync(client, request(stack(status=first["status"]), made))
    status = {
        **second["status"],
        "conditions": [{**c, "lastTransitionTime": "2025-01-01T00:00:00Z"} for c in second["status"]["conditions"]],
    }
    later = await sync(client, request(stack(status=status), made))
    assert condition(later, "Ready")["reason"] == "ChildMissing"
    assert "PodDisruptionBudget demo-proxy" in condition(later, "Ready")["message"]
    assert later["resyncAfterSeconds"] == 30


async def test_members_never_shrink_below_their_quorum_unheard(client: httpx.AsyncClient) -> None:
    five = await settled(client, stack({"admin": {"replicas": 5}}))
    three = await sync(client, request(stack({"admin": {"replicas": 3}}), five))
    assert find(three, "StatefulSet")["spec"]["replicas"] == 3
    one = stack({"admin": {"replicas": 1}})
    refused = await sync(client, request(one, five))
    assert find(refused, "StatefulSet")["spec"] == find({"children": five}, "StatefulSet")["spec"]
    assert condition(refused, "Stalled")["reason"] == "BelowQuorum"
    assert "1 of 5 members are fewer than their quorum of 3" in condition(refused, "Ready")["message"]
    told = stack({"admin": {"replicas": 1}}, annotations={"prism.io/allow-quorum-loss": "true"})
    assert find(await sync(client, request(told, five)), "StatefulSet")["spec"]["replicas"] == 1


async def test_an_even_number_of_members_is_said(client: httpx.AsyncClient) -> None:
    warning = condition(await look(client, stack({"admin": {"replicas": 2}})), "AdminReplicasAsAsked")
    assert (warning["status"], warning["reason"]) == ("False", "EvenNumber")
    assert "3 in the place of 2" in warning["message"]


async def test_a_metrics_port_that_moved_is_said(client: httpx.AsyncClient) -> None:
    warning = condition(await look(client, stack({"observability": {"metrics": {"port": 8980}}})), "MetricsPortAsAsked")
    assert "8980 is taken in the pods of the proxy; 8981 instead" in warning["message"]


IMMUTABLE: dict[str, tuple[str, Manifest]] = {
    "serviceName": ("StatefulSet serviceName", {"serviceName": "old"}),
    "podManagementPolicy": ("StatefulSet podManagementPolicy", {"podManagementPolicy": "OrderedReady"}),
    "selector": ("StatefulSet selector", {"selector": {"matchLabels": {"old": "label"}}}),
    "volumeClaimTemplates": (
        "StatefulSet volumeClaimTemplates",
        {"volumeClaimTemplates": [{"metadata": {"name": "old", "creationTimestamp": None}, "spec": {"accessModes": ["ReadWriteOnce"]}}]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("field", "there"), IMMUTABLE.values(), ids=IMMUTABLE)
async def test_what_an_older_release_made_otherwise_never_loops(client: httpx.AsyncClient, field: str, there: Manifest) -> None:
    made = await settled(client, stack())
    live = find({"children": made}, "StatefulSet")
    live["spec"] |= there
    answer = await sync(client, request(stack(), made))
    kept = find(answer, "StatefulSet")["spec"]
    name = next(iter(there))
    assert str(kept[name]) == str(there[name]).replace(", 'creationTimestamp': None", "")
    assert condition(answer, "Stalled")["reason"] == "ImmutableField"
    assert field in condition(answer, "Ready")["message"]
    if name == "selector":
        assert kept["template"]["metadata"]["labels"]["old"] == "label"
    mounts = {mount["name"] for mount in kept["template"]["spec"]["containers"][0]["volumeMounts"]}
    claims = {claim["metadata"]["name"] for claim in kept["volumeClaimTemplates"]}
    assert mounts == claims | {"tmp"}


async def test_a_statefulset_that_has_no_volume_gets_none(client: httpx.AsyncClient) -> None:
    made = await settled(client, stack())
    del find({"children": made}, "StatefulSet")["spec"]["volumeClaimTemplates"]
    answer = await sync(client, request(stack(), made))
    kept = find(answer, "StatefulSet")["spec"]
    assert "volumeClaimTemplates" not in kept
    assert {"name": "data", "emptyDir": {}} in kept["template"]["spec"]["volumes"]
    assert condition(answer, "Stalled")["reason"] == "ImmutableField"


async def test_a_volume_as_the_api_server_shows_it_is_no_change(client: httpx.AsyncClient) -> None:
    made = await settled(client, stack())
    live = find({"children": made}, "StatefulSet")
    live["spec"]["volumeClaimTemplates"][0]["metadata"]["creationTimestamp"] = None
    assert condition(await sync(client, request(stack(), made)), "Ready")["status"] == "True"


async def test_an_autoscaler_keeps_the_live_number_while_it_is_ours(client: httpx.AsyncClient) -> None:
    made = await settled(client, stack({"proxy": {"replicas": 7}}))
    applied = {"metacontroller.k8s.io/last-applied-configuration": '{"spec":{"replicas":7}}'}
    live = [
        {**c, "metadata": {**c["metadata"], "annotations": {**c["metadata"]["annotations"], **applied}}}
        if c["kind"] == "Deployment"
        else c
        for c in made
    ]
    scaled = stack({"proxy": {"autoscaling": {"enabled": True, "maxReplicas": 9}}})
    answer = await sync(client, request(scaled, live))
    assert find(answer, "Deployment")["spec"]["replicas"] == 7
    assert condition(answer, "AutoscalingActive")["status"] == "Unknown"


async def test_a_pattern_removed_is_no_longer_wanted_and_one_renamed_is_another(client: httpx.AsyncClient) -> None:
    made = await settled(client, stack())
    renamed = {**SPEC, "patterns": [{**SPEC["patterns"][0], "name": "store"}]}
    answer = await sync(client, request(stack(renamed), made))
    assert [c["metadata"]["name"] for c in answer["children"] if c["kind"] == "PatternRunner"] == ["store"]


async def test_an_edit_of_one_part_leaves_the_others_as_they_are(client: httpx.AsyncClient) -> None:
    before = (await sync(client, request(stack())))["children"]
    edited = {**SPEC, "patterns": [{**SPEC["patterns"][0], "image": "x:2"}, SPEC["patterns"][1]]}
    after = (await sync(client, request(stack(edited))))["children"]
    changed = [a["metadata"]["name"] for a, b in zip(after, before, strict=True) if a != b]
    assert changed == ["sessions"]


async def test_a_status_that_is_fed_back_changes_nothing(client: httpx.AsyncClient) -> None:
    made = await settled(client, stack())
    first = await sync(client, request(stack(), made))
    again = await sync(client, request(stack(status=first["status"]), made))
    assert (again["status"], again["children"]) == (first["status"], first["children"])


async def test_proxies_that_run_keep_the_stack_degraded_not_failed(client: httpx.AsyncClient) -> None:
    answer = await look(client, stack(), nats=not_ready("SecretNotFound", "s"))
    assert answer["status"]["phase"] == "Degraded"
    down = replaced(await settled(client, stack(), nats=not_ready("SecretNotFound", "s")), "Deployment", status={})
    assert (await sync(client, request(stack(), down)))["status"]["phase"] in ("Progressing", "Pending")
