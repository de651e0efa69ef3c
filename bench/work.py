"""The work that every variant does: read one parent with its children, answer with children built by one function."""

import json
from typing import Any, ClassVar

from app.api.kinds import Kind
from app.api.v1alpha1.common import Definition, Model, Resource, Status
from app.contract import Context, Desired, Observed

CONFIG_MAP = Kind("v1", "ConfigMap", "configmaps")
FILLER = "x" * 720
UID = "b037da46-8467-4a69-aadd-7481e3017cc1"


class BenchSpec(Model):
    children: int = 10
    text: str = ""


class BenchStatus(Status):
    seen: int | None = None


class Bench(Resource):
    """A parent that only the bench has."""

    definition: ClassVar[Definition] = Definition(Kind("bench.prism.io/v1", "Bench", "benches"), (), ())
    spec: BenchSpec = BenchSpec()
    status: BenchStatus | None = None


def child(index: int, namespace: str) -> dict[str, Any]:
    """One child of about 1.2 KB."""
    labels = {"app.kubernetes.io/managed-by": "prism-operator", "prism.io/instance": "bench", "prism.io/index": str(index)}
    data = {"text": FILLER, "address": f"redis://cache-{index}.team-a.svc.cluster.local:6379", "replicas": "3", "ttl": "1.5h"}
    metadata = {
        "name": f"bench-{index}",
        "namespace": namespace,
        "labels": labels,
        "annotations": {"prism.io/hash": f"{index:016x}"},
    }
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def sync(parent: Bench, observed: Observed, context: Context) -> Desired:  # noqa: ARG001
    """The pure hook of the bench's row."""
    namespace = parent.metadata.namespace
    seen = sum(1 for _ in observed.children.all(CONFIG_MAP))
    return Desired([child(index, namespace) for index in range(parent.spec.children)], {"seen": seen})


def request(children: int) -> bytes:
    """A request as Metacontroller sends it: managedFields are about a third of each object."""
    parent = {
        "apiVersion": "bench.prism.io/v1",
        "kind": "Bench",
        "metadata": {
            "name": "bench",
            "namespace": "team-a",
            "uid": UID,
            "generation": 3,
            **_server_side("Bench", {"f:text": {}}),
        },
        "spec": {"children": children, "text": "y" * 300},
        "status": {"observedGeneration": 3, "seen": children},
    }
    group = {f"team-a/bench-{index}": _observed(index) for index in range(children)}
    body = {
        "controller": _controller(),
        "parent": parent,
        "children": {"ConfigMap.v1": group},
        "related": {},
        "finalizing": False,
    }
    return json.dumps(body, separators=(",", ":")).encode()


def _observed(index: int) -> dict[str, Any]:
    there = child(index, "team-a")
    owner = {"apiVersion": "bench.prism.io/v1", "kind": "Bench", "name": "bench", "uid": UID, "controller": True}
    fields: dict[str, Any] = {f"f:{key}": {} for key in there["data"]}
    there["metadata"] |= {"uid": UID[:-2] + f"{index % 100:02d}", "ownerReferences": [owner], **_server_side("ConfigMap", fields)}
    return there


def _server_side(kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    labels: dict[str, Any] = {
        ".": {},
        "f:app.kubernetes.io/managed-by": {},
        "f:prism.io/instance": {},
        "f:prism.io/index": {},
        "f:controller-uid": {},
    }
    owners: dict[str, Any] = {".": {}, f'k:{{"uid":"{UID}"}}': {}}
    metadata = {"f:annotations": {".": {}, "f:prism.io/hash": {}}, "f:labels": labels, "f:ownerReferences": owners}
    entries = [
        {
            "manager": "metacontroller",
            "operation": operation,
            "apiVersion": "v1",
            "time": "2026-01-01T00:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {".": {}, **fields}, "f:metadata": metadata, "f:kind": kind},
        }
        for operation in ("Apply", "Update", "Update")
    ]
    return {"resourceVersion": "254", "creationTimestamp": "2026-01-01T00:00:00Z", "managedFields": entries}


def _controller() -> dict[str, Any]:
    hook = {"version": "v2", "webhook": {"url": "http://127.0.0.1:8080/hooks/bench/sync", "timeout": "10s"}}
    spec = {"parentResource": {"apiVersion": "bench.prism.io/v1", "resource": "benches"}, "hooks": {"sync": hook}}
    return {
        "kind": "CompositeController",
        "apiVersion": "metacontroller.k8s.io/v1alpha1",
        "metadata": {"name": "bench"},
        "spec": spec,
    }
