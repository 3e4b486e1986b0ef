"""What a request does to the attributes of devices that people may change. Pure: (core, request, now) → answer."""

from itertools import islice

from hub.commands.contract import SetRequest, SettingsRequest
from hub.commands.request import Request
from hub.contracts.answered import SettingBody, SettingsAnswer, SettingsChanged
from hub.devices.known.settings import NamedDevice
from hub.errors import RequestError
from hub.limits import SETTINGS_LISTED
from hub.spine.core import Core

__all__ = ["set_attributes", "settings"]


def set_attributes(core: Core, request: Request, now: float) -> SettingsChanged:
    """Set attributes of a device within the bounds of its author, and judge at once what that changes.

    Raises:
        RequestError: no such device, no such attribute, or a value that its author does not allow.

    """
    asked = SetRequest(request)
    if not asked.attributes:
        raise RequestError("what is to be set? give 'attributes', such as {\"limit\": -16}")
    changes = core.set(asked.device, asked.attributes, asked.name(), now)
    device = core.devices.find(changes[0].device)
    changed = [str(each) for each in changes if each.before != each.after]
    return {"ok": True, "changed": changed, "device": _body(core, device)}


def settings(core: Core, request: Request) -> SettingsAnswer:
    """Return what may be set of one device, or of all: those of which something is set come first.

    Raises:
        RequestError: no such device.

    """
    devices, asked = core.devices, SettingsRequest(request)
    if asked.device:
        return {"ok": True, "devices": [_body(core, devices.find(asked.device))], "truncated": False}
    touched = [each for each in devices.settable() if each.identity in devices.all]
    others = (each for each in devices.settable() if each.identity not in devices.all)
    some = [*touched, *islice(others, SETTINGS_LISTED + 1)]
    found = [_body(core, each) for each in some[:SETTINGS_LISTED]]
    return {"ok": True, "devices": found, "truncated": len(some) > SETTINGS_LISTED}


def _body(core: Core, device: NamedDevice) -> SettingBody:
    found = core.devices.body(device)
    return {"device": found["device"], "settable": found["settable"]}
