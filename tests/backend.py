"""A PrismBackend and the cluster around it, as tests give them to the hook."""

from typing import Any

import httpx

from tests.asking import asked
from tests.build import API, UID, Manifest, secret

OPERATOR = "prism-operator"
BINDING = "prism-backend-redis"
DISCOVERY: Manifest = {"service": {"name": "redis-master", "namespace": "infra"}, "secret": {"name": "login"}}


def backend(spec: Manifest | None = None, name: str = "redis", **metadata: Any) -> Manifest:
    status = metadata.pop("status", None)
    head = {"name": name, "uid": UID, "generation": 1, **metadata}
    body = {"type": "redis", "discovery": DISCOVERY} if spec is None else spec
    return {"apiVersion": API, "kind": "PrismBackend", "metadata": head, "spec": body, **({"status": status} if status else {})}


def service(name: str = "redis-master", namespace: str = "infra", *ports: int, **spec: Any) -> Manifest:
    listed = [{"port": port} for port in ports or (6379,)]
    body = {"selector": {"app": name}, "ports": listed, **spec}
    metadata = {"name": name, "namespace": namespace, "uid": f"service-{name}"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": body}


def slices(*ready: bool, name: str = "redis-master", namespace: str = "infra") -> Manifest:
    endpoints = [{"addresses": ["10.0.0.1"], "conditions": {"ready": each}} for each in ready]
    metadata = {"name": f"{name}-x", "namespace": namespace, "labels": {"kubernetes.io/service-name": name}}
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata, "endpoints": endpoints or None}


PASSWORD: Manifest = {"redis-password": "hunter2"}
LOGIN = secret("login", "infra", **PASSWORD)
CLUSTER = [service(), slices(True), LOGIN]


async def sync(client: httpx.AsyncClient, body: Manifest, hook: str = "sync") -> Manifest:
    return await asked(client, f"prism-backend/{hook}", body)
