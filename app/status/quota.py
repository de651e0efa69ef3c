"""Which ResourceQuota keeps a pod from being made. A StatefulSet's own status does not tell."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from app.api.quantities import amount
from app.contract import Object, read

ALSO = {"requests.cpu": "cpu", "requests.memory": "memory", "pods": "count/pods"}


def needs(template: Mapping[str, Any], claims: Iterable[Mapping[str, Any]]) -> dict[str, Decimal]:
    """What one pod of a template takes from a quota, with its volume claims."""
    out: dict[str, Decimal] = {"pods": Decimal(1)}
    for container in template["spec"]["containers"]:
        for kind, amounts in container.get("resources", {}).items():
            for name, text in amounts.items():
                key = f"{kind}.{name}"
                out[key] = out.get(key, Decimal(0)) + amount(text)
    for claim in claims:
        size = amount(claim["spec"].get("resources", {}).get("requests", {}).get("storage", "0"))
        out["persistentvolumeclaims"] = out.get("persistentvolumeclaims", Decimal(0)) + 1
        out["requests.storage"] = out.get("requests.storage", Decimal(0)) + size
    return out | {also: out[name] for name, also in ALSO.items() if name in out}


def exceeded(quotas: Iterable[Object], wanted: Mapping[str, Decimal]) -> tuple[str, str] | None:
    """Reason and message where a quota of the namespace leaves no room for one more pod; scoped quotas are not looked at."""
    for quota in quotas:
        if read(quota.spec).get("scopes") or read(quota.spec).get("scopeSelector"):
            continue
        status = read(quota.status)
        hard, used = status.get("hard") or {}, status.get("used") or {}
        for name in sorted(hard):
            if name in wanted and amount(used.get(name, "0")) + wanted[name] > amount(hard[name]):
                room = f"{name}: {used.get(name, '0')} used of {hard[name]}"
                return "QuotaExceeded", f"ResourceQuota {quota.metadata.name} forbids more pods: {room}"
        silent = [name for name in sorted(hard) if name not in wanted and name.partition(".")[2] in ("cpu", "memory")]
        if silent:
            asks = f"which asks every container for {', '.join(silent)}"
            return "QuotaExceeded", f"ResourceQuota {quota.metadata.name}, {asks}, may forbid the pods"
    return None
