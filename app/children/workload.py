"""Deployments, and the rules for what of them must not be changed lightly: replicas and selectors."""

import hashlib
import json
from typing import Any

import orjson

from app.api.kinds import DEPLOYMENT
from app.children.metadata import Child, Owner, child
from app.contract import Object, read

TEMPLATE = "prism.io/template-hash"
LAST_APPLIED = "metacontroller.k8s.io/last-applied-configuration"
ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}


def deployment(owner: Owner, template: dict[str, Any], replicas: int | None, held: str | None = None) -> Child:
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
    return child(DEPLOYMENT, owner, owner.name, {TEMPLATE: wanted}, spec=spec)


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


def keep_selector(wanted: Child, live: Object | None) -> bool:
    """Puts the live selector in the place of a different one, since the API server will not change it.

    Returns whether it had to; the pods then carry the live selector's labels too.
    """
    found = read(live.spec).get("selector") if live is not None else None
    if not found or found == wanted["spec"]["selector"]:
        return False
    wanted["spec"]["selector"] = found
    template = wanted["spec"]["template"]
    template["metadata"]["labels"] = {**template["metadata"]["labels"], **found.get("matchLabels", {})}
    return True
