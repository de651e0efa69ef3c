"""What a real API server says to our kinds, manifests and samples. Nothing here needs a controller."""

import json
import subprocess
from typing import Any

import pytest
import yaml

from app.api.quantities import canonical
from tests.cluster.conftest import OPERATOR, ROOT
from tests.cluster.kubectl import Refused, apply, get, kubectl
from tests.test_quantities import SPELLINGS

pytestmark = pytest.mark.apiserver
RUNNER = {"pattern": "keyvalue", "backend": "memstore"}
CONFIG = {"type": "redis", "connection": {"host": "r"}}
KEYVALUE = {"name": "cache", "type": "keyvalue"}


def of(kind: str, spec: dict[str, Any], name: str = "a") -> dict[str, Any]:
    return {"apiVersion": "prism.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}


SERVICE = {"service": {"name": "r", "namespace": "x"}}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown field": (of("PatternRunner", {**RUNNER, "patern": "x"}), "patern"),
    "a typo within an affinity": (of("PatternRunner", {**RUNNER, "placement": {"affinity": {"podAfinity": {}}}}), "podAfinity"),
    "no pattern": (of("PatternRunner", {}), "pattern"),
    "too many replicas": (of("PatternRunner", {**RUNNER, "replicas": 10001}), "spec.replicas"),
    "a port of none": (of("PatternRunner", {**RUNNER, "service": {"port": 0}}), "spec.service.port"),
    "a quantity of none": (
        of("PatternRunner", {**RUNNER, "resources": {"limits": {"cpu": "lots"}}}),
        "spec.resources.limits.cpu",
    ),
    "a number with a fraction for a quantity": (of("PatternRunner", {**RUNNER, "resources": {"limits": {"cpu": 0.5}}}), "cpu"),
    "a name that starts with a digit": (of("PatternRunner", RUNNER, "1a"), "metadata.name: must start with a letter"),
    "a long name": (of("PatternRunner", RUNNER, "a" * 41), "at most 40 characters long"),
    "a name with a dot": (of("PatternRunner", RUNNER, "a.b"), "metadata.name"),
    "a slot in capitals": (
        of("PatternRunner", {**RUNNER, "backendBindings": {"Store": {"backendRef": "x"}}}),
        "spec.backendBindings: a slot is",
    ),
    "a slot that ends in _": (
        of("PatternRunner", {**RUNNER, "backendBindings": {"a_": {"backendRef": "x"}}}),
        "spec.backendBindings: a slot is",
    ),
    "a slot and a name too long together": (
        of("PatternRunner", {**RUNNER, "backendBindings": {"s" * 30: {"backendRef": "x"}}}, "a" * 30),
        "at most 54 characters long",
    ),
    "an autoscaler without a bound": (
        of("PatternRunner", {**RUNNER, "autoscaling": {"enabled": True}}),
        "maxReplicas is required",
    ),
    "an autoscaler of a stack's pattern without a bound": (
        of("PrismStack", {"patterns": [{"name": "a", "type": "keyvalue", "autoscaling": {"enabled": True}}]}),
        "maxReplicas is required",
    ),
    "more environment than an object holds": (
        of("PatternRunner", {**RUNNER, "podTemplate": {"env": [{"name": f"A{i}", "value": "x" * 30_000} for i in range(3)]}}),
        "env: at most 64 KiB in all",
    ),
    "more annotations than an object holds": (
        of("PatternRunner", {**RUNNER, "service": {"annotations": {f"a{i}": "x" * 30_000 for i in range(3)}}}),
        "annotations: at most 64 KiB in all",
    ),
    "a topology without its key": (
        of(
            "PatternRunner",
            {
                **RUNNER,
                "placement": {
                    "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "", "whenUnsatisfiable": "DoNotSchedule"}]
                },
            },
        ),
        "topologyKey",
    ),
    "bounds that cross": (
        of("PatternRunner", {**RUNNER, "autoscaling": {"minReplicas": 5, "maxReplicas": 2}}),
        "minReplicas must not exceed maxReplicas",
    ),
    "a label of ours": (
        of("PatternRunner", {**RUNNER, "podTemplate": {"labels": {"prism.io/x": "y"}}}),
        "belong to the operator",
    ),
    "a label value with a space": (
        of("PatternRunner", {**RUNNER, "podTemplate": {"labels": {"a": "b c"}}}),
        "spec.podTemplate.labels.a",
    ),
    "a variable with two sources": (
        of(
            "PatternRunner",
            {**RUNNER, "podTemplate": {"env": [{"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "y"}}}]}},
        ),
        "give value or valueFrom",
    ),
    "a variable twice": (
        of("PatternRunner", {**RUNNER, "podTemplate": {"env": [{"name": "A"}, {"name": "A"}]}}),
        "Duplicate value",
    ),
    "envFrom of nothing": (of("PatternRunner", {**RUNNER, "podTemplate": {"envFrom": [{}]}}), "give exactly one of secretRef"),
    "a strategy of none": (of("PatternRunner", {**RUNNER, "placement": {"strategy": "Everywhere"}}), "spec.placement.strategy"),
    "no type": (of("BackendConfig", {}), "type"),
    "two addresses": (of("BackendConfig", {"type": "x", "connectionString": "a", "connection": {"url": "b"}}), "not both"),
    "two Secrets": (
        of("BackendConfig", {"type": "x", "secretRef": {"name": "a"}, "connection": {"secretRef": {"name": "b"}}}),
        "give connection.secretRef or secretRef",
    ),
    "a host with a space": (of("BackendConfig", {"type": "x", "connection": {"host": "a b"}}), "spec.connection.host"),
    "an interval of none": (of("BackendConfig", {**CONFIG, "healthCheck": {"interval": "often"}}), "spec.healthCheck.interval"),
    "a long name of a backend": (of("BackendConfig", CONFIG, "a" * 44), "at most 43 characters long"),
    "a long name of a stack": (of("PrismStack", {}, "a" * 41), "at most 40 characters long"),
    "a typo in a part of a stack": (
        of("PrismStack", {"proxy": {"replica": 1}}),
        'PrismStack.spec.proxy): unknown field "replica"',
    ),
    "a pattern without a type": (
        of("PrismStack", {"patterns": [{"name": "x"}]}),
        'spec.patterns[0]): missing required field "type"',
    ),
    "a pattern twice": (of("PrismStack", {"patterns": [KEYVALUE, KEYVALUE]}), "Duplicate value"),
    "a pattern in capitals": (of("PrismStack", {"patterns": [{**KEYVALUE, "name": "Cache"}]}), "spec.patterns[0].name"),
    "a pattern with the name of the proxy": (
        of("PrismStack", {"patterns": [{**KEYVALUE, "name": "a-proxy"}]}),
        "are names of the stack's own parts",
    ),
    "a slot of a pattern in capitals": (
        of("PrismStack", {"patterns": [{**KEYVALUE, "backendBindings": {"Store": {"backendRef": "x"}}}]}),
        "backendBindings: a slot is",
    ),
    "an autoscaler of a proxy without a bound": (
        of("PrismStack", {"proxy": {"autoscaling": {"enabled": True}}}),
        "maxReplicas is required",
    ),
    "a backend of a stack with two addresses": (
        of("PrismStack", {"backends": [{"name": "b", "type": "x", "connectionString": "a", "connection": {"url": "b"}}]}),
        "not both",
    ),
    "a PrismBackend that nobody can find": (of("PrismBackend", {"type": "redis"}), "give discovery, connection or bindingRef"),
    "a selector that goes with nothing": (
        of("PrismBackend", {"type": "redis", "discovery": SERVICE, "allowedNamespaces": {"from": "List", "selector": {}}}),
        "selector goes with from: Selector",
    ),
    "a list that goes with nothing": (
        of("PrismBackend", {"type": "redis", "discovery": SERVICE, "allowedNamespaces": {"namespaces": ["x"]}}),
        "namespaces goes with from: List only",
    ),
    "a form of grant that nobody knows": (
        of("PrismBackend", {"type": "redis", "discovery": SERVICE, "allowedNamespaces": {"from": "Friends"}}),
        "spec.allowedNamespaces.from",
    ),
    "a Secret of a kind that nobody knows": (
        of("PrismBackend", {"type": "redis", "bindingRef": {"kind": "Vault", "name": "x"}}),
        "spec.bindingRef.kind",
    ),
    "a slot with two backends": (
        of(
            "PrismPattern",
            {"pattern": "keyvalue", "backendBindings": {"store": {"backendRef": "a", "discover": {"service": "b"}}}},
        ),
        "give exactly one of backendRef and discover",
    ),
    "a slot with none": (of("PrismPattern", {"pattern": "keyvalue", "backendBindings": {"store": {}}}), "give exactly one of"),
    "no member at all": (of("PrismStack", {"admin": {"replicas": 0}}), "spec.admin.replicas"),
    "a certificate without a Secret": (
        of("PrismStack", {"proxy": {"tls": {}}}),
        'spec.proxy.tls): missing required field "secretRef"',
    ),
}


@pytest.mark.parametrize(("manifest", "says"), REFUSED.values(), ids=REFUSED)
def test_a_mistake_is_refused_with_its_field(namespace: str, manifest: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused) as refused:
        apply(namespace, manifest)
    assert says in str(refused.value)


def samples(namespace: str) -> list[dict[str, Any]]:
    """The samples, in a namespace of the test's own where they name the default one."""
    found: list[dict[str, Any]] = []
    for path in sorted(ROOT.glob("samples/*.yaml")):
        text = path.read_text().replace("namespace: default", f"namespace: {namespace}")
        text = text.replace("namespaces: [default]", f"namespaces: [{namespace}]").replace(".default.svc", f".{namespace}.svc")
        found += list(yaml.safe_load_all(text))
    return found


def test_every_sample_applies_strictly(namespace: str) -> None:
    apply(namespace, *samples(namespace))
    kubectl("delete", "pbackend", *(each["metadata"]["name"] for each in samples(namespace) if each["kind"] == "PrismBackend"))


def test_the_stacks_of_the_design_apply_strictly(namespace: str) -> None:
    for stack in memo_stacks():
        apply(namespace, stack)


def memo_stacks() -> list[dict[str, Any]]:
    """The memo's stacks, without the namespaces that they name there."""
    stacks = list(yaml.safe_load_all((ROOT / "tests/bodies/memo-stacks.yaml").read_text()))
    for stack in stacks:
        stack["metadata"].pop("namespace", None)
        for backend in stack["spec"].get("backends", []):
            backend.get("secretRef", {}).pop("namespace", None)
    return stacks


STORAGE: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "another size": ({"storage": {"size": "1Gi"}}, {"storage": {"size": "2Gi"}}, False),
    "another class": ({"storage": {"size": "1Gi"}}, {"storage": {"size": "1Gi", "storageClassName": "x"}}, False),
    "a size where none was said": ({}, {"storage": {"size": "1Gi"}}, False),
    "a size no longer said": ({"storage": {"size": "1Gi"}}, {}, False),
    "the same": ({"storage": {"size": "1Gi"}}, {"storage": {"size": "1Gi"}, "replicas": 3}, True),
    "another size while there is no admin": ({"enabled": False}, {"enabled": True, "storage": {"size": "2Gi"}}, True),
}


@pytest.mark.parametrize(("before", "after", "good"), STORAGE.values(), ids=STORAGE)
def test_volumes_that_exist_cannot_be_changed(namespace: str, before: dict[str, Any], after: dict[str, Any], good: bool) -> None:
    apply(namespace, of("PrismStack", {"admin": before}))
    if good:
        apply(namespace, of("PrismStack", {"admin": after}))
        return
    with pytest.raises(Refused, match=r"spec.admin.storage: volumes that exist cannot be changed"):
        apply(namespace, of("PrismStack", {"admin": after}))


def test_the_install_manifests_apply_strictly(kinds: None) -> None:
    """Namespace first: a dry run of what lies in it needs it."""
    kubectl("apply", "--validate=strict", "-f", str(ROOT / "metacontroller/namespace.yaml"))
    for name in ("rbac", "registry", "operator"):
        kubectl("apply", "--dry-run=server", "--validate=strict", "-f", str(ROOT / f"metacontroller/{name}.yaml"))


def test_a_kind_is_explained_scaled_and_listed(namespace: str) -> None:
    apply(namespace, of("PatternRunner", {**RUNNER, "replicas": 1}))
    assert "Number of pods" in kubectl("explain", "prunner.spec.replicas")
    kubectl("scale", "prunner/a", "-n", namespace, "--replicas=3")
    assert get(namespace, "prunner", "a")["spec"]["replicas"] == 3
    given = json.dumps(of("PatternRunner", RUNNER, "b"))
    fresh = json.loads(kubectl("create", "-n", namespace, "--dry-run=server", "-o", "json", "-f", "-", given=given))
    assert fresh["status"] == {"observedGeneration": -1}, "so that nobody takes an object for ready that no one has seen"
    assert "PHASE" in kubectl("get", "prism", "-n", namespace)


def stored_as(namespace: str, texts: list[str]) -> dict[str, str]:
    """What the API server makes of quantities that a container asks for."""
    made = []
    for index, text in enumerate(texts):
        container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": text}}}
        template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}}
        spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
        made.append({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": f"q{index}"}, "spec": spec})
    look = 'jsonpath={.spec.template.spec.containers[0].resources.requests.cpu}{"\\n"}'
    given = json.dumps({"apiVersion": "v1", "kind": "List", "items": made})
    printed = kubectl("create", "-n", namespace, "--dry-run=server", "-o", look, "-f", "-", given=given)
    return dict(zip(texts, printed.split(), strict=True))


def test_quantities_are_spelled_as_the_api_server_stores_them(namespace: str) -> None:
    """It leaves a few odd spellings as they are given; ours is then another that it leaves alone too."""
    emitted = sorted({canonical(text) for text in SPELLINGS})
    assert stored_as(namespace, emitted) == {text: text for text in emitted}
    usual = [text for text in SPELLINGS if text not in ("+1", "1E3")]
    assert stored_as(namespace, usual) == {text: canonical(text) for text in usual}


ODD_RUNNER = of(
    "PatternRunner",
    {
        **RUNNER,
        "replicas": 0,
        "resources": {"requests": {"cpu": "0.5", "memory": "1024Mi"}, "limits": {"cpu": 1, "memory": "1.5Gi"}},
        "service": {"type": "LoadBalancer", "annotations": {"a": "b"}},
        "autoscaling": {
            "enabled": True,
            "maxReplicas": 3,
            "targetMemoryUtilizationPercentage": 70,
            "metrics": [
                {"type": "Pods", "pods": {"metric": {"name": "r"}, "target": {"type": "AverageValue", "averageValue": "1000"}}}
            ],
            "behavior": {
                "scaleDown": {"stabilizationWindowSeconds": 0, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}
            },
        },
        "placement": {
            "strategy": "MultiZone",
            "tolerations": [
                {"key": "a", "operator": "Exists"},
                {"key": "b", "operator": "Equal", "value": "", "effect": "NoExecute", "tolerationSeconds": 0},
            ],
            "affinity": {
                "nodeAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [
                        {"weight": 1, "preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}
                    ]
                },
                "podAffinity": {},
                "podAntiAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [
                        {"topologyKey": "kubernetes.io/hostname", "labelSelector": {}, "namespaceSelector": {}}
                    ]
                },
            },
            "topologySpreadConstraints": [
                {"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule", "minDomains": 2}
            ],
        },
        "podTemplate": {
            "labels": {"a": ""},
            "annotations": {"b": ""},
            "env": [
                {"name": "EMPTY", "value": ""},
                {"name": "FIELD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": False}}},
                {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
            ],
            "envFrom": [{"prefix": "", "configMapRef": {"name": "c", "optional": True}}],
            "imagePullSecrets": [{"name": "r"}],
            "serviceAccountName": "default",
            "securityContext": {"runAsUser": 1, "supplementalGroups": [1, 2], "fsGroupChangePolicy": "OnRootMismatch"},
        },
    },
    "odd",
)


