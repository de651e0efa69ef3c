"""kubectl as a function, and waiting."""

import json
import subprocess
import time
from collections.abc import Callable, Iterable
from typing import Any

Manifest = dict[str, Any]


class Refused(Exception):
    """kubectl failed; the text is what it said."""


def kubectl(*arguments: str, given: str = "", timeout: float = 120) -> str:
    """What kubectl printed. Raises Refused where it fails."""
    ran = subprocess.run(["kubectl", *arguments], input=given, capture_output=True, text=True, timeout=timeout, check=False)
    if ran.returncode:
        raise Refused(ran.stderr.strip())
    return ran.stdout


def reachable() -> bool:
    try:
        return kubectl("get", "--raw", "/readyz", timeout=15).strip() == "ok"
    except (Refused, subprocess.TimeoutExpired):
        return False


def controllers_installed() -> bool:
    """Whether Metacontroller's own kinds are there."""
    try:
        kubectl("get", "crd", "compositecontrollers.metacontroller.k8s.io")
    except Refused:
        return False
    return True


def metacontroller_in_cluster() -> bool:
    """Whether Metacontroller and this operator run in the cluster, as skaffold leaves them."""
    try:
        kubectl("get", "deployment", "prism-operator", "-n", "prism-operator")
        return bool(kubectl("get", "pods", "-A", "-l", "app.kubernetes.io/name=metacontroller-helm", "-o", "name").strip())
    except Refused:
        return False


def apply(namespace: str, *manifests: Manifest) -> None:
    """Applies strictly: a field that a schema does not know is refused."""
    items = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
    kubectl("apply", "-n", namespace, "--validate=strict", "-f", "-", given=json.dumps(items))


def get(namespace: str, kind: str, name: str) -> Manifest:
    """The object, or an empty one where there is none."""
    found: Manifest = json.loads(kubectl("get", kind, name, "-n", namespace, "-o", "json", "--ignore-not-found") or "{}")
    return found


def items(namespace: str, kinds: str, *arguments: str) -> list[Manifest]:
    found: list[Manifest] = json.loads(kubectl("get", kinds, "-n", namespace, "-o", "json", *arguments))["items"]
    return found


def condition(found: Manifest, kind: str = "Ready") -> Manifest:
    """A condition of an object that speaks of its present generation; empty where there is none."""
    generation = found.get("metadata", {}).get("generation")
    conditions = found.get("status", {}).get("conditions", [])
    return next((c for c in conditions if c["type"] == kind and c.get("observedGeneration", generation) == generation), {})


def eventually(
    what: Callable[[], Any], seconds: float = 30, describe: Callable[[], Any] | None = None, pause: float = 0.1
) -> Any:
    """The first true value of ``what``; AssertionError with a description where none comes in time."""
    end = time.monotonic() + seconds
    while not (value := what()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {describe() if describe else what()}")
        time.sleep(pause)
    return value


def earlier_tests_are_gone() -> bool:
    """Whether no namespace is still being deleted: until it is, its parents try in vain to make their children anew."""
    found = json.loads(kubectl("get", "namespaces", "-o", "json"))["items"]
    return all(each["status"]["phase"] != "Terminating" for each in found)


def becomes(namespace: str, kind: str, name: str, reason: str, status: str = "", seconds: float = 30) -> Manifest:
    """The Ready condition, once it has this reason (and status)."""

    def look() -> Manifest:
        ready = condition(get(namespace, kind, name))
        return ready if ready.get("reason") == reason and status in ("", ready.get("status")) else {}

    return eventually(look, seconds, lambda: get(namespace, kind, name).get("status"))  # type: ignore[no-any-return]


WRITES = ("POST", "PUT", "PATCH", "APPLY", "DELETE")


def writes(resources: Iterable[str]) -> int:
    """Write requests to these resources, not to their subresources, that the API server has ever answered."""
    wanted, total = set(resources), 0
    for line in kubectl("get", "--raw", "/metrics").splitlines():
        if line.startswith("apiserver_request_total{") and any(f'verb="{verb}"' in line for verb in WRITES):
            resource = line.partition(',resource="')[2].partition('"')[0]
            if resource in wanted and 'subresource=""' in line and 'dry_run="All"' not in line:
                total += int(float(line.rpartition(" ")[2]))
    return total
