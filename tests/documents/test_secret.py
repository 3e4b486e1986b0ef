"""secret: a password shows nowhere but where it is used."""

import copy
import dataclasses
import logging
import traceback

import pytest

from hub.config import AccessToken
from hub.documents.secret import Secret
from hub.ingest.mqtt.session import BrokerSettings

HIDDEN = "hunter2"


def test_it_gives_its_text_only_to_who_asks():
    assert Secret(HIDDEN).reveal() == HIDDEN


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        "{}".format,
        "{:>20}".format,
        "{!r}".format,
        lambda s: f"{s} {s!s} {s!r} {s:x}",
        lambda s: f"{[s]} {(s,)} {{1: s}}",
        lambda s: repr(BrokerSettings(password=s)),
        lambda s: repr(AccessToken("a", "b", s)),
    ],
)
def test_it_shows_as_secret_in_every_way_of_printing(show):
    assert HIDDEN not in show(Secret(HIDDEN))


def test_it_shows_in_no_log_and_no_traceback(caplog):
    error = ValueError(Secret(HIDDEN))
    logging.getLogger("x").error("failed for %s", Secret(HIDDEN), exc_info=error)
    assert HIDDEN not in "".join(traceback.format_exception(error))
    assert "<secret>" in caplog.text
    assert HIDDEN not in caplog.text


def test_it_cannot_be_joined_to_text_by_mistake():
    with pytest.raises(TypeError):
        "password " + Secret(HIDDEN)
    with pytest.raises(TypeError):
        "".join([Secret(HIDDEN)])


def test_it_has_no_attribute_dictionary_that_would_be_dumped():
    assert not hasattr(Secret(HIDDEN), "__dict__")
    assert HIDDEN not in str(dataclasses.asdict(AccessToken("a", "b", Secret(HIDDEN))))
    assert copy.copy(Secret(HIDDEN)) == Secret(HIDDEN)


def test_equal_texts_are_equal_secrets_and_no_text_equals_one():
    assert Secret("a") == Secret("a")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
