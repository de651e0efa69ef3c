"""Metacontroller's dynamic apply: a three-way merge of what is there, what was applied last, and what is wanted."""

import json
from copy import deepcopy
from typing import Any

from app.children.workload import LAST_APPLIED
from app.engine.cluster import SERVER_SET, AlreadyExists, Cluster, Manifest, key_of

USER = "metacontroller"
SYSTEM = (*SERVER_SET, "ownerReferences", "finalizers")
MERGE_KEYS = ("containerPort", "port", "mountPath", "name", "uid", "ip", "path")


class SyncError(Exception):
    """A sync that failed; Metacontroller makes it an event of the parent."""


def manage(cluster: Cluster, parent: Manifest, observed: list[Manifest], wanted: list[Manifest]) -> None:
    """Deletes the observed children that are not wanted, then creates and updates the wanted ones."""
    names = {key_of(child) for child in wanted}
    for found in observed:
        if key_of(found) not in names:
            cluster.delete(key_of(found), USER)
    there = {key_of(found): found for found in observed}
    for child in sorted(wanted, key=key_of):
        _apply(cluster, parent, there.get(key_of(child)), child)


def _apply(cluster: Cluster, parent: Manifest, there: Manifest | None, child: Manifest) -> None:
    uid = parent["metadata"]["uid"]
    wanted = deepcopy(child)
    wanted["metadata"].setdefault("labels", {})["controller-uid"] = uid
    applied = json.dumps(wanted, sort_keys=True)
    wanted["metadata"].setdefault("annotations", {})[LAST_APPLIED] = applied
    if there is None:
        owner = {"apiVersion": parent["apiVersion"], "kind": parent["kind"], "name": parent["metadata"]["name"], "uid": uid}
        wanted["metadata"]["ownerReferences"] = [{**owner, "controller": True, "blockOwnerDeletion": True}]
        try:
            cluster.create(wanted, USER)
        except AlreadyExists:
            return  # the real one swallows it too
        return
    last = json.loads(there["metadata"].get("annotations", {}).get(LAST_APPLIED, "{}"))
    merged: dict[str, Any] = merge(there, last, wanted)
    merged["metadata"] |= {name: there["metadata"][name] for name in SYSTEM if name in there["metadata"]}
    if there.get("type") != merged.get("type"):
        raise SyncError(f"{child['kind']} {child['metadata']['name']}: type: field is immutable")
    if merged != there:
        cluster.update(merged, USER)


def merge(there: Any, applied: Any, wanted: Any) -> Any:
    """Maps merge by key, lists of objects by the first key that all their items share, everything else is replaced."""
    if isinstance(wanted, dict) and isinstance(there, dict):
        return _map(there, applied if isinstance(applied, dict) else {}, wanted)
    if isinstance(wanted, list) and isinstance(there, list):
        last = applied if isinstance(applied, list) else []
        key = _merge_key(there, last, wanted)
        if key:
            merged = _map({i[key]: i for i in there}, {i[key]: i for i in last}, {i[key]: i for i in wanted})
            return list(merged.values())
    return wanted


def _map(there: dict[Any, Any], applied: dict[Any, Any], wanted: dict[Any, Any]) -> dict[Any, Any]:
    kept = {key: value for key, value in there.items() if key in wanted or key not in applied}
    return {**kept, **{key: merge(there.get(key), applied.get(key), value) for key, value in wanted.items()}}


def _merge_key(*lists: list[Any]) -> str:
    items = [item for each in lists for item in each]
    if not items or not all(isinstance(item, dict) for item in items):
        return ""
    return next((key for key in MERGE_KEYS if all(key in item for item in items)), "")
