"""Connection keys that stand in a runner's own spec: ``natsUrl``, ``redisUrl``, ``connectionString``, or host and port."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.backends.address import TLS_SCHEMES, Values, complete, fitting, joined, parts, recognized, server
from app.backends.types import ALIASES, TYPES, is_known, known

GENERIC = ("url", "connectionString", "connection_string", "address", "brokers", "bootstrapServers")
FIELDS = ("username", "password", "database")


def address_keys(backend: str) -> Iterator[tuple[str, str]]:
    """Keys that hold an address, each with the type that it tells; those of the backend's own type alone, where it is known."""
    names = (*TYPES, *ALIASES)
    for name in names:
        if not is_known(backend) or known(name) == known(backend):
            yield f"{name}Url", known(name).name
            yield f"{name}_url", known(name).name
    for key in GENERIC:
        yield key, ""


def is_address_key(key: str) -> bool:
    """Whether a setting says where a backend is, so that it is no setting of the pattern."""
    return any(key == known_key for known_key, _ in address_keys(""))


def inline(backend: str, said: Mapping[str, Any]) -> Values | None:
    """Values from the connection keys of a spec; None where it has none. Raises ValueError, naming the key alone."""
    given: Values = {}
    told = ""
    for key, kind in address_keys(backend):
        text = ",".join(map(str, said[key])) if isinstance(said.get(key), list) else said.get(key)
        if isinstance(text, str) and text:
            try:
                given, told = parts(text), kind
                fitting(known(backend).name if is_known(backend) else kind, given.get("scheme", ""))
            except ValueError as error:
                raise ValueError(f"{key}: {error}") from None
            break
    given |= {key: str(said[key]) for key in FIELDS if isinstance(said.get(key), str | int) and str(said[key])}
    given |= _host(said)
    if "host" not in given:
        return None
    kind = known(backend).name if is_known(backend) else told
    scheme = given.get("scheme", "")
    return complete(recognized(kind or backend, "", scheme), given, tls=scheme in TLS_SCHEMES)


def _host(said: Mapping[str, Any]) -> Values:
    host, port = said.get("host"), said.get("port")
    if not isinstance(host, str) or not host:
        return {}
    try:
        server(joined(host, ""))
    except ValueError as error:
        raise ValueError(f"host: {error}") from None
    try:
        found, own = server(joined(host, "" if port is None else str(port)))
    except ValueError:
        raise ValueError("port: must be a whole number from 1 to 65535") from None
    return {"host": found, **({"port": own} if own else {})}
