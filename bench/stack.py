"""A stack of many patterns, all up: the request as Metacontroller would send it for one more sync."""

import json
from typing import Any

from app.api.kinds import Kind
from app.api.v1alpha1.prismstack import PrismStack
from app.contract import Context, Observed
from app.hooks.stack import sync
from app.hooks.stackscope import OWNED
from bench.work import UID

KINDS: dict[str, Kind] = {kind.kind: kind for kind in OWNED}
READY = {"type": "Ready", "status": "True", "reason": "DeploymentReady", "message": "1 of 1 pods are available"}


def parent(patterns: int) -> dict[str, Any]:
    made = [
        {
            "name": f"pattern-{index}",
            "type": "keyvalue",
            "backend": "redis",
            "config": {"redisUrl": f"redis://cache-{index}:6379"},
        }
        for index in range(patterns)
    ]
    spec = {"proxy": {"replicas": 2}, "admin": {"replicas": 3}, "patterns": made}
    metadata = {"name": "bench", "namespace": "team-a", "uid": UID, "generation": 1}
    return {"apiVersion": "prism.io/v1alpha1", "kind": "PrismStack", "metadata": metadata, "spec": spec}


def request(patterns: int) -> bytes:
    """The body: every child exists, the PatternRunners with their status."""
    of = parent(patterns)
    answer = sync(PrismStack.model_validate(of), Observed(), Context("2026-01-01T00:00:00Z"))
    groups: dict[str, dict[str, Any]] = {}
    for child in answer.children:
        owner = {"apiVersion": "prism.io/v1alpha1", "kind": "PrismStack", "name": "bench", "uid": UID, "controller": True}
        metadata = {**child["metadata"], "generation": 1, "ownerReferences": [owner]}
        status = {"observedGeneration": 1, "conditions": [READY], "readyReplicas": 1, "replicas": 1}
        name = f"{metadata['namespace']}/{metadata['name']}"
        groups.setdefault(KINDS[child["kind"]].key, {})[name] = {**child, "metadata": metadata, "status": status}
    return json.dumps({"controller": {}, "parent": of, "children": groups, "related": groups, "finalizing": False}).encode()
