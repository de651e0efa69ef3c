"""Metacontroller's loop over a cluster in memory: claim, customize, sync over HTTP, apply children, write status.

Source: what the real one (v4.17.2) was observed to do under dynamic apply.
"""

import heapq
from collections import Counter, deque
from collections.abc import Callable

import httpx

from app.controllers import CONTROLLERS, Controller
from app.engine.cluster import Cluster, Key, Manifest, key_of, owner_uid
from app.engine.dynamicapply import USER, SyncError, manage

BACKOFF_FIRST, BACKOFF_MOST = 0.005, 1000.0
Work = tuple[str, Key]


class Loop:
    """The controllers of the table at work. ``client`` reaches the hooks; ``clock`` gives seconds."""

    def __init__(
        self,
        cluster: Cluster,
        client: httpx.AsyncClient,
        clock: Callable[[], float],
        controllers: tuple[Controller, ...] = CONTROLLERS,
    ) -> None:
        self.cluster, self.client, self.clock = cluster, client, clock
        self.controllers = {row.name: row for row in controllers}
        self.queue: deque[Work] = deque()
        self.timers: list[tuple[float, Work]] = []
        self.failures: Counter[Work] = Counter()
        self.errors: list[tuple[Key, str]] = []
        self.rules: dict[tuple[str, str], tuple[int, list[Manifest]]] = {}
        self.syncs = 0
        cluster.listeners.append(self._saw)

    # What wakes a parent.

    def _saw(self, before: Manifest | None, after: Manifest | None) -> None:
        seen = [state for state in (before, after) if state is not None]
        for row in self.controllers.values():
            kind = row.parent.definition.kind.key
            if key_of(seen[0])[0] == kind and (before is None or after is None or _stirred(before, after)):
                self.wake(row, key_of(seen[0]))
            for parent in self.cluster.view(kind):
                owned = any(owner_uid(state) == parent["metadata"]["uid"] for state in seen)
                if owned or any(_selects(rule, state) for rule in self._known_rules(row, parent) for state in seen):
                    self.wake(row, key_of(parent))

    def _known_rules(self, row: Controller, parent: Manifest) -> list[Manifest]:
        return self.rules.get((row.name, parent["metadata"]["uid"]), (0, []))[1]

    def wake(self, row: Controller, key: Key) -> None:
        if (row.name, key) not in self.queue:
            self.queue.append((row.name, key))

    def resync(self) -> None:
        """Wakes every parent, as a resync period does."""
        for row in self.controllers.values():
            for parent in self.cluster.all(row.parent.definition.kind.key):
                self.wake(row, key_of(parent))

    async def step(self) -> bool:
        """Syncs one parent; False where none waits."""
        while self.timers and self.timers[0][0] <= self.clock():
            name, key = heapq.heappop(self.timers)[1]
            self.wake(self.controllers[name], key)
        if not self.queue:
            return False
        work = self.queue.popleft()
        try:
            await self._sync(self.controllers[work[0]], work[1])
            self.failures.pop(work, None)
        except SyncError as error:
            self.errors.append((work[1], str(error)))
            self._later(work, min(BACKOFF_FIRST * 2 ** self.failures[work], BACKOFF_MOST))
            self.failures[work] += 1
        return True

    def _later(self, work: Work, seconds: float) -> None:
        if seconds > 0:
            heapq.heappush(self.timers, (self.clock() + seconds, work))

    # One sync.

    async def _sync(self, row: Controller, key: Key) -> None:
        parent = self.cluster.get(key)
        if parent is None or not self._finalizer(row, parent):
            return
        self.syncs += 1
        children = self._claimed(row, parent)
        finalizing = "deletionTimestamp" in parent["metadata"] and row.finalize is not None
        related = await self._related(row, parent)
        request = {"controller": {}, "parent": parent, "children": children, "related": related, "finalizing": finalizing}
        answer = await self._call(row, "finalize" if finalizing else "sync", request, (row.name, key))
        if answer is None:
            return
        self._later((row.name, key), answer.get("resyncAfterSeconds", 0))
        if finalizing and answer.get("finalized"):
            parent["metadata"]["finalizers"].remove(_finalizer_of(row))
            self.cluster.update(parent, USER)
            if not parent["metadata"]["finalizers"]:
                self.cluster.delete(key, USER)
            return
        if "deletionTimestamp" not in parent["metadata"] or finalizing:
            observed = [child for group in children.values() for child in group.values()]
            manage(self.cluster, parent, observed, answer.get("children") or [])
        status = {**(answer.get("status") or {}), "observedGeneration": parent["metadata"]["generation"]}
        if (self.cluster.get(key) or parent).get("status") != status:
            self.cluster.update({**parent, "status": status}, USER, status=True)

    def _finalizer(self, row: Controller, parent: Manifest) -> bool:
        """Adds the finalizer where a finalize hook wants one; False where the parent is not ours to sync."""
        held = parent["metadata"].get("finalizers", [])
        if row.finalize is None or _finalizer_of(row) in held:
            return True
        if "deletionTimestamp" in parent["metadata"]:
            return False
        parent["metadata"]["finalizers"] = [*held, _finalizer_of(row)]
        parent.update(self.cluster.update(parent, USER))
        return True

    def _claimed(self, row: Controller, parent: Manifest) -> dict[str, dict[str, Manifest]]:
        out: dict[str, dict[str, Manifest]] = {kind.key: {} for kind in row.children}
        for kind in row.children:
            for found in self.cluster.view(kind.key):
                if owner_uid(found) == parent["metadata"]["uid"]:
                    out[kind.key][_name(found)] = found
        return out

    async def _related(self, row: Controller, parent: Manifest) -> dict[str, dict[str, Manifest]]:
        if row.customize is None:
            return {}
        cached, generation = (row.name, parent["metadata"]["uid"]), parent["metadata"]["generation"]
        if self.rules.get(cached, (0, []))[0] != generation:
            answer = await self._call(row, "customize", {"controller": {}, "parent": parent}, (row.name, key_of(parent)))
            plurals = {(kind.api_version, kind.plural): kind.key for kind in row.related}
            rules = [{**r, "key": plurals[r["apiVersion"], r["resource"]]} for r in (answer or {}).get("relatedResources") or []]
            self.rules[cached] = generation, rules
        out: dict[str, dict[str, Manifest]] = {}
        for rule in self.rules[cached][1]:
            group = out.setdefault(rule["key"], {})
            group |= {_name(found): found for found in self.cluster.view(rule["key"]) if _selects(rule, found)}
        return out

    async def _call(self, row: Controller, hook: str, request: Manifest, work: Work) -> Manifest | None:
        response = await self.client.post(f"/hooks/{row.name}/{hook}", json=request)
        if response.status_code == 429:
            self._later(work, float(response.headers["Retry-After"]))
            return None
        if response.status_code != 200:
            raise SyncError(f"{hook} hook failed: {response.status_code} {response.text.strip()}")
        answer: Manifest = response.json()
        return answer


def _stirred(before: Manifest, after: Manifest) -> bool:
    """Whether a parent changed in more than its status (ignoreStatusChanges)."""
    parts = ("generation", "labels", "annotations", "deletionTimestamp")
    return any(before["metadata"].get(part) != after["metadata"].get(part) for part in parts)


def _finalizer_of(row: Controller) -> str:
    return f"metacontroller.io/compositecontroller-{row.name}"


def _name(manifest: Manifest) -> str:
    namespace, name = manifest["metadata"].get("namespace", ""), manifest["metadata"]["name"]
    return f"{namespace}/{name}" if namespace else str(name)


def _selects(rule: Manifest, found: Manifest) -> bool:
    """Whether a customize rule selects an object."""
    metadata = found["metadata"]
    if key_of(found)[0] != rule["key"] or rule.get("namespace", metadata.get("namespace", "")) != metadata.get("namespace", ""):
        return False
    if rule.get("names"):
        return metadata["name"] in rule["names"]
    labels = metadata.get("labels", {})
    return all(labels.get(key) == value for key, value in rule.get("labelSelector", {}).get("matchLabels", {}).items())