ODD_COMPONENT = {key: ODD_RUNNER["spec"][key] for key in ("resources", "placement", "podTemplate")}
ODD_STACK = of(
    "PrismStack",
    {
        "proxy": {
            **ODD_COMPONENT,
            "tls": {"secretRef": {"name": "cert"}},
            "service": {"type": "LoadBalancer", "annotations": {"a": "b"}},
            "autoscaling": ODD_RUNNER["spec"]["autoscaling"],
        },
        "admin": {**ODD_COMPONENT, "replicas": 2, "service": {"type": "NodePort"}, "storage": {"size": "0.5Gi"}},
        "patterns": [
            {"name": "odd", "type": "keyvalue", **{k: v for k, v in ODD_RUNNER["spec"].items() if k != "pattern"}},
            {"name": "no-autoscaler", "type": "keyvalue", "autoscaling": {"targetCPUUtilizationPercentage": 50}},
            {"name": "floats", "type": "keyvalue", "config": {"ratio": 0.5, "none": None, "empty": {}, "list": [], "deep": [{}]}},
        ],
        "backends": [{"name": "nats", "type": "messaging", "connectionString": "nats://n", "healthCheck": {}}],
        "observability": {"tracing": {"endpoint": "http://otel:4317"}, "metrics": {"port": 8980}},
        "affinity": ODD_RUNNER["spec"]["placement"]["affinity"],
    },
    "odd-stack",
)
ODD = {"odd input": ODD_RUNNER, "an odd stack": ODD_STACK}


