"""The registry's own workload: one replica, its records on a volume."""

from app.children.pod import CONTAINED
from app.generate.install import HARDENED_POD, NAMESPACE, REGISTRY, REGISTRY_PORT, SELECTOR, Manifest, token

LABELS = {"app.kubernetes.io/name": REGISTRY, "app.kubernetes.io/part-of": "prism-operator"}
OWN = {"app.kubernetes.io/name": REGISTRY}


def workload(image: str) -> list[Manifest]:
    """PersistentVolumeClaim, Service, Deployment and NetworkPolicy."""
    port = {"name": "http", "port": 80, "protocol": "TCP", "targetPort": REGISTRY_PORT}
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return [
        _object("v1", "PersistentVolumeClaim", claim),
        _object("v1", "Service", {"selector": OWN, "ports": [port]}),
        _object("apps/v1", "Deployment", _deployment(image)),
        _object("networking.k8s.io/v1", "NetworkPolicy", _network()),
    ]


def _object(api_version: str, kind: str, spec: Manifest) -> Manifest:
    metadata = {"name": REGISTRY, "namespace": NAMESPACE, "labels": LABELS}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


def _deployment(image: str) -> Manifest:
    """One replica, and never two beside each other: the volume has room for one writer."""
    look = {"httpGet": {"path": "/healthz", "port": "http"}}
    container = {
        "name": "registry",
        "image": image,
        "args": ["registry", "--host", "0.0.0.0", "--port", str(REGISTRY_PORT)],  # noqa: S104  the pod's own address
        "env": [
            {"name": "PRISM_REGISTRY_STORE", "value": "sqlite:////data/registry.db"},
            token("PRISM_REGISTRY_TOKEN", "registry"),
        ],
        "ports": [{"name": "http", "containerPort": REGISTRY_PORT, "protocol": "TCP"}],
        "readinessProbe": {**look, "periodSeconds": 5},
        "livenessProbe": {**look, "periodSeconds": 20, "timeoutSeconds": 5},
        "resources": {"requests": {"cpu": "20m", "memory": "96Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": CONTAINED,
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": REGISTRY}}
    template = {"metadata": {"labels": LABELS}, "spec": {**HARDENED_POD, "containers": [container], "volumes": [volume]}}
    return {"replicas": 1, "selector": {"matchLabels": OWN}, "strategy": {"type": "Recreate"}, "template": template}


def _network() -> Manifest:
    """In: the operator, and namespaces that say so. Out: nothing."""
    callers = [
        {"podSelector": {"matchLabels": SELECTOR}},
        {"namespaceSelector": {"matchLabels": {"prism.io/registry": "true"}}},
    ]
    ingress = [{"from": callers, "ports": [{"port": REGISTRY_PORT, "protocol": "TCP"}]}]
    return {"podSelector": {"matchLabels": OWN}, "policyTypes": ["Ingress", "Egress"], "ingress": ingress}
