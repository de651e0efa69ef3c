"""One parent of each kind, as the docs page and the tests show it: small, valid, and ready within one sync or two."""

from typing import Any

API = "prism.io/v1alpha1"


def _metadata(name: str) -> dict[str, Any]:
    uid = "5f0c1d1e-0000-4000-8000-000000000001"
    return {"name": name, "namespace": "default", "uid": uid, "generation": 1, "labels": {"team": "orders"}}


EXAMPLES: dict[str, dict[str, Any]] = {
    "PatternRunner": {
        "apiVersion": API,
        "kind": "PatternRunner",
        "metadata": _metadata("sessions"),
        "spec": {"pattern": "keyvalue", "backend": "memstore", "replicas": 2, "config": {"ttl": "1h", "maxKeys": 10000}},
    },
    "PrismPattern": {
        "apiVersion": API,
        "kind": "PrismPattern",
        "metadata": _metadata("order-consumer"),
        "spec": {"pattern": "consumer", "backendBindings": {"message_source": {"backendRef": "kafka-production"}}},
    },
    "PrismBackend": {
        "apiVersion": API,
        "kind": "PrismBackend",
        "metadata": {key: value for key, value in _metadata("redis-production").items() if key != "namespace"},
        "spec": {
            "type": "redis",
            "discovery": {
                "service": {"name": "redis-master", "namespace": "infrastructure"},
                "secret": {"name": "redis", "passwordKey": "redis-password"},
            },
        },
    },
    "PrismStack": {
        "apiVersion": API,
        "kind": "PrismStack",
        "metadata": _metadata("demo"),
        "spec": {
            "proxy": {"replicas": 2},
            "admin": {"replicas": 3},
            "patterns": [{"name": "sessions", "type": "keyvalue", "backend": "memstore"}],
        },
    },
    "BackendConfig": {
        "apiVersion": API,
        "kind": "BackendConfig",
        "metadata": _metadata("nats"),
        "spec": {"type": "messaging", "provider": "nats", "connection": {"url": "nats://nats.team-a.svc.cluster.local:4222"}},
    },
}
