"""The known patterns: which slots each has, and in which shape its runner reads its configuration."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Shape = Literal["single", "slots", "flat", "mailbox"]


@dataclass(frozen=True, slots=True)
class Slot:
    name: str
    required: bool = False
    interfaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern. The first slot is the one that a lone ``backend`` or ``backendConfig`` serves."""

    name: str
    slots: tuple[Slot, ...]
    shape: Shape = "single"

    @property
    def main(self) -> Slot:
        return self.slots[0]


_STATE = Slot("state_store", interfaces=("keyvalue_basic",))
_OBJECTS = Slot("object_store")

PATTERNS = {
    pattern.name: pattern
    for pattern in (
        Pattern("keyvalue", (Slot("store", required=True, interfaces=("keyvalue_basic",)),)),
        Pattern("pubsub", (Slot("messaging", required=True, interfaces=("pubsub_basic",)),)),
        Pattern("queue", (Slot("queue", required=True, interfaces=("queue_basic",)),)),
        Pattern(
            "consumer",
            (
                Slot("message_source", required=True, interfaces=("pubsub_basic",)),
                _STATE,
                Slot("dead_letter_queue", interfaces=("queue_basic", "queue_visibility")),
                _OBJECTS,
            ),
            "slots",
        ),
        Pattern("producer", (Slot("message_sink", required=True, interfaces=("pubsub_basic",)), _STATE, _OBJECTS), "flat"),
        Pattern(
            "multicast-registry",
            (
                Slot("registry", required=True, interfaces=("keyvalue_basic", "keyvalue_scan")),
                Slot("messaging", required=True, interfaces=("pubsub_basic",)),
                Slot("durability", interfaces=("queue_basic", "queue_visibility", "queue_dead_letter")),
            ),
            "slots",
        ),
        Pattern("mailbox", (Slot("message_source", required=True), Slot("storage"), Slot("query")), "mailbox"),
    )
}


@lru_cache(maxsize=1024)
def pattern_of(name: str) -> Pattern:
    """The pattern of that name; one required slot ``backend`` where nobody knows it."""
    plain = name.replace("_", "-")
    return PATTERNS.get(plain, Pattern(plain, (Slot("backend", required=True),)))
