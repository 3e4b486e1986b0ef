"""hub/share.py: shipped files are found in a checkout and in an installed package."""

import pytest

from hub import share
from hub.errors import HubError


@pytest.mark.parametrize("name", ["mosquitto.conf", "mosquitto.acl", "rules", "devices"])
def test_what_is_shipped_is_found(name):
    assert share.shared(name).exists()


def test_an_installed_package_keeps_to_its_own_folder(tmp_path, monkeypatch):
    package = tmp_path / "site-packages" / "hub"
    (package / "share" / "rules").mkdir(parents=True)
    (tmp_path / "site-packages" / "rules").mkdir()  # somebody else's
    monkeypatch.setattr(share, "_PACKAGE", package)
    assert share.shared("rules") == package / "share" / "rules"
    with pytest.raises(HubError, match="install mqtt-notification-hub again"):
        share.shared("devices")
