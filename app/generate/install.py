"""The operator's own workload: two replicas, no rights, reached by Metacontroller alone."""

from typing import Any

from app.children.pod import CONTAINED, HARDENED
from app.generate.controllers import TOKENS

Manifest = dict[str, Any]
NAME = NAMESPACE = "prism-operator"
PORT = 8080
REGISTRY, REGISTRY_PORT = "prism-registry", 8090
IMAGE = "ghcr.io/prism/prism-operator"
LABELS = {"app.kubernetes.io/name": NAME, "app.kubernetes.io/part-of": NAME}
SELECTOR = {"app.kubernetes.io/name": NAME}
HOOK_SERVICE = {"name": NAME, "namespace": NAMESPACE, "port": 80, "protocol": "http"}


HARDENED_POD: Manifest = {"automountServiceAccountToken": False, "enableServiceLinks": False, "securityContext": HARDENED}


def namespace() -> Manifest:
    enforced = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": {**LABELS, **enforced}}}


def workload(release: str, image: str) -> list[Manifest]:
    """ServiceAccount, Service, Deployment, PodDisruptionBudget and NetworkPolicy. ``release`` is the one in the hooks' path."""
    return [
        _object("v1", "ServiceAccount", automountServiceAccountToken=False),
        _object(
            "v1",
            "Service",
            spec={"selector": SELECTOR, "ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": PORT}]},
        ),
        _object("apps/v1", "Deployment", spec=_deployment(release, image)),
        _object("policy/v1", "PodDisruptionBudget", spec={"minAvailable": 1, "selector": {"matchLabels": SELECTOR}}),
        _object("networking.k8s.io/v1", "NetworkPolicy", spec=_network()),
    ]


def _object(api_version: str, kind: str, **body: Any) -> Manifest:
    metadata = {"name": NAME, "namespace": NAMESPACE, "labels": LABELS}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **body}


def _deployment(release: str, image: str) -> Manifest:
    spread = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
    pod = {
        "serviceAccountName": NAME,
        **HARDENED_POD,
        "terminationGracePeriodSeconds": 30,
        "topologySpreadConstraints": [{**spread, "labelSelector": {"matchLabels": SELECTOR}}],
        "containers": [_container(release, image)],
    }
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    template = {"metadata": {"labels": LABELS}, "spec": pod}
    return {"replicas": 2, "selector": {"matchLabels": SELECTOR}, "strategy": rolling, "template": template}


def _container(release: str, image: str) -> Manifest:
    return {
        "name": NAME,
        "image": image,
        "args": ["serve", "--host", "0.0.0.0", "--port", str(PORT)],  # noqa: S104  the pod's own address
        "env": [
            {"name": "PRISM_RELEASE", "value": release},
            {"name": "PRISM_OPERATOR_NAMESPACE", "value": NAMESPACE},
            {"name": "PRISM_REGISTRY_URL", "value": f"http://{REGISTRY}.{NAMESPACE}.svc"},
            token("PRISM_HOOK_TOKEN", "hook"),
            token("PRISM_REGISTRY_TOKEN", "registry"),
        ],
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 5},
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 20, "timeoutSeconds": 5},
        # A terminating pod answers until Metacontroller has stopped to send to it.
        "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
        "resources": {"requests": {"cpu": "50m", "memory": "96Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": CONTAINED,
    }


def token(variable: str, key: str) -> Manifest:
    """A variable from the Secret that an install step makes."""
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": TOKENS["name"], "key": key}}}


def _network() -> Manifest:
    """In: hooks from Metacontroller, metrics from namespaces that say so. Out: names, and the registry."""
    callers = [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "metacontroller"}}},
        {"namespaceSelector": {"matchLabels": {"prism.io/metrics": "true"}}},
    ]
    ingress = [{"from": callers, "ports": [{"port": PORT, "protocol": "TCP"}]}]
    names = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]
    registry = [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": REGISTRY}}}]
    egress = [{"ports": names}, {"to": registry, "ports": [{"port": REGISTRY_PORT, "protocol": "TCP"}]}]
    selected = {"podSelector": {"matchLabels": SELECTOR}, "policyTypes": ["Ingress", "Egress"]}
    return {**selected, "ingress": ingress, "egress": egress}
