"""Which port of a Service a backend is at."""

from app.backends.types import known, of_port
from app.bindings.secretkeys import Unresolved
from app.contract import Object, read


def ports_of(service: Object) -> list[int]:
    """The ports that a Service lists; an ExternalName may list none."""
    return [port["port"] for port in read(service.spec).get("ports") or ()]


def type_of(service: Object, wanted: int | None) -> str:
    """The backend type that a port tells: the wanted one, else the first of the Service that tells any; empty where none does."""
    return next((told for port in ([wanted] if wanted else ports_of(service)) if (told := of_port(port))), "")


def port_of(service: Object, wanted: int | None, kind: str, field: str) -> str:
    """The wanted port, else the usual one of the type, else the Service's first; empty where nobody knows one.

    Raises Unresolved, naming the field, where the Service does not have it.
    """
    ports, usual = ports_of(service), known(kind).port
    port = wanted or (usual if usual in ports or not ports else ports[0])
    if ports and port not in ports:
        shown = ", ".join(map(str, ports))
        raise Unresolved("PortNotFound", f"{field}: Service {service.metadata.name} has {shown}", waiting=True)
    return str(port or "")
