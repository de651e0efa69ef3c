"""The address of a backend, taken apart and put together: ``redis://user:password@host:6379/0``.

Connection values are flat text, keyed as servicebinding.io has it: type, provider, host, port, username, password,
database, uri, bootstrap-servers, certificates, client-certificate, private-key, tls. Errors never quote what they read:
it may be a password.
"""

import re
from urllib.parse import quote, unquote

from app.backends.types import known, of_scheme

Values = dict[str, str]
TLS_SCHEMES = {"rediss", "tls", "amqps", "https", "ssl", "sasl_ssl"}
SCHEME_PORTS = {"amqps": "5671", "http": "80", "https": "443", "mongodb+srv": ""}
_SCHEME = r"[a-zA-Z][-+._a-zA-Z0-9]*://"
_URL = re.compile(rf"^(?:({_SCHEME}))?([^/?#]*)(?:/([^?#]*))?(?:\?([^#]*))?(?:#(.*))?$", re.DOTALL)
_NEXT = re.compile(rf",\s*(?:{_SCHEME})?")
_MEMBER = re.compile(r"^(?:\[([0-9a-fA-F:.]+)\]|([a-zA-Z0-9][-_.a-zA-Z0-9]*))(?::([0-9]{1,5}))?$")


def parts(url: str) -> Values:
    """The parts of an address; several hosts, parted by commas, give the first as host and port, all as bootstrap-servers.

    Raises ValueError, without the address, where a host or a port cannot be read.
    """
    scheme, authority, path, query = _split(url)
    shared, _, hosts = authority.rpartition("@")
    if "@" in shared:  # a login for each host
        members = [member.strip().rpartition("@") for member in authority.split(",")]
    else:
        members = [(shared, "", member.strip()) for member in hosts.split(",")]
    servers = [server(host) for _, _, host in members]
    user, _, password = next((login for login, _, _ in members if login), "").partition(":")
    out = {
        "scheme": scheme.lower(),
        "host": servers[0][0],
        "port": servers[0][1],
        "username": unquote(user),
        "password": unquote(password),
        "database": unquote(path.strip("/")),
        "query": query,
        "bootstrap-servers": ",".join(joined(*each) for each in servers) if len(servers) > 1 else "",
    }
    return {key: value for key, value in out.items() if value}


def _split(url: str) -> tuple[str, str, str, str]:
    """Scheme, authority, path and query. A login with an unescaped / ? or # would leave its @ behind the authority."""
    found = _URL.match(url.strip())
    head = found[1] or "" if found else ""
    rest = _URL.match(_NEXT.sub(",", url.strip()[len(head) :]))
    if rest is None or rest[1] or (rest[3] or "").startswith("/") or any("@" in (rest[part] or "") for part in (3, 4, 5)):
        raise ValueError("an address must read as in redis://user:password@host:6379, special characters percent-encoded")
    return head.removesuffix("://"), rest[2], rest[3] or "", rest[4] or ""


def server(text: str) -> tuple[str, str]:
    """Host and port, empty where there is none. Raises ValueError, without the text, where it is neither."""
    found = _MEMBER.match(text)
    if not found or (found[3] and not 1 <= int(found[3]) <= 65535):
        raise ValueError("an address needs a host and a port up to 65535, as in redis://host:6379")
    return found[1] or found[2], found[3] or ""


def joined(host: str, port: str) -> str:
    """``host:port``, brackets around IPv6, or the host alone."""
    bare = f"[{host}]" if ":" in host else host
    return f"{bare}:{port}" if port else bare


def recognized(kind: str, provider: str, scheme: str) -> str:
    """The backend type from what was said of it: a known provider, a known type, else the address."""
    for said in (provider, kind):
        if said and (known(said).schemes or known(said).builtin):
            return known(said).name
    return of_scheme(scheme) or known(provider or kind).name


def fitting(kind: str, scheme: str) -> None:
    """Raises ValueError where the scheme of an address is that of another known type."""
    owner = of_scheme(scheme)
    if owner and known(kind).schemes and owner != known(kind).name and scheme not in (TLS_SCHEMES | SCHEME_PORTS.keys()):
        raise ValueError(f"the scheme {scheme} is that of {owner}, not of {known(kind).name}")


def complete(kind: str, given: Values, *, tls: bool) -> Values:
    """The values that a binding holds for a backend of this type: default port, whole uri, all servers.

    ``given`` may hold scheme and query besides the values; neither is published by itself.
    """
    entry, scheme = known(kind), given.get("scheme", "")
    values = {key: value for key, value in given.items() if value and key not in ("scheme", "query")}
    values["type"] = entry.name
    values.setdefault("provider", entry.name)
    if tls:
        values["tls"] = "true"
    if "host" not in values:
        return values
    port = SCHEME_PORTS.get(scheme, str(entry.port or ""))
    if port:
        values.setdefault("port", port)
    if entry.name == "redis":
        values.setdefault("database", "0")
    endpoint = endpoint_of(values)
    if entry.list_of_hosts:
        servers = [server(each) for each in values.get("bootstrap-servers", endpoint).split(",")]
        endpoint = ",".join(joined(host, own or port) for host, own in servers)
        values["bootstrap-servers"] = endpoint
    values["uri"] = _uri(entry.name, given, values, endpoint, tls=tls)
    return values


def shown_endpoint(kind: str, said: Values, values: Values) -> str:
    """``host:port`` where ``said``, which holds nothing of a Secret, and the type alone say it; else empty."""
    if "host" not in said:
        return ""
    public = complete(kind, said, tls=False)
    return endpoint_of(public) if endpoint_of(public) == endpoint_of(values) else ""


def endpoint_of(values: Values) -> str:
    """``host:port``, or what of it is known."""
    return joined(values["host"], values.get("port", "")) if "host" in values else ""


def _uri(kind: str, given: Values, values: Values, endpoint: str, *, tls: bool) -> str:
    entry, query = known(kind), given.get("query", "")
    scheme = given.get("scheme") or (entry.schemes[0] if entry.schemes else kind)
    if tls and entry.tls_scheme:
        scheme = entry.tls_scheme
    if tls and kind == "postgresql" and "sslmode=" not in query:
        query = f"{query}&sslmode=require".lstrip("&")
    user = quote(values.get("username", ""), safe="")
    secret = ":" + quote(values["password"], safe="") if values.get("password") else ""
    login = f"{user}{secret}@" if user or secret else ""
    path = "/" + quote(values["database"], safe="") if values.get("database") else ""
    return f"{scheme}://{login}{endpoint}{path}" + (f"?{query}" if query else "")
