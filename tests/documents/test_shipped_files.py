"""hub/documents/shipped_files.py: shipped files are found in a checkout and in an installed package."""

import pytest

from hub.documents import shipped_files
from hub.errors import HubError


@pytest.mark.parametrize("name", ["mosquitto.conf", "mosquitto.acl", "rules", "devices"])
def test_what_is_shipped_is_found(name):
    assert shipped_files.shared(name).exists()


def test_an_installed_package_keeps_to_its_own_folder(tmp_path, monkeypatch):
    package = tmp_path / "site-packages" / "hub"
    (package / "share" / "rules").mkdir(parents=True)
    (tmp_path / "site-packages" / "rules").mkdir()  # somebody else's
    monkeypatch.setattr(shipped_files, "_PACKAGE", package)
    assert shipped_files.shared("rules") == package / "share" / "rules"
    with pytest.raises(HubError, match="install mqtt-notification-hub again"):
        shipped_files.shared("devices")
