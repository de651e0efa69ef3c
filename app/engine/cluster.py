"""Objects in memory, with what an API server adds: uids, generations, deletion, owners. Every change is told to listeners."""

import itertools
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from app.controllers import CONTROLLERS
from app.engine.admission import admit

Manifest = dict[str, Any]
Key = tuple[str, str, str]
Listener = Callable[[Manifest | None, Manifest | None], None]
_OWN = {row.parent.definition.kind for row in CONTROLLERS}
CLUSTER_SCOPED = {"Namespace", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"} | {
    kind.kind for kind in _OWN if not kind.namespaced
}
SERVER_SET = ("uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp")


class AlreadyExists(Exception):
    """There is an object of that name."""


def key_of(manifest: Manifest) -> Key:
    """``Kind.version``, namespace and name."""
    metadata = manifest["metadata"]
    return f"{manifest['kind']}.{manifest['apiVersion']}", metadata.get("namespace", ""), metadata["name"]


def owner_uid(manifest: Manifest) -> str:
    """The uid of the object's controller, or empty."""
    owners = manifest["metadata"].get("ownerReferences", [])
    return next((owner["uid"] for owner in owners if owner.get("controller")), "")


class Cluster:
    """The store. Every read gives a copy, so nobody changes it but through a write; ``writes`` counts those by user."""

    def __init__(self, now: Callable[[], str]) -> None:
        self.now = now
        self.objects: dict[Key, Manifest] = {}
        self.listeners: list[Listener] = []
        self.writes: Counter[str] = Counter()
        self._numbers = itertools.count(1)

    def get(self, key: Key) -> Manifest | None:
        found = self.objects.get(key)
        return deepcopy(found) if found is not None else None

    def all(self, kind: str = "") -> Iterator[Manifest]:
        """Every object, or those of one ``Kind.version``, by key."""
        return map(deepcopy, self.view(kind))

    def view(self, kind: str = "") -> list[Manifest]:
        """The same, not copied: to look at, not to change or keep."""
        return [self.objects[key] for key in sorted(self.objects) if not kind or key[0] == kind]

    def apply(self, manifest: Manifest, user: str = "person") -> Manifest:
        """Creates, or replaces what a person may change: everything but the status and what the server sets."""
        wanted = self._placed(manifest)
        there = self.objects.get(key_of(wanted))
        if there is None:
            return self.create(wanted, user)
        metadata = {
            name: there["metadata"][name] for name in (*SERVER_SET, "ownerReferences", "finalizers") if name in there["metadata"]
        }
        merged = {**wanted, "metadata": {**wanted["metadata"], **metadata}}
        if "status" in there:
            merged["status"] = there["status"]
        return self.update(merged, user)

    def create(self, manifest: Manifest, user: str) -> Manifest:
        """Raises AlreadyExists or admission.Invalid."""
        stored = admit(_encoded(self._placed(manifest)))
        key = key_of(stored)
        if key in self.objects:
            raise AlreadyExists(f"{key[0]} {key[1]}/{key[2]}")
        if stored["apiVersion"].startswith("prism.io/"):
            stored["status"] = {"observedGeneration": -1}
        number = next(self._numbers)
        server = {"uid": f"00000000-0000-4000-8000-{number:012d}", "generation": 1, "creationTimestamp": self.now()}
        stored["metadata"] = {**stored["metadata"], **server}
        return self._store(None, stored, user)

    def update(self, manifest: Manifest, user: str, *, status: bool = False) -> Manifest:
        """Stores a changed object; with ``status`` only its status. Nothing happens where nothing changed."""
        there = self.objects[key_of(manifest)]
        if status:
            stored = {**deepcopy(there), "status": deepcopy(manifest.get("status"))}
        else:
            stored = admit(_encoded(deepcopy(manifest)))
            ignored = ("metadata", "status")
            changed = {k: v for k, v in stored.items() if k not in ignored} != {
                k: v for k, v in there.items() if k not in ignored
            }
            stored["metadata"]["generation"] = there["metadata"]["generation"] + changed
            if "status" in there:
                stored["status"] = there["status"]
        if stored == there:
            return deepcopy(there)
        return self._store(there, stored, user)

    def delete(self, key: Key, user: str = "person") -> None:
        """Deletes, or marks for deletion while finalizers hold the object; what it owns goes with it."""
        there = self.objects.get(key)
        if there is None:
            return
        if there["metadata"].get("finalizers"):
            if "deletionTimestamp" not in there["metadata"]:
                marked = deepcopy(there)
                marked["metadata"]["deletionTimestamp"] = self.now()
                self._store(there, marked, user)
            return
        del self.objects[key]
        self.writes[user] += 1
        self._tell(there, None)
        owned = [other for other, found in self.objects.items() if owner_uid(found) == there["metadata"]["uid"]]
        for other in owned:
            self.delete(other, "garbage-collector")

    def _placed(self, manifest: Manifest) -> Manifest:
        placed = deepcopy(manifest)
        if placed["kind"] not in CLUSTER_SCOPED:
            placed["metadata"].setdefault("namespace", "default")
        return placed

    def _store(self, before: Manifest | None, stored: Manifest, user: str) -> Manifest:
        stored["metadata"]["resourceVersion"] = str(next(self._numbers))
        self.objects[key_of(stored)] = stored
        self.writes[user] += 1
        self._tell(before, stored)
        return deepcopy(stored)

    def _tell(self, before: Manifest | None, after: Manifest | None) -> None:
        for listener in self.listeners:
            listener(before, after)


def _encoded(manifest: Manifest) -> Manifest:
    """A Secret's stringData as data."""
    texts = manifest.pop("stringData", None)
    if texts:
        manifest["data"] = {**manifest.get("data", {}), **{key: b64encode(text.encode()).decode() for key, text in texts.items()}}
    return manifest
