"""How a spec names the backends of its slots."""

from typing import Annotated

from pydantic import ConfigDict, StringConstraints

from app.api.v1alpha1.common import Model, ObjectName, Port, rules


class BackendConfigReference(Model):
    """A BackendConfig of the same namespace by name, or connection keys written here (url, host, port, username, database)."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"x-kubernetes-preserve-unknown-fields": True})
    name: Annotated[str, StringConstraints(max_length=253)] = ""
    """Name of a BackendConfig."""
    namespace: Annotated[str, StringConstraints(max_length=63)] = ""
    """Must be the namespace of this object, where it is given."""


class InlineDiscovery(Model):
    """A backend by its Service alone."""

    service: Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
    """Name of a Service of this namespace, or its DNS name, such as kafka.infrastructure.svc.cluster.local."""
    port: Port | None = None
    """Its port; by default the one of the type."""
    type: Annotated[str, StringConstraints(max_length=63, pattern=r"^[a-z0-9]([-_.a-z0-9]*[a-z0-9])?$")] = ""
    """What it is, such as redis; by default what the port tells."""
    secret: ObjectName | None = None
    """A Secret of this namespace with the credentials."""


class BackendBinding(Model):
    """What serves one slot; exactly one field."""

    model_config = ConfigDict(
        json_schema_extra=rules(("has(self.backendRef) != has(self.discover)", "give exactly one of backendRef and discover"))
    )
    backend_ref: ObjectName | None = None
    """Name of a BackendConfig of this namespace, or else of a PrismBackend."""
    discover: InlineDiscovery | None = None
    """The Service that serves it."""
