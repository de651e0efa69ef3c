"""The configuration that a real runner reads: one JSON file, in the shape of its own parser, with driver-native keys.

Shapes, from the runners themselves: keyvalue reads ``namespaces[0].backend_config``; consumer and multicast-registry
``namespaces[0].slots``; producer a flat ``slots`` with ``driver``; mailbox a flat ``behavior`` and ``storage``.
"""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from app.backends.address import Values, endpoint_of
from app.backends.inline import is_address_key
from app.backends.patterns import Pattern
from app.backends.types import known

_CAPITAL = re.compile(r"(?<=[a-z0-9])([A-Z])")


def snake(key: str) -> str:
    """``maxKeys`` as the runners spell it, ``max_keys``."""
    return _CAPITAL.sub(r"_\1", key).lower()


def settings(config: Mapping[str, Any] | None) -> dict[str, Any]:
    """The user's settings in the runners' spelling, without those that say where the backend is."""
    return {snake(key): value for key, value in (config or {}).items() if not is_address_key(key)}


def own_settings(values: Values) -> dict[str, Any]:
    """What a backend's own spec gives its driver; empty where a hand wrote something else there."""
    try:
        found = orjson.loads(values.get("config", "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def driver(values: Values) -> dict[str, Any]:
    """What the driver of a backend reads, by its own names, and what the backend says of it (``spec.config``) over that."""
    kind = values["type"]
    out: dict[str, Any] = {}
    login: dict[str, Any] = {key: values[key] for key in ("username", "password") if key in values}
    if kind == "redis":
        out = {"address": endpoint_of(values), "db": _number(values.get("database", "0")), **login}
    elif kind == "nats":
        out = {"url": values.get("uri", "")}
    elif kind == "kafka":
        sasl = {f"sasl{key}": value for key, value in login.items()}
        out = {"brokers": values.get("bootstrap-servers", "").split(","), **sasl}
    elif kind == "postgresql":
        out = {"database_url": values.get("uri", ""), "connection_string": values.get("uri", "")}
    elif kind == "s3":
        keys = {"access_key_id": values.get("username"), "secret_access_key": values.get("password")}
        out = {"endpoint": endpoint_of(values), "use_ssl": values.get("tls") == "true", **{k: v for k, v in keys.items() if v}}
    elif not known(kind).builtin:
        out = {"url": values.get("uri", ""), "address": endpoint_of(values), **login}
    own = own_settings(values)
    return {**{key: value for key, value in out.items() if value not in ("", [""])}, **own}


def runner_config(
    name: str, pattern: Pattern, said: str, slots: Mapping[str, Values], config: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The runner's configuration. ``slots`` holds the values of each bound slot, ``said`` the pattern's name as given."""
    own = settings(config)
    if pattern.shape == "flat":
        sinks = {slot: {"driver": values["type"], "config": driver(values)} for slot, values in slots.items()}
        return {"name": name, "slots": sinks, "behavior": own}
    if pattern.shape == "mailbox":
        storage = own.pop("storage", None)
        storage = storage if isinstance(storage, dict) else {}
        return {"name": name, "behavior": own, "storage": {"database_path": "/tmp/mailbox.db", **storage}}  # noqa: S108
    entry: dict[str, Any] = {"name": name, "pattern": said, "pattern_version": "v1", "description": f"{said} {name}"}
    if pattern.shape == "slots":
        wants = {slot.name: list(slot.interfaces) for slot in pattern.slots}
        entry["slots"] = {
            slot: {"backend": values["type"], "interfaces": wants.get(slot, []), "config": driver(values)}
            for slot, values in slots.items()
        }
        entry["behavior"] = own
    else:
        main = slots.get(pattern.main.name)
        entry["backend"] = main["type"] if main else "memstore"
        entry["backend_config"] = {**own, **(driver(main) if main else {})}
        extra = {slot: driver(values) for slot, values in slots.items() if slot != pattern.main.name}
        if extra:
            entry["slots"] = extra
    return {"namespaces": [entry]}


def _number(text: str) -> int:
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else 0
