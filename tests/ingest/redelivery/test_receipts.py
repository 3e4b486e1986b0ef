"""receipts: what was committed is never evaluated again, what was not always is, whatever breaks when."""

from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.ingest.redelivery import receipts as module
from hub.ingest.redelivery.receipts import Receipts
from tests.rules.making import Packet

IDS = 3
MANY = st.sampled_from([1, 2, 9])


def packets(*ids, duplicate=False, payload=b"{}"):
    return [Packet("t", payload, number, duplicate=duplicate) for number in ids]


def ids(deliveries):
    return [each.packet_id for each in deliveries]


def test_what_was_committed_is_left_out_when_it_comes_again():
    receipts = Receipts(())
    receipts.take(packets(1, 2))
    receipts.seal(2)
    receipts.disconnected()
    assert ids(receipts.take(packets(1, 2, duplicate=True) + packets(3))) == [3]


def test_the_same_id_without_dup_or_with_other_content_is_another_message():
    receipts = Receipts(())
    receipts.take(packets(1, 2))
    receipts.seal(2)
    assert ids(receipts.take(packets(1))) == [1]
    assert ids(receipts.take(packets(2, duplicate=True, payload=b"other"))) == [2]
    assert ids(receipts.take([Packet("u", b"{}", 1, duplicate=True)])) == [1]


def test_qos_0_passes_and_leaves_nothing_behind():
    receipts = Receipts(())
    batch = [Packet("t", b"{}", None)] * 3
    assert receipts.take(batch) == batch
    assert receipts.seal(3) == (None, 0)
    assert len(receipts) == 0


def test_a_crash_before_the_commit_forgets_what_was_taken_and_one_behind_it_does_not():
    receipts = Receipts(())
    receipts.take(packets(1))
    stored, _ = receipts.seal(1)
    receipts.take(packets(2))
    again = Receipts([stored])
    assert ids(again.take(packets(1, 2, duplicate=True))) == [2]


def test_beyond_what_is_kept_what_the_broker_is_known_to_have_taken_is_forgotten_and_its_rows_named():
    receipts = Receipts((), kept=0)
    receipts.take(packets(1, 2))
    assert receipts.seal(2)[0][0] == 1
    receipts.take(packets(3))
    receipts.seal(3)
    receipts.confirmed(2)
    assert len(receipts) == 1
    assert receipts.seal(3) == (None, 1)
    receipts.confirmed(3)
    assert len(receipts) == 0
    assert receipts.seal(3) == (None, 2)
    assert receipts.seal(3) == (None, 0)


def test_after_a_lost_connection_nothing_is_forgotten_before_all_has_come_again():
    receipts = Receipts((), kept=0)
    receipts.take(packets(1))
    receipts.seal(1)
    receipts.disconnected()
    receipts.confirmed(1)
    assert len(receipts) == 1
    receipts.drained()
    receipts.confirmed(1)
    assert len(receipts) == 0


def test_what_was_taken_before_the_connection_ended_and_committed_after_it_may_come_again_too():
    receipts = Receipts((), kept=0)
    receipts.take(packets(1))
    receipts.disconnected()
    receipts.seal(1)
    receipts.confirmed(1)
    assert ids(receipts.take(packets(1, duplicate=True))) == []
    receipts.seal(2)
    receipts.drained()
    receipts.confirmed(2)
    assert len(receipts) == 0


def test_after_a_restart_nothing_is_forgotten_before_all_has_come_again_and_numbers_go_on():
    before = Receipts(())
    before.take(packets(1))
    before.seal(1)
    before.take(packets(2))
    (number, blob), _ = before.seal(2)
    assert number == 2
    receipts = Receipts([(number, blob)], kept=0)
    receipts.confirmed(9)
    assert receipts.seal(0) == (None, 0)
    assert ids(receipts.take(packets(2, duplicate=True))) == []
    assert receipts.seal(1)[0][0] == 3
    receipts.drained()
    receipts.confirmed(9)
    assert receipts.seal(1) == (None, 3)
    assert len(receipts) == 0


