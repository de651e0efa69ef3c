"""Stand-ins for the controllers that make workloads run. An image with ``broken`` in its name cannot be pulled."""

from hashlib import sha256
from typing import Any

from app.engine.cluster import Cluster, Manifest, owner_uid

DEPLOYMENT, POD, AUTOSCALER = "Deployment.apps/v1", "Pod.v1", "HorizontalPodAutoscaler.autoscaling/v2"
USER = "kubernetes"


class Standins:
    """Listens to a cluster; ``step`` does one round of work and says whether there was any."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.dirty = False
        cluster.listeners.append(self._saw)

    def _saw(self, before: Manifest | None, after: Manifest | None) -> None:
        self.dirty |= (after or before or {})["kind"] in ("Deployment", "Pod", "HorizontalPodAutoscaler")

    def step(self) -> bool:
        if not self.dirty:
            return False
        self.dirty = False
        for autoscaler in self.cluster.all(AUTOSCALER):
            self._scale(autoscaler)
        for deployment in self.cluster.all(DEPLOYMENT):
            self._run(deployment)
        return True

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

    def _run(self, deployment: Manifest) -> None:
        """Pods of the present template come up one round after they were made; old ones go once those are ready."""
        template, metadata = deployment["spec"]["template"], deployment["metadata"]
        wanted = deployment["spec"].get("replicas", 1)
        revision = sha256(repr(sorted(_flat(template))).encode()).hexdigest()[:9]
        pods = [pod for pod in self.cluster.all(POD) if owner_uid(pod) == metadata["uid"]]
        if deployment["spec"].get("paused") and pods:
            revision = pods[0]["metadata"]["labels"]["pod-template-hash"]
        present = {pod["metadata"]["name"] for pod in pods if pod["metadata"]["labels"]["pod-template-hash"] == revision}
        names = [f"{metadata['name']}-{revision}-{index}" for index in range(wanted)]
        for pod in pods:
            if pod["metadata"]["name"] in present:
                self.cluster.update({**pod, "status": _status(pod)}, USER, status=True)
        for name in names:
            if name not in present:
                self.cluster.create(_pod(name, revision, deployment), USER)
        ready = sum(_ready(pod) for pod in self.cluster.all(POD) if pod["metadata"]["name"] in names)
        for pod in pods:
            mine, name = pod["metadata"]["name"] in present, pod["metadata"]["name"]
            if (mine and name not in names) or (not mine and ready >= wanted):
                self.cluster.delete((POD, metadata["namespace"], name), USER)
        left = [pod for pod in self.cluster.all(POD) if owner_uid(pod) == metadata["uid"]]
        status = {
            "observedGeneration": metadata["generation"],
            "replicas": len(left),
            "updatedReplicas": sum(pod["metadata"]["name"] in names for pod in left),
            "readyReplicas": sum(map(_ready, left)),
            "availableReplicas": sum(map(_ready, left)),
        }
        self.cluster.update({**deployment, "status": {name: n for name, n in status.items() if n}}, USER, status=True)


def _pod(name: str, revision: str, deployment: Manifest) -> Manifest:
    owner = deployment["metadata"]
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": owner["name"], "uid": owner["uid"], "controller": True}
    template = deployment["spec"]["template"]
    labels = {**template["metadata"]["labels"], "pod-template-hash": revision}
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
