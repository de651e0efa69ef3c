"""The parts of a PrismStack: proxy, admin, patterns, backends, observability."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from app.api.quantities import Quantity
from app.api.v1alpha1.autoscaling import Autoscaling
from app.api.v1alpha1.backendconfig import BackendConfigSpec
from app.api.v1alpha1.common import Model, ObjectName, Port, rules
from app.api.v1alpha1.patternrunner import PatternName, Replicas, RunnerSettings
from app.api.v1alpha1.podspec import Annotations, PodTemplate, ResourceRequirements
from app.api.v1alpha1.scheduling import Placement, StrategicPlacement

PartName = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$")]
Image = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
PullPolicy = Literal["Always", "IfNotPresent", "Never"]


class Exposure(Model):
    """How a Service is reached."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    """ClusterIP, NodePort or LoadBalancer."""
    annotations: Annotations = {}
    """Annotations for the Service, such as those of a cloud's load balancer."""


class SecretName(Model):
    name: ObjectName
    """Name of a Secret of this namespace."""


class ServingTLS(Model):
    """The certificate that the proxy shows."""

    secret_ref: SecretName
    """A Secret with tls.crt and tls.key, mounted at /tls."""


class Component(Model):
    """What the proxy and the admin have in common."""

    image: Image | None = None
    """Image; by default ghcr.io/prism/prism-proxy:latest or ghcr.io/prism/prism-admin:latest."""
    image_pull_policy: PullPolicy | None = None
    """When the image is pulled."""
    resources: ResourceRequirements | None = None
    """Requests and limits."""
    service: Exposure = Exposure()
    """How it is reached."""
    placement: StrategicPlacement | None = None
    """Where pods run."""
    runner_spec: Placement | None = None
    """Where pods run; each field wins over the same field of placement."""
    pod_template: PodTemplate | None = None
    """Additions to the pods."""


class ProxySpec(Component):
    """The proxy, which applications talk to."""

    replicas: Replicas | None = None
    """Number of pods. Unset leaves the number alone (1 at first), so that an autoscaler or kubectl scale may own it."""
    port: Port = 8980
    """The port of its Service; the pods listen on 8980."""
    tls: ServingTLS | None = None
    """The certificate that it shows."""
    autoscaling: Autoscaling | None = None
    """Who changes the number of pods."""


class Storage(Model):
    """The volume of each admin pod. A StatefulSet cannot change it, nor can this object."""

    size: Quantity = "10Gi"
    """Its size."""
    storage_class_name: Annotated[str, StringConstraints(max_length=253)] | None = None
    """Its StorageClass; the cluster's default where none is named."""


class LeaderElection(Model):
    """Accepted for manifests that were written for another operator; the admin elects its leader by Raft."""

    enabled: bool = True
    lease_duration: Annotated[str, StringConstraints(max_length=32)] | None = None
    renew_deadline: Annotated[str, StringConstraints(max_length=32)] | None = None
    retry_period: Annotated[str, StringConstraints(max_length=32)] | None = None


class AdminSpec(Component):
    """The control plane: a Raft cluster with a volume for each member."""

    model_config = ConfigDict(json_schema_extra=rules(
        ("!oldSelf.enabled || !self.enabled || (has(self.storage) == has(oldSelf.storage)"
         " && (!has(self.storage) || self.storage == oldSelf.storage))",
         "spec.admin.storage: volumes that exist cannot be changed; set admin.enabled to false first, or keep what it was"),
    ))  # fmt: skip
    enabled: bool = True
    """Whether there is one."""
    replicas: Annotated[int, Field(ge=1, le=9)] = 1
    """Members: 1, 3, 5, 7 or 9; Raft takes odd numbers only, so an even one is rounded up. Decide it at the start: prism-admin
    cannot take members into a cluster that runs."""
    port: Port = 8981
    """The port of its Service."""
    storage: Storage | None = None
    """The volume of each member; 10Gi of the default StorageClass where nothing is said."""
    leader_election: LeaderElection | None = None
    """Without effect."""


class StackPattern(RunnerSettings):
    """One PatternRunner of the stack."""

    model_config = ConfigDict(json_schema_extra=rules(
        ("!has(self.backendBindings) || self.backendBindings.all(slot, slot.matches('^[a-z]([a-z0-9_]*[a-z0-9])?$')"
         " && slot.size() + self.name.size() <= 54)",
         "backendBindings: a slot is a-z, 0-9 and _, and with the pattern's name at most 54 characters long"),
    ))  # fmt: skip
    name: PartName
    """Name of the PatternRunner and of all that it makes."""
    type: PatternName
    """The pattern: keyvalue, consumer, producer, multicast-registry, mailbox, pubsub, queue, ..."""


class StackBackend(BackendConfigSpec):
    """One BackendConfig of the stack. Patterns find it where their backend is its name."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=43, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
    """Name of the BackendConfig; where it is that of a product, such as nats or postgres, it tells the provider too."""


class StackNamespace(Model):
    """One PrismNamespace of the stack. Accepted; nothing is made of it yet."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"x-kubernetes-preserve-unknown-fields": True})
    name: PartName
    """Name of the PrismNamespace."""


class Tracing(Model):
    endpoint: Annotated[str, StringConstraints(max_length=2048)] | None = None
    """OTLP endpoint such as http://otel-collector.observability:4317; every pod gets it as OTEL_EXPORTER_OTLP_ENDPOINT."""


class MetricsPort(Model):
    port: Port = 9090
    """The port at which proxy and admin show their metrics."""


class Observability(Model):
    """What the pods tell of themselves."""

    enabled: bool = True
    """Whether they are told to be scraped (annotations prometheus.io/...) and where to send traces."""
    tracing: Tracing | None = None
    """Where traces go."""
    metrics: MetricsPort = MetricsPort()
    """Where metrics are read."""