def test_what_is_late_is_so_of_one_batch_and_newer_is_what_came_by_this_connection():
    receipts = Receipts(())
    receipts.take(packets(1))
    receipts.take(packets(9, duplicate=True, payload=b"late"))
    assert ids(receipts.late) == [9]
    receipts.take(packets(2))
    assert receipts.late == []


def test_what_a_broker_that_died_sends_again_is_left_out_though_it_had_our_acknowledgement():
    receipts = Receipts(())
    receipts.take(packets(1, 2, 3))
    stored, _ = receipts.seal(3)
    receipts.confirmed(3)
    assert receipts.seal(3) == (None, 0)
    for each in (receipts, Receipts([stored])):  # we alone lost the connection, or died with it
        each.disconnected()
        assert ids(each.take(packets(2, 3, duplicate=True) + packets(4))) == [4]


def test_what_is_kept_is_bounded_in_ids_and_in_commits(monkeypatch):
    receipts = Receipts((), kept=3)
    for number in range(1, 6):
        receipts.take(packets(number))
        receipts.seal(number)
        receipts.confirmed(number)
    assert len(receipts) == 3
    assert receipts.seal(5) == (None, 2)
    monkeypatch.setattr(module, "RECEIPT_COMMITS", 1)
    receipts.confirmed(5)
    assert receipts.seal(5) == (None, 4)


def test_of_a_broker_that_gives_ids_anew_at_once_nothing_is_kept_beyond_its_word():
    receipts = Receipts(())
    for position in (1, 2):
        assert ids(receipts.take(packets(1))) == [1]
        receipts.seal(position)
        receipts.confirmed(position)
    assert receipts.reuses_ids
    assert len(receipts) == 0
    assert len(Receipts([(1, b"")], reuses_ids=True)) == 0


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("again", ["with DUP", "anew", "anew, the same"])
def test_of_a_broker_whose_ids_begin_at_1_with_each_connection_nothing_is_lost_that_says_what_another_had_said(
    again, restarted
):
    receipts = Receipts(())
    receipts.take([Packet("t", b"on", 1), Packet("t", b"off", 2)])
    stored, _ = receipts.seal(2, 10.0)
    receipts.confirmed(2)
    receipts.take([Packet("t", b"on", 3), Packet("t", b"x", 4)])  # and not committed: RabbitMQ has them again
    receipts.disconnected(100.0)
    if restarted:
        receipts = Receipts([stored])
    if again == "with DUP":
        came = [Packet("t", b"on", 1, duplicate=True), Packet("t", b"x", 2, duplicate=True)]
    elif again == "anew":
        came = [Packet("t", b"new", 1), Packet("t", b"off", 2, duplicate=True)]
    else:
        came = [Packet("t", b"on", 1), Packet("t", b"off", 2, duplicate=True)]
    assert ids(receipts.take(came)) == [1, 2]
    assert receipts.reuses_ids


def test_a_broker_that_died_with_the_first_messages_of_a_session_is_not_taken_for_one_whose_ids_begin_anew():
    receipts = Receipts(())
    receipts.take(several(1, 4))
    receipts.seal(4, 10.0)
    receipts.confirmed(4)
    receipts.disconnected(100.0)
    assert ids(receipts.take(several(1, 4, duplicate=True) + several(5, 6, word=b"new"))) == [5, 6]
    assert not receipts.reuses_ids


def test_a_broker_that_begins_again_in_the_middle_gives_other_messages_those_ids_and_none_anew_with_each_connection():
    receipts = Receipts(())
    receipts.take(several(1, 4))
    receipts.seal(4, 10.0)
    receipts.confirmed(4)
    receipts.disconnected(100.0)
    assert ids(receipts.take(several(3, 3, word=b"new"))) == [3]
    assert not receipts.reuses_ids


def several(first, last, *, word=b"", **more):
    return [Packet("t", word + b"%d" % number, number, **more) for number in range(first, last + 1)]


