"""What /metrics shows. A registry for each application, so that two of them in one process do not meet."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BUCKETS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 3, 10)


class Metrics:
    """Counts by controller and hook, never by object: a label a parent would grow without bound."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "prism_operator_requests", "Hook requests answered", ("controller", "hook", "code"), registry=self.registry
        )
        self.seconds = Histogram(
            "prism_operator_request_seconds",
            "Time from the body's last byte to the answer",
            ("controller", "hook"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.refusals = Counter(
            "prism_operator_guard_refusals",
            "Answers that the guard did not let out",
            ("controller", "rule"),
            registry=self.registry,
        )
        self.waiting = Gauge("prism_operator_requests_waiting", "Hook requests at work now", registry=self.registry)
