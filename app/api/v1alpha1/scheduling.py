"""Where pods run: selectors, affinities and tolerations as in core/v1, and the placement that a spec gives."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from app.api.v1alpha1.common import Model
from app.api.v1alpha1.podspec import Labels, ResourceRequirements

TopologyKey = Annotated[str, StringConstraints(min_length=1, max_length=317)]


class LabelSelectorRequirement(Model):
    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: list[str] = []


class LabelSelector(Model):
    """Which objects, by their labels; empty selects all."""

    match_labels: dict[str, str] = {}
    match_expressions: list[LabelSelectorRequirement] = []


class NodeSelectorRequirement(Model):
    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    values: list[str] = []


class NodeSelectorTerm(Model):
    match_expressions: list[NodeSelectorRequirement] = []
    match_fields: list[NodeSelectorRequirement] = []


class NodeSelector(Model):
    node_selector_terms: Annotated[list[NodeSelectorTerm], Field(min_length=1)]


class PreferredSchedulingTerm(Model):
    weight: Annotated[int, Field(ge=1, le=100)]
    preference: NodeSelectorTerm


class NodeAffinity(Model):
    required_during_scheduling_ignored_during_execution: NodeSelector | None = None
    preferred_during_scheduling_ignored_during_execution: list[PreferredSchedulingTerm] = []


class PodAffinityTerm(Model):
    topology_key: TopologyKey
    label_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    namespaces: list[str] = []
    match_label_keys: list[str] = []
    mismatch_label_keys: list[str] = []


class WeightedPodAffinityTerm(Model):
    weight: Annotated[int, Field(ge=1, le=100)]
    pod_affinity_term: PodAffinityTerm


class PodAffinity(Model):
    required_during_scheduling_ignored_during_execution: list[PodAffinityTerm] = []
    preferred_during_scheduling_ignored_during_execution: list[WeightedPodAffinityTerm] = []


class Affinity(Model):
    """Which nodes and neighbours pods want or avoid, as in core/v1."""

    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAffinity | None = None


class Toleration(Model):
    key: str = ""
    operator: Literal["Exists", "Equal"] | None = None
    value: str = ""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: int | None = None


class TopologySpreadConstraint(Model):
    max_skew: Annotated[int, Field(ge=1)]
    topology_key: TopologyKey
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"]
    label_selector: LabelSelector | None = None
    min_domains: Annotated[int, Field(ge=1)] | None = None
    node_affinity_policy: Literal["Honor", "Ignore"] | None = None
    node_taints_policy: Literal["Honor", "Ignore"] | None = None
    match_label_keys: list[str] = []


class Placement(Model):
    """Where pods run."""

    node_selector: Labels = {}
    """Labels that a node must have."""
    affinity: Affinity | None = None
    """Which nodes and neighbours pods want or avoid."""
    tolerations: Annotated[list[Toleration], Field(max_length=64)] = []
    """Taints that pods bear."""
    topology_spread_constraints: Annotated[list[TopologySpreadConstraint], Field(max_length=16)] = []
    """How pods spread over zones and nodes."""
    priority_class_name: Annotated[str, StringConstraints(max_length=253)] = ""
    """PriorityClass of the pods."""
    runtime_class_name: Annotated[str, StringConstraints(max_length=253)] = ""
    """RuntimeClass of the pods."""
    resources: ResourceRequirements | None = None
    """Requests and limits; win over spec.resources."""


class StrategicPlacement(Placement):
    strategy: Literal["MultiZone"] | None = None
    """MultiZone adds an even spread over zones."""
