"""What the operator makes of a registry that is down, slow, lying, or has lost its data."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import respx

from app.contract import Outcome, Wish
from app.main import create_app
from app.registry import client as module
from app.registry.client import Registry
from app.settings import Settings
from tests.backend import CLUSTER, backend, sync
from tests.build import Manifest, condition, find, request, secret

URL = "http://registry.test"
SETTINGS = Settings(registry_url=URL, registry_token="sesame")
RECORD = f"{URL}/v1/backends/redis"
WISH = Wish("redis", {"cluster": "default", "uid": "u"}, {"name": "redis"}, "h1")


class Time:
    """A clock that only the test moves: seconds for the client, RFC 3339 for the hooks."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def text(self) -> str:
        return f"2026-01-01T{int(self.seconds // 3600):02d}:{int(self.seconds // 60 % 60):02d}:{int(self.seconds % 60):02d}Z"


def echo(asked: httpx.Request) -> httpx.Response:
    """A registry that works."""
    return httpx.Response(200, json={"name": "redis", "hash": json.loads(asked.content)["hash"]})


def answers(code: int, **content: Any) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(code, **content)


def fails(error: type[Exception]) -> Callable[[httpx.Request], httpx.Response]:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error("hunter2")

    return fail


OUTCOMES: dict[str, tuple[Callable[[httpx.Request], httpx.Response], str, str]] = {
    "it works": (echo, "done", ""),
    "it is down": (fails(httpx.ConnectError), "failed", "RegistryUnreachable"),
    "it does not answer in time": (fails(httpx.ReadTimeout), "failed", "RegistryTimeout"),
    "it hangs up": (fails(httpx.RemoteProtocolError), "failed", "RegistryUnreachable"),
    "it fails": (answers(500, text="hunter2"), "failed", "RegistryError"),
    "it does not take the token": (answers(401), "failed", "Unauthorized"),
    "it forbids": (answers(403), "failed", "Unauthorized"),
    "another source has the name": (answers(409), "failed", "SourceConflict"),
    "it answers no JSON": (answers(200, text="<html>"), "failed", "UnexpectedAnswer"),
    "it answers another record": (answers(200, json={"hash": "other"}), "failed", "UnexpectedAnswer"),
    "it answers a list": (answers(200, json=[1]), "failed", "UnexpectedAnswer"),
    "it answers nested nonsense": (answers(200, text="[" * 60000), "failed", "UnexpectedAnswer"),
    "it answers without end": (answers(200, text="x" * 200_000), "failed", "UnexpectedAnswer"),
    "it sends elsewhere": (answers(307, headers={"Location": "http://elsewhere.test"}), "failed", "RegistryError"),
}


@pytest.mark.parametrize(("answer", "state", "reason"), OUTCOMES.values(), ids=OUTCOMES)
@respx.mock
async def test_every_answer_becomes_an_outcome(answer: Any, state: str, reason: str) -> None:
    route = respx.put(RECORD).mock(side_effect=answer)
    registry = Registry(SETTINGS)
    outcome = await registry.carry_out(WISH)
    assert (outcome.state, outcome.reason) == (state, reason)
    assert "hunter2" not in outcome.message
    assert route.calls[0].request.headers["Authorization"] == "Bearer sesame"
    assert route.call_count == 1, "no retries: Metacontroller comes again"
    await registry.close()


DELETED = {
    "it was there": (204, "done"),
    "it was not": (404, "done"),
    "it is another source's": (409, "done"),
    "it fails": (500, "failed"),
}


@pytest.mark.parametrize(("code", "state"), DELETED.values(), ids=DELETED)
@respx.mock
async def test_a_record_is_deleted_by_its_source(code: int, state: str) -> None:
    route = respx.delete(RECORD, params={"cluster": "default", "uid": "u"}).mock(return_value=httpx.Response(code))
    assert (await Registry(SETTINGS).carry_out(Wish("redis", WISH.source))).state == state
    assert route.called


