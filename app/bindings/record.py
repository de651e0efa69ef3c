"""What the registry is told of a backend."""

from typing import Any

from app.api.v1alpha1.prismbackend import PrismBackend
from app.backends.address import Values, complete
from app.bindings.slots import backend_secret
from app.bindings.values import capabilities, entry
from app.settings import Settings

ALWAYS, ADDRESS = ("type", "provider", "tls", "config"), ("host", "port", "database", "bootstrap-servers")


def source(parent: PrismBackend, settings: Settings) -> dict[str, str]:
    """Who speaks of a record: the object of this cluster. The registry takes a record's changes from nobody else."""
    return {"cluster": settings.cluster, "uid": parent.metadata.uid}


def record(parent: PrismBackend, place: Values, values: Values, settings: Settings) -> dict[str, Any]:
    """The record. ``place`` is what is said of the address outside Secrets; what a Secret says goes only where it may."""
    known = complete(values["type"], place, tls="tls" in values) if "host" in place else {}
    public = {name: values[name] for name in ALWAYS if name in values}
    public |= {name: values[name] for name in ADDRESS if name in values and known.get(name) == values[name]}
    out: dict[str, Any] = {
        "name": parent.metadata.name,
        "type": values["type"].upper(),
        "config": {key: value for key, value in entry(public)["config"].items() if value != [""]},
        "capabilities": capabilities(values),
        "metadata": dict(sorted(parent.spec.metadata.items())),
        "binding": {"namespace": settings.operator_namespace, "secret": backend_secret(parent.metadata.name)},
        "source": source(parent, settings),
    }
    if settings.registry_credentials == "inline":
        secret = ("username", "password", "uri", "certificates", "client-certificate", "private-key")
        out["credentials"] = {name: values[name] for name in secret if name in values}
    return out
