"""ServiceMonitors of the Prometheus operator."""

from app.api.kinds import SERVICE_MONITOR
from app.children.metadata import Child, Owner, child


def service_monitor(owner: Owner, name: str, service: dict[str, str], port: int) -> Child:
    """Has a port of the pods behind the Services with these labels scraped: the Service itself need not show it."""
    endpoints = [{"interval": "30s", "path": "/metrics", "targetPort": port}]
    return child(SERVICE_MONITOR, owner, name, spec={"endpoints": endpoints, "selector": {"matchLabels": service}})
