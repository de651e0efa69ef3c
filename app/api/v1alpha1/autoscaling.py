"""Who changes the number of pods: the settings of a HorizontalPodAutoscaler or of KEDA."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from app.api.quantities import FineQuantity
from app.api.v1alpha1.backendbinding import BackendConfigReference
from app.api.v1alpha1.common import Model, OpenMap, rules
from app.api.v1alpha1.podspec import Text


class ScalingPolicy(Model):
    type: Literal["Pods", "Percent"]
    value: Annotated[int, Field(ge=1)]
    period_seconds: Annotated[int, Field(ge=1, le=1800)]


class ScalingRules(Model):
    stabilization_window_seconds: Annotated[int, Field(ge=0, le=3600)] | None = None
    select_policy: Literal["Max", "Min", "Disabled"] | None = None
    policies: Annotated[list[ScalingPolicy], Field(max_length=16)] = []
    tolerance: FineQuantity | None = None


class ScalingBehavior(Model):
    """How fast the HorizontalPodAutoscaler goes up and down, as in autoscaling/v2."""

    scale_up: ScalingRules | None = None
    scale_down: ScalingRules | None = None


class Trigger(Model):
    """One KEDA trigger; its connection details come from the bound backend."""

    type: Annotated[str, StringConstraints(min_length=1, max_length=63)]
    metadata: Annotated[dict[str, Text], Field(max_length=64)] = {}
    authentication_ref: BackendConfigReference | None = None


class Autoscaling(Model):
    """Who changes the number of pods. While it is on, spec.replicas has no effect."""

    model_config = ConfigDict(json_schema_extra=rules(
        ("!has(self.enabled) || !self.enabled || has(self.maxReplicas)",
         "autoscaling: maxReplicas is required while enabled is true"),
        ("!has(self.maxReplicas) || !has(self.minReplicas) || self.minReplicas <= self.maxReplicas",
         "autoscaling: minReplicas must not exceed maxReplicas"),
    ))  # fmt: skip
    enabled: bool = False
    """Whether an autoscaler works."""
    scaler: Literal["hpa", "keda"] = "hpa"
    """hpa (a HorizontalPodAutoscaler) or keda."""
    min_replicas: Annotated[int, Field(ge=1, le=10000)] | None = None
    """The least number of pods; 1 by default."""
    max_replicas: Annotated[int, Field(ge=1, le=10000)] | None = None
    """The greatest number of pods."""
    target_cpu: int | None = Field(None, ge=1, le=1000, alias="targetCPUUtilizationPercentage")
    """Mean CPU use to aim at, in percent of the request; 80 where no target and no metric is given."""
    target_memory: int | None = Field(None, ge=1, le=1000, alias="targetMemoryUtilizationPercentage")
    """Mean memory use to aim at, in percent of the request."""
    metrics: Annotated[list[OpenMap], Field(max_length=16)] = []
    """More metrics, as in autoscaling/v2."""
    behavior: ScalingBehavior | None = None
    """How fast to scale."""
    triggers: Annotated[list[Trigger], Field(max_length=16)] = []
    """KEDA triggers."""
    polling_interval: Annotated[int, Field(ge=1)] | None = None
    """Seconds between two looks of KEDA."""
    cooldown_period: Annotated[int, Field(ge=0)] | None = None
    """Seconds that KEDA waits before it goes to zero."""
