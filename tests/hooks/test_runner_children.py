"""PatternRunner: what its children look like, and that independent judges accept each."""

import json
from typing import Any

import httpx
import pytest

from tests.asking import asked
from tests.build import Manifest, backend_config, find, request, runner, secret, values


async def sync(client: httpx.AsyncClient, body: Manifest) -> Manifest:
    return await asked(client, "prism-runner/sync", body)


def pod(answer: Manifest) -> Manifest:
    found: Manifest = find(answer, "Deployment")["spec"]["template"]
    return found


def container(answer: Manifest) -> Manifest:
    found: Manifest = pod(answer)["spec"]["containers"][0]
    return found


def config(answer: Manifest, file: str = "runner.json") -> Any:
    return json.loads(values(find(answer, "Secret", "sessions-config"))[file])


CHILDREN: dict[str, tuple[Manifest, Any, Any]] = {
    "the image follows from the pattern": ({}, lambda a: container(a)["image"], "ghcr.io/prism/keyvalue-runner:latest"),
    "an image of the user's own": ({"image": "x/y:1"}, lambda a: container(a)["image"], "x/y:1"),
    "the image pull policy": ({"imagePullPolicy": "Never"}, lambda a: container(a)["imagePullPolicy"], "Never"),
    "replicas that are not given are left to others": ({}, lambda a: "replicas" in find(a, "Deployment")["spec"], False),
    "replicas": ({"replicas": 3}, lambda a: find(a, "Deployment")["spec"]["replicas"], 3),
    "no replicas at all": ({"replicas": 0}, lambda a: find(a, "Deployment")["spec"]["replicas"], 0),
    "resources in the stored spelling": (
        {"resources": {"requests": {"cpu": "0.25", "memory": "1024Mi"}, "limits": {"cpu": 1}}},
        lambda a: container(a)["resources"],
        {"requests": {"cpu": "250m", "memory": "1Gi"}, "limits": {"cpu": "1"}},
    ),
    "resources of runnerSpec win over those of placement and of the runner": (
        {
            "resources": {"limits": {"cpu": "1"}},
            "placement": {"resources": {"limits": {"cpu": "2"}}},
            "runnerSpec": {"resources": {"limits": {"cpu": "3"}}},
        },
        lambda a: container(a)["resources"],
        {"limits": {"cpu": "3"}},
    ),
    "the runner reads one JSON file": ({}, lambda a: container(a)["args"], ["-config=/config/runner.json"]),
    "the port of the Service and of the container": (
        {"service": {"port": 9000, "type": "NodePort"}},
        lambda a: (
            find(a, "Service")["spec"]["ports"][0]["port"],
            container(a)["ports"][0]["containerPort"],
            find(a, "Service")["spec"]["type"],
        ),
        (9000, 9000, "NodePort"),
    ),
    "annotations of the Service": (
        {"service": {"annotations": {"lb/kind": "internal"}}},
        lambda a: find(a, "Service")["metadata"]["annotations"],
        {"lb/kind": "internal"},
    ),
    "a node selector of runnerSpec wins, a toleration of placement stays": (
        {
            "placement": {
                "nodeSelector": {"a": "1"},
                "tolerations": [{"key": "k", "operator": "Exists"}],
                "priorityClassName": "high",
            },
            "runnerSpec": {"nodeSelector": {"b": "2"}, "runtimeClassName": "gvisor"},
        },
        lambda a: {
            key: pod(a)["spec"].get(key) for key in ("nodeSelector", "tolerations", "priorityClassName", "runtimeClassName")
        },
        {
            "nodeSelector": {"b": "2"},
            "tolerations": [{"key": "k", "operator": "Exists"}],
            "priorityClassName": "high",
            "runtimeClassName": "gvisor",
        },
    ),
    "MultiZone spreads over zones": (
        {"placement": {"strategy": "MultiZone"}},
        lambda a: [each["topologyKey"] for each in pod(a)["spec"]["topologySpreadConstraints"]],
        ["topology.kubernetes.io/zone"],
    ),
    "an empty label selector means everything and stays": (
        {
            "placement": {
                "affinity": {
                    "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "z", "labelSelector": {}}]}
                }
            }
        },
        lambda a: pod(a)["spec"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"],
        [{"topologyKey": "z", "labelSelector": {}}],
    ),
    "an empty value of a variable is left out, as the API server stores it": (
        {"podTemplate": {"env": [{"name": "A", "value": ""}, {"name": "B", "value": "b"}]}},
        lambda a: container(a)["env"][-2:],
        [{"name": "A"}, {"name": "B", "value": "b"}],
    ),
    "a variable of the user's own replaces ours": (
        {"podTemplate": {"env": [{"name": "SERVICE_BINDING_ROOT", "value": "/mine"}]}},
        lambda a: [each["value"] for each in container(a)["env"] if each["name"] == "SERVICE_BINDING_ROOT"],
        ["/mine"],
    ),
    "variables from Secrets and fields": (
        {
            "podTemplate": {
                "env": [{"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
                "envFrom": [{"prefix": "", "secretRef": {"name": "s", "optional": False}}],
            }
        },
        lambda a: (container(a)["env"][-1], container(a)["envFrom"]),
        (
            {"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
            [{"secretRef": {"name": "s", "optional": False}}],
        ),
    ),
    "labels of the user's own do not replace those that select": (
        {"podTemplate": {"labels": {"team": "x", "component": "mine"}}},
        lambda a: (pod(a)["metadata"]["labels"]["team"], pod(a)["metadata"]["labels"]["component"]),
        ("x", "prism-runner"),
    ),
    "a ServiceAccount mounts its token": (
        {"podTemplate": {"serviceAccountName": "sa", "imagePullSecrets": [{"name": "r"}]}},
        lambda a: {k: pod(a)["spec"][k] for k in ("serviceAccountName", "automountServiceAccountToken", "imagePullSecrets")},
        {"serviceAccountName": "sa", "automountServiceAccountToken": True, "imagePullSecrets": [{"name": "r"}]},
    ),
    "without one there is no token": ({}, lambda a: pod(a)["spec"]["automountServiceAccountToken"], False),
    "the security context can be changed field by field": (
        {"podTemplate": {"securityContext": {"runAsUser": 1000}}},
        lambda a: (pod(a)["spec"]["securityContext"]["runAsUser"], pod(a)["spec"]["securityContext"]["runAsNonRoot"]),
        (1000, True),
    ),
    "settings of any type, in the runner's own spelling": (
        {"config": {"ttl": "1h", "maxKeys": 10000, "flags": [1, True], "deep": {"a": 1.5}}},
        lambda a: config(a)["namespaces"][0]["backend_config"],
        {"ttl": "1h", "max_keys": 10000, "flags": [1, True], "deep": {"a": 1.5}},
    ),
    "an address in the settings is the backend's, not a setting": (
        {"backend": "redis", "config": {"redisUrl": "redis://:s%40t@cache:6380/2", "ttl": "1h"}},
        lambda a: config(a)["namespaces"][0]["backend_config"],
        {"address": "cache:6380", "db": 2, "password": "s@t", "ttl": "1h"},
    ),
    "an address beside the reference": (
        {"backend": "nats", "backendConfig": {"url": "nats://a:4222,nats://b"}},
        lambda a: config(a, "backends.json")["store"]["config"]["uri"],
        "nats://a:4222,b:4222",
    ),
    "an HPA with the usual target": (
        {"autoscaling": {"enabled": True, "maxReplicas": 5}},
        lambda a: find(a, "HorizontalPodAutoscaler")["spec"]["metrics"],
        [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}],
    ),
    "an HPA with metrics of the user's own, canonical": (
        {
            "autoscaling": {
                "enabled": True,
                "maxReplicas": 5,
                "targetMemoryUtilizationPercentage": 70,
                "metrics": [
                    {
                        "type": "Pods",
                        "pods": {"metric": {"name": "rps"}, "target": {"type": "AverageValue", "averageValue": "1000"}},
                    }
                ],
                "behavior": {"scaleDown": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}},
            }
        },
        lambda a: (
            [m["type"] for m in find(a, "HorizontalPodAutoscaler")["spec"]["metrics"]]
            + [find(a, "HorizontalPodAutoscaler")["spec"]["metrics"][1]["pods"]["target"]["averageValue"]]
        ),
        ["Resource", "Pods", "1k"],
    ),
    "no HPA while autoscaling is off": ({"autoscaling": {"enabled": False}}, lambda a: find(a, "HorizontalPodAutoscaler"), {}),
    "KEDA that is not there means the least number of pods": (
        {
            "replicas": 5,
            "autoscaling": {"enabled": True, "scaler": "keda", "minReplicas": 2, "maxReplicas": 9, "triggers": [{"type": "cpu"}]},
        },
        lambda a: find(a, "Deployment")["spec"]["replicas"],
        2,
    ),
}


@pytest.mark.parametrize(("spec", "look", "expected"), CHILDREN.values(), ids=CHILDREN)
async def test_children(client: httpx.AsyncClient, spec: Manifest, look: Any, expected: Any) -> None:
    assert look(await sync(client, request(runner(spec)))) == expected


SHAPES: dict[str, tuple[Manifest, Manifest]] = {
    "keyvalue": (
        {"pattern": "keyvalue", "backend": "memstore"},
        {"namespaces": [{"name": "sessions", "pattern": "keyvalue", "backend": "memstore", "backend_config": {}}]},
    ),
    "producer reads a flat file of drivers": (
        {"pattern": "producer", "backend": "nats", "config": {"natsUrl": "nats://n", "maxRetries": 3}},
        {
            "name": "sessions",
            "slots": {"message_sink": {"driver": "nats", "config": {"url": "nats://n:4222"}}},
            "behavior": {"max_retries": 3},
        },
    ),
    "consumer reads slots with interfaces": (
        {"pattern": "consumer", "backend": "nats", "config": {"natsUrl": "nats://n", "consumerGroup": "g"}},
        {
            "namespaces": [
                {
                    "name": "sessions",
                    "pattern": "consumer",
                    "slots": {
                        "message_source": {"backend": "nats", "interfaces": ["pubsub_basic"], "config": {"url": "nats://n:4222"}}
                    },
                    "behavior": {"consumer_group": "g"},
                }
            ]
        },
    ),
    "mailbox reads behavior and storage": (
        {
            "pattern": "mailbox",
            "backend": "nats",
            "config": {"natsUrl": "nats://n", "topic": "t", "storage": {"table_name": "m"}},
        },
        {"name": "sessions", "behavior": {"topic": "t"}, "storage": {"database_path": "/tmp/mailbox.db", "table_name": "m"}},
    ),
    "a pattern that nobody knows has one slot": (
        {"pattern": "outbox", "backend": "postgres", "config": {"postgresUrl": "postgres://u:p@db/x"}},
        {
            "namespaces": [
                {
                    "backend": "postgresql",
                    "backend_config": {
                        "database_url": "postgres://u:p@db:5432/x",
                        "connection_string": "postgres://u:p@db:5432/x",
                    },
                }
            ]
        },
    ),
}


def contains(whole: Any, part: Any) -> bool:
    if isinstance(part, dict):
        return all(key in whole and contains(whole[key], value) for key, value in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(contains, whole, part))
    return bool(whole == part)


@pytest.mark.parametrize(("spec", "expected"), SHAPES.values(), ids=SHAPES)
async def test_each_runner_reads_its_own_shape(client: httpx.AsyncClient, spec: Manifest, expected: Manifest) -> None:
    written = config(await sync(client, request(runner(spec))))
    assert contains(written, expected), written


async def test_restarted_at_rolls_the_pods(client: httpx.AsyncClient) -> None:
    answer = await sync(client, request(runner({}, annotations={"prism.io/restartedAt": "now"})))
    assert pod(answer)["metadata"]["annotations"]["prism.io/restartedAt"] == "now"


async def test_pods_pass_the_restricted_standard(client: httpx.AsyncClient) -> None:
    spec = pod(await sync(client, request(runner())))["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    context = spec["containers"][0]["securityContext"]
    assert context == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}


async def test_the_selector_does_not_change_with_the_spec(client: httpx.AsyncClient) -> None:
    one = find(await sync(client, request(runner())), "Deployment")["spec"]["selector"]
    other = {"pattern": "producer", "backend": "nats", "image": "z", "config": {"natsUrl": "nats://n"}}
    assert find(await sync(client, request(runner(other))), "Deployment")["spec"]["selector"] == one


async def test_a_stacks_runner_carries_the_stacks_label(client: httpx.AsyncClient) -> None:
    answer = await sync(client, request(runner({}, labels={"prism.io/stack": "dev"})))
    assert all(child["metadata"]["labels"]["prism.io/stack"] == "dev" for child in answer["children"])
    assert pod(answer)["metadata"]["labels"]["stack"] == "dev"


async def test_slots_become_binding_secrets_and_files(client: httpx.AsyncClient) -> None:
    spec = {
        "pattern": "consumer",
        "backend": None,
        "backendBindings": {"message_source": {"backendRef": "events"}, "state_store": {"backendRef": "cache"}},
    }
    related = [
        each
        for name, kind in (("events", "kafka"), ("cache", "redis"))
        for each in (
            backend_config({"type": kind}, name, uid=f"uid-{name}"),
            secret(
                f"prism-backendconfig-{name}", uid=f"uid-{name}", kind=f"servicebinding.io/{kind}", type=kind, host=name, port="1"
            ),
        )
    ]
    answer = await sync(client, request(runner(spec), related=related))
    assert values(find(answer, "Secret", "sessions-state-store-binding"))["host"] == "cache"
    assert find(answer, "Secret", "sessions-message-source-binding")["type"] == "servicebinding.io/kafka"
    assert {mount["mountPath"] for mount in container(answer)["volumeMounts"]} >= {
        "/bindings/message_source",
        "/bindings/state_store",
        "/config",
    }
    backends = config(answer, "backends.json")
    assert backends["state_store"]["config"] == {"host": "cache", "port": 1}
    assert backends["message_source"]["config"]["security_protocol"] == "PLAINTEXT"
