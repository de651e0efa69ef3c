"""The known backend types. The set is open: an unknown type is served by its address alone."""

from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class BackendType:
    """One type. ``builtin`` is part of the runner itself and needs no address."""

    name: str
    port: int = 0
    schemes: tuple[str, ...] = ()
    tls_scheme: str = ""
    capabilities: tuple[str, ...] = ()
    builtin: bool = False
    list_of_hosts: bool = False
    passwords: tuple[tuple[str, str], ...] = ()
    """Keys under which the usual charts keep a password in a Secret, each with the user that it is for."""


_KEYVALUE = ("keyvalue_basic", "keyvalue_scan", "keyvalue_ttl")
_STREAM = ("pubsub_basic", "pubsub_persistent", "queue_basic", "stream_basic")

TYPES = {
    known.name: known
    for known in (
        BackendType("memstore", capabilities=("keyvalue_basic", "keyvalue_ttl"), builtin=True),
        BackendType("sqlite", capabilities=("sql_basic",), builtin=True),
        BackendType(
            "redis", 6379, ("redis", "rediss"), "rediss", (*_KEYVALUE, "pubsub_basic"),
            passwords=(("redis-password", ""), ("valkey-password", "")),
        ),
        BackendType("nats", 4222, ("nats", "tls"), "tls", _STREAM, list_of_hosts=True),
        BackendType("kafka", 9092, ("kafka",), "", _STREAM, list_of_hosts=True, passwords=(("client-passwords", "user1"),)),
        BackendType(
            "postgresql", 5432, ("postgresql", "postgres"), "", (*_KEYVALUE[:2], "keyvalue_transactional", "sql_basic"),
            passwords=(("postgres-password", "postgres"),),
        ),
        BackendType("mysql", 3306, ("mysql",), "", ("sql_basic",), passwords=(("mysql-root-password", "root"),)),
        BackendType(
            "mongodb", 27017, ("mongodb", "mongodb+srv"), "", ("document_basic", "document_query"), list_of_hosts=True,
            passwords=(("mongodb-root-password", "root"),),
        ),
        BackendType(
            "rabbitmq", 5672, ("amqp", "amqps"), "amqps", ("queue_basic", "pubsub_basic"),
            passwords=(("rabbitmq-password", "user"),),
        ),
        BackendType("memcached", 11211, ("memcached",), "", ("keyvalue_basic", "keyvalue_ttl")),
        BackendType("s3", 443, ("s3", "https", "http"), "https", ("objectstore_basic",)),
    )
}  # fmt: skip
ALIASES = {"postgres": "postgresql", "minio": "s3", "mongo": "mongodb", "amqp": "rabbitmq"}


@lru_cache(maxsize=1024)
def known(name: str) -> BackendType:
    """The type of that name or alias; a type without port or schemes where nobody knows it."""
    plain = ALIASES.get(name.lower(), name.lower())
    return TYPES.get(plain, BackendType(plain))


def is_known(name: str) -> bool:
    """Whether the name or alias is a known type."""
    return ALIASES.get(name.lower(), name.lower()) in TYPES


def of_port(port: int) -> str:
    """The type that listens on this port by default, or empty."""
    return next((name for name, entry in TYPES.items() if port and entry.port == port and port != 443), "")


def of_scheme(scheme: str) -> str:
    """The type whose addresses start so, or empty."""
    return next(
        (name for name, entry in TYPES.items() if scheme in entry.schemes and scheme not in ("http", "https", "tls")),
        "",
    )