async def test_a_registry_that_drips_is_left_after_three_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEADLINE_SECONDS", 0.05)

    async def drip(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(10)
        raise AssertionError("it should have been left")

    outcome = await Registry(SETTINGS, httpx.MockTransport(drip)).carry_out(WISH)
    assert outcome == Outcome("failed", "RegistryTimeout", "the registry did not answer within 0 s")


@respx.mock
async def test_what_did_not_change_is_told_again_every_ten_minutes_or_so() -> None:
    route, time = respx.put(RECORD).mock(side_effect=echo), Time()
    registry = Registry(SETTINGS, clock=time)
    known = Wish("redis", WISH.source, WISH.record, "h1", changed=False)
    assert (await registry.carry_out(known)).state == "done", "after a start nobody knows what was told"
    for time.seconds in (1, 100, 500):
        assert (await registry.carry_out(known)).state == "kept"
    time.seconds = 600
    assert (await registry.carry_out(known)).state == "done"
    assert route.call_count == 2


@respx.mock
async def test_a_failure_is_not_repeated_at_once_but_a_change_is_told() -> None:
    route, time = respx.put(RECORD).mock(return_value=httpx.Response(500)), Time()
    registry = Registry(SETTINGS, clock=time)
    states = [(await registry.carry_out(WISH)).state for _ in range(50)]
    assert (states[0], set(states[1:]), route.call_count) == ("failed", {"kept"}, 1)
    changed = Wish("redis", WISH.source, WISH.record, "h2")
    assert (await registry.carry_out(changed)).state == "failed"
    time.seconds = 3
    await registry.carry_out(WISH)
    assert route.call_count == 3


# Through the hook.


async def hook(time: Time, registry: Registry | None = None, **settings: Any) -> httpx.AsyncClient:
    told = SETTINGS.model_copy(update=settings)
    app = create_app(told, now=time.text, registry=registry or Registry(told, clock=time))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://operator")


async def step(client: httpx.AsyncClient, last: Manifest | None, **metadata: Any) -> Manifest:
    """One sync, with the status and the children of the last."""
    status = {"status": last["status"]} if last else {}
    return await sync(client, request(backend(**status, **metadata), last["children"] if last else [], CLUSTER))


@pytest.mark.parametrize(("answer", "reason"), [(each[0], each[2]) for each in OUTCOMES.values() if each[2]], ids=[k for k, v in OUTCOMES.items() if v[2]])  # fmt: skip
async def test_nothing_else_suffers_and_it_recovers_by_itself(answer: Any, reason: str) -> None:
    time = Time()
    with respx.mock(assert_all_mocked=False) as mock:
        route = mock.put(RECORD).mock(side_effect=answer)
        async with await hook(time) as client:
            last = await step(client, None)
            last = await step(client, last)
            assert last["status"]["phase"] == "Discovered"
            assert condition(last, "Ready")["status"] == "True"
            admin = condition(last, "AdminSynced")
            assert (admin["status"], admin["reason"]) == ("False", reason)
            delays = []
            for _ in range(12):
                delays.append(last["resyncAfterSeconds"])
                time.seconds += delays[-1]
                last = await step(client, last)
            assert delays[0] == 5
            assert delays == sorted(delays)
            assert delays[-1] == 300
            assert route.call_count == 13, "one request a try, and no more"
            route.mock(side_effect=echo)
            time.seconds += 300
            last = await step(client, last)
            assert condition(last, "AdminSynced")["status"] == "True"
            assert last["status"]["admin"]["syncedAt"] == time.text()
            assert "resyncAfterSeconds" not in last


async def test_many_syncs_while_it_is_down_are_few_requests() -> None:
    """Events of endpoints come as they like: they must not become a storm on a registry that is ill."""
    time = Time()
    with respx.mock(assert_all_mocked=False) as mock:
        route = mock.put(RECORD).mock(return_value=httpx.Response(500))
        async with await hook(time) as client:
            last = None
            for _ in range(100):
                last = await step(client, last)
                assert condition(last, "AdminSynced")["reason"] == "RegistryError"
        assert route.call_count == 1


async def test_a_record_is_told_once_and_when_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    time = Time()
    with respx.mock(assert_all_mocked=False) as mock:
        route = mock.put(RECORD).mock(side_effect=echo)
        async with await hook(time) as client:
            last = await step(client, None)
            first = last["status"]["admin"]
            time.seconds = 60
            last = await step(client, last)
            assert (last["status"]["admin"], route.call_count) == (first, 1)
            other = backend(
                {"type": "redis", "discovery": backend()["spec"]["discovery"], "metadata": {"env": "prod"}}, status=last["status"]
            )
            changed = await sync(client, request(other, last["children"], CLUSTER))
            assert route.call_count == 2
            assert changed["status"]["admin"]["hash"] != first["hash"]
            assert changed["status"]["admin"]["syncedAt"] == time.text()


async def test_a_failure_is_forgotten_by_every_replica_once_the_registry_is_back() -> None:
    """One pod told the record long ago, another failed to tell it again: the first has to ask, not to rest."""
    time = Time()
    with respx.mock(assert_all_mocked=False) as mock:
        route = mock.put(RECORD).mock(side_effect=echo)
        async with await hook(time) as one, await hook(time) as two:
            last = await step(one, await step(one, None))
            time.seconds = 10
            route.mock(side_effect=httpx.ConnectError("down"))
            last = await step(two, last)
            assert condition(last, "AdminSynced")["status"] == "False"
            route.mock(side_effect=echo)
            time.seconds = 15
            assert condition(await step(one, last), "AdminSynced")["status"] == "True"


async def test_a_parent_that_goes_without_a_finalizer_is_told_to_nobody() -> None:
    with respx.mock(assert_all_mocked=False, assert_all_called=False) as mock:
        route = mock.put(RECORD).mock(side_effect=echo)
        async with await hook(Time()) as client:
            await step(client, None, deletionTimestamp="2026-01-01T00:00:00Z")
        assert not route.called


async def test_where_a_secret_wins_over_the_address_the_record_says_neither() -> None:
    spec = {
        "type": "kafka",
        "connection": {"bootstrapServers": ["a:1", "b:1"], "database": "d"},
        "bindingRef": {"name": "s", "namespace": "x"},
    }
    held = secret("s", "x", url="kafka://u:p@marked-host.example.com:1,marked-other:2/marked-db", port="7777")
    with respx.mock(assert_all_mocked=False) as mock:
        route = mock.put(RECORD).mock(side_effect=echo)
        async with await hook(Time()) as client:
            await sync(client, request(backend(spec), related=[held]))
    assert b"marked" not in route.calls[0].request.content
    assert b"7777" not in route.calls[0].request.content


async def test_records_hold_a_reference_and_values_only_where_that_is_wanted() -> None:
    for wanted, credentials in (("reference", None), ("inline", "hunter2")):
        with respx.mock(assert_all_mocked=False) as mock:
            route = mock.put(RECORD).mock(side_effect=echo)
            async with await hook(Time(), registry_credentials=wanted) as client:
                await step(client, None)
        sent = json.loads(route.calls[0].request.content)
        assert sent["binding"] == {"namespace": "prism-operator", "secret": "prism-backend-redis"}
        assert (sent["type"], sent["config"]["host"]) == ("REDIS", "redis-master.infra.svc.cluster.local")
        assert sent.get("credentials", {}).get("password") == credentials
        assert ("hunter2" in json.dumps(sent)) is (credentials is not None)


async def test_what_a_secret_says_of_the_address_is_not_told_by_default() -> None:
    spec = {"type": "redis", "bindingRef": {"name": "s", "namespace": "x"}}
    with respx.mock(assert_all_mocked=False) as mock:
        route = mock.put(RECORD).mock(side_effect=echo)
        async with await hook(Time()) as client:
            await sync(client, request(backend(spec), related=[secret("s", "x", host="marked-host", database="marked-db")]))
    assert b"marked" not in route.calls[0].request.content


async def finalized(client: httpx.AsyncClient, last: Manifest | None, **metadata: Any) -> Manifest:
    status = {"status": last["status"]} if last else {}
    body = {**request(backend(deletionTimestamp="2026-01-01T00:00:00Z", **status, **metadata)), "finalizing": True}
    return await sync(client, body, "finalize")


async def test_a_deletion_deregisters() -> None:
    with respx.mock(assert_all_mocked=False) as mock:
        route = mock.delete(RECORD).mock(return_value=httpx.Response(204))
        async with await hook(Time()) as client:
            assert (await finalized(client, None))["finalized"] is True
        assert route.call_count == 1


async def test_a_deletion_is_not_blocked_for_ever() -> None:
    time = Time()
    with respx.mock(assert_all_mocked=False) as mock:
        mock.delete(RECORD).mock(return_value=httpx.Response(500))
        async with await hook(time) as client:
            last = await finalized(client, None)
            assert (last["finalized"], last["resyncAfterSeconds"]) == (False, 5)
            time.seconds = 299
            last = await finalized(client, last)
            assert last["finalized"] is False
            time.seconds = 302
            last = await finalized(client, last)
            assert (last["finalized"], last["resyncAfterSeconds"]) == (False, 1), "first it is said"
            assert condition(last, "AdminSynced")["reason"] == "DeregistrationGivenUp"
            assert "may be left in the registry" in condition(last, "AdminSynced")["message"]
            over = await finalized(client, last)
            assert over["finalized"] is True
            assert condition(over, "AdminSynced") == condition(last, "AdminSynced"), "what was given up has not been done"


async def test_a_deletion_leaves_anothers_record_and_says_so() -> None:
    with respx.mock(assert_all_mocked=False) as mock:
        mock.delete(RECORD).mock(return_value=httpx.Response(409))
        async with await hook(Time()) as client:
            answer = await finalized(client, None)
    assert answer["finalized"] is True
    assert condition(answer, "AdminSynced")["reason"] == "SourceConflict"


async def test_a_condition_without_its_time_is_no_error() -> None:
    status = {"conditions": [{"type": "AdminSynced", "status": "False", "reason": "Unreachable"}]}
    with respx.mock(assert_all_mocked=False) as mock:
        mock.put(RECORD).mock(return_value=httpx.Response(500))
        async with await hook(Time()) as client:
            answer = await step(client, {"status": status, "children": []})
    assert condition(answer, "AdminSynced")["status"] == "False"


async def test_the_binding_secret_is_written_whatever_the_registry_does() -> None:
    with respx.mock(assert_all_mocked=False) as mock:
        mock.put(RECORD).mock(side_effect=httpx.ConnectError("no"))
        async with await hook(Time()) as client:
            assert find(await step(client, None), "Secret")
