"""The code of an error makes its HTTP status, whatever its message says."""

import pytest

from hub import errors
from hub.errors import Code, HubError, RequestError
from hub.operate.api.answers import refused
from hub.operate.api.statuses import CODES, code_of, status_of
from hub.operate.specs.openapi import _REFUSALS


@pytest.mark.parametrize("code", Code)
def test_each_code_has_a_status_of_its_own_and_comes_back_from_it(code):
    error = RequestError("no silence of this name", code)
    assert code_of(status_of(error)) == code
    assert refused(error).status == status_of(error)


def test_words_make_no_status():
    for words in ("no such thing", "nothing is known", "expired", "cannot be written"):
        assert status_of(RequestError(words)) == 400


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.StoreError("x"), 503),
        (errors.StoreBusy("x"), 503),
        (errors.StoreLocked("x"), 503),
        (errors.BrokerUnreachable("x"), 503),
        (errors.CompileError("x"), 400),
        (errors.ConfigError([errors.Problem("p", 1, 1, "x")]), 400),
    ],
)
def test_each_error_of_the_tree_has_one(error, status):
    assert isinstance(error, HubError)
    assert refused(error).status == status
    assert bool(refused(error).after) is (status == 503)


def test_the_document_has_words_for_each_status_but_bugs_and_wrong_methods():
    assert set(CODES) - set(_REFUSALS) == {405, 500}


@pytest.mark.parametrize(("code", "ends"), [(Code.MISSING, 1), (Code.INVALID, 1), (Code.UNAVAILABLE, 3)])
def test_a_command_ends_with_what_the_answer_says(code, ends):
    error = RequestError.of({"ok": False, "error": "later", "code": code.value})
    assert (error.code, error.exit_code, str(error)) == (code, ends, "later")


def test_an_answer_of_an_older_or_newer_hub_is_read_too():
    assert RequestError.of({"ok": False}).code is Code.INVALID
    assert RequestError.of({"ok": False, "code": "teapot", "error": "x"}).code is Code.INVALID
