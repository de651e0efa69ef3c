"""BackendConfig: a backend that one namespace knows by address or Secret."""

from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, StringConstraints

from app.api.kinds import Kind
from app.api.v1alpha1.common import API_VERSION, Column, Definition, Model, ObjectName, Resource, Status, rules
from app.api.v1alpha1.podspec import Text

Duration = Annotated[str, StringConstraints(max_length=32, pattern=r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$")]
HOST = r"^([a-zA-Z0-9][-_.a-zA-Z0-9]*|[0-9a-fA-F]*:[0-9a-fA-F.]*:[0-9a-fA-F:.]*)$"
Host = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=HOST)]
SecretKey = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")]


class SecretReference(Model):
    """A Secret, of this namespace unless its owner shares it with this one (annotation prism.io/shared-with)."""

    name: ObjectName
    """Name of the Secret."""
    namespace: Annotated[str, StringConstraints(max_length=63)] = ""
    """Namespace of the Secret; this object's by default."""


class Keys(Model):
    """Which key of the Secret holds what. A key named here must exist; the usual names are tried where none is named."""

    url: SecretKey | None = None
    """Key of the whole address; by default url, uri or connectionString."""
    host: SecretKey | None = None
    port: SecretKey | None = None
    username: SecretKey | None = None
    """Key of the user; by default username or user."""
    password: SecretKey | None = None
    database: SecretKey | None = None
    """Key of the database; by default database or dbname."""


class KeyedSecretReference(SecretReference):
    """A Secret with credentials, and which of its keys hold what."""

    keys: Keys = Keys()
    """Which key holds what."""


class Connection(Model):
    """How the backend is reached. What the Secret says wins over the parts of url, and those over the fields beside it."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=2048)] | None = None
    """Address such as nats://nats.team-a.svc:4222; several hosts are parted by commas."""
    host: Host | None = None
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    username: Annotated[str, StringConstraints(max_length=253)] | None = None
    database: Annotated[str, StringConstraints(max_length=253)] | None = None
    secret_ref: KeyedSecretReference | None = None
    """The Secret with the credentials, or with the whole address."""


class TLS(Model):
    """Encryption of the connection."""

    enabled: bool = True
    """Whether the connection is encrypted."""
    secret_ref: SecretReference | None = None
    """A Secret with ca.crt, and tls.crt and tls.key where the backend wants a client certificate."""


class HealthCheck(Model):
    """How the operator is to look whether the backend answers. Without effect yet: Healthy stays Unknown."""

    enabled: bool = True
    interval: Duration = "60s"
    timeout: Duration = "1s"


class BackendConfigSpec(Model):
    """Which backend, and how it is reached."""

    model_config = ConfigDict(json_schema_extra=rules(
        ("!(has(self.connectionString) && has(self.connection) && has(self.connection.url))",
         "spec: give connection.url or connectionString, not both"),
        ("!(has(self.secretRef) && has(self.connection) && has(self.connection.secretRef))",
         "spec: give connection.secretRef or secretRef, not both"),
    ))  # fmt: skip
    type: Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-_.a-z0-9]*[a-z0-9])?$")]
    """What it is (redis, nats, kafka, postgresql, mysql, mongodb, rabbitmq, memcached, s3, ...), or what it is for
    (messaging, database, cache) with provider saying which."""
    provider: Annotated[str, StringConstraints(max_length=63, pattern=r"^[a-z0-9]([-_.a-z0-9]*[a-z0-9])?$")] | None = None
    """Which product serves it, such as nats."""
    connection: Connection | None = None
    """How it is reached."""
    connection_string: Annotated[Text, StringConstraints(min_length=1, max_length=2048)] | None = None
    """Short for connection.url."""
    secret_ref: KeyedSecretReference | None = None
    """Short for connection.secretRef."""
    tls: TLS | None = None
    """Encryption of the connection."""
    health_check: HealthCheck | None = None
    """How the operator is to look whether the backend answers. Without effect yet: Healthy stays Unknown."""


class Binding(Model):
    """Names the Secret that workloads bind to."""

    name: str
    """Name of the Secret, of this namespace."""


class BackendConfigStatus(Status):
    """What the operator knows of the backend."""

    binding: Binding | None = None
    """The Secret with the normalized connection; this makes a BackendConfig a Provisioned Service of servicebinding.io."""
    backend_type: str | None = Field(None, alias="type")
    """The type that was recognized."""
    endpoint: str | None = None
    """Where it is, as host:port."""
    message: str | None = None
    """What Ready says."""
    healthy: bool | None = None
    """Whether the backend answered; absent until somebody looked."""
    last_checked: Annotated[str | None, Field(json_schema_extra={"format": "date-time"})] = None
    """When healthy was last found out."""


class BackendConfig(Resource):
    """A backend that this namespace knows by address or Secret; its binding Secret is what workloads use."""

    definition: ClassVar[Definition] = Definition(
        kind=Kind(API_VERSION, "BackendConfig", "backendconfigs"),
        short_names=("pbc",),
        columns=(
            Column("Type", ".status.type"),
            Column("Phase", ".status.phase"),
            Column("Ready", '.status.conditions[?(@.type=="Ready")].status'),
            Column("Endpoint", ".status.endpoint"),
            Column("Reason", '.status.conditions[?(@.type=="Ready")].reason'),
            Column("Message", ".status.message", wide=True),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        rules=(
            (
                "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && self.metadata.name.size() <= 43",
                "metadata.name: must hold only a-z, 0-9 and -, and be at most 43 characters long",
            ),
        ),
    )
    spec: BackendConfigSpec
    status: BackendConfigStatus | None = None
