"""The loop over the cluster in memory does what the real Metacontroller was seen to do."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.api.kinds import SECRET
from app.api.v1alpha1.patternrunner import PatternRunner
from app.contract import Context, Desired, Observed
from app.controllers import CONTROLLERS, Controller
from app.engine.admission import Invalid
from app.engine.dynamicapply import merge
from app.engine.session import NeverSettles, Session
from app.main import create_app
from app.settings import Settings

RUNNER: dict[str, Any] = {
    "apiVersion": "prism.io/v1alpha1",
    "kind": "PatternRunner",
    "metadata": {"name": "a"},
    "spec": {"pattern": "keyvalue", "backend": "memstore"},
}
KEY = ("PatternRunner.prism.io/v1alpha1", "default", "a")


def session_of(*rows: Controller) -> Session:
    table = rows or CONTROLLERS
    holder: list[Session] = []
    app = create_app(Settings(), table, now=lambda: holder[0].now())
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://operator")
    holder.append(Session(client, table))
    return holder[0]


@pytest.fixture
async def session() -> AsyncIterator[Session]:
    made = session_of()
    yield made
    await made.loop.client.aclose()


def ready(session: Session) -> dict[str, Any]:
    found = session.cluster.get(KEY)
    assert found is not None
    return next(c for c in found["status"]["conditions"] if c["type"] == "Ready")


def names(session: Session, kind: str) -> list[str]:
    return [found["metadata"]["name"] for found in session.cluster.all(kind)]


STACK: dict[str, Any] = {
    "apiVersion": "prism.io/v1alpha1",
    "kind": "PrismStack",
    "metadata": {"name": "demo"},
    "spec": {"admin": {"replicas": 3}, "patterns": [{"name": "a", "type": "keyvalue", "backend": "memstore"}]},
}


async def test_a_stack_and_what_its_parts_own_come_up_roll_and_go(session: Session) -> None:
    session.cluster.apply(STACK)
    await session.settle()
    key = ("PrismStack.prism.io/v1alpha1", "default", "demo")

    def says() -> str:
        conditions = session.cluster.objects[key]["status"]["conditions"]
        return str(next(c["message"] for c in conditions if c["type"] == "Ready"))

    assert says() == "proxy 1/1, admin 3/3, patterns 1/1"
    members = [name for name in names(session, "Pod.v1") if "admin" in name]
    assert members == ["demo-admin-1", "demo-admin-2", "demo-admin-3"]
    before = {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in session.cluster.all("Pod.v1")}
    session.cluster.apply({**STACK, "spec": {**STACK["spec"], "admin": {"replicas": 3, "image": "x:2"}}})
    await session.settle()
    after = {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in session.cluster.all("Pod.v1")}
    assert says() == "proxy 1/1, admin 3/3, patterns 1/1"
    assert {name for name in before if before[name] != after.get(name)} == set(members)
    session.cluster.delete(key)
    await session.settle()
    assert list(session.cluster.all()) == []


async def test_a_runner_comes_up_and_rests(session: Session) -> None:
    session.cluster.apply(RUNNER)
    await session.settle()
    assert ready(session)["status"] == "True"
    before = session.cluster.writes.copy()
    session.loop.resync()
    await session.settle()
    await session.advance(600)
    assert session.cluster.writes == before


async def test_a_deleted_parent_leaves_nothing(session: Session) -> None:
    session.cluster.apply(RUNNER)
    await session.settle()
    session.cluster.delete(KEY)
    await session.settle()
    assert session.cluster.objects == {}


async def test_a_broken_image_is_said_and_its_repair_heals(session: Session) -> None:
    session.cluster.apply(RUNNER)
    await session.settle()
    session.cluster.apply({**RUNNER, "spec": {**RUNNER["spec"], "image": "x/broken:1"}})
    await session.settle()
    assert ready(session)["reason"] == "ImagePullFailed"
    assert len(names(session, "Pod.v1")) == 2, "the old pod stays while the new one does not come up"
    session.cluster.apply(RUNNER)
    await session.settle()
    assert ready(session)["status"] == "True"


async def test_a_foreign_object_is_left_alone_and_its_going_heals(session: Session) -> None:
    foreign = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "default"}, "spec": {"mine": True}}
    session.cluster.apply(foreign)
    session.cluster.apply(RUNNER)
    await session.settle()
    assert ready(session)["reason"] == "NameConflict"
    key = ("Service.v1", "default", "a")
    assert (session.cluster.get(key) or {})["spec"] == {"mine": True}
    session.cluster.delete(key)
    await session.settle()
    assert ready(session)["status"] == "True"


async def test_a_deleted_child_comes_back(session: Session) -> None:
    session.cluster.apply(RUNNER)
    await session.settle()
    session.cluster.delete(("Service.v1", "default", "a"))
    await session.settle()
    assert names(session, "Service.v1") == ["a"]


async def test_a_rotated_secret_reaches_the_pods(session: Session) -> None:
    login = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"password": "one"}}
    config = {
        "apiVersion": "prism.io/v1alpha1",
        "kind": "BackendConfig",
        "metadata": {"name": "cache"},
        "spec": {"type": "redis", "connection": {"host": "r", "secretRef": {"name": "s"}}},
    }
    runner = {**RUNNER, "spec": {"pattern": "keyvalue", "backend": "redis", "backendConfig": {"name": "cache"}}}
    for each in (runner, config, login):
        session.cluster.apply(each)
        await session.settle()
    assert ready(session)["status"] == "True"
    pods = names(session, "Pod.v1")
    session.cluster.apply({**login, "stringData": {"password": "two"}})
    await session.settle()
    assert ready(session)["status"] == "True"
    assert names(session, "Pod.v1") != pods
    session.cluster.delete(("BackendConfig.prism.io/v1alpha1", "default", "cache"))
    pods = names(session, "Pod.v1")
    await session.settle()
    assert names(session, "Pod.v1") == pods, "what runs stays"
    assert ready(session)["reason"] == "BackendNotFound"


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown field": ({"pattern": "x", "patern": "y"}, "unknown field spec.patern"),
    "an unknown field within": ({"pattern": "x", "service": {"prot": 1}}, "spec.service.prot"),
    "a missing field": ({}, "spec.pattern"),
    "a value out of bounds": ({"pattern": "x", "replicas": -1}, "spec.replicas"),
}


@pytest.mark.parametrize(("spec", "says"), REFUSED.values(), ids=REFUSED)
def test_refuses_what_the_schema_refuses(spec: dict[str, Any], says: str) -> None:
    with pytest.raises(Invalid, match=says):
        session_of().cluster.apply({**RUNNER, "spec": spec})


def test_writes_the_defaults_of_the_schema() -> None:
    stored = session_of().cluster.apply({**RUNNER, "spec": {"pattern": "x", "service": {}}})
    assert stored["spec"]["service"] == {"port": 8080, "type": "ClusterIP"}
    assert stored["status"] == {"observedGeneration": -1}


async def test_a_hook_that_answers_anew_each_time_is_found() -> None:
    turns = iter(range(10**9))

    def sync(_: PatternRunner, observed: Observed, __: Context) -> Desired:
        child = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"n{next(turns)}", "namespace": "default"},
            "data": {},
        }
        del child["data"]
        return Desired([child], {})

    session = session_of(Controller(name="restless", parent=PatternRunner, children=(SECRET,), sync=sync))
    session.cluster.apply(RUNNER)
    with pytest.raises(NeverSettles):
        await session.settle()


async def test_a_failing_hook_is_tried_again_later_and_changes_nothing() -> None:
    fails = [True]

    def sync(_: PatternRunner, __: Observed, ___: Context) -> Desired:
        if fails[0]:
            raise KeyError
        return Desired([{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "default"}}], {})

    session = session_of(Controller(name="fails", parent=PatternRunner, children=(SECRET,), sync=sync))
    session.cluster.apply(RUNNER)
    await session.settle()
    assert len(session.loop.errors) > 3
    assert names(session, "Secret.v1") == []
    fails[0] = False
    await session.advance(60)
    assert names(session, "Secret.v1") == ["s"]


async def test_finalize_holds_the_parent_until_it_is_done() -> None:
    done = [False]

    def sync(_: PatternRunner, __: Observed, ___: Context) -> Desired:
        return Desired([], {})

    def finalize(_: PatternRunner, __: Observed, ___: Context) -> Desired:
        return Desired([], {}, resync_after=5, finalized=done[0])

    session = session_of(Controller(name="f", parent=PatternRunner, children=(SECRET,), sync=sync, finalize=finalize))
    session.cluster.apply(RUNNER)
    await session.settle()
    session.cluster.delete(KEY)
    await session.settle()
    assert session.cluster.get(KEY) is not None
    done[0] = True
    await session.advance(6)
    assert session.cluster.get(KEY) is None


MERGES: dict[str, tuple[Any, Any, Any, Any]] = {
    "what others wrote stays": ({"a": 1, "b": 2}, {"a": 1}, {"a": 3}, {"a": 3, "b": 2}),
    "what was applied and is wanted no more goes": ({"a": 1, "b": 2}, {"a": 1, "b": 2}, {"a": 1}, {"a": 1}),
    "lists of named objects merge": ([{"name": "x", "d": 1}], [], [{"name": "x", "v": 2}], [{"name": "x", "d": 1, "v": 2}]),
    "other lists are replaced": ([1, 2], [1], [3], [3]),
    "ports of one number become one": (
        [{"port": 53, "protocol": "TCP"}],
        [],
        [{"port": 53}, {"port": 53}],
        [{"port": 53, "protocol": "TCP"}],
    ),
}


@pytest.mark.parametrize(("there", "applied", "wanted", "merged"), MERGES.values(), ids=MERGES)
def test_dynamic_apply(there: Any, applied: Any, wanted: Any, merged: Any) -> None:
    assert merge(there, applied, wanted) == merged
