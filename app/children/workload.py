"""Deployments and StatefulSets, and the rules for what of them must not be changed lightly: replicas and what is immutable."""

import hashlib
import json
from typing import Any

import orjson

from app.api.kinds import DEPLOYMENT, STATEFUL_SET
from app.children.metadata import Child, Owner, child
from app.contract import Object, read

TEMPLATE = "prism.io/template-hash"
LAST_APPLIED = "metacontroller.k8s.io/last-applied-configuration"
ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}


def deployment(
    owner: Owner, name: str, template: dict[str, Any], replicas: int | None, held: str | None = None
) -> Child:  # fmt: skip
    """A Deployment. An annotation carries the hash of its template, so a status can tell whether it has arrived.

    ``held`` is the hash of the template that runs and must go on to run: another one is written down but not rolled out
    (``paused``) until it is given without.
    """
    spec: dict[str, Any] = {"selector": {"matchLabels": owner.selector}, "strategy": ROLLING, "template": template}
    if replicas is not None:
        spec["replicas"] = replicas
    wanted = digest(template)
    if held is not None and held != wanted:
        spec["paused"] = True
        wanted = held
    return child(DEPLOYMENT, owner, name, {TEMPLATE: wanted}, spec=spec)


def stateful_set(
    owner: Owner, name: str, service: str, template: dict[str, Any], replicas: int, claims: list[dict[str, Any]]
) -> Child:  # fmt: skip
    """A StatefulSet whose pods start side by side and are numbered from 1. Its volumes outlive it."""
    spec = {
        "serviceName": service,
        "selector": {"matchLabels": owner.selector},
        "podManagementPolicy": "Parallel",
        "ordinals": {"start": 1},
        "replicas": replicas,
        "template": template,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        "volumeClaimTemplates": claims,
    }
    return child(STATEFUL_SET, owner, name, {TEMPLATE: digest(template)}, spec=spec)


def volume_claim(name: str, size: str, storage_class: str | None) -> dict[str, Any]:
    """A volumeClaimTemplate, with all that the API server adds to one: each omission would be a write on every sync."""
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, "volumeMode": "Filesystem",
    }  # fmt: skip
    if storage_class is not None:
        spec["storageClassName"] = storage_class
    head = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}}
    return {**head, "spec": spec, "status": {"phase": "Pending"}}


def digest(value: Any) -> str:
    """A short hash of a value, the same for equal values."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def replicas_to_emit(wanted: int | None, autoscaled: bool, live: Object | None, manager: str) -> int | None:
    """The replicas to emit, or None to leave the field to others.

    Without a number of its own, a workload keeps its live number while the field is still ours: taking the field away
    would drop it to 1 at once. Once a scaler has written another value, the field is no longer ours and is left out.
    """
    if wanted is not None and not autoscaled:
        return wanted
    if live is None or not _owns_replicas(live, manager):
        return None
    number = read(live.spec).get("replicas")
    return number if isinstance(number, int) else None


def _owns_replicas(live: Object, manager: str) -> bool:
    applied = live.metadata.annotations.get(LAST_APPLIED)
    if applied and "replicas" in json.loads(applied).get("spec", {}):
        return True
    return any(
        entry.get("manager") == manager
        and entry.get("operation") == "Apply"
        and not entry.get("subresource")
        and "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {})
        for entry in read(live.metadata.managed_fields)
    )


def keep_immutable(wanted: Child, live: Object | None, *fields: str) -> tuple[str, ...]:
    """Puts the live value of these fields of the spec in the place of a different one: the API server will not change them.

    Returns the fields where it had to; where it is the selector, the pods then carry the live selector's labels too.
    """
    if live is None:
        return ()
    spec, found = wanted["spec"], read(live.spec)
    kept = tuple(name for name in fields if _bare(found.get(name)) != spec.get(name))
    for name in kept:
        spec[name] = _bare(found.get(name))
        if spec[name] is None:
            del spec[name]
    if "selector" in kept:
        metadata = spec["template"]["metadata"]
        metadata["labels"] = {**metadata["labels"], **found["selector"].get("matchLabels", {})}
        if TEMPLATE in wanted["metadata"].get("annotations", {}) and "paused" not in spec:
            wanted["metadata"]["annotations"][TEMPLATE] = digest(spec["template"])
    return kept


def _bare(found: Any) -> Any:
    """A stored value without the nulls that the API server shows in it."""
    if isinstance(found, dict):
        return {key: _bare(value) for key, value in found.items() if value is not None}
    return [_bare(each) for each in found] if isinstance(found, list) else found
