"""docs/import.md names every format and every service that is carried over."""

from pathlib import Path

from hub.importers import IMPORTERS
from hub.importers.services import MAKERS

TEXT = (Path(__file__).parents[2] / "docs" / "import.md").read_text("utf-8")


def test_every_format_is_shown():
    assert all(f"hub import {form} " in TEXT for form in IMPORTERS)


def test_every_service_is_named():
    other_names = {"apprise", "http_urllib"}  # of apprise_single and of http, in older versions
    assert not [service for service in MAKERS.keys() - other_names if f"`{service}`" not in TEXT]
