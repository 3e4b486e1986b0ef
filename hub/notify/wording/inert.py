"""Text from devices made inert for chats: it stays readable, mentions nobody, and is no link.

Chats differ in what they make a mention or a link of, and there are a hundred of them. So each construct is broken at
its head, by a narrow space: every parser takes that for a space, none strips it as it may strip what has no width, and
people read on. A link with another text than its target needs the target in one piece: without `://` there is none, in
any notation.
"""

import html
import re

__all__ = ["as_html", "defuse", "marked"]

_GAP = "\u202f"  # NARROW NO-BREAK SPACE
_NOTHING = r"[\\\u00ad\u034f\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff]*"  # which some take for nothing
_HEADS = re.compile(
    r"""
      [@\uff20\ufe6b] (?!\s)           # @everyone, @room, and the wide forms, which some services read as @
    | < (?![\s=])                      # <!channel>, <@U123>, <users/all>, <at …>, <https://…|text>; not <=
    | & (?=NOTHING \#?\w{1,32};)       # &#64;room: an entity that becomes one of these
    | \] (?=NOTHING [(\[:])            # [text](…), [text][…], [name]: …
    | \[ (?=NOTHING (?:~|CQ:|\w+=))    # [~user] of Jira, [CQ:at,qq=all] of QQ, [url=…]
    | \( (?=NOTHING (?:met|rol|chn) NOTHING \))  # (met)all(met) of Kook
    | \| (?=NOTHING \|)                # ||…|| hides what is between, our own link too
    | : (?=NOTHING / NOTHING /)
    | \b www (?=\.)
    """.replace("NOTHING", _NOTHING),
    re.VERBOSE | re.IGNORECASE,
)
_TICK = "\u02cb"  # looks like `, and opens no code in which a link of ours would be dead
_MARKS = re.compile(r"[\\*_~]|^[#>]", re.MULTILINE)


def defuse(text: str) -> str:
    """Return the text without a live mention or link, for whatever a chat makes of text."""
    return _HEADS.sub(lambda found: found.group() + _GAP, text.replace("`", _TICK))


def marked(text: str) -> str:
    """Return the text for a chat that takes Markdown: inert, and with its stars and underscores to be seen."""
    return _MARKS.sub(lambda found: f"\\{found.group()}", defuse(text))


def as_html(text: str) -> str:
    """Return the text for a service that takes HTML: inert, nothing of it a tag."""
    return html.escape(defuse(text), quote=False).replace("\n", "<br/>")
