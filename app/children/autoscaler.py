"""HorizontalPodAutoscalers."""

from typing import Any

from app.api import quantities
from app.api.kinds import AUTOSCALER, DEPLOYMENT
from app.api.v1alpha1.autoscaling import Autoscaling
from app.api.v1alpha1.podspec import canonical
from app.children.metadata import Child, Owner, child

DEFAULT_CPU = 80
BEYOND = 2**63


def autoscaled(spec: Autoscaling | None) -> bool:
    """Whether a HorizontalPodAutoscaler owns the number of pods."""
    return bool(spec and spec.enabled and spec.scaler == "hpa")


def wanted_replicas(replicas: int | None, spec: Autoscaling | None) -> int | None:
    """The number of pods to ask for, None where none is: KEDA's least number while KEDA has nothing to say."""
    return (spec.min_replicas or replicas) if spec and spec.enabled and not autoscaled(spec) else replicas


def autoscaler(owner: Owner, name: str, spec: Autoscaling) -> Child:
    """The autoscaler of the Deployment of this name; it bears the same name."""
    target = {"apiVersion": DEPLOYMENT.api_version, "kind": DEPLOYMENT.kind, "name": name}
    body: dict[str, Any] = {
        "scaleTargetRef": target,
        "minReplicas": spec.min_replicas or 1,
        "maxReplicas": spec.max_replicas or spec.min_replicas or 1,
        "metrics": _metrics(spec),
    }
    if spec.behavior:
        body["behavior"] = canonical(spec.behavior)
    return child(AUTOSCALER, owner, name, spec=body)


def _metrics(spec: Autoscaling) -> list[dict[str, Any]]:
    cpu, memory = spec.target_cpu, spec.target_memory
    if cpu is None and memory is None and not spec.metrics:
        cpu = DEFAULT_CPU
    pairs = (("cpu", cpu), ("memory", memory))
    return [_utilization(name, percent) for name, percent in pairs if percent is not None] + [
        _stored(metric) for metric in spec.metrics
    ]


def _utilization(name: str, percent: int) -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": name, "target": target}}


def _stored(value: Any) -> Any:
    """A metric that a user wrote, with its quantities in the stored form; what is no quantity is left to the API server."""
    if isinstance(value, dict):
        pairs = {key: _quantities(item) if key == "target" else _stored(item) for key, item in value.items()}
        return {key: item for key, item in pairs.items() if item not in (None, "", {}, [])}
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < BEYOND else str(value)
    return [_stored(item) for item in value if item is not None] if isinstance(value, list) else value


def _quantities(target: Any) -> Any:
    """A metric's target, whose values are quantities."""
    if not isinstance(target, dict):
        return _stored(target)
    pairs = {key: _quantity(item) if key in ("averageValue", "value") else item for key, item in target.items()}
    return _stored(pairs)


def _quantity(value: Any) -> Any:
    try:
        return quantities.canonical(str(value), quantities.NANO)
    except ValueError:
        return value
