"""The `http` part of hub.yaml: where the HTTP interface listens, who may use it, which proxies it believes.

Settings that would let a stranger in are refused here, before anything listens: a token that can be guessed, and an
interface that other machines reach without a token.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from hub.documents.document import Node, Problems
from hub.documents.secret import Secret
from hub.documents.value_schema import NAMES, TEXT, with_schema
from hub.errors import Problem
from hub.fields import Bad, Convert, Key, KeyTable, Section, late, list_of, one_of, secret, text
from hub.limits import TOKEN_CHARS

__all__ = [
    "HTTP",
    "TOKEN",
    "AccessToken",
    "HttpSettings",
    "Network",
    "is_loopback",
    "listen_option",
    "parse_address",
    "read_http",
]

Network = IPv4Network | IPv6Network
_MAKE = "make one with `openssl rand -base64 24`"


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token of the HTTP API, with the name and the role of its owner."""

    name: str
    role: str
    token: Secret


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Where the HTTP API listens; port 0 lets the system choose one.

    `asked` tells whether the user wrote it: only then is it an error that nobody can listen there.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    tokens: tuple[AccessToken, ...] = ()
    asked: bool = False
    enabled: bool = True
    url: str = ""
    """How people reach it, without a slash at the end; what links in messages begin with."""
    cert: Path | None = None
    key: Path | None = None
    """Certificate chain and key in PEM: with them it speaks TLS only."""
    proxies: tuple[Network, ...] = ()
    """The proxies whose X-Forwarded-For and X-Forwarded-Proto headers are believed."""
    origins: tuple[str, ...] = ()
    """Origins of pages elsewhere that may call the API, as browsers write them in `Origin`."""

    def acknowledges(self, name: str) -> bool:
        """Tell whether the owner of the token of this name may acknowledge; without tokens, everybody may."""
        return not self.tokens or any(each.name == name and each.role != "viewer" for each in self.tokens)


def read_http(node: Node | None, problems: Problems, path: Convert[Path]) -> HttpSettings:
    """Read the key `http`; `path` reads the name of a file."""
    if node is None:
        return HttpSettings()
    if node.value is False:
        return HttpSettings(enabled=False)
    section = Section(node, problems, "http", HTTP)
    host, port = section.take(_LISTEN)
    tokens = _tokens(section)
    cert, key = section.take(_CERT, path), section.take(_KEY, path)
    proxies, url, origins = section.take(_PROXIES), section.take(_URL), section.take(_ORIGINS)
    made = HttpSettings(host, port, tokens, True, url=url, cert=cert, key=key, proxies=proxies, origins=origins)
    if (cert is None) != (key is None):
        section.report(section.node.problem("'cert' and 'key' belong together", "name both files or neither"))
    _check_exposed(made, problems, section.get("listen") or node)
    _check_url(made, problems, section.get("url") or node)
    section.finish()
    return made


def _tokens(section: Section) -> tuple[AccessToken, ...]:
    node = section.get(_TOKENS)
    if node is None:
        return ()
    if not isinstance(node.value, list):
        section.report(node.problem("'tokens' must be a list", "- {name: me, role: operator, token: !env HUB_TOKEN}"))
        return ()
    items = [Section(item, section.problems, "a token", TOKEN) for item in node.value]
    read = tuple(_token(item) for item in items)
    if len({token.name for token in read}) < len(read):
        section.report(section.node.key_problem("tokens", "two tokens have one name", "by it the audit log tells who"))
    _check_twice(items, read)
    return read


def _token(section: Section) -> AccessToken:
    made = AccessToken(
        section.take(_NAME),
        section.take(_ROLE),
        section.take(_TOKEN),
    )
    section.finish()
    return made


@with_schema(TEXT)
def _secret_token(node: Node) -> Secret:
    """Read a token without the space around it, because a header cannot carry that."""
    found = secret(node).reveal().strip()
    if not found:
        raise Bad(node, "a token must not be empty: whoever sends nothing would have it", _MAKE)
    if len(found) < TOKEN_CHARS:
        raise Bad(node, f"a token has at least {TOKEN_CHARS} characters, or it can be guessed; this has fewer", _MAKE)
    if not found.isprintable():
        raise Bad(node, "a token must not hold control characters: no header can carry it", _MAKE)
    return Secret(found)


def _check_twice(items: Sequence[Section], tokens: Sequence[AccessToken]) -> None:
    """Refuse two names for one token: nobody could tell who asks, and with what role."""
    first: dict[str, AccessToken] = {}
    for section, token in zip(items, tokens, strict=True):
        text_ = token.token.reveal()
        known = first.setdefault(text_, token)
        if text_ and known is not token:
            hint = "each name needs a token of its own; " + _MAKE
            section.report(section.node.key_problem("token", f"this is the token of {known.name!r} already", hint))


def _base_url(node: Node) -> str:
    url = text(node).rstrip("/")
    parts = urlsplit(url)
    odd = parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in ("http", "https") or not parts.netloc or odd:
        raise Bad(node, "not a URL that links can begin with", "write it as https://hub.example.org")
    return url


