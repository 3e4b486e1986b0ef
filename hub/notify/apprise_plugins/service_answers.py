"""What a service answered to Apprise. Apprise's `notify` returns only False; whether to try again is in the status.

All plug-ins that speak HTTP use Requests, each in its own way. So this module listens at the one place that all
requests pass, for the thread that asks. It changes nothing for anybody else.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Any

from requests import PreparedRequest, RequestException, Response
from requests.adapters import HTTPAdapter

from hub.limits import REASON_CHARS
from hub.model import Outcome, Rejected, Retry
from hub.notify.lanes.retry import parse_retry_after
from hub.notify.outward.http import NOT_TAKEN, passing

__all__ = ["Answer", "answers", "judge"]

_NO_ANSWER = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; the status is 0 where none came."""

    status: int
    retry_after: str = ""
    text: str = ""


_heard: ContextVar[list[Answer] | None] = ContextVar("answers", default=None)


@contextmanager
def answers() -> Iterator[list[Answer]]:
    """Collect the answers to all requests that this thread makes inside the context."""
    gathered: list[Answer] = []
    token = _heard.set(gathered)
    try:
        yield gathered
    finally:
        _heard.reset(token)


def judge(heard: list[Answer], said: str, redact: Callable[[str], str], now: float) -> Outcome:
    """Make an outcome of a failure, from the answers of the service and from what Apprise said about it.

    It is Rejected only where every failed answer is final. With several targets, one that may succeed later is enough
    for Retry. So is a failure that no answer explains, such as an error inside a 200.
    """
    refused = [answer for answer in heard if not 200 <= answer.status < 400]
    texts = dict.fromkeys(answer.text for answer in refused if answer.text)
    reason = redact("; ".join([said or "Apprise reported a failure without a word", *texts]))
    if refused and not any(answer.status == _NO_ANSWER or passing(answer.status) for answer in refused):
        return Rejected(reason)
    waits = [parse_retry_after(answer.retry_after, now) for answer in refused]
    after = max((wait for wait in waits if wait is not None), default=None)
    untouched = bool(heard) and all(answer.status in NOT_TAKEN for answer in heard)
    return Retry(reason, after, perhaps=not untouched)


def _listened(send: Callable[..., Response]) -> Callable[..., Response]:
    @wraps(send)
    def listened(self: HTTPAdapter, request: PreparedRequest, *args: Any, **named: Any) -> Response:
        gathered = _heard.get()
        try:
            response = send(self, request, *args, **named)
        except RequestException:
            if gathered is not None:
                gathered.append(Answer(_NO_ANSWER))
            raise
        if gathered is not None:
            gathered.append(_answer(response, stream=bool(args[0] if args else named.get("stream"))))
        return response

    return listened


def _answer(response: Response, *, stream: bool) -> Answer:
    """Return an answer with the text of a refusal; the body is left alone where the plug-in streams it itself."""
    content = b"" if stream or response.status_code < 400 else response.content[: REASON_CHARS * 4]
    text = content.decode("utf-8", "replace").strip()
    return Answer(response.status_code, response.headers.get("Retry-After", ""), text)


HTTPAdapter.send = _listened(HTTPAdapter.send)  # type: ignore[method-assign]