def test_what_comes_from_the_queue_again_after_the_broker_died_is_left_out_though_it_comes_without_dup():
    receipts = Receipts(())
    receipts.take(several(1, 9))
    receipts.seal(9, 100.0)
    receipts.confirmed(9)
    receipts.disconnected(101.0)
    assert ids(receipts.take(several(3, 5))) == []
    assert ids(receipts.take(several(6, 9) + several(10, 11))) == [10, 11]


def test_attempts_to_connect_that_fail_make_what_came_before_no_older():
    receipts = Receipts(())
    receipts.take(several(1, 9))
    receipts.seal(9, 100.0)
    for at in (101.0, 130.0):
        receipts.disconnected(at)
    assert ids(receipts.take(several(3, 9))) == []


def test_one_message_alone_that_looks_like_one_from_before_is_evaluated_and_the_rest_of_its_row_is_not():
    receipts = Receipts(())
    receipts.take(several(1, 9))
    receipts.seal(9)
    receipts.disconnected()
    assert receipts.wants_more(several(3, 3))
    assert not receipts.wants_more(several(3, 3, word=b"other"))
    assert not receipts.wants_more(several(3, 4))
    assert ids(receipts.take(several(3, 3))) == [3]
    assert ids(receipts.take(several(4, 9))) == []


@pytest.mark.parametrize(
    "other",
    [
        packets(5, payload=b"other"),  # what this id brought before was something else
        several(7, 7),  # it stood elsewhere
    ],
)
def test_a_message_that_breaks_a_row_is_evaluated_and_so_is_all_behind_it(other):
    receipts = Receipts(())
    receipts.take(several(1, 9))
    receipts.seal(9)
    receipts.disconnected()
    assert ids(receipts.take([*several(3, 4), *other, *several(8, 9)])) == [*ids(other), 8, 9]


def test_a_message_that_came_long_before_a_row_is_no_part_of_it():
    receipts = Receipts(())
    receipts.take(several(1, 3))
    receipts.seal(3, 100.0)
    receipts.take(several(4, 5))
    receipts.seal(5, 200.0)
    receipts.disconnected(201.0)
    assert ids(receipts.take(several(4, 5) + several(1, 3))) == [1, 2, 3]


def test_a_restart_forgets_the_stored_receipts_of_a_commit_by_its_own_number():
    receipts = Receipts([(7, module._PACKED.pack(1, 2))], kept=0)
    receipts.drained()
    receipts.confirmed(0)
    assert receipts.seal(0) == (None, 7)


def test_the_same_payload_again_and_again_is_no_row_and_nothing_of_it_is_left_out():
    receipts = Receipts(())
    receipts.take(packets(1, 2, 3, 4))
    receipts.seal(4)
    receipts.disconnected()
    assert ids(receipts.take(packets(2, 3, 4))) == [2, 3, 4]


def test_a_row_that_came_long_before_the_connection_ended_or_after_all_had_come_again_is_new():
    for ago, drained in ((11.0, False), (1.0, True)):
        receipts = Receipts(())
        receipts.take(several(1, 9))
        receipts.seal(9, 100.0)
        receipts.disconnected(100.0 + ago)
        if drained:
            receipts.drained()
        assert ids(receipts.take(several(3, 9))) == [3, 4, 5, 6, 7, 8, 9]


def test_what_ids_said_that_the_broker_now_gives_to_others_is_forgotten():
    receipts = Receipts(())
    receipts.take(several(1, 9))
    receipts.seal(9)
    receipts.disconnected()
    receipts.take(several(1, 4, duplicate=True))
    receipts.take(several(5, 5, word=b"new"))  # it has begun again behind 4
    receipts.drained()
    receipts.disconnected()
    assert ids(receipts.take(several(4, 6, duplicate=True))) == [5, 6]


def test_where_the_broker_has_a_new_session_nothing_is_left_out_once_what_waited_is_taken():
    receipts = Receipts(())
    receipts.take(packets(1, 2))
    receipts.seal(2)
    receipts.take(packets(3))
    receipts.disconnected()
    receipts.ended(1)
    assert ids(receipts.take(packets(2, duplicate=True))) == []
    assert len(receipts) == 0
    assert receipts.seal(4) == (None, 1)
    assert ids(receipts.take(packets(1, 2))) == [1, 2]
    assert not receipts.reuses_ids


