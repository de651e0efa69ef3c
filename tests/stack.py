"""A stack and the cluster around it, as tests give them to the hook."""

from typing import Any

import httpx

from tests.asking import asked
from tests.build import Manifest, owned, parent, request, running

SPEC: Manifest = {
    "proxy": {"replicas": 2},
    "admin": {"replicas": 3},
    "patterns": [
        {"name": "sessions", "type": "keyvalue", "backend": "memstore", "replicas": 1},
        {"name": "events", "type": "pubsub", "backend": "nats"},
    ],
    "backends": [{"name": "nats", "type": "messaging", "connectionString": "nats://n:4222"}],
}


def stack(spec: Manifest | None = None, **metadata: Any) -> Manifest:
    return parent("PrismStack", "demo", SPEC if spec is None else spec, **metadata)


async def sync(client: httpx.AsyncClient, body: Manifest) -> Manifest:
    return await asked(client, "prism-stack/sync", body)


def up(child: Manifest, **status: Any) -> Manifest:
    """A child as it is once it works: workloads with all pods, parents with their own Ready."""
    if child["kind"] in ("Deployment", "StatefulSet"):
        return running(child, **status)
    if child["kind"] not in ("PatternRunner", "BackendConfig"):
        return child
    reason = "DeploymentReady" if child["kind"] == "PatternRunner" else "Bound"
    ready = {"type": "Ready", "status": "True", "reason": reason, "message": "fine"}
    own = {"observedGeneration": 1, "conditions": [ready], "replicas": 1, "readyReplicas": 1, **status}
    return {**child, "metadata": {**child["metadata"], "generation": 1}, "status": own}


def not_ready(reason: str, message: str = "", **more: str) -> Manifest:
    """The status of a part that says why it is not ready; keywords add conditions, such as Stalled="True"."""
    conditions = [{"type": "Ready", "status": "False", "reason": reason, "message": message}]
    conditions += [{"type": kind, "status": status, "reason": reason, "message": message} for kind, status in more.items()]
    return {"conditions": conditions, "readyReplicas": 0}


async def settled(client: httpx.AsyncClient, of: Manifest, **changed: Manifest) -> list[Manifest]:
    """The children of a stack, all up; a keyword (``name``, - as _) changes the status of the children of that name."""
    made = (await sync(client, request(of)))["children"]
    return [up(child, **changed.get(child["metadata"]["name"].replace("-", "_"), {})) for child in made]


def replaced(children: list[Manifest], kind: str, **fields: Any) -> list[Manifest]:
    """The children, those of a kind with other top-level fields."""
    return [{**child, **fields} if child["kind"] == kind else child for child in children]


def foreign(child: Manifest) -> Manifest:
    """The same name, owned by somebody else."""
    return owned({**child, "metadata": {**child["metadata"]}}, "22222222-0000-4000-8000-000000000002")
