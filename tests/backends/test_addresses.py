"""Addresses: taken apart, put together, and refused without a word of what they held."""

import pytest

from app.backends.address import complete, parts
from app.backends.inline import inline

READ = {
    "the whole of it": (
        "redis://u:p@h:1/2?a=b",
        {"scheme": "redis", "username": "u", "password": "p", "host": "h", "port": "1", "database": "2", "query": "a=b"},
    ),
    "nothing but a host": ("h", {"host": "h"}),
    "percent-encoded": ("redis://u%40x:p%2F%3A@h", {"username": "u@x", "password": "p/:", "host": "h", "scheme": "redis"}),
    "an @ in the password": ("redis://u:p@ss@h", {"username": "u", "password": "p@ss", "host": "h", "scheme": "redis"}),
    "a comma in the password": (
        "redis://u:12,x@h:6379",
        {"username": "u", "password": "12,x", "host": "h", "port": "6379", "scheme": "redis"},
    ),
    "one login for several servers": ("nats://u:p@a:1,b:2", {"username": "u", "password": "p", "bootstrap-servers": "a:1,b:2"}),
    "several servers": ("nats://a:1,b", {"bootstrap-servers": "a:1,b", "host": "a", "port": "1", "scheme": "nats"}),
    "several servers, each a whole address": (
        "nats://u:p@a:1, nats://u:p@b:2",
        {"bootstrap-servers": "a:1,b:2", "username": "u", "host": "a"},
    ),
    "kafka's own scheme": ("SASL_SSL://a:9093,SASL_SSL://b:9093", {"scheme": "sasl_ssl", "bootstrap-servers": "a:9093,b:9093"}),
    "IPv6": ("redis://[fd00::1]:7", {"host": "fd00::1", "port": "7"}),
    "several of IPv6": ("kafka://[::1],[::2]:5", {"bootstrap-servers": "[::1],[::2]:5"}),
}


@pytest.mark.parametrize(("url", "expected"), READ.values(), ids=READ)
def test_is_read(url: str, expected: dict[str, str]) -> None:
    assert parts(url).items() >= expected.items()


UNREADABLE = {
    "no host": "redis://:hidden@",
    "a port over 65535": "redis://:hidden@h:99999",
    "port 0": "redis://:hidden@h:0",
    "a port that is no number": "redis://:hidden@h:port",
    "a digit of another alphabet": "redis://:hidden@h:²",
    "an unescaped / in the password": "redis://u:top@hidden/x@h:6379",
    "a / before the @": "redis://u:123/hidden@h",
    "an unescaped ? in the password": "redis://u:1234?hidden@h:6379",
    "an unescaped # in the password": "redis://u:1234#hidden@h:6379",
    "a scheme without its colon": "redis//hidden:6379",
    "brackets in the password": "redis://u:a[hidden]b@h:x",
    "letters that become others": "redis://u:p℀hidden@h:x",
    "a second server that cannot be read": "kafka://a:1,hidden:bad",
    "spaces": "redis://hid den:1",
    "nothing": "",
}


@pytest.mark.parametrize("url", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(ValueError, match="an address") as refused:
        parts(url)
    assert "hidden" not in str(refused.value)


WHOLE = {
    "the type's port": ("redis", "redis://h", "redis://h:6379/0"),
    "the port of a scheme": ("rabbitmq", "amqps://h", "amqps://h:5671"),
    "a plain S3 server": ("s3", "http://minio", "http://minio:80"),
    "names that DNS resolves to servers have no port": (
        "mongodb",
        "mongodb+srv://c.example.com/db",
        "mongodb+srv://c.example.com/db",
    ),
    "every server gets a port": ("kafka", "kafka://a,b:1", "kafka://a:9092,b:1"),
    "special characters are encoded again": ("redis", "redis://u%40x:p%2F@h", "redis://u%40x:p%2F@h:6379/0"),
}


@pytest.mark.parametrize(("kind", "url", "uri"), WHOLE.values(), ids=WHOLE)
def test_is_completed(kind: str, url: str, uri: str) -> None:
    assert complete(kind, parts(url), tls=False)["uri"] == uri


def test_encryption_shows_in_the_address() -> None:
    assert complete("redis", parts("redis://h"), tls=True)["uri"] == "rediss://h:6379/0"
    assert complete("postgresql", parts("postgresql://h/d"), tls=True)["uri"] == "postgresql://h:5432/d?sslmode=require"
    assert complete("postgresql", parts("postgresql://h/d?sslmode=verify-full"), tls=True)["uri"].endswith("?sslmode=verify-full")


INLINE = {
    "the type's own key wins": ("redis", {"natsUrl": "nats://n", "redisUrl": "redis://r"}, "r"),
    "a key of another type alone is none of its": ("redis", {"natsUrl": "nats://n"}, None),
    "an alias": ("postgres", {"postgresUrl": "postgres://p"}, "p"),
    "a general key": ("redis", {"connectionString": "redis://r"}, "r"),
    "a list of servers": ("kafka", {"brokers": ["a:1", "b:2"]}, "a"),
    "host and port": ("redis", {"host": "r", "port": 7}, "r"),
    "a setting that only looks like an address": ("my-redis", {"webhookUrl": "https://hooks.example.com/x"}, None),
    "nothing where text should be": ("redis", {"redisUrl": None, "host": "", "port": True}, None),
}
WRONG = {
    "a port out of range": ({"host": "h", "port": 70000}, "port: must be a whole number"),
    "a port that is no whole number": ({"host": "h", "port": 6380.5}, "port: must be a whole number"),
    "a port that is a truth": ({"host": "h", "port": True}, "port: must be a whole number"),
    "port 0": ({"host": "h", "port": 0}, "port: must be a whole number"),
    "a host with its port": ({"host": "h:1"}, "host: an address needs"),
    "another type's address": ({"url": "postgres://h"}, "url: the scheme postgres is that of postgresql, not of redis"),
}


@pytest.mark.parametrize(("said", "message"), WRONG.values(), ids=WRONG)
def test_a_connection_key_that_is_wrong_is_named(said: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        inline("redis", said)


def test_a_port_may_be_text() -> None:
    assert (inline("redis", {"host": "h", "port": "6380"}) or {})["port"] == "6380"


@pytest.mark.parametrize(("backend", "said", "host"), INLINE.values(), ids=INLINE)
def test_connection_keys_of_a_spec(backend: str, said: dict[str, object], host: str | None) -> None:
    found = inline(backend, said)
    assert (found or {}).get("host") == host
