"""Secrets: a runner's configuration, and bindings in the form of servicebinding.io."""

import json
from collections.abc import Mapping
from typing import Any

from app.api.kinds import SECRET
from app.backends.address import Values
from app.bindings.values import encode
from app.children.metadata import Child, Owner, child
from app.contract import Object


def secret(owner: Owner, name: str, data: Mapping[str, str], kind: str = "Opaque") -> Child:
    """A Secret of text values."""
    return child(SECRET, owner, name, type=kind, data=encode(data))


def json_text(value: Any) -> str:
    """JSON for a file that a person may read: sorted, indented."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def binding(owner: Owner, name: str, values: Values) -> Child:
    """The Secret that carries a backend's values; its type names the backend's."""
    return secret(owner, name, values, f"servicebinding.io/{values['type']}")


def replaced(wanted: Child, live: Object | None) -> bool:
    """Whether a Secret must go before it can come: its type is another, and the API server will not change a type."""
    return live is not None and live.type != wanted["type"]
