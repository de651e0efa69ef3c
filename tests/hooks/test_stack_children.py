"""PrismStack: what its children look like, and that independent judges accept each."""

from typing import Any

import httpx
import pytest

from tests.build import Manifest, condition, find, request, secret, values
from tests.stack import SPEC, stack, sync


def proxy(answer: Manifest) -> Manifest:
    return find(answer, "Deployment", "demo-proxy")


def admin(answer: Manifest) -> Manifest:
    return find(answer, "StatefulSet", "demo-admin")


def pod(workload: Manifest) -> Manifest:
    found: Manifest = workload["spec"]["template"]["spec"]
    return found


def container(workload: Manifest) -> Manifest:
    found: Manifest = pod(workload)["containers"][0]
    return found


def env(workload: Manifest) -> Manifest:
    return {
        entry["name"]: entry.get("value") or entry["valueFrom"]["fieldRef"]["fieldPath"] for entry in container(workload)["env"]
    }


def notes(workload: Manifest) -> Manifest:
    found: Manifest = workload["spec"]["template"]["metadata"].get("annotations", {})
    return found


def port(answer: Manifest, name: str) -> Manifest:
    found: Manifest = find(answer, "Service", name)["spec"]["ports"][0]
    return found


def runner(answer: Manifest, name: str = "sessions") -> Manifest:
    found: Manifest = find(answer, "PatternRunner", name)["spec"]
    return found


def pattern(**fields: Any) -> Manifest:
    return {"patterns": [{"name": "sessions", "type": "keyvalue", **fields}]}


