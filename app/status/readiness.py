"""Why is a workload not ready? Told from its own status and its pods, in words that do not change from look to look."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.children.workload import TEMPLATE
from app.contract import Object, read

PULL = {"ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"}
CONFIG = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
QUOTA = re.compile(r"exceeded quota: ([^,]+), requested: (.+?), used: .+?, limited: (.+)$")


VOLUME = re.compile(r"persistentvolume|binding volumes", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rollout:
    """How far a workload is. ``done`` is all that was asked for, in the present form; else reason and message say why."""

    done: bool
    reason: str
    message: str
    replicas: int = 0
    ready: int = 0
    updated: int = 0
    available: int = 0
    desired: int = 0


def rollout(
    live: Object | None, template: str, replicas: int | None, pods: Iterable[Object], kind: str = "Deployment"
) -> Rollout:  # fmt: skip
    """How far a workload is on the way to the template with this hash, and to so many pods where a number is wanted."""
    if live is None:
        expected = 1 if replicas is None else replicas
        return Rollout(False, "Progressing", _awaited(expected), desired=expected)
    spec, status = read(live.spec), read(live.status)
    wanted = spec.get("replicas", 1) if replicas is None else replicas
    counts = {
        "replicas": status.get("replicas", 0),
        "ready": status.get("readyReplicas", 0),
        "updated": status.get("updatedReplicas", 0),
        "available": status.get("availableReplicas", 0),
        "desired": wanted,
    }
    arrived = live.metadata.annotations.get(TEMPLATE) == template and wanted == spec.get("replicas", 1)
    seen = status.get("observedGeneration", 0) >= live.metadata.generation
    complete = counts["updated"] == counts["available"] == counts["replicas"] == wanted
    if arrived and seen and complete:
        reason = f"{kind}Ready" if wanted else "ScaledToZero"
        return Rollout(True, reason, f"{wanted} of {wanted} pods are available", **counts)
    why = _refused(status) or _pods(pods) or _deadline(status)
    if why is None or not (arrived and seen):
        why = "Progressing", _awaited(wanted)
    return Rollout(False, *why, **counts)


def _awaited(pods: int) -> str:
    """The same before and after the workload is there, so that a status is not written for that alone."""
    return f"waiting for {pods} available pods of the present template"


def _refused(status: dict[str, Any]) -> tuple[str, str] | None:
    """Pods that the API server does not let the Deployment make."""
    failure = next((c for c in status.get("conditions") or [] if c["type"] == "ReplicaFailure" and c["status"] == "True"), None)
    if failure is None:
        return None
    said = failure.get("message", "")
    quota = QUOTA.search(said)
    if quota:
        return (
            "QuotaExceeded",
            f"ResourceQuota {quota[1]} forbids more pods: requested {quota[2]}, limited to {quota[3]}",
        )
    return failure.get("reason", "FailedCreate"), re.sub(r'pods "[^"]*"', "pods", said)


def _deadline(status: dict[str, Any]) -> tuple[str, str] | None:
    late = any(
        c["type"] == "Progressing" and c.get("reason") == "ProgressDeadlineExceeded" for c in status.get("conditions") or []
    )
    return ("ProgressDeadlineExceeded", "the workload makes no progress") if late else None


def _pods(pods: Iterable[Object]) -> tuple[str, str] | None:
    """The gravest thing that the pods say of themselves, or None."""
    found = [why for pod in pods if not pod.metadata.deletion_timestamp and (why := _pod(read(pod.status)))]
    return min(found)[1:] if found else None


def _pod(status: dict[str, Any]) -> tuple[int, str, str] | None:
    containers = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    for container in containers:
        waiting = (container.get("state") or {}).get("waiting") or {}
        reason, name = waiting.get("reason", ""), container.get("name", "")
        if reason in PULL:
            return (
                0,
                "ImagePullFailed",
                f"container {name}: image {container.get('image', '')} cannot be pulled (ImagePullBackOff)",
            )
        if reason in CONFIG:
            return 1, reason, f"container {name}: {waiting.get('message', reason)}"
        if container.get("restartCount", 0) > 1 and not container.get("ready"):
            last = ((container.get("lastState") or {}).get("terminated") or {}).get("exitCode")
            code = f" with exit code {last}" if last is not None else ""
            return 2, "CrashLoopBackOff", f"container {name} keeps stopping{code}; see its log"
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "Unschedulable":
            said = condition.get("message", "no node fits the pods")
            return (3, "VolumePending", said) if VOLUME.search(said) else (4, "Unschedulable", said)
    return None
