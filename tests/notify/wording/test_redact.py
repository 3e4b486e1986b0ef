import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.limits import REASON_CHARS
from hub.notify.wording.redact import Redactor, url_secrets
from hub.printable import one_line

WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=6, max_size=20).filter(
    lambda word: word in url_secrets(f"https://host.example/{word}")  # Hypothesis tries the API's words, which are none
)


@given(st.text())
def test_a_reason_is_one_short_line_without_control_characters(text):
    line = one_line(text)
    assert len(line) <= REASON_CHARS
    assert not any(ord(each) < 32 or 0x7F <= ord(each) < 0xA0 for each in line)
    assert "\u202e" not in line


@given(WORD, WORD, WORD, WORD, st.text(max_size=50))
def test_no_part_of_a_url_beyond_its_host_survives(user, password, path, query, around):
    url = f"https://{user}:{password}@host.example/hook/{path}?token={query}"
    redact = Redactor(url_secrets(url))
    for secret in (url, user, password, path, query):
        for text in (f"{around}{secret}{around}", f"x={secret}&", f"/{secret}/"):
            assert secret not in redact(text) or secret in "***"


def test_the_percent_encoded_and_the_plain_form_are_both_taken_out():
    redact = Redactor(url_secrets("slack://to%2Fken%20x/abcdef", host=True))
    assert "to/ken x" not in redact("cannot use to/ken x")
    assert "to%2Fken" not in redact("cannot use to%2Fken%20x")
    assert "dXNlcjpwQHNz" not in Redactor(url_secrets("https://user:p%40ss@h/"))("Authorization: Basic dXNlcjpwQHNz")


def test_short_secrets_go_only_as_words():
    redact = Redactor({"ab"})
    assert redact("about ab, (ab) cab") == "about ***, (***) cab"


def test_half_a_secret_at_the_cut_does_not_stay():
    redact = Redactor({"hunter2hunter2"})
    assert "hunter" not in redact("x" * (REASON_CHARS - 8) + "hunter2hunter2")


def test_nothing_secret_leaves_text_alone():
    assert Redactor([""])("503 Service Unavailable") == "503 Service Unavailable"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://am:9093/api/v2/alerts", "400 Bad Request: start time of the alerts must be before end time (api v2)"),
        ("https://push.example/message?token=Aq1xyz", "a message needs a title, and its token"),
        ("https://discord.com/api/webhooks/123456/AbC-def", "Unknown webhooks: see /api/webhooks"),
        ("json://user:pass@host/hooks/incoming", "no hooks are incoming"),
    ],
)
def test_the_words_of_a_service_stay_where_its_own_url_has_them_too(url, said):
    assert Redactor(url_secrets(url))(said) == said


def test_what_is_secret_beside_them_goes_and_so_does_a_word_that_somebody_logs_in_with():
    redact = Redactor(url_secrets("https://api:token@push.example/api/v2/T0SECRET/message?token=Aq1xyz&topic=freezer"))
    said = redact("api token v2 T0SECRET message Aq1xyz topic freezer api/v2/T0SECRET/message")
    assert said == "*** *** v2 *** message *** topic *** ***"
