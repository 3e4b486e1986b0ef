"""receipts: what was committed is never evaluated again, what was not always is, whatever breaks when."""

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.ingest.receipts import Receipts
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


def test_what_the_broker_is_known_to_have_taken_is_forgotten_and_its_rows_named():
    receipts = Receipts(())
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
    receipts = Receipts(())
    receipts.take(packets(1))
    receipts.seal(1)
    receipts.disconnected()
    receipts.confirmed(1)
    assert len(receipts) == 1
    receipts.drained()
    receipts.confirmed(1)
    assert len(receipts) == 0


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
        self.receipts = Receipts(sorted(self.stored.items()))
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


Broker.TestCase.settings = settings(max_examples=300, stateful_step_count=80, deadline=None)
TestReceiptsAgainstABroker = Broker.TestCase
