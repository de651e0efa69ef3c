"""PatternRunner: one runner, connected to its backends. Its spec is PrismPattern's too."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from app.api.kinds import Kind
from app.api.v1alpha1.autoscaling import Autoscaling
from app.api.v1alpha1.backendbinding import BackendBinding, BackendConfigReference
from app.api.v1alpha1.common import (
    API_VERSION,
    Column,
    Definition,
    Model,
    OpenMap,
    Port,
    Resource,
    Scale,
    Status,
)  # fmt: skip
from app.api.v1alpha1.podspec import (
    Annotations,
    PodTemplate,
    ResourceRequirements,
)  # fmt: skip
from app.api.v1alpha1.scheduling import Placement, StrategicPlacement

Replicas = Annotated[int, Field(ge=0, le=10000)]


class RunnerService(Model):
    """How the runner is reached inside the cluster."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    """ClusterIP, NodePort or LoadBalancer."""
    port: Port = 8080
    """The port of the Service and of the container."""
    annotations: Annotations = {}
    """Annotations for the Service, such as those of a cloud's load balancer."""


PatternName = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[a-z]([-_a-z0-9]*[a-z0-9])?$")]


class RunnerSettings(Model):
    """With which backends a runner works, and how its pods look: all of its spec but the pattern."""

    backend: Annotated[str, StringConstraints(max_length=63, pattern=r"^[a-zA-Z0-9]([-_.a-zA-Z0-9]*[a-zA-Z0-9])?$")] | None = None
    """Type of the backend (memstore, redis, nats, kafka, postgresql, ...), or the name of a BackendConfig."""
    image: Annotated[str, StringConstraints(min_length=1, max_length=1024)] | None = None
    """Image of the runner; by default ghcr.io/prism/<pattern>-runner:latest."""
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    """When the image is pulled."""
    replicas: Replicas | None = None
    """Number of pods. Unset leaves the number alone (1 at first), so that an autoscaler or kubectl scale may own it."""
    resources: ResourceRequirements | None = None
    """Requests and limits of the runner."""
    backend_config: BackendConfigReference | None = None
    """The backend of a pattern that has one: a BackendConfig by name, or connection keys."""
    backend_bindings: Annotated[dict[str, BackendBinding], Field(max_length=8)] = {}
    """A backend for each slot of the pattern: slot name to backend."""
    config: OpenMap | None = None
    """Settings of the pattern: text, numbers, booleans, lists or maps. natsUrl, redisUrl and connectionString say where
    the backend is."""
    service: RunnerService = RunnerService()
    """How the runner is reached."""
    autoscaling: Autoscaling | None = None
    """Who changes the number of pods."""
    placement: StrategicPlacement | None = None
    """Where pods run."""
    runner_spec: Placement | None = None
    """Where pods run; each field wins over the same field of placement."""
    pod_template: PodTemplate | None = None
    """Additions to the pods."""


class RunnerSpec(RunnerSettings):
    """What a runner does, with which backends, and how its pods look."""

    pattern: PatternName
    """The pattern: keyvalue, consumer, producer, multicast-registry, mailbox, pubsub, queue, ..."""


class RunnerStatus(Status):
    """What the operator sees of the runner."""

    replicas: int | None = None
    """Pods that exist."""
    ready_replicas: int | None = None
    """Pods that are ready."""
    updated_replicas: int | None = None
    """Pods of the present template."""
    available_replicas: int | None = None
    """Pods that have been ready long enough to count."""
    selector: str | None = None
    """Selects the pods; kubectl scale and autoscalers read it."""


class PatternRunner(Resource):
    """One Prism pattern runner: a Deployment, its Service and configuration, connected to its backends."""

    definition: ClassVar[Definition] = Definition(
        kind=Kind(API_VERSION, "PatternRunner", "patternrunners"),
        short_names=("prunner",),
        columns=(
            Column("Pattern", ".spec.pattern"),
            Column("Backend", ".spec.backend"),
            Column("Phase", ".status.phase"),
            Column("Ready", '.status.conditions[?(@.type=="Ready")].status'),
            Column("Available", ".status.availableReplicas", "integer"),
            Column("Reason", '.status.conditions[?(@.type=="Ready")].reason'),
            Column("Message", '.status.conditions[?(@.type=="Ready")].message', wide=True),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        scale=Scale(),
        rules=(
            (
                "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && self.metadata.name.size() <= 40",
                "metadata.name: must start with a letter, hold only a-z, 0-9 and -, and be at most 40 characters long",
            ),
            (
                "!has(self.spec.backendBindings) || self.spec.backendBindings.all(slot,"
                " slot.matches('^[a-z]([a-z0-9_]*[a-z0-9])?$') && slot.size() + self.metadata.name.size() <= 54)",
                "spec.backendBindings: a slot is a-z, 0-9 and _, and with metadata.name at most 54 characters long",
            ),
        ),
    )
    spec: RunnerSpec
    status: RunnerStatus | None = None
