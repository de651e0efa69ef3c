"""What an autoscaler says of itself."""

from collections.abc import Iterator

from app.api.v1alpha1.autoscaling import Autoscaling
from app.contract import Object, read
from app.status.conditions import Finding


def scaling(spec: Autoscaling | None, autoscaler: Object | None) -> Iterator[Finding]:
    """The condition AutoscalingActive, where an autoscaler is wanted."""
    if not spec or not spec.enabled:
        return
    if spec.scaler == "keda":
        why = "KEDA is not connected; the number of pods is minReplicas"
        yield Finding("AutoscalingActive", "False", "KedaNotInstalled", why)
        return
    conditions = read(autoscaler.status).get("conditions") or [] if autoscaler else []
    active = next((c for c in conditions if c.get("type") == "ScalingActive"), None)
    if active is None:
        yield Finding("AutoscalingActive", "Unknown", "Progressing", "the HorizontalPodAutoscaler has not looked yet")
    else:
        yield Finding("AutoscalingActive", active["status"], active.get("reason") or "ScalingActive")
