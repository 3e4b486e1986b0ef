"""The server of a queue: its URL is a secret, and the reasons of failures must not show it."""

from collections.abc import Callable, Iterable
from urllib.parse import parse_qsl, unquote, urlsplit

from hub.documents.document import Node
from hub.documents.secret import Secret
from hub.documents.value_schema import TEXT, with_schema
from hub.fields import Bad, secret
from hub.notify.wording.redact import Redactor

__all__ = ["endpoint", "endpoint_redactor", "worded"]


def endpoint(example: str, *schemes: str) -> Callable[[Node], Secret]:
    """Make a reader of a server's URL with one of these schemes."""

    @with_schema(TEXT)
    def convert(node: Node) -> Secret:
        whole = secret(node)
        try:
            parts = urlsplit(whole.reveal())
            good = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good:
            raise Bad(node, f"is no URL of {' or '.join(f'{scheme}://' for scheme in schemes)}", f"as in {example}")
        return whole

    return convert


def endpoint_redactor(url: Secret | None, more: Iterable[Secret | None] = ()) -> Redactor:
    """Return a redactor for the URL's password (or the token in its place), for those in its query, and for `more`."""
    found = {each.reveal() for each in more if each}
    if url:
        parts = urlsplit(url.reveal())
        user, _, _ = parts.netloc.rpartition("@")
        name, _, password = user.partition(":")
        found |= {url.reveal(), password or name, user if password else ""}
        found |= {value for key, value in parse_qsl(parts.query) if "pass" in key or "token" in key}
    return Redactor(found | {unquote(each) for each in found})


def worded(error: BaseException) -> str:
    """Return what an error says, or its name where it says nothing."""
    return str(error) or type(error).__name__
