"""Where the files that are shipped beside the code lie: rules, devices, mosquitto.conf, mosquitto.acl.

In a checkout they stand at the top level, where users look; a wheel carries them inside the package as `hub/share/`.
"""

from pathlib import Path

from hub.errors import HubError

__all__ = ["shared"]

_PACKAGE = Path(__file__).parents[1]


def shared(name: str) -> Path:
    """Return the path of a shipped file or folder, such as `rules` or `mosquitto.conf`.

    Raises:
        HubError: it is not there; the installation is broken.

    """
    for folder in (_PACKAGE.parent, _PACKAGE / "share"):
        path = folder / name
        # files beside an installed package belong to others: only a checkout has the hub's pyproject.toml there
        if path.exists() and (folder != _PACKAGE.parent or (folder / "pyproject.toml").is_file()):
            return path
    raise HubError(
        f"{name} is not where the package keeps it ({_PACKAGE / 'share'}): install mqtt-notification-hub again"
    )