def _network(node: Node) -> Network:
    """Read an address or a network; the whole Internet is refused: everybody could forge an address."""
    name = text(node)
    try:
        found = ip_network(name.strip())
    except ValueError as error:
        raise Bad(node, f"no address or network: {error}", "write 127.0.0.1 or 10.0.0.0/8") from None
    if found.prefixlen == 0:
        raise Bad(node, f"{name} is everybody", "name the addresses of your own proxies alone")
    return found


def _origin(node: Node) -> str:
    """Read an origin as a browser writes it (RFC 6454, 6.2): no path, in small letters, without the usual port."""
    name = text(node).strip().lower()
    hint = "write it as https://karma.example.org"
    if "*" in name or name == "null":
        raise Bad(node, f"{name} is everybody: any page on the Internet could ask in the name of who reads it", hint)
    try:
        parts = urlsplit(name)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Bad(node, "not the origin of a page", hint) from None
    odd = parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in ("http", "https") or not host or odd:
        raise Bad(node, "not the origin of a page", hint)
    usual = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" + ("" if port in (None, usual) else f":{port}")


@with_schema(TEXT)
def _address(node: Node) -> tuple[str, int]:
    try:
        return parse_address(text(node))
    except ValueError as error:
        raise Bad(node, str(error)) from None


def parse_address(address: str) -> tuple[str, int]:
    """Read `HOST:PORT`; an IPv6 host stands in brackets.

    Raises:
        ValueError: it is no such address.

    """
    host, _, port = address.rpartition(":")
    if not host or not (port.isascii() and port.isdecimal()) or not int(port) < 65536:
        raise ValueError(f"{address!r} is not HOST:PORT, as in 127.0.0.1:8080")
    return host.strip("[]"), int(port)


def listen_option(http: HttpSettings, option: str | None, problems: Problems) -> HttpSettings:
    """Replace the file's address by that of an option."""
    if option is None:
        return http
    try:
        host, port = parse_address(option)
    except ValueError as error:
        problems.append(Problem("--http", 0, 0, str(error)))
        return http
    made = replace(http, host=host, port=port, asked=True, enabled=True)
    _check_exposed(made, problems, None)
    return made


def _check_exposed(http: HttpSettings, problems: Problems, node: Node | None) -> None:
    """Refuse an address that other machines can reach where there are no tokens."""
    if http.tokens or is_loopback(http.host):
        return
    message = f"{http.host} can be reached from other machines, and there are no tokens"
    hint = "listen on 127.0.0.1, or set http.tokens"
    problems.append(Problem("--http", 0, 0, message, hint) if node is None else node.problem(message, hint))


def _check_url(http: HttpSettings, problems: Problems, node: Node) -> None:
    """Refuse a public name without tokens: a request through a proxy comes from this machine, whoever sends it."""
    host = urlsplit(http.url).hostname or ""
    if http.tokens or not http.url or is_loopback(host):
        return
    message = f"{host} is how others reach it, and there are no tokens: each of them would be an administrator"
    problems.append(node.problem(message, "set http.tokens, or leave out http.url"))


def is_loopback(host: str) -> bool:
    """Tell whether a name or address surely means this machine itself; False where that is not certain.

    `::ffff:127.0.0.1` and `127.1` are not certain: Python versions and systems treat them differently.
    """
    try:
        found = ip_address(host)
    except ValueError:
        return host.lower() == "localhost" or host.lower().endswith(".localhost")
    return found.is_loopback and getattr(found, "ipv4_mapped", None) is None


_NAME = Key("name", text, "", "Who has it.", "dashboard", required=True)
_ROLE = Key("role", one_of("viewer", "operator", "admin"), "viewer", "What it may do.", required=True)
_TOKEN = Key(
    "token",
    _secret_token,
    Secret(""),
    "The token, at least 16 characters; a secret, better from !env NAME or !file PATH.",
    required=True,
)
TOKEN = KeyTable("a token", _NAME, _ROLE, _TOKEN)

_LISTEN = Key(
    "listen",
    _address,
    ("127.0.0.1", 8080),
    "Host and port (0: any); an address that others can reach needs tokens.",
    "127.0.0.1:8080",
)
_TOKENS: Key[tuple[AccessToken, ...]] = Key(
    "tokens", late, (), "Who may use it.", schema={"type": "array", "items": TOKEN.schema}
)
_URL = Key(
    "url",
    _base_url,
    "",
    "How people reach it; links in messages begin with it.",
    "https://hub.example.org",
    schema=TEXT,
)
_CERT: Key[Path | None] = Key(
    "cert", late, None, "PEM file of its certificate chain; with `key` it speaks TLS only.", "hub.pem", schema=TEXT
)
_KEY: Key[Path | None] = Key("key", late, None, "PEM file of the certificate's key.", "hub.key", schema=TEXT)
_PROXIES: Key[tuple[Network, ...]] = Key(
    "proxies",
    list_of(_network),
    (),
    "Reverse proxies, whose X-Forwarded-For is believed: addresses and networks.",
    ["127.0.0.1"],
    schema=NAMES,
)
_ORIGINS: Key[tuple[str, ...]] = Key(
    "origins",
    list_of(_origin),
    (),
    "Origins of pages elsewhere that may ask, with a token.",
    ["https://karma.example.org"],
    schema=NAMES,
)
HTTP = KeyTable("http", _LISTEN, _TOKENS, _URL, _CERT, _KEY, _PROXIES, _ORIGINS)
