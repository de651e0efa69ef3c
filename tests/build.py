"""Objects as Metacontroller would send them, built for tests: ``observed`` turns a desired child into one that exists."""

import base64
from copy import deepcopy
from typing import Any

API = "prism.io/v1alpha1"
UID, OTHER_UID = "11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002"
NAMESPACE = "team-a"
Manifest = dict[str, Any]


def parent(kind: str, name: str, spec: Manifest, **metadata: Any) -> Manifest:
    """A parent with the given spec; keywords add to its metadata (``status`` sets its status)."""
    status = metadata.pop("status", None)
    head = {"name": name, "namespace": NAMESPACE, "uid": UID, "generation": 1, **metadata}
    return {"apiVersion": API, "kind": kind, "metadata": head, "spec": spec, **({"status": status} if status else {})}


def runner(spec: Manifest | None = None, **metadata: Any) -> Manifest:
    return parent("PatternRunner", "sessions", {"pattern": "keyvalue", "backend": "memstore", **(spec or {})}, **metadata)


def backend_config(spec: Manifest, name: str = "cache", **metadata: Any) -> Manifest:
    return parent("BackendConfig", name, spec, **metadata)


def owned(manifest: Manifest, uid: str = UID) -> Manifest:
    """The object as the child of the parent with this uid."""
    out = deepcopy(manifest)
    out["metadata"]["ownerReferences"] = [{"apiVersion": API, "kind": "X", "name": "x", "uid": uid, "controller": True}]
    return out


def secret(
    name: str, namespace: str = NAMESPACE, uid: str = "", kind: str = "Opaque", annotations: Manifest | None = None, **data: Any
) -> Manifest:
    """A Secret; ``uid`` makes it the child of that parent."""
    values = {key.replace("__", "."): base64.b64encode(value.encode()).decode() for key, value in data.items()}
    metadata = {
        "name": name,
        "namespace": namespace,
        "uid": f"secret-{name}",
        **({"annotations": annotations} if annotations else {}),
    }
    out: Manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "data": values}
    return owned(out, uid) if uid else out


def mapped(*manifests: Manifest) -> dict[str, dict[str, Manifest]]:
    """Objects as the maps of a request."""
    out: dict[str, dict[str, Manifest]] = {}
    for each in manifests:
        namespace, name = each["metadata"].get("namespace"), each["metadata"]["name"]
        key = f"{namespace}/{name}" if namespace else name
        out.setdefault(f"{each['kind']}.{each['apiVersion']}", {})[key] = each
    return out


def request(of: Manifest, children: list[Manifest] | None = None, related: list[Manifest] | None = None) -> Manifest:
    """The body of a sync request; own children stand in ``related`` too, as they do when customize asks for their names."""
    own = [owned(child, of["metadata"]["uid"]) for child in children or []]
    return {
        "controller": {},
        "parent": of,
        "children": mapped(*own),
        "related": mapped(*own, *(related or [])),
        "finalizing": False,
    }


def running(deployment: Manifest, replicas: int = 1, available: int | None = None, **status: Any) -> Manifest:
    """A Deployment whose pods are up."""
    out = deepcopy(deployment)
    out["spec"].setdefault("replicas", replicas)
    out["metadata"]["generation"] = 1
    number = out["spec"]["replicas"]
    up = number if available is None else available
    counts = {"replicas": number, "updatedReplicas": number, "readyReplicas": up, "availableReplicas": up}
    out["status"] = {"observedGeneration": 1, **counts, **status}
    return out


def values(data: Manifest) -> dict[str, str]:
    """The texts of a Secret."""
    return {key: base64.b64decode(value).decode() for key, value in data["data"].items()}


def find(answer: Manifest, kind: str, name: str = "") -> Manifest:
    """The child of that kind (and name) in an answer; empty where there is none."""
    found = (c for c in answer["children"] if c["kind"] == kind and name in ("", c["metadata"]["name"]))
    return next(found, {})


def condition(answer: Manifest, kind: str) -> Manifest:
    """A condition of the status in an answer; empty where there is none."""
    return next((c for c in answer["status"]["conditions"] if c["type"] == kind), {})
