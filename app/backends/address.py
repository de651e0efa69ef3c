"""The address of a backend, taken apart and put together: ``redis://user:password@host:6379/0``.

Connection values are flat text, keyed as servicebinding.io has it: type, provider, host, port, username, password,
database, uri, bootstrap-servers, certificates, client-certificate, private-key, tls.
"""

import re
from urllib.parse import quote, unquote, urlsplit

from app.backends.types import known, of_scheme

Values = dict[str, str]
_SCHEMES = re.compile(r",\s*[a-zA-Z][-+.a-zA-Z0-9]*://")


def parts(url: str) -> Values:
    """The parts of an address; several hosts, parted by commas, give the first as host and port, all as bootstrap-servers.

    Raises ValueError, without the address, where it has no host or an impossible port.
    """
    scheme, _, rest = url.strip().partition("://") if "://" in url else ("", "", url.strip())
    found = urlsplit(f"//{_SCHEMES.sub(',', rest)}")
    members = [member.rpartition("@") for member in found.netloc.split(",") if member]
    hosts = [host for _, _, host in members]
    user, _, password = next((login for login, _, _ in members if login), "").partition(":")
    try:
        first = urlsplit(f"//{hosts[0] if hosts else ''}")
        port = first.port
    except ValueError:
        raise ValueError("the host and port of an address must read as in redis://host:6379") from None
    if not first.hostname:
        raise ValueError("an address needs a host, as in redis://host:6379")
    out = {
        "scheme": scheme.lower(),
        "host": first.hostname,
        "port": str(port) if port else "",
        "username": unquote(user),
        "password": unquote(password),
        "database": unquote(found.path.strip("/")),
        "query": found.query,
        "bootstrap-servers": ",".join(hosts) if len(hosts) > 1 else "",
    }
    return {key: value for key, value in out.items() if value}


def recognized(kind: str, provider: str, scheme: str) -> str:
    """The backend type from what was said of it: a known provider, a known type, else the address."""
    for said in (provider, kind):
        if said and known(said).schemes + (("builtin",) if known(said).builtin else ()):
            return known(said).name
    return of_scheme(scheme) or (known(kind).name if not provider else known(provider).name)


def complete(kind: str, given: Values, *, tls: bool) -> Values:
    """The values that a binding holds for a backend of this type: default port, whole uri, all servers.

    ``given`` may hold scheme and query besides the values; neither is published by itself.
    """
    entry = known(kind)
    values = {key: value for key, value in given.items() if value and key not in ("scheme", "query")}
    values["type"] = entry.name
    values.setdefault("provider", entry.name)
    if tls:
        values["tls"] = "true"
    if "host" not in values:
        return values
    if "port" not in values and entry.port:
        values["port"] = str(entry.port)
    if entry.name == "redis":
        values.setdefault("database", "0")
    endpoint = endpoint_of(values)
    if entry.list_of_hosts:
        servers = values.get("bootstrap-servers", endpoint).split(",")
        values["bootstrap-servers"] = ",".join(s if ":" in s or not entry.port else f"{s}:{entry.port}" for s in servers)
        endpoint = values["bootstrap-servers"]
    values["uri"] = _uri(entry.name, given, values, endpoint, tls=tls)
    return values


def endpoint_of(values: Values) -> str:
    """``host:port``, or what of it is known."""
    host = f"[{values['host']}]" if ":" in values.get("host", "") else values.get("host", "")
    return f"{host}:{values['port']}" if values.get("port") else host


def _uri(kind: str, given: Values, values: Values, endpoint: str, *, tls: bool) -> str:
    entry = known(kind)
    scheme = given.get("scheme") or (entry.schemes[0] if entry.schemes else kind)
    if tls and entry.tls_scheme:
        scheme = entry.tls_scheme
    user = quote(values.get("username", ""), safe="")
    secret = ":" + quote(values["password"], safe="") if values.get("password") else ""
    login = f"{user}{secret}@" if user or secret else ""
    path = "/" + quote(values["database"], safe="") if values.get("database") else ""
    query = f"?{given['query']}" if given.get("query") else ""
    return f"{scheme}://{login}{endpoint}{path}{query}"
