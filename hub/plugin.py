"""What a receiver of another package may import: these names stay where they are when the hub is rebuilt inside.

docs/embedding.md lists them, tests/test_public_api.py holds the list. Nothing in the hub imports this module.
"""

from hub.documents.secret import Secret
from hub.fields import Bad, Key, KeyTable, Section, boolean, duration, integer, list_of, number, one_of, secret, text
from hub.model import Delivered, Notification, Outcome, Rejected, Retry
from hub.notify.receiver import Kind, Receiver, Toolbox

__all__ = [
    "Bad",
    "Delivered",
    "Key",
    "KeyTable",
    "Kind",
    "Notification",
    "Outcome",
    "Receiver",
    "Rejected",
    "Retry",
    "Secret",
    "Section",
    "Toolbox",
    "boolean",
    "duration",
    "integer",
    "list_of",
    "number",
    "one_of",
    "secret",
    "text",
]
