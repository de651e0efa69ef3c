"""Where records are kept: one table, in SQLite through SQLAlchemy Core.

The schema's version stands in the database. A database of a later version is refused, not guessed at.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

SCHEMA_VERSION = 1
tables = sa.MetaData()
versions = sa.Table("schema_version", tables, sa.Column("version", sa.Integer, primary_key=True))
backends = sa.Table(
    "backends",
    tables,
    sa.Column("name", sa.String(253), primary_key=True),
    sa.Column("type", sa.String(63), nullable=False),
    sa.Column("cluster", sa.String(253), nullable=False),
    sa.Column("uid", sa.String(63), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("record", sa.JSON, nullable=False),
    sa.Column("updated_at", sa.String(32), nullable=False),
)


class Conflict(Exception):
    """The record belongs to another source."""


class WrongVersion(Exception):
    """The database was written by a later release."""


@dataclass(frozen=True, slots=True)
class Source:
    """Who speaks of a record: an object of a cluster."""

    cluster: str
    uid: str


class Store:
    """The records. ``url`` is SQLAlchemy's, such as ``sqlite:////data/registry.db``. Raises WrongVersion."""

    def __init__(self, url: str) -> None:
        self.engine = sa.create_engine(url)
        if self.engine.dialect.name == "sqlite":
            sa.event.listen(self.engine, "connect", _pragmas)
            sa.event.listen(self.engine, "begin", _begin)
        self._prepare()

    def _prepare(self) -> None:
        tables.create_all(self.engine)
        with self.engine.begin() as connection:
            found = connection.scalar(sa.select(sa.func.max(versions.c.version)))
            if found is None:
                connection.execute(versions.insert().values(version=SCHEMA_VERSION))
            elif found > SCHEMA_VERSION:
                raise WrongVersion(f"the database has schema version {found}; this release knows {SCHEMA_VERSION}")

    def put(self, name: str, source: Source, record: dict[str, Any], digest: str, now: str) -> bool:
        """Creates or replaces; whether it was new. Raises Conflict where the record is another source's."""
        with self._locked() as connection:
            there = self._source(connection, name)
            if there is not None and there != source:
                raise Conflict(name)
            row = {"type": str(record.get("type", "")), "hash": digest, "record": record, "updated_at": now}
            if there is None:
                connection.execute(backends.insert().values(name=name, cluster=source.cluster, uid=source.uid, **row))
            else:
                connection.execute(backends.update().where(backends.c.name == name).values(**row))
        return there is None

    def get(self, name: str) -> dict[str, Any] | None:
        with self.engine.connect() as connection:
            row = connection.execute(sa.select(backends).where(backends.c.name == name)).mappings().first()
        return {**row["record"], "hash": row["hash"], "updatedAt": row["updated_at"]} if row else None

    def delete(self, name: str, source: Source) -> None:
        """Raises Conflict where the record is another source's; one that is not there is gone already."""
        with self._locked() as connection:
            there = self._source(connection, name)
            if there is not None and there != source:
                raise Conflict(name)
            connection.execute(backends.delete().where(backends.c.name == name))

    def list(self, after: str, limit: int) -> list[dict[str, str]]:
        """Names, types, sources and hashes in the order of names, never what a record says."""
        shown = (backends.c.name, backends.c.type, backends.c.cluster, backends.c.hash, backends.c.updated_at)
        query = sa.select(*shown).where(backends.c.name > after).order_by(backends.c.name).limit(limit)
        with self.engine.connect() as connection:
            rows = connection.execute(query).all()
        return [dict(zip(("name", "type", "cluster", "hash", "updatedAt"), row, strict=True)) for row in rows]

    def close(self) -> None:
        self.engine.dispose()

    def _source(self, connection: sa.Connection, name: str) -> Source | None:
        row = connection.execute(sa.select(backends.c.cluster, backends.c.uid).where(backends.c.name == name)).first()
        return Source(row[0], row[1]) if row else None

    @contextmanager
    def _locked(self) -> Iterator[sa.Connection]:
        """A transaction that nobody writes beside: what was looked at is still so when it is written."""
        with self.engine.connect().execution_options(immediate=True) as connection, connection.begin():
            yield connection


def _pragmas(connection: Any, _: Any) -> None:
    """WAL lets readers and a writer go side by side."""
    connection.isolation_level = None  # SQLAlchemy begins the transactions, not the driver
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=2000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("immediate") else "BEGIN")
