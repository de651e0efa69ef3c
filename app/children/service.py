"""Services: one port each, to the pods of an owner."""

from collections.abc import Mapping

from app.api.kinds import SERVICE
from app.children.metadata import Child, Owner, child


def service(
    owner: Owner, name: str, port: int, target: int, kind: str = "ClusterIP", annotations: Mapping[str, str] | None = None,
    port_name: str = "http",
) -> Child:  # fmt: skip
    """A Service of one port, whose traffic goes to the port ``target`` of the pods."""
    ports = [{"name": port_name, "port": port, "protocol": "TCP", "targetPort": target}]
    return child(SERVICE, owner, name, annotations, spec={"type": kind, "selector": owner.selector, "ports": ports})


def headless(owner: Owner, name: str, ports: Mapping[str, int], labels: Mapping[str, str]) -> Child:
    """A Service that gives each pod a name of its own, ready or not: peers have to find each other to become ready.

    ``labels`` tell it from the Service that clients use."""
    listed = [{"name": key, "port": port, "protocol": "TCP", "targetPort": port} for key, port in ports.items()]
    body = {"clusterIP": "None", "publishNotReadyAddresses": True, "selector": owner.selector, "ports": listed}
    made = child(SERVICE, owner, name, spec={"type": "ClusterIP", **body})
    made["metadata"]["labels"] |= labels
    return made
