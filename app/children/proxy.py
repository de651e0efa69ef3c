"""The proxy of a stack: a Deployment that applications reach through one Service."""

from typing import Any

from app.api.v1alpha1.prismstack import PrismStackSpec
from app.api.v1alpha1.scheduling import Placement
from app.api.v1alpha1.stackparts import Observability
from app.children.metadata import Child, Owner
from app.children.placement import resources, scheduling
from app.children.pod import Container, Mount, image, pod_template
from app.children.service import service

PORT = 8980
GRACE_SECONDS = 45  # it drains for 30
TLS_PATH = "/tls"


def metrics_port(observability: Observability | None, taken: set[int]) -> int | None:
    """Where a component shows its metrics: the port that was asked for, or the next that the pod does not use itself."""
    if observability is None or not observability.enabled:
        return None
    asked: int = observability.metrics.port
    found: int = next(port for port in (*range(asked, 65536), *range(1024, asked)) if port not in taken)
    return found


def scraped(port: int | None) -> dict[str, str]:
    """The annotations by which Prometheus finds a pod."""
    if port is None:
        return {}
    return {"prometheus.io/scrape": "true", "prometheus.io/path": "/metrics", "prometheus.io/port": str(port)}


def traced(observability: Observability | None, service_name: str) -> dict[str, str]:
    """The variables by which OpenTelemetry's libraries find out where traces go."""
    endpoint = observability.tracing.endpoint if observability and observability.enabled and observability.tracing else None
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_SERVICE_NAME": service_name} if endpoint else {}


def listening(port: str) -> dict[str, Any]:
    """Probes that look whether a port is open, all that the images offer."""
    look = {"tcpSocket": {"port": port}}
    return {"readinessProbe": {**look, "periodSeconds": 5}, "livenessProbe": {**look, "periodSeconds": 20, "timeoutSeconds": 5}}


def proxy_pod(owner: Owner, name: str, spec: PrismStackSpec, admin: str, annotations: dict[str, str], registry: str) -> Child:
    """The pod template. ``admin`` is where the control plane is reached, empty where there is none."""
    own = spec.proxy
    metrics = metrics_port(spec.observability, {PORT})
    layers: list[Placement | None] = [own.runner_spec, own.placement, Placement(affinity=spec.affinity)]
    variables = {
        "PRISM_ADMIN_ENDPOINT": admin,
        "PRISM_METRICS_PORT": str(metrics or ""),
        "PRISM_TLS_CERT_FILE": f"{TLS_PATH}/tls.crt" if own.tls else "",
        "PRISM_TLS_KEY_FILE": f"{TLS_PATH}/tls.key" if own.tls else "",
        **traced(spec.observability, name),
    }
    container = Container(
        name="prism-proxy",
        image=image(own.image, "prism-proxy", registry),
        ports={"grpc": PORT, **({"metrics": metrics} if metrics else {})},
        env={key: value for key, value in variables.items() if value},
        pull_policy=own.image_pull_policy,
        resources=resources(layers, own.resources),
        mounts=(Mount("tls", own.tls.secret_ref.name, TLS_PATH),) if own.tls else (),
        probes=listening("grpc"),
    )
    notes = {**scraped(metrics), **annotations}
    return pod_template(owner, container, scheduling(layers, owner.selector), own.pod_template, notes, GRACE_SECONDS)


def proxy_service(owner: Owner, name: str, spec: PrismStackSpec) -> Child:
    """The Service of the proxy. Metrics are read from the pods, so a load balancer shows them to nobody."""
    own = spec.proxy
    return service(owner, name, own.port, PORT, own.service.type, own.service.annotations, "grpc")
