"""URLs with what an event brought: it stays in its level of the path, its value of the query, its part of the host."""

from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.documents.document import Problems, parse_document
from hub.fields import Section
from hub.limits import URL_VALUE_CHARS
from hub.notify.outward.url import UnsafeHost, target
from tests.notify.fakes import notification

TEXT = st.text(max_size=40) | st.sampled_from(["..", ".", "%2e%2E", "../..", "a/b", "?x=1", "#", "@", "&b=c", "\r\n"])


def read(url):
    problems = Problems()
    section = Section(parse_document(f"url: '{url}'", "r.yaml", problems), problems, "a")
    return section.take("url", target, None), [str(problem) for problem in problems]


def render(url, **labels):
    return read(url)[0].render(notification(labels=labels).body)


def test_without_a_template_it_is_what_was_written():
    found, _ = read("https://user:pw@h.example:8443/a/b?x=1")
    assert str(found.render({})) == "https://user:pw@h.example:8443/a/b?x=1"
    assert not found.guarded


@given(TEXT, TEXT, TEXT)
def test_a_value_stays_where_the_template_has_it(first, second, third):
    url = render("https://user:pw@h.example:8443/api/{a}/x{b}/end?q={c}&z=1", a=first, b=second, c=third)
    assert str(url.origin()) == "https://h.example:8443"
    assert (url.user, url.password, url.fragment) == ("user", "pw", "")
    levels = url.raw_path.split("/")
    assert [levels[1], levels[4], len(levels)] == ["api", "end", 5]
    assert unquote(levels[3]).startswith("x")
    assert levels[2]
    assert not {unquote(level) for level in levels} & {".", ".."}
    assert url.raw_query_string.endswith("&z=1")
    assert [name for name, _ in parse_qsl(url.raw_query_string, keep_blank_values=True)] == ["q", "z"]


def test_what_is_harmless_comes_through_as_it_is():
    url = render("https://h/{a}?q={b}", a="ä b/7", b="50 % & more")
    assert unquote(url.raw_path) == "/ä b/7"
    assert url.query["q"] == "50 % & more"


def test_a_long_value_is_cut():
    assert len(render("https://h/{a}", a="x" * 5000).raw_path) == URL_VALUE_CHARS + 1


def test_the_key_of_an_episode_makes_a_url_to_update_in_place():
    assert str(read("https://h/incidents/{key}")[0].render({"id": "0123-7-repeat-2"})) == "https://h/incidents/0123-7"


def test_a_value_may_be_part_of_the_host_which_is_then_guarded():
    assert read("https://{site}.hooks.example:8443/x")[0].guarded
    assert (
        str(render("https://{site}.hooks.example:8443/x", site="berlin-1")) == "https://berlin-1.hooks.example:8443/x"
    )


@pytest.mark.parametrize(
    "value",
    ["a/b", "a@b", "a:1", "a?b", "a#b", "", "a b", "ä", "x" * 300, "[::1]", "a\r\nb", "a%2fb", "a\\b"],
)
def test_what_is_no_host_name_is_refused(value):
    with pytest.raises(UnsafeHost):
        render("https://{site}/x", site=value)


@pytest.mark.parametrize(
    "value", ["127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "1.2.3.4.5", "a.1", ".", "a..b"]
)
def test_no_old_spelling_of_an_address_is_a_host(value):
    with pytest.raises(UnsafeHost):
        render("https://{site}/x", site=value)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("example.org/{site}", "is no HTTP URL (write it as https://host/path)"),
        ("{site}://h/", "is no HTTP URL"),
        ("ftp://h/{site}", "is no HTTP URL"),
        ("https://h:{site}/", "only the host may come from the event"),
        ("https://{site}@h/", "only the host may come from the event"),
        ("https://u:{site}@h/", "only the host may come from the event"),
        ("https://h/{site", "r.yaml:1:7: its template cannot be read"),
    ],
)
def test_a_mistake_is_shown_with_its_place(url, message):
    found, problems = read(url)
    assert found is None
    assert message in problems[0]
    assert len(problems) == 1


def test_what_is_fixed_behind_the_host_is_secret_and_the_names_of_values_are_not():
    secrets = read("https://u:hunter2@h/T0KEN/{site}/xoxb{device}?key=KEEP")[0].secrets()
    assert {"T0KEN", "hunter2", "xoxb", "KEEP"} <= secrets
    assert not {"site", "device", "h"} & secrets


def test_a_secret_url_with_a_mistake_is_not_shown(monkeypatch):
    monkeypatch.setenv("HOOK", "https://h/tokenSECRET/{nosuch(}")
    problems = Problems()
    section = Section(parse_document("url: !env HOOK", "r.yaml", problems), problems, "a")
    section.take("url", target, None)
    assert len(problems) == 1
    assert "SECRET" not in str(problems[0])
    assert "nosuch" not in str(problems[0])
