"""What is remembered of messages that went to a fallback: so many, where their ends never come to the receiver."""

from hub.model import Rejected
from hub.notify import endings
from hub.notify.fallback import Fallback
from tests.notify.test_delivery import said, stand


async def test_of_episodes_that_went_to_a_fallback_the_newest_are_remembered_and_their_ends_go_there(monkeypatch):
    monkeypatch.setattr(endings, "HANDED", 10)
    rig = stand(chat=({"fallback": Fallback("sms")}, [Rejected("401")] * 30), sms=({}, ()))
    async with rig.running():
        rig.offer(*(said("firing", order=f"n{n}") for n in range(30)))
        await rig.idle()
        rig.offer(*(said("resolved", order=f"n{n}") for n in range(30)))
        await rig.idle()
    told = [each for each in rig.sent["sms"] if each.endswith("resolved")]
    assert told == [f"n{n}-1-resolved" for n in range(20, 30)]
