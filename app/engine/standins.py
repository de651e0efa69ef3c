"""Stand-ins for the controllers that make workloads run. An image with ``broken`` in its name cannot be pulled."""

from hashlib import sha256
from typing import Any

from app.engine.cluster import Cluster, Manifest, owner_uid

DEPLOYMENT, STATEFUL_SET, POD = "Deployment.apps/v1", "StatefulSet.apps/v1", "Pod.v1"
AUTOSCALER = "HorizontalPodAutoscaler.autoscaling/v2"
SERVICE, SLICE = "Service.v1", "EndpointSlice.discovery.k8s.io/v1"
WORK = {"Deployment", "StatefulSet", "Pod", "HorizontalPodAutoscaler", "Service"}
REVISION = "pod-template-hash"
USER = "kubernetes"


class Standins:
    """Listens to a cluster; ``step`` does one round of work and says whether there was any."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.dirty = False
        cluster.listeners.append(self._saw)

    def _saw(self, before: Manifest | None, after: Manifest | None) -> None:
        self.dirty |= (after or before or {})["kind"] in WORK

    def step(self) -> bool:
        if not self.dirty:
            return False
        self.dirty = False
        for autoscaler in self.cluster.all(AUTOSCALER):
            self._scale(autoscaler)
        for workload in (*self.cluster.all(DEPLOYMENT), *self.cluster.all(STATEFUL_SET)):
            self._run(workload)
        for service in self.cluster.all(SERVICE):
            if not owner_uid(service) and service["spec"].get("selector"):  # those of a backend, which a person made
                self._serve(service)
        return True

    def _serve(self, service: Manifest) -> None:
        """The EndpointSlice of a Service: its pods, and whether they are ready."""
        name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
        wanted = service["spec"]["selector"].items()
        pods = [p for p in self.cluster.view(POD) if wanted <= p["metadata"]["labels"].items()]
        endpoints = [{"addresses": ["192.0.2.1"], "conditions": {"ready": _ready(p)}} for p in pods]
        labels = {"kubernetes.io/service-name": name}
        metadata = {"name": f"{name}-slice", "namespace": namespace, "labels": labels}
        manifest = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata, "endpoints": endpoints}
        self.cluster.apply(manifest, USER)

    def _scale(self, autoscaler: Manifest) -> None:
        """Keeps the number of pods within bounds and says that it works."""
        target = self.cluster.get((DEPLOYMENT, autoscaler["metadata"]["namespace"], autoscaler["spec"]["scaleTargetRef"]["name"]))
        if target is not None:
            now = target["spec"].get("replicas", 1)
            wanted = min(max(now, autoscaler["spec"]["minReplicas"]), autoscaler["spec"]["maxReplicas"])
            if wanted != now:
                target["spec"]["replicas"] = wanted
                self.cluster.update(target, USER)
        active = {"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound"}
        self.cluster.update({**autoscaler, "status": {"conditions": [active]}}, USER, status=True)

    def _run(self, workload: Manifest) -> None:
        """Pods of the present template come up one round after they were made; old ones go once those are ready.

        A StatefulSet's pods keep their names, so there the old one goes first, one a round, the highest number before.
        """
        template, metadata = workload["spec"]["template"], workload["metadata"]
        wanted = workload["spec"].get("replicas", 1)
        revision = sha256(repr(sorted(_flat(template))).encode()).hexdigest()[:9]
        pods = self._pods_of(workload)
        if workload["spec"].get("paused") and pods:
            revision = pods[0]["metadata"]["labels"][REVISION]
        present = {pod["metadata"]["name"] for pod in pods if pod["metadata"]["labels"][REVISION] == revision}
        names = _names(workload, revision, wanted)
        for pod in pods:
            if pod["metadata"]["name"] in present:
                self.cluster.update({**pod, "status": _status(pod)}, USER, status=True)
        there = {pod["metadata"]["name"] for pod in pods}
        for name in names:
            if name not in there:
                self.cluster.create(_pod(name, revision, workload), USER)
        ready = sum(_ready(pod) for pod in self._pods_of(workload) if pod["metadata"]["name"] in names)
        old = sorted(there - present)
        if workload["kind"] == "StatefulSet":
            going = {*(there - set(names)), *old[-1:]}
        else:
            going = {*(present - set(names)), *(old if ready >= wanted else ())}
        for name in going:
            self.cluster.delete((POD, metadata["namespace"], name), USER)
        left = self._pods_of(workload)
        status = {
            "observedGeneration": metadata["generation"],
            "replicas": len(left),
            "updatedReplicas": sum(pod["metadata"]["labels"][REVISION] == revision for pod in left),
            "readyReplicas": sum(map(_ready, left)),
            "availableReplicas": sum(map(_ready, left)),
        }
        self.cluster.update({**workload, "status": {name: n for name, n in status.items() if n}}, USER, status=True)

    def _pods_of(self, workload: Manifest) -> list[Manifest]:
        """Its pods, to look at."""
        return [pod for pod in self.cluster.view(POD) if owner_uid(pod) == workload["metadata"]["uid"]]


def _names(workload: Manifest, revision: str, wanted: int) -> list[str]:
    name = workload["metadata"]["name"]
    if workload["kind"] == "StatefulSet":
        start = workload["spec"].get("ordinals", {}).get("start", 0)
        return [f"{name}-{number}" for number in range(start, start + wanted)]
    return [f"{name}-{revision}-{index}" for index in range(wanted)]


def _pod(name: str, revision: str, workload: Manifest) -> Manifest:
    owner = workload["metadata"]
    reference = {
        "apiVersion": "apps/v1",
        "kind": workload["kind"],
        "name": owner["name"],
        "uid": owner["uid"],
        "controller": True,
    }
    template = workload["spec"]["template"]
    labels = {**template["metadata"]["labels"], REVISION: revision}
    metadata = {"name": name, "namespace": owner["namespace"], "labels": labels, "ownerReferences": [reference]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"], "status": {"phase": "Pending"}}


def _status(pod: Manifest) -> Manifest:
    broken = any("broken" in container["image"] for container in pod["spec"]["containers"])
    containers = [
        {
            "name": container["name"],
            "image": container["image"],
            "ready": not broken,
            "restartCount": 0,
            "state": {"waiting": {"reason": "ImagePullBackOff"}} if broken else {"running": {}},
        }
        for container in pod["spec"]["containers"]
    ]
    ready = {"type": "Ready", "status": "False" if broken else "True"}
    return {"phase": "Pending" if broken else "Running", "containerStatuses": containers, "conditions": [ready]}


def _ready(pod: Manifest) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions", []))


def _flat(value: Any, path: str = "") -> list[str]:
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in _flat(item, f"{path}.{key}")]
    if isinstance(value, list):
        return [leaf for index, item in enumerate(value) for leaf in _flat(item, f"{path}.{index}")]
    return [f"{path}={value}"]