def test_of_a_commit_that_does_not_cover_all_that_came_the_rest_goes_into_the_next():
    receipts = Receipts(())
    receipts.take(packets(1, 2, 3))
    (number, blob), _ = receipts.seal(2, through=2)
    assert (number, [each for each, _ in module._PACKED.iter_unpack(blob)]) == (1, [1, 2])
    (number, blob), _ = receipts.seal(3)
    assert (number, [each for each, _ in module._PACKED.iter_unpack(blob)]) == (2, [3])
    receipts.take(packets(4))
    assert receipts.seal(3, through=3) == (None, 0)


def test_an_id_that_the_broker_was_never_known_to_have_free_proves_nothing_of_how_it_gives_ids():
    receipts = Receipts(())
    receipts.take(packets(1))
    receipts.seal(1)
    receipts.disconnected()
    assert ids(receipts.take(packets(1, duplicate=True, payload=b"other"))) == [1]
    assert not receipts.reuses_ids


def test_another_session_may_be_of_a_broker_that_gives_ids_in_turn():
    receipts = Receipts((), reuses_ids=True)
    receipts.ended(0)
    assert not receipts.reuses_ids


def test_what_was_sent_on_an_older_connection_and_comes_behind_newer_ones_is_late():
    receipts = Receipts(())
    receipts.take(packets(1))
    receipts.disconnected()
    receipts.take(several(2, 3, duplicate=True))
    assert receipts.late == []
    receipts.take(several(4, 4))
    receipts.take(several(5, 5, duplicate=True) + several(6, 6))
    assert ids(receipts.late) == [5]
    receipts.disconnected()
    receipts.take(several(5, 7, duplicate=True))
    assert receipts.late == []


def test_a_row_packs_six_bytes_an_id():
    receipts = Receipts(())
    receipts.take(packets(*range(1, 101)))
    (_, blob), _ = receipts.seal(100)
    assert len(blob) == 600