def differences(emitted: Any, stored: Any, path: str = "") -> list[str]:
    """Paths that were emitted and are not stored as they were."""
    if isinstance(emitted, dict) and isinstance(stored, dict):
        return [each for key, value in emitted.items() for each in differences(value, stored.get(key), f"{path}.{key}")]
    if isinstance(emitted, list) and isinstance(stored, list) and len(emitted) == len(stored):
        return [each for index, value in enumerate(emitted) for each in differences(value, stored[index], f"{path}[{index}]")]
    return [] if emitted == stored else [f"{path}: {emitted!r} is stored as {stored!r}"]


FILES = [*sorted(ROOT.glob("samples/*.yaml")), *ODD]


@pytest.mark.parametrize("path", FILES, ids=lambda path: getattr(path, "stem", path))
def test_every_path_that_a_builder_emits_is_stored_as_it_is(namespace: str, path: Any) -> None:
    text = json.dumps(ODD[path]) if isinstance(path, str) else path.read_text()
    rendered = subprocess.run([OPERATOR, "render", "-f", "-"], input=text, capture_output=True, text=True, check=True).stdout
    children = [{**child, "metadata": {**child["metadata"], "namespace": namespace}} for child in yaml.safe_load_all(rendered)]
    assert children
    apply(namespace, *children)
    for child in children:
        stored = get(namespace, child["kind"], child["metadata"]["name"])
        assert differences(child, stored) == [], child["kind"]


def test_pods_pass_the_restricted_standard(namespace: str) -> None:
    kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    text = json.dumps(of("PrismStack", {"admin": {}, "patterns": [KEYVALUE]}))
    rendered = subprocess.run([OPERATOR, "render", "-f", "-"], input=text, capture_output=True, text=True, check=True).stdout
    workloads = [child for child in yaml.safe_load_all(rendered) if child["kind"] in ("Deployment", "StatefulSet")]
    assert sorted(child["metadata"]["name"] for child in workloads) == ["a-admin", "a-proxy", "cache"]
    for template in (child["spec"]["template"] for child in workloads):
        mounts = [mount for mount in template["spec"]["containers"][0]["volumeMounts"] if mount["name"] != "data"]
        container = {**template["spec"]["containers"][0], "volumeMounts": mounts}
        spec = {**template["spec"], "containers": [container]}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {**template["metadata"], "name": "p"}, "spec": spec}
        kubectl("create", "-n", namespace, "--dry-run=server", "-f", "-", given=json.dumps(pod))
