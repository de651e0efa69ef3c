"""What the registry is told of a backend."""

from typing import Any

from app.api.v1alpha1.prismbackend import PrismBackend
from app.backends.address import Values
from app.bindings.slots import backend_secret
from app.bindings.values import capabilities, entry
from app.settings import Settings

SHOWN = ("type", "provider", "host", "port", "database", "bootstrap-servers", "tls", "config")


def source(parent: PrismBackend, settings: Settings) -> dict[str, str]:
    """Who speaks of a record: the object of this cluster. The registry takes a record's changes from nobody else."""
    return {"cluster": settings.cluster, "uid": parent.metadata.uid}


def record(parent: PrismBackend, place: Values, values: Values, settings: Settings) -> dict[str, Any]:
    """The record. ``place`` is what is said of the address outside Secrets; what a Secret says goes only where it may."""
    public = {name: values[name] for name in SHOWN if name in values and (name in place or name in ("type", "provider", "tls"))}
    public |= {"host": place["host"]} if "host" in place else {}
    if "config" in values:
        public["config"] = values["config"]
    out: dict[str, Any] = {
        "name": parent.metadata.name,
        "type": values["type"].upper(),
        "config": entry(public)["config"],
        "capabilities": capabilities(values),
        "metadata": dict(sorted(parent.spec.metadata.items())),
        "binding": {"namespace": settings.operator_namespace, "secret": backend_secret(parent.metadata.name)},
        "source": source(parent, settings),
    }
    if settings.registry_credentials == "inline":
        secret = ("username", "password", "uri", "certificates", "client-certificate", "private-key")
        out["credentials"] = {name: values[name] for name in secret if name in values}
    return out