OBSERVED: Manifest = {"enabled": True, "tracing": {"endpoint": "http://otel:4317"}, "metrics": {"port": 9091}}
AFFINITY: Manifest = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "prism-proxy"}}}
        ]
    }
}
CHILDREN: dict[str, tuple[Manifest, Any, Any]] = {
    "nothing said is a proxy alone": (
        {},
        lambda a: sorted((c["kind"], c["metadata"]["name"]) for c in a["children"]),
        [("Deployment", "demo-proxy"), ("PodDisruptionBudget", "demo-proxy"), ("Service", "demo-proxy")],
    ),
    "the image of the proxy": ({}, lambda a: container(proxy(a))["image"], "ghcr.io/prism/prism-proxy:latest"),
    "an image of the user's own": ({"proxy": {"image": "x/y:1"}}, lambda a: container(proxy(a))["image"], "x/y:1"),
    "the port is the Service's; the pods listen on 8980": (
        {"proxy": {"port": 9090}},
        lambda a: (port(a, "demo-proxy"), container(proxy(a))["ports"]),
        (
            {"name": "grpc", "port": 9090, "protocol": "TCP", "targetPort": 8980},
            [{"name": "grpc", "containerPort": 8980, "protocol": "TCP"}],
        ),
    ),
    "the proxy is looked at by TCP and has 45 s to drain": (
        {},
        lambda a: (
            container(proxy(a))["readinessProbe"]["tcpSocket"],
            container(proxy(a))["livenessProbe"]["tcpSocket"],
            pod(proxy(a))["terminationGracePeriodSeconds"],
        ),
        ({"port": "grpc"}, {"port": "grpc"}, 45),
    ),
    "how the proxy is reached from outside": (
        {"proxy": {"service": {"type": "LoadBalancer", "annotations": {"lb/scheme": "internal"}}}},
        lambda a: (find(a, "Service")["spec"]["type"], find(a, "Service")["metadata"]["annotations"]),
        ("LoadBalancer", {"lb/scheme": "internal"}),
    ),
    "its certificate is mounted": (
        {"proxy": {"tls": {"secretRef": {"name": "cert"}}}},
        lambda a: (
            pod(proxy(a))["volumes"][0],
            container(proxy(a))["volumeMounts"][0],
            env(proxy(a))["PRISM_TLS_CERT_FILE"],
        ),
        (
            {"name": "tls", "secret": {"secretName": "cert", "defaultMode": 0o440}},
            {"name": "tls", "mountPath": "/tls", "readOnly": True},
            "/tls/tls.crt",
        ),
    ),
    "the stack's affinity goes to its proxy alone": (
        {"affinity": AFFINITY, "admin": {}, **pattern()},
        lambda a: (pod(proxy(a)).get("affinity"), pod(admin(a)).get("affinity"), "placement" in runner(a)),
        (AFFINITY, None, False),
    ),
    "a component's own affinity wins over the stack's": (
        {"affinity": AFFINITY, "proxy": {"placement": {"affinity": {"nodeAffinity": {}}}}},
        lambda a: pod(proxy(a))["affinity"],
        {"nodeAffinity": {}},
    ),
    "runnerSpec wins over placement, field by field": (
        {
            "proxy": {
                "resources": {"limits": {"cpu": "1"}},
                "placement": {"nodeSelector": {"a": "1"}, "priorityClassName": "high"},
                "runnerSpec": {"nodeSelector": {"b": "2"}, "resources": {"limits": {"cpu": "2000m"}}},
            }
        },
        lambda a: (pod(proxy(a))["nodeSelector"], pod(proxy(a))["priorityClassName"], container(proxy(a))["resources"]),
        ({"b": "2"}, "high", {"limits": {"cpu": "2"}}),
    ),
    "the admin is a Raft cluster whose members start side by side, numbered from 1": (
        {"admin": {"replicas": 3}},
        lambda a: {k: admin(a)["spec"][k] for k in ("replicas", "podManagementPolicy", "ordinals", "serviceName")},
        {"replicas": 3, "podManagementPolicy": "Parallel", "ordinals": {"start": 1}, "serviceName": "demo-admin-peers"},
    ),
    "an even number of members is rounded up": ({"admin": {"replicas": 4}}, lambda a: admin(a)["spec"]["replicas"], 5),
    "each member knows its number, its address and all the others": (
        {"admin": {"replicas": 3}},
        lambda a: {k: env(admin(a))[k] for k in ("PRISM_NODE_ID", "POD_IP", "PRISM_BIND_ADDR", "PRISM_PEERS")},
        {
            "PRISM_NODE_ID": "metadata.labels['apps.kubernetes.io/pod-index']",
            "POD_IP": "status.podIP",
            "PRISM_BIND_ADDR": "$(POD_IP):8990",
            "PRISM_PEERS": ",".join(f"{n}=demo-admin-{n}.demo-admin-peers.team-a.svc:8990" for n in (1, 2, 3)),
        },
    ),
    "also where it is the user's own": (
        {"admin": {"podTemplate": {"env": [{"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}]}}},
        lambda a: [e["name"] for e in container(admin(a))["env"]].index("POD_IP"),
        0,
    ),
    "a variable stands before those that refer to it": (
        {"admin": {}},
        lambda a: [e["name"] for e in container(admin(a))["env"]].index("POD_IP") < 2,
        True,
    ),
    "followers look for the leader on 8980; the Service has the port that was asked for": (
        {"admin": {"port": 8981}},
        lambda a: (
            "--grpc-port=8980" in container(admin(a))["args"],
            port(a, "demo-admin")["port"],
            port(a, "demo-admin")["targetPort"],
        ),
        (True, 8981, 8980),
    ),
    "members find each other before they are ready": (
        {"admin": {}},
        lambda a: {k: find(a, "Service", "demo-admin-peers")["spec"][k] for k in ("clusterIP", "publishNotReadyAddresses")},
        {"clusterIP": "None", "publishNotReadyAddresses": True},
    ),
    "each member has a volume": (
        {"admin": {"storage": {"size": "2048Mi", "storageClassName": "ssd"}}},
        lambda a: (admin(a)["spec"]["volumeClaimTemplates"][0]["spec"], container(admin(a))["volumeMounts"][0]),
        (
            {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "2Gi"}},
                "volumeMode": "Filesystem",
                "storageClassName": "ssd",
            },
            {"name": "data", "mountPath": "/var/lib/prism-admin"},
        ),
    ),
    "the proxy knows where the admin is": (
        {"admin": {}},
        lambda a: env(proxy(a))["PRISM_ADMIN_ENDPOINT"],
        "demo-admin.team-a.svc:8981",
    ),
    "no admin where it is switched off": ({"admin": {"enabled": False}}, admin, {}),
    "budgets let one pod go at a time": (
        SPEC,
        lambda a: [c["spec"]["maxUnavailable"] for c in a["children"] if c["kind"] == "PodDisruptionBudget"],
        [1, 1],
    ),
    "pods are scraped and traced where that is wanted": (
        {"observability": OBSERVED, "admin": {}, **pattern()},
        lambda a: (
            notes(proxy(a))["prometheus.io/port"],
            notes(admin(a))["prometheus.io/port"],
            "--metrics-port=9091" in container(admin(a))["args"],
            env(proxy(a))["OTEL_EXPORTER_OTLP_ENDPOINT"],
            env(admin(a))["OTEL_SERVICE_NAME"],
            runner(a)["podTemplate"]["env"],
        ),
        (
            "9091",
            "9091",
            True,
            "http://otel:4317",
            "demo-admin",
            [
                {"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://otel:4317"},
                {"name": "OTEL_SERVICE_NAME", "value": "sessions"},
            ],
        ),
    ),
    "and not where it is not": (
        {"observability": {**OBSERVED, "enabled": False}},
        lambda a: (notes(proxy(a)), [p["name"] for p in container(proxy(a))["ports"]]),
        ({}, ["grpc"]),
    ),
    "a metrics port that the pod uses itself moves": (
        {"observability": {"metrics": {"port": 8980}}, "admin": {}},
        lambda a: [[p["containerPort"] for p in container(w)["ports"]] for w in (proxy(a), admin(a))],
        [[8980, 8981], [8980, 8990, 8981]],
    ),
    "metrics are not on the Service, which a load balancer may show to everyone": (
        {"observability": OBSERVED},
        lambda a: len(find(a, "Service")["spec"]["ports"]),
        1,
    ),
    "an autoscaler owns the number of the proxy's pods": (
        {"proxy": {"replicas": 3, "autoscaling": {"enabled": True, "minReplicas": 2, "maxReplicas": 9}}},
        lambda a: ("replicas" in proxy(a)["spec"], find(a, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]["name"]),
        (False, "demo-proxy"),
    ),
    "a pattern is a PatternRunner of its name": (
        pattern(replicas=2, config={"ttl": "1h", "ratio": 0.5, "off": None}, service={"port": 9000}),
        runner,
        {"pattern": "keyvalue", "replicas": 2, "config": {"ttl": "1h", "ratio": 0.5}, "service": {"port": 9000}},
    ),
    "a pattern finds a backend of the stack by its name": (
        SPEC,
        lambda a: runner(a, "events")["backendConfig"],
        {"name": "nats"},
    ),
    "what a pattern says itself wins over that": (
        {**pattern(backend="nats", backendConfig={"name": "other"}), "backends": SPEC["backends"]},
        lambda a: runner(a)["backendConfig"],
        {"name": "other"},
    ),
    "a built-in needs no backend of that name": (
        {**pattern(backend="memstore"), "backends": [{"name": "memstore", "type": "memstore"}]},
        lambda a: "backendConfig" in runner(a),
        False,
    ),
    "an address in the settings serves a pattern whose backend the stack does not have": (
        pattern(backend="redis", config={"redisUrl": "redis://r"}),
        lambda a: ("backendConfig" in runner(a), runner(a)["config"]),
        (False, {"redisUrl": "redis://r"}),
    ),
    "a backend is a BackendConfig; its name tells the provider where its type does not": (
        {"backends": [{"name": "postgres", "type": "database", "secretRef": {"name": "s", "namespace": "team-a"}}]},
        lambda a: find(a, "BackendConfig")["spec"],
        {"type": "database", "provider": "postgresql", "secretRef": {"name": "s", "namespace": "team-a"}},
    ),
    "a name that is no product tells none": (
        {"backends": [{"name": "orders", "type": "database", "connectionString": "mysql://m"}]},
        lambda a: "provider" in find(a, "BackendConfig")["spec"],
        False,
    ),
    "everything is found by the stack's label": (
        SPEC,
        lambda a: {(c["metadata"]["labels"]["prism.io/stack"], c["metadata"]["labels"]["stack"]) for c in a["children"]},
        {("demo", "demo")},
    ),
    "pods carry the labels that affinity terms select": (
        SPEC,
        lambda a: [
            {k: w["spec"]["template"]["metadata"]["labels"][k] for k in ("app", "component")} for w in (proxy(a), admin(a))
        ],
        [{"app": "prism-proxy", "component": "prism-proxy"}, {"app": "prism-admin", "component": "prism-admin"}],
    ),
}


@pytest.mark.parametrize(("spec", "look", "want"), CHILDREN.values(), ids=CHILDREN)
async def test_children(client: httpx.AsyncClient, spec: Manifest, look: Any, want: Any) -> None:
    assert look(await sync(client, request(stack(spec)))) == want


async def test_a_restart_reaches_all_pods(client: httpx.AsyncClient) -> None:
    answer = await sync(client, request(stack(annotations={"prism.io/restartedAt": "now"})))
    assert notes(proxy(answer))["prism.io/restartedAt"] == notes(admin(answer))["prism.io/restartedAt"] == "now"
    assert find(answer, "PatternRunner")["metadata"]["annotations"]["prism.io/restartedAt"] == "now"


async def test_a_new_certificate_rolls_the_proxy_and_one_that_is_gone_does_not(client: httpx.AsyncClient) -> None:
    of = stack({"proxy": {"tls": {"secretRef": {"name": "cert"}}}})
    first = await sync(client, request(of, related=[secret("cert", tls__crt="one", tls__key="k")]))
    whole = secret("cert", tls__crt="two", tls__key="k")
    second = await sync(client, request(of, related=[whole]))
    assert notes(proxy(first)) != notes(proxy(second))
    gone = await sync(client, request(of, second["children"]))
    assert proxy(gone) == proxy(second)
    half = await sync(client, request(of, second["children"], [secret("cert", tls__crt="three")]))
    assert proxy(half) == proxy(second)
    assert condition(half, "Ready")["reason"] == "SecretKeyMissing"
    assert condition(half, "Ready")["message"] == "spec.proxy.tls.secretRef: Secret cert has no tls.key"
    assert values(whole)["tls.crt"] not in str(second)


async def test_the_registry_of_an_installation_takes_the_place_of_ours() -> None:
    from app.main import create_app
    from app.settings import Settings

    transport = httpx.ASGITransport(create_app(Settings(image_registry="mirror.local/prism")))
    async with httpx.AsyncClient(transport=transport, base_url="http://operator") as client:
        answer = await sync(client, request(stack()))
    images = [container(w)["image"] for w in (proxy(answer), admin(answer))]
    assert images == ["mirror.local/prism/prism-proxy:latest", "mirror.local/prism/prism-admin:latest"]


async def test_customize_asks_for_every_name_it_may_create(client: httpx.AsyncClient) -> None:
    spec = {**SPEC, "proxy": {"tls": {"secretRef": {"name": "cert"}}, "autoscaling": {"enabled": True, "maxReplicas": 3}}}
    response = await client.post("/hooks/prism-stack/customize", json={"parent": stack(spec)})
    rules = response.json()["relatedResources"]
    asked = {(rule["resource"], name) for rule in rules for name in rule.get("names", [])}
    answer = await sync(client, request(stack(spec)))
    plurals = {"PodDisruptionBudget": "poddisruptionbudgets"}
    made = {(plurals.get(c["kind"], c["kind"].lower() + "s"), c["metadata"]["name"]) for c in answer["children"]}
    assert asked == made | {("secrets", "cert")}
    assert {rule["namespace"] for rule in rules} == {"team-a"}
    assert [rule["resource"] for rule in rules if "labelSelector" in rule] == ["pods", "pods", "resourcequotas"]
