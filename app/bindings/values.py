"""Connection values in the two forms that workloads read: a binding Secret's data, and an entry of ``backends.json``.

Both forms can be read back: they are the memory that keeps a workload running when its source is gone.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

import orjson

from app.backends.address import Values
from app.backends.runnerconfig import own_settings
from app.backends.types import known

NUMBERS = {"port"}
PUBLISHED = (
    "provider", "host", "port", "username", "password", "database", "uri", "bootstrap-servers", "certificates",
    "client-certificate", "private-key", "tls",
)  # fmt: skip


def encode(values: Mapping[str, str]) -> dict[str, str]:
    """Values as the data of a Secret."""
    return {key: base64.b64encode(values[key].encode()).decode() for key in sorted(values)}


def decode(data: Mapping[str, str] | None) -> Values:
    """The data of a Secret as values; what is no text is left out."""
    out = {}
    for key, value in (data or {}).items():
        try:
            out[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
    return out


def entry(values: Values) -> dict[str, Any]:
    """An entry of ``backends.json``: type, config and capabilities."""
    kind = known(values["type"])
    config: dict[str, Any] = {key.replace("-", "_"): _typed(kind.name, key, values[key]) for key in PUBLISHED if key in values}
    if kind.name == "kafka":
        config["brokers"] = values.get("bootstrap-servers", "").split(",")
        config["security_protocol"] = ("SASL_" if "username" in values else "") + ("SSL" if "tls" in values else "PLAINTEXT")
    out: dict[str, Any] = {"type": kind.name, "config": config, "capabilities": capabilities(values)}
    overrides = own_settings(values)
    if overrides:
        out |= {"config": {**config, **overrides}, "overrides": overrides, "connection": config}
    return out


def capabilities(values: Values) -> list[str]:
    """What a backend can do: what was said of it, else what its type can."""
    said = values.get("capabilities", "")
    return said.split(",") if said else list(known(values["type"]).capabilities)


def values_of(said: Mapping[str, Any]) -> Values:
    """The values that ``entry`` was made of."""
    config = said.get("connection", said["config"])
    found = {key: _text(config[key.replace("-", "_")]) for key in PUBLISHED if key.replace("-", "_") in config}
    out = {"type": said["type"], **found}
    if said.get("overrides"):
        out["config"] = orjson.dumps(said["overrides"], option=orjson.OPT_SORT_KEYS).decode()
    own = list(said.get("capabilities") or ())
    if own and own != list(known(said["type"]).capabilities):
        out["capabilities"] = ",".join(own)
    return out


def _typed(kind: str, key: str, value: str) -> Any:
    if key == "tls":
        return value == "true"
    number = key in NUMBERS or (key == "database" and kind == "redis")
    plain = re.fullmatch("0|[1-9][0-9]{0,8}", value)
    return int(value) if number and plain else value


def _text(value: Any) -> str:
    return "true" if value is True else str(value)
