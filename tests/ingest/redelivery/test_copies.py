"""Copies: of one message that came by several subscriptions one is left, whatever lies between the batches."""

from hypothesis import given
from hypothesis import strategies as st

from hub.ingest.redelivery.copies import Copies
from tests.rules.making import Packet


class Filters:
    """So many filters match every topic."""

    def __init__(self, count):
        self.overlaps, self.count, self.asked = count > 1, count, 0

    def copies(self, _topic):
        self.asked += 1
        return self.count


@given(st.lists(st.tuples(st.sampled_from("ab"), st.permutations([1, 2, 3])), max_size=8), st.data())
def test_each_message_is_left_once_however_its_copies_are_ordered_and_cut_into_batches(messages, data):
    packets = [Packet("t", payload.encode(), 1, ids=[number]) for payload, order in messages for number in order]
    copies, left = Copies(Filters(3)), []
    while packets:
        cut = data.draw(st.integers(1, len(packets)))
        left += copies.without(packets[:cut], packets[:cut])
        del packets[:cut]
    assert [packet.payload.decode() for packet in left] == [payload for payload, _ in messages]


def test_where_no_filters_overlap_nothing_is_looked_at():
    filters, packets = Filters(1), [Packet("t", b"a", 1, ids=[1]), Packet("t", b"a", 2, ids=[1])]
    assert Copies(filters).without(packets, packets) is packets
    assert filters.asked == 0