class Broker(RuleBasedStateMachine):
    """A broker, a wire and a hub that may each fail. A message is (its number, its payload); payloads repeat."""

    def __init__(self):
        super().__init__()
        self.messages = 0
        self.queue, self.inflight, self.last_id = [], {}, 0  # the broker: waiting; id -> message, in order
        self.unconfirmed = {}  # id -> payload of what it last carried, while the hub may remember it
        self.doubtful = set()  # messages that look like what their id carried last, not yet committed
        self.connected, self.redelivering = False, []
        self.inbox, self.connection = [], 0
        self.stored, self.durable = {}, Counter()  # the disk
        self.start_hub()

    def start_hub(self):
        self.receipts = Receipts(sorted(self.stored.items()), kept=0)
        self.position = self.sealed = self.confirmed = 0
        self.evaluated, self.taken, self.wire = [], [], []  # taken: (position, id, connection), not acknowledged
        self.drained_at = self.last_again = None

    # the broker

    @rule(payload=st.sampled_from([b"a", b"b"]), count=MANY)
    def publish(self, payload, count):
        for _ in range(count):
            self.messages += 1
            self.queue.append((self.messages, payload))

    def next_id(self):
        return self.last_id % IDS + 1

    @precondition(lambda self: self.connected)
    @rule(count=MANY)
    def deliver(self, count):
        for _ in range(count):
            if self.redelivering:
                number = self.redelivering.pop(0)
                message = self.inflight[number]
                self.inbox.append((Packet("t", message[1], number, duplicate=True), message, self.connection))
            elif self.queue and len(self.inflight) < IDS - 1 and self.next_id() not in self.inflight:
                if self.unconfirmed.get(self.next_id()) == self.queue[0][1]:
                    self.doubtful.add(self.queue[0][0])
                self.last_id = number = self.next_id()
                message = self.inflight[number] = self.queue.pop(0)
                self.unconfirmed[number] = message[1]
                self.inbox.append((Packet("t", message[1], number), message, self.connection))

    @precondition(lambda self: self.wire)
    @rule(count=MANY)
    def broker_reads(self, count):
        for position, number in self.wire[:count]:
            del self.inflight[number]
            self.sealed = position
        del self.wire[:count]

    # the connection

    @precondition(lambda self: not self.connected)
    @rule()
    def connect(self):
        self.connected, self.inbox = True, []
        self.connection += 1
        self.redelivering = list(self.inflight)
        self.last_again = self.redelivering[-1] if self.redelivering else None
        self.drained_at = None if self.redelivering else self.position

    # With 3 ids one comes round before its receipt is gone, and with the same payload nobody could tell a redelivery
    # from a new message; with 65,535 and a confirmation every 0.1 s that cannot be. So nothing breaks while it is so.

    @precondition(lambda self: self.connected and not self.doubtful)
    @rule(arrive=st.sampled_from([0, 0, 1, 9]))
    def disconnect(self, arrive):
        self.broker_reads(arrive)
        self.connected, self.wire, self.drained_at = False, [], None
        self.receipts.disconnected()

    # the hub

    @precondition(lambda self: self.inbox)
    @rule(count=MANY)
    def take(self, count):
        batch, self.inbox = self.inbox[:count], self.inbox[count:]
        fresh = self.receipts.take([packet for packet, _, _ in batch])
        self.evaluated += [message for packet, message, _ in batch if any(packet is each for each in fresh)]
        for packet, _, connection in batch:
            self.position += 1
            self.taken.append((self.position, packet.packet_id, connection))
            if connection == self.connection and packet.duplicate and packet.packet_id == self.last_again:
                self.drained_at, self.last_again = self.position, None

    @rule()
    def commit(self):
        if self.drained_at is not None and self.connected:
            self.receipts.drained()
        row, forget = self.receipts.seal(self.position)
        self.stored = {number: blob for number, blob in self.stored.items() if number > forget}
        if row is not None:
            self.stored[row[0]] = row[1]
        self.durable.update(number for number, _ in self.evaluated)
        self.doubtful -= {number for number, _ in self.evaluated}
        self.evaluated = []
        acknowledged = [(position, number) for position, number, owner in self.taken if owner == self.connection]
        self.wire += acknowledged if self.connected else []
        self.taken = []
        self.receipts.confirmed(self.confirmed)

    @precondition(lambda self: self.connected and self.drained_at is not None)
    @rule()
    def confirm(self):
        """The broker answered a ping that went behind the acknowledgements; only then are their ids free for sure."""
        if self.wire or self.redelivering or self.sealed < self.drained_at:
            return
        self.confirmed = self.sealed
        self.receipts.confirmed(self.confirmed)
        self.unconfirmed = {number: payload for number, payload in self.unconfirmed.items() if number in self.inflight}

    @precondition(lambda self: not self.doubtful)
    @rule(arrive=st.sampled_from([0, 0, 1, 9]))
    def crash(self, arrive):
        self.broker_reads(arrive)
        self.connected, self.inbox = False, []
        self.start_hub()

    @invariant()
    def nothing_is_evaluated_twice(self):
        assert all(count == 1 for count in self.durable.values()), self.durable

    def teardown(self):
        if not self.connected:
            self.connect()
        while self.queue or self.inbox or self.inflight or self.redelivering:
            self.deliver(100)
            if self.inbox:
                self.take(100)
            self.commit()
            self.broker_reads(100)
            if self.drained_at is not None:
                self.confirm()
        assert self.durable == Counter(range(1, self.messages + 1))


Broker.TestCase.settings = settings(max_examples=150, stateful_step_count=80, deadline=None)
TestReceiptsAgainstABroker = Broker.TestCase


