"""Services."""

from app.api.kinds import SERVICE
from app.api.v1alpha1.patternrunner import RunnerService
from app.children.metadata import Child, Owner, child


def service(owner: Owner, spec: RunnerService) -> Child:
    """The Service of a runner: one port, to the port of the same number in the pods."""
    port = {"name": "http", "port": spec.port, "protocol": "TCP", "targetPort": spec.port}
    body = {"type": spec.type, "selector": owner.selector, "ports": [port]}
    return child(SERVICE, owner, owner.name, spec.annotations, spec=body)
