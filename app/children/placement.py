"""Where pods run: several layers of the same fields, the first that gives one wins."""

from typing import Any

from app.api.v1alpha1.podspec import ResourceRequirements, canonical
from app.api.v1alpha1.scheduling import Placement, StrategicPlacement

FIELDS = (
    "node_selector",
    "affinity",
    "tolerations",
    "topology_spread_constraints",
    "priority_class_name",
    "runtime_class_name",
)
ZONE = "topology.kubernetes.io/zone"


def scheduling(layers: list[Placement | None], selector: dict[str, str]) -> dict[str, Any]:
    """The pod fields that place it; ``selector`` names the pods that ``strategy: MultiZone`` spreads."""
    given = [layer for layer in layers if layer is not None]
    out: dict[str, Any] = {}
    for name in FIELDS:
        value = next((value for layer in given if (value := getattr(layer, name))), None)
        if value:
            out[Placement.model_fields[name].alias or name] = canonical(value)
    if any(isinstance(layer, StrategicPlacement) and layer.strategy == "MultiZone" for layer in given):
        given_zones = out.setdefault("topologySpreadConstraints", [])
        if all(constraint.get("topologyKey") != ZONE for constraint in given_zones):
            given_zones.append(_even(selector))
    return out


def _even(selector: dict[str, str]) -> dict[str, Any]:
    return {
        "maxSkew": 1,
        "topologyKey": ZONE,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": selector},
    }


def resources(layers: list[Placement | None], own: ResourceRequirements | None) -> dict[str, Any]:
    """Requests and limits: those of a placement win over the component's own."""
    chosen = next((layer.resources for layer in layers if layer is not None and layer.resources is not None), own)
    found: dict[str, Any] = canonical(chosen) if chosen else {}
    return found
