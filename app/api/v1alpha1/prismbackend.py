"""PrismBackend: a backend of the cluster, open to chosen namespaces and known to the admin registry."""

from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, StringConstraints

from app.api.kinds import Kind
from app.api.v1alpha1.backendconfig import Host, Keys, SecretKey
from app.api.v1alpha1.common import API_VERSION, Column, Definition, Model, ObjectName, OpenMap, Port, Resource, Status, rules
from app.api.v1alpha1.podspec import Text
from app.api.v1alpha1.scheduling import LabelSelector

NamespaceName = Annotated[str, StringConstraints(max_length=63, pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$")]
Word = Annotated[str, StringConstraints(min_length=1, max_length=63)]


class ServiceReference(Model):
    """A Service of the cluster."""

    name: ObjectName
    """Name of the Service."""
    namespace: NamespaceName = ""
    """Namespace of the Service."""
    port: Port | None = None
    """Port of the Service; by default the one of the backend's type, or the only one there is."""


class BackendSecret(Model):
    """A Secret with the credentials."""

    name: ObjectName
    """Name of the Secret."""
    namespace: NamespaceName = ""
    """Namespace of the Secret; the Service's by default."""
    username_key: SecretKey | None = None
    """Key of the user; by default username or user."""
    password_key: SecretKey | None = None
    """Key of the password; by default password, or the one that the usual charts of this type have, such as redis-password."""


class ConfigMapReference(Model):
    """A ConfigMap with the address."""

    name: ObjectName
    """Name of the ConfigMap."""
    namespace: NamespaceName = ""
    """Namespace of the ConfigMap; the Service's by default."""
    key: SecretKey | None = None
    """Key of the whole address; by default the usual keys, such as url, host and port."""


class Discovery(Model):
    """Where in the cluster the backend is found."""

    service: ServiceReference | None = None
    """The Service that it is behind."""
    secret: BackendSecret | None = None
    """The Secret with its credentials."""
    config_map: ConfigMapReference | None = None
    """A ConfigMap with its address."""


class LiteralConnection(Model):
    """The address of a backend outside the cluster."""

    uri: Annotated[str, StringConstraints(min_length=1, max_length=2048)] | None = None
    """Address such as rediss://cache.example.com:6380/0; credentials belong into a Secret."""
    host: Host | None = None
    port: Port | None = None
    bootstrap_servers: Annotated[list[Annotated[str, StringConstraints(max_length=320)]], Field(max_length=64)] = []
    """Several servers, as host:port."""
    username: Annotated[str, StringConstraints(max_length=253)] | None = None
    database: Annotated[str, StringConstraints(max_length=253)] | None = None


class BindingReference(Model):
    """A Secret by its name, or by the name of the object that makes it."""

    kind: Literal["Secret", "BackendConfig", "ExternalSecret", "RabbitmqCluster", "Cluster", "KafkaUser"] = "Secret"
    """What the name is of: a Secret, or a BackendConfig, ExternalSecret, RabbitmqCluster (its -default-user), CloudNativePG
    Cluster (its -app) or Strimzi KafkaUser, whose Secret follows from its name."""
    name: ObjectName
    """Its name."""
    namespace: NamespaceName = ""
    """Its namespace; the Service's by default."""
    keys: Keys = Keys()
    """Which key of the Secret holds what."""


class BackendTLS(Model):
    """Encryption of the connection."""

    enabled: bool = True
    """Whether the connection is encrypted."""
    secret_ref: BackendSecret | None = None
    """A Secret with ca.crt, and tls.crt and tls.key where the backend wants a client certificate."""


class AllowedNamespaces(Model):
    """Which namespaces may bind to the backend."""

    model_config = ConfigDict(json_schema_extra=rules(
        ("(self.from == 'Selector') == has(self.selector)",
         "allowedNamespaces: selector goes with from: Selector, and only with it"),
        ("self.from == 'List' || !has(self.namespaces)", "allowedNamespaces: namespaces goes with from: List only"),
    ))  # fmt: skip
    source: Literal["All", "Same", "Selector", "List"] = Field("All", alias="from")
    """All; Same (the namespace of its Service or Secret); Selector (by labels of the Namespace); List (by name)."""
    selector: LabelSelector | None = None
    """Labels of the namespaces."""
    namespaces: Annotated[list[NamespaceName], Field(max_length=256)] = []
    """Names of the namespaces."""


class PrismBackendSpec(Model):
    """Which backend, where it is, and who may use it."""

    model_config = ConfigDict(json_schema_extra=rules(
        ("has(self.discovery) || has(self.connection) || has(self.bindingRef)",
         "spec: give discovery, connection or bindingRef, so that the backend can be found"),
    ))  # fmt: skip
    type: Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-_.a-z0-9]*[a-z0-9])?$")]
    """What it is: redis, nats, kafka, postgresql, mysql, mongodb, rabbitmq, memcached, s3, ..."""
    provider: Annotated[str, StringConstraints(max_length=63, pattern=r"^[a-z0-9]([-_.a-z0-9]*[a-z0-9])?$")] | None = None
    """Which product or service provides it."""
    discovery: Discovery | None = None
    """Where in the cluster it is found."""
    connection: LiteralConnection | None = None
    """Its address, where it is outside the cluster."""
    binding_ref: BindingReference | None = None
    """A Secret that says all of the connection."""
    tls: BackendTLS | None = None
    """Encryption of the connection."""
    allowed_namespaces: AllowedNamespaces | None = None
    """Which namespaces may bind to it; all by default."""
    config: OpenMap | None = None
    """Settings for the driver of the runners, such as pool_size."""
    capabilities: Annotated[list[Word], Field(max_length=64)] = []
    """What it can do, such as keyvalue_basic; those of its type by default."""
    metadata: Annotated[dict[str, Text], Field(max_length=64)] = {}
    """Notes for people and for the registry."""


class AdminStatus(Model):
    """What the registry has been told."""

    hash: str
    """Hash of the record."""
    synced_at: Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    """When this record was taken."""


class PrismBackendStatus(Status):
    """What the operator knows of the backend."""

    resolved_endpoint: str | None = None
    """Where it is, as host:port."""
    admin: AdminStatus | None = None
    """What the registry has been told."""


class PrismBackend(Resource):
    """A backend of the cluster; PrismPatterns and PatternRunners of the namespaces that it allows bind to it by its name."""

    definition: ClassVar[Definition] = Definition(
        kind=Kind(API_VERSION, "PrismBackend", "prismbackends", namespaced=False),
        short_names=("pbackend",),
        columns=(
            Column("Type", ".spec.type"),
            Column("Status", ".status.phase"),
            Column("Endpoint", ".status.resolvedEndpoint"),
            Column("Ready", '.status.conditions[?(@.type=="Ready")].status'),
            Column("Reason", '.status.conditions[?(@.type=="Ready")].reason'),
            Column("Synced", '.status.conditions[?(@.type=="AdminSynced")].status', wide=True),
            Column("Message", '.status.conditions[?(@.type=="Ready")].message', wide=True),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        rules=(
            (
                "self.metadata.name.size() <= 200",
                "metadata.name: at most 200 characters long",
            ),
        ),
    )
    spec: PrismBackendSpec
    status: PrismBackendStatus | None = None
