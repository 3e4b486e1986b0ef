"""token: it allows what it was signed for, until it expires; whatever is changed in it makes it nobody's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.commands.tokens.token import Claim, read_token, sign_token
from hub.errors import RequestError

KEY = b"k" * 32
CLAIM = Claim("74697385e7e8aee7", 3, 2000, "chat")


@given(st.text(max_size=150), st.integers(0, 2**31))
def test_a_token_says_what_it_was_signed_for(by, episode):
    claim = Claim(CLAIM.fingerprint, episode, 2000, by.encode("utf-8", "replace").decode()[:100])
    token = sign_token(claim, KEY)
    assert read_token(token, KEY, 1999.0) == claim
    assert token.replace(".", "").replace("-", "").replace("_", "").isalnum()
    assert token.isascii()


def test_an_expired_token_is_refused():
    with pytest.raises(RequestError, match="expired"):
        read_token(sign_token(CLAIM, KEY), KEY, 2000.0)


def test_another_hubs_token_is_refused():
    with pytest.raises(RequestError, match="not a token of this hub"):
        read_token(sign_token(CLAIM, b"x" * 32), KEY, 0.0)


@given(st.integers(0, 200), st.characters())
def test_a_token_of_which_a_letter_was_changed_is_refused(place, letter):
    token = sign_token(CLAIM, KEY)
    place %= len(token)
    changed = token[:place] + letter + token[place + 1 :]
    if changed != token:
        with pytest.raises(RequestError):
            read_token(changed, KEY, 0.0)


@given(st.text(max_size=100))
def test_no_text_is_a_token(text):
    with pytest.raises(RequestError):
        read_token(text, KEY, 0.0)
