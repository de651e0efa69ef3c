"""Names that nobody knows are most likely misspelled: they work, and are warned of where people look."""

import httpx
import pytest

from tests.asking import asked
from tests.backend import backend
from tests.build import backend_config, condition, request, runner


@pytest.mark.parametrize(("kind", "known"), [("rediss", False), ("redis", True), ("postgres", True)])
async def test_a_type_that_nobody_knows_is_a_warning(client: httpx.AsyncClient, kind: str, known: bool) -> None:
    spec = {"type": kind, "connection": {"host": "h"}}
    for answer in (
        await asked(client, "prism-backendconfig/sync", request(backend_config(spec))),
        await asked(client, "prism-backend/sync", request(backend(spec))),
    ):
        warning = condition(answer, "TypeKnown")
        assert (warning == {}) is known
        assert known or f"spec.type: {kind} is none of memstore, sqlite, redis" in warning["message"]


async def test_a_misspelled_slot_is_named_where_the_right_one_is_missed(client: httpx.AsyncClient) -> None:
    spec = {"pattern": "keyvalue", "backend": None, "backendBindings": {"stor": {"backendRef": "x"}}}
    answer = await asked(client, "prism-runner/sync", request(runner(spec)))
    assert (
        condition(answer, "Ready")["message"]
        == "spec.backendBindings.store: pattern keyvalue needs it; stor is none of its slots"
    )


async def test_a_pattern_that_nobody_knows_may_have_any_slot(client: httpx.AsyncClient) -> None:
    spec = {"pattern": "our-own", "backend": None, "backendBindings": {"side": {"backendRef": "x"}}}
    answer = await asked(client, "prism-runner/sync", request(runner(spec)))
    assert condition(answer, "Ready")["message"] == "spec.backendBindings.backend: pattern our-own needs it"
    assert condition(answer, "SlotsKnown") == {}
