"""The registry as people and the operator reach it."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.cli.serve import with_registry
from app.contract import Wish
from app.registry.client import Registry
from app.registry.server import create_registry
from app.registry.store import SCHEMA_VERSION, Store, WrongVersion
from app.settings import Settings
from tests.backend import CLUSTER, backend, sync
from tests.build import condition, request

TOKEN = {"Authorization": "Bearer sesame"}
SOURCE = {"cluster": "one", "uid": "u1"}


def record(**changed: Any) -> dict[str, Any]:
    return {"name": "redis", "type": "REDIS", "config": {"host": "h"}, "source": SOURCE, "hash": "h1", **changed}


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    store = Store(f"sqlite:///{tmp_path}/r.db")
    transport = httpx.ASGITransport(create_registry(store, "sesame", lambda: "2026-01-01T00:00:00Z"))
    async with httpx.AsyncClient(transport=transport, base_url="http://registry", headers=TOKEN) as client:
        yield client
    store.close()


async def test_put_get_and_delete_are_idempotent(http: httpx.AsyncClient) -> None:
    codes = [(await http.put("/v1/backends/redis", json=record())).status_code for _ in range(3)]
    assert codes == [201, 200, 200]
    found = (await http.get("/v1/backends/redis")).json()
    assert found == {**record(), "capabilities": [], "metadata": {}, "binding": {}, "updatedAt": "2026-01-01T00:00:00Z"}
    codes = [(await http.delete("/v1/backends/redis", params=SOURCE)).status_code for _ in range(2)]
    assert codes == [204, 204]
    assert (await http.get("/v1/backends/redis")).status_code == 404


async def test_a_record_is_changed_by_its_source_alone(http: httpx.AsyncClient) -> None:
    await http.put("/v1/backends/redis", json=record())
    for other in ({"cluster": "two", "uid": "u1"}, {"cluster": "one", "uid": "u2"}):
        assert (await http.put("/v1/backends/redis", json=record(source=other, hash="h2"))).status_code == 409
        assert (await http.delete("/v1/backends/redis", params=other)).status_code == 409
    assert (await http.get("/v1/backends/redis")).json()["hash"] == "h1"


async def test_a_list_says_which_and_never_what(http: httpx.AsyncClient) -> None:
    for name in ("b", "a", "c"):
        await http.put(f"/v1/backends/{name}", json=record(name=name, credentials={"password": "hunter2"}))
    first = await http.get("/v1/backends", params={"limit": 2})
    assert [each["name"] for each in first.json()["backends"]] == ["a", "b"]
    rest = await http.get("/v1/backends", params={"after": "b"})
    assert [each["name"] for each in rest.json()["backends"]] == ["c"]
    assert "hunter2" not in first.text
    assert (await http.get("/v1/backends/a")).json()["credentials"] == {"password": "hunter2"}


REFUSED: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "no token": ("GET", "/v1/backends", {"headers": {"Authorization": ""}}, 401),
    "another token": ("PUT", "/v1/backends/redis", {"json": record(), "headers": {"Authorization": "Bearer x"}}, 401),
    "no token for a record": ("GET", "/v1/backends/redis", {"headers": {"Authorization": ""}}, 401),
    "no token for a deletion": ("DELETE", "/v1/backends/redis", {"params": SOURCE, "headers": {"Authorization": ""}}, 401),
    "a record of another name": ("PUT", "/v1/backends/redis", {"json": record(name="nats")}, 400),
    "no source": ("PUT", "/v1/backends/redis", {"json": {"name": "redis", "type": "X", "hash": "h"}}, 422),
    "a value of the wrong type": ("PUT", "/v1/backends/redis", {"json": record(credentials={"password": ["hunter2"]})}, 422),
    "no JSON": ("PUT", "/v1/backends/redis", {"content": b"hunter2"}, 422),
    "a name of none": ("GET", "/v1/backends/RE%20DIS", {}, 422),
    "a deletion by nobody": ("DELETE", "/v1/backends/redis", {}, 422),
}


@pytest.mark.parametrize(("method", "path", "more", "code"), REFUSED.values(), ids=REFUSED)
async def test_what_is_refused_names_the_field_and_never_the_value(
    http: httpx.AsyncClient, method: str, path: str, more: dict[str, Any], code: int
) -> None:
    answer = await http.request(method, path, **more)
    assert answer.status_code == code
    assert "hunter2" not in answer.text


async def test_its_openapi_needs_no_token_and_shows_every_path(http: httpx.AsyncClient) -> None:
    paths = (await http.get("/openapi.json", headers={"Authorization": ""})).json()["paths"]
    assert {"/v1/backends/{name}", "/v1/backends", "/healthz"} <= paths.keys()
    assert (await http.get("/healthz", headers={"Authorization": ""})).status_code == 200


def test_a_store_outlives_its_process_and_knows_its_version(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    store = Store(f"sqlite:///{path}")
    from app.registry.store import Source

    store.put("redis", Source("one", "u1"), {"type": "REDIS"}, "h1", "now")
    store.close()
    again = Store(f"sqlite:///{path}")
    found = again.get("redis")
    again.close()
    assert found is not None
    assert found["hash"] == "h1"
    with sqlite3.connect(path) as connection:
        assert connection.execute("select version from schema_version").fetchall() == [(SCHEMA_VERSION,)]
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
        connection.execute("update schema_version set version = 99")
    connection.close()
    with pytest.raises(WrongVersion, match="schema version 99"):
        Store(f"sqlite:///{path}")


async def test_the_operator_and_the_registry_understand_each_other(http: httpx.AsyncClient, tmp_path: Path) -> None:
    settings = Settings(registry_url="http://registry", registry_token="sesame")
    store = Store(f"sqlite:///{tmp_path}/other.db")
    registry = Registry(settings, httpx.ASGITransport(create_registry(store, "sesame")))
    told = {key: value for key, value in record().items() if key != "hash"}
    assert (await registry.carry_out(Wish("redis", SOURCE, told, "h1"))).state == "done"
    thief = {"cluster": "two", "uid": "u9"}
    assert (await registry.carry_out(Wish("redis", thief, {**told, "source": thief}, "h2"))).reason == "SourceConflict"
    assert (await registry.carry_out(Wish("redis", SOURCE))).state == "done"
    assert store.get("redis") is None
    await registry.close()
    store.close()


async def test_an_embedded_registry_that_fails_is_a_condition_and_no_more(tmp_path: Path) -> None:
    app = with_registry(Settings(registry_store=f"sqlite:///{tmp_path}/r.db"))
    with sqlite3.connect(tmp_path / "r.db") as connection:
        connection.execute("drop table backends")
    connection.close()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://operator") as client:
        answer = await sync(client, request(backend(), related=CLUSTER))
    assert condition(answer, "AdminSynced")["reason"] == "RegistryError"


def test_a_token_from_a_file_may_end_in_a_newline() -> None:
    assert Settings(registry_token="sesame\n", hook_token=" sesame ").model_dump()["registry_token"] == "sesame"


async def test_a_registry_that_lost_its_data_is_told_again(tmp_path: Path) -> None:
    """After a restart of the operator, or ten minutes: the status alone does not say what the registry still has."""
    app = with_registry(Settings(registry_store=f"sqlite:///{tmp_path}/r.db", registry_token="sesame"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://operator") as client:
        first = await sync(client, request(backend(), related=CLUSTER))
        assert condition(first, "AdminSynced")["status"] == "True"
        assert (await client.get("/registry/v1/backends/redis", headers=TOKEN)).status_code == 200
        assert (await client.get("/registry/v1/backends/redis")).status_code == 401
    empty = with_registry(Settings(registry_store=f"sqlite:///{tmp_path}/empty.db", registry_token="sesame"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(empty), base_url="http://operator") as client:
        again = await sync(client, request(backend(status=first["status"]), first["children"], CLUSTER))
        assert (await client.get("/registry/v1/backends/redis", headers=TOKEN)).status_code == 200
        assert again["status"]["admin"] == first["status"]["admin"], "and the cluster is not written to"