class Dying(RuleBasedStateMachine):
    """A broker that dies and goes on with what it last saved, and a hub that may die too.

    Messages are all different, but for those that say b"same", as two did before. What the broker had not saved is
    lost with it; nothing else may be, and what comes with DUP again is never evaluated twice.
    """

    def __init__(self):
        super().__init__()
        self.messages = 0
        self.state = ([], {}, 2)  # waiting, id -> message in order, the last id given
        self.saved = ([], {}, 2)
        self.lost = set()
        self.connected, self.redelivering, self.inbox = False, [], []
        self.stored, self.seen = {}, Counter()
        self.receipts, self.position, self.taken = Receipts(()), 0, []
        self.receipts.take(packets(1, 2, payload=b"same"))

    @rule(same=st.booleans(), count=MANY)
    def publish(self, same, count):
        for _ in range(count):
            self.messages += 1
            self.state[0].append((self.messages, b"same" if same else b"%d" % self.messages))

    @rule()
    def save(self):
        queue, inflight, last = self.state
        self.saved = (list(queue), dict(inflight), last)

    @precondition(lambda self: not self.connected)
    @rule()
    def connect(self):
        self.connected, self.inbox, self.redelivering = True, [], list(self.state[1])

    @precondition(lambda self: self.connected)
    @rule(count=MANY)
    def deliver(self, count):
        queue, inflight, last = self.state
        for _ in range(count):
            if self.redelivering:
                number = self.redelivering.pop(0)
                self.inbox.append((Packet("t", inflight[number][1], number, duplicate=True), inflight[number]))
            elif queue:
                last += 1
                inflight[last] = queue.pop(0)
                self.inbox.append((Packet("t", inflight[last][1], last), inflight[last]))
        self.state = (queue, inflight, last)

    @precondition(lambda self: self.inbox)
    @rule(count=MANY)
    def take(self, count):
        batch, self.inbox = self.inbox[:count], self.inbox[count:]
        fresh = self.receipts.take([packet for packet, _ in batch])
        for packet, (message, _) in batch:
            if any(packet is each for each in fresh):
                assert not (packet.duplicate and self.seen[message]), "it came with DUP again, and was evaluated twice"
                self.seen[message] += 1
        self.taken += batch

    @rule(drained=st.booleans())
    def commit(self, drained):
        """Commit and acknowledge all that was taken; the broker has it at once and says so."""
        self.position += len(self.taken)
        if drained and self.connected and not self.redelivering and not self.inbox:
            self.receipts.drained()
        row, forget = self.receipts.seal(self.position)
        self.stored = {number: blob for number, blob in self.stored.items() if number > forget}
        if row is not None:
            self.stored[row[0]] = row[1]
        if self.connected:
            for packet, _ in self.taken:
                self.state[1].pop(packet.packet_id, None)
            self.receipts.confirmed(self.position)
        self.taken = []

    def cut(self):
        self.connected, self.inbox, self.redelivering, self.taken = False, [], [], []

    @rule()
    def broker_dies(self):
        self.commit(drained=False)
        self.receipts.disconnected()
        self.cut()
        queue, inflight, last = self.saved
        kept = {message for message, _ in (*queue, *inflight.values())}
        here = {message for message, _ in (*self.state[0], *self.state[1].values())}
        self.lost |= here - kept
        self.state = (list(queue), dict(inflight), last)

    @rule()
    def hub_dies(self):
        self.commit(drained=False)
        self.cut()
        self.receipts = Receipts(sorted(self.stored.items()))

    def teardown(self):
        if not self.connected:
            self.connect()
        while self.state[0] or self.inbox or self.state[1] or self.redelivering:
            self.deliver(100)
            if self.inbox:
                self.take(100)
            self.commit(drained=True)
        assert set(range(1, self.messages + 1)) - self.lost <= set(self.seen), "accepted, and never evaluated"


Dying.TestCase.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
TestReceiptsAgainstABrokerThatDies = Dying.TestCase


def test_a_stored_row_without_receipts_is_no_fault_on_a_machine_that_has_just_started():
    kept = Receipts([(1, b""), (2, b"")])
    kept.disconnected(now=1.0)
    kept.drained()
    assert kept.count == 0
