"""Connection values from the keys of a Secret or ConfigMap: the named ones, else the usual ones."""

from collections.abc import Mapping

from app.backends.address import Values, fitting, joined, parts, server
from app.backends.types import known
from app.bindings.values import decode
from app.contract import Object

USUAL = {
    "url": ("url", "uri", "connectionString", "connection-string", "connection_string"),
    "host": ("host",),
    "port": ("port",),
    "username": ("username", "user"),
    "password": ("password",),
    "database": ("database", "dbname"),
}
BOOTSTRAP = ("bootstrap-servers", "bootstrapServers", "bootstrap_servers")
GENERATION = "prism.io/spec-generation"
"""On a published Secret: the generation of the spec that its values follow from. Those of an older one may lose anything."""
TLS_FILES = {"ca.crt": "certificates", "tls.crt": "client-certificate", "tls.key": "private-key"}


class Unresolved(Exception):
    """Why there are no values: a condition reason, a message that names the field, and whether waiting may help."""

    def __init__(self, reason: str, message: str, *, waiting: bool) -> None:
        super().__init__(message)
        self.reason, self.message, self.waiting = reason, message, waiting


def parsed(url: str, field: str, *, waiting: bool = False) -> Values:
    """The parts of an address; raises Unresolved with the field and never the address."""
    try:
        return parts(url)
    except ValueError as error:
        raise Unresolved("InvalidAddress", f"{field}: {error}", waiting=waiting) from None


def checked_scheme(kind: str, given: Values, field: str) -> None:
    """Raises Unresolved where the address is one of another type."""
    try:
        fitting(kind, given.get("scheme", ""))
    except ValueError as error:
        raise Unresolved("InvalidAddress", f"{field}: {error}", waiting=False) from None


def told(
    held: Values, named: Mapping[str, str | None], kind: str, field: str, what: str, fields: str = "keys.{}"
) -> Values:  # fmt: skip
    """Values from the keys of ``what``, such as ``Secret login``. A named key, by one of ``fields``, must exist.

    Where the password lies under a key of the usual charts of this type, the user is the one that it is for.
    """
    out: Values = {}
    held = {key: text for key, text in held.items() if text.strip()}
    charts = dict(known(kind).passwords)
    for name, usual in USUAL.items():
        key = named.get(name)
        if key and not held.get(key):
            raise Unresolved("SecretKeyMissing", f"{field}.{fields.format(name)}: {what} has no key {key}", waiting=True)
        found = key or next((each for each in (*usual, *(charts if name == "password" else ())) if held.get(each)), None)
        if found is None:
            continue
        value = held[found].strip()
        if found == "client-passwords":  # of all users, in their order
            value = value.partition(",")[0]
        out |= parsed(value, f"{field}.{fields.format('url')}", waiting=True) if name == "url" else {name: value}
        if found in charts and charts[found] and "username" not in out:
            out["username"] = charts[found]
    servers = next((held[each].strip() for each in BOOTSTRAP if held.get(each)), "")
    if servers:
        found_servers = parsed(servers, field, waiting=True)
        out = {**{name: found_servers[name] for name in ("host", "port") if name in found_servers}, **out}
        one = joined(found_servers["host"], found_servers.get("port", ""))
        out["bootstrap-servers"] = found_servers.get("bootstrap-servers", one)
    _checked(out, field, what)
    return out


def generation_of(published: Object | None) -> str:
    """The generation of the spec that a published Secret follows from; empty where none is told."""
    return published.metadata.annotations.get(GENERATION, "") if published else ""


def still_complete(now: Values, said: Values, published: Object | None, generation: int, what: str) -> Values:
    """The values, unless they lack something that is published already: raises Unresolved then.

    While the spec is unchanged, a Secret or ConfigMap of ``what`` is being rewritten, and for a moment lacks it: no reason to
    take it away from those that run. An edit of the spec may.
    """
    unchanged = published is not None and generation_of(published) == str(generation)
    gone = _lost(decode(published.data), now, said) if published is not None and unchanged else ""
    if gone:
        why = f"{what}: no longer holds {gone}; the next edit of the spec does without"
        raise Unresolved("SecretKeyMissing", why, waiting=True)
    return now


def _lost(before: Values, now: Values, said: Values) -> str:
    """What was published and is now gone, or is another by default, with nobody having ``said`` so."""
    whole = "scheme" in said  # an address speaks for all of it, but for the password
    single = ("password",) if whole else ("host", "port", "database", "username", "password")
    files = (*TLS_FILES.values(), *(() if whole else ("tls",)))
    gone = [name for name in single if name in before and name not in said and now.get(name) != before[name]]
    return ", ".join([*gone, *(name for name in files if name in before and name not in now)])


def _checked(out: Values, field: str, what: str) -> None:
    """A host or port that is none must not get any further: it may be a password under the wrong key."""
    if "host" in out or "port" in out:
        try:
            server(joined(out.get("host", "host"), out.get("port", "")))
        except ValueError as error:
            raise Unresolved("InvalidAddress", f"{field}: host and port of {what}: {error}", waiting=True) from None


def nothing_told(field: str, what: str, kind: str) -> Unresolved:
    """That none of the keys that would be looked at is there."""
    keys = ", ".join([key for usual in USUAL.values() for key in usual] + [key for key, _ in known(kind).passwords])
    return Unresolved("SecretKeyMissing", f"{field}: {what} has none of {keys}; name its keys", waiting=True)


def certificates(held: Values, field: str, what: str) -> Values:
    """The certificates of a Secret of TLS files."""
    found = {name: held[key] for key, name in TLS_FILES.items() if held.get(key)}
    if not found:
        raise Unresolved("SecretKeyMissing", f"{field}: {what} has none of {', '.join(TLS_FILES)}", waiting=True)
    return found
