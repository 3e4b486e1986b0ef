"""What an Apprise URL asks for and this installation cannot do: refused when it is read, never sent unencrypted.

Some plug-ins fail closed by themselves, some say that they are "disabled", and some log a warning, send in plain text
and report success. For known plug-ins the check is written here. The others are judged by the words of their warnings.
"""

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from apprise.utils.parse import parse_bool

__all__ = ["Lack", "keep_closed", "lack_of_plugin", "lack_of_service", "lack_said"]

_HUB = "mqtt-notification-hub"
_EXTRAS = {"cryptography": "encryption", "pynacl": "encryption", "pgpy": "pgp"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# "requires the 'cryptography' package", "require PyNaCl to be installed", "requires the pika package"
_WORDS = re.compile(r"requires? (?:the )?'?([A-Za-z0-9._-]+)'? (?:package|to be installed)")
_IN_THE_CLEAR = re.compile(r"unencrypted|in the clear|in plain ?text|not available on this installation", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Lack:
    """What is missing, as a sentence, and what the user can do about it."""

    what: str
    remedy: str = ""


def lack_of_plugin(scheme: str, plugin: type) -> Lack | None:
    """Return what a service lacks whatever its URL says; None where nothing is missing."""
    if getattr(plugin, "enabled", True):
        return None
    needed = getattr(plugin, "requirements", {}).get("packages_required") or ()
    names = [
        found[0] for each in ([needed] if isinstance(needed, str) else needed) if (found := _NAME.match(str(each)))
    ]
    if not names:
        return Lack(f"{scheme}:// does not work on this system")
    return Lack(f"{scheme}:// needs {' and '.join(names)}, which is not installed", _install(names))


def lack_of_service(plugin: Any, given: Mapping[str, Any]) -> Lack | None:
    """Return what a URL asks for and the plug-in would silently leave out here; None where nothing is missing."""
    asked = given.get("qsd") or {}
    for kind in type(plugin).__mro__:
        reader = _READERS.get(kind.__name__)
        if reader is not None:
            return reader(plugin, asked)
    return None


def lack_said(lines: Iterable[str]) -> Lack | None:
    """Return what a plug-in's warnings say is missing: a package, or encryption; None where they say neither."""
    for line in lines:
        found = _WORDS.search(line)
        if found:
            return Lack(f"it needs {found[1]}, which is not installed", _install([found[1]]))
        if _IN_THE_CLEAR.search(line):
            return Lack(line)
    return None


def keep_closed(plugin: Any, given: Mapping[str, Any]) -> None:
    """Make a plug-in fail instead of sending unencrypted, where the encryption its URL asks for cannot be set up."""
    setup = getattr(plugin, "_e2ee_setup", None)  # of Matrix, which only warns
    asked = given.get("qsd") or {}
    if setup is None or not (_yes(asked, "e2ee") or _yes(asked, "autoverify")):
        return

    def strictly() -> bool:
        if not setup():
            raise RuntimeError("end-to-end encryption, which the URL asks for, cannot be set up")
        return True

    plugin._e2ee_setup = strictly  # noqa: SLF001 - there is no other place to stop it


def _pushover(plugin: Any, asked: Mapping[str, str]) -> Lack | None:
    if plugin.e2ee and plugin.encryption_key:
        return None if _supports(plugin, "PUSHOVER_E2EE_SUPPORT") else _encryption("cryptography")
    if _yes(asked, "e2ee"):
        return Lack("it asks for end-to-end encryption (e2ee) and has no key", "add ?key=, or remove ?e2ee=")
    return None


def _matrix(plugin: Any, asked: Mapping[str, str]) -> Lack | None:
    if not plugin.e2ee or plugin.mode != "off":
        return None  # Matrix has no encryption for webhooks, so nobody has asked for it
    if not plugin.secure:
        wanted = _yes(asked, "e2ee") or _yes(asked, "autoverify")
        return Lack("end-to-end encryption (e2ee) needs TLS", "write it as matrixs://") if wanted else None
    if _supports(plugin, "MATRIX_E2EE_SUPPORT"):
        return None
    lack = _encryption("cryptography")
    return Lack(lack.what, f"{lack.remedy}; or ?e2ee=no, where no room is encrypted")


def _mail(plugin: Any, _asked: Mapping[str, str]) -> Lack | None:
    if plugin.pgp_mode == "no":
        return None
    return None if getattr(sys.modules.get("apprise.utils.pgp"), "PGP_SUPPORT", False) else _encryption("PGPy", "PGP")


def _nostr(plugin: Any, _asked: Mapping[str, str]) -> Lack | None:
    if not plugin.targets:
        return None  # a public note
    return None if _supports(plugin, "NOSTR_CRYPTOGRAPHY_SUPPORT") else _encryption("cryptography")


_READERS = {"NotifyPushover": _pushover, "NotifyMatrix": _matrix, "NotifyEmail": _mail, "NotifyNostr": _nostr}


def _yes(asked: Mapping[str, str], name: str) -> bool:
    return bool(parse_bool(asked.get(name), False))  # type: ignore[no-untyped-call]


def _supports(plugin: Any, flag: str) -> bool:
    """Tell whether a plug-in has found its encryption library; one that does not say counts as one without."""
    modules = (sys.modules.get(kind.__module__) for kind in type(plugin).__mro__)
    return any(bool(getattr(module, flag, False)) for module in modules)


def _encryption(package: str, what: str = "end-to-end encryption") -> Lack:
    return Lack(f"{what} needs {package}, which is not installed", _install([package]))


def _install(packages: Iterable[str]) -> str:
    """Return the command that installs packages, by the hub's own extras where it has one for each."""
    names = list(packages)
    extras = [_EXTRAS.get(name.lower(), "") for name in names]
    known = f"{_HUB}[{','.join(dict.fromkeys(extras))}]"
    return f"pip install '{known}'" if all(extras) else f"pip install {' '.join(names)}"
