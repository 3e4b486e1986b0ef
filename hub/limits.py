"""Every default and bound of the hub, the unit in the name, the reason beside the number."""

# documents
DOCUMENT_BYTES = 8 << 20  # 8,000 rules are about 2 MB
DOCUMENT_DEPTH = 32  # the deepest document that makes sense has 8
STRAY_BYTES = 64 << 10  # of a file that is not read: where it is a rule file, its beginning says so
FOLDER_ENTRIES = 20_000  # files and folders below one that is named: listing them all takes 50 ms

# expressions
EXPRESSION_CHARS = 8192  # a condition that long is a program
EXPRESSION_DEPTH = 64  # nesting of the source; keeps the parser and Python's compiler far from their recursion limits
EXPRESSION_STEPS = 20_000  # of about 100 ns each: what one evaluation may cost, so at worst a few milliseconds
EXPRESSION_RESULT = 1 << 20  # elements or characters of a value that an expression builds; a payload has 256 KB
REGEX_CHARS = 1000  # a pattern's length; with the next three it keeps matching linear with a small factor
REGEX_REPEATS = 1000  # of a{n}, and the product of counts in one another, as RE2 has it
REGEX_SIZE = 20_000  # instructions of a compiled pattern: 1 MB, and 10 ms to compile
REGEX_FOUND_SIZE = 2000  # … of one that comes with an event: 128 of them are remembered
REGEX_DEPTH = 100  # groups in one another
TEMPLATE_BYTES = 4096  # what a rendered text may be long: SMS gateways, chat and mail subjects all cut earlier
TOPIC_BYTES = 512  # a publish topic; MQTT allows 65,535, brokers and dashboards do not

# ingest
PAYLOAD_BYTES = 256 << 10  # largest payload that is evaluated; larger ones are dead-lettered
PAYLOAD_DEPTH = 32  # deepest nesting of a JSON payload; what writes JSON again ends at 254
DEAD_LETTER_HEAD_BYTES = 1024  # enough to see what it was
DECODED_BYTES = 1 << 20  # of a payload that was compressed: four times what one may be that is not; a bomb has more
DECODED_ITEMS = 100_000  # values of one payload that is no JSON: PAYLOAD_BYTES hold few more that have a name
PACKED_BYTES = 4096  # of a packed payload: a frame of a radio has less than 256
PROTO_BYTES = 1 << 20  # of all files that a protobuf message is described in; they are read at each load
SPARKPLUG_METRICS = 20_000  # of one payload: 256 KB hold no more that have a name and a value
SPARKPLUG_INFLATED_BYTES = 1 << 20  # of a compressed payload: four times what one may be that is not; a bomb has more
SPARKPLUG_NAMES = 500_000  # metrics remembered from births, of all devices together: about 100 MB
SPARKPLUG_VALUE_BYTES = 32 << 20  # of JSON, the last values of all devices' metrics together: about 130 MB
REBIRTH_SECONDS = 60.0  # between two requests to one Sparkplug node for its birth: it may be long
REBIRTH_NODES = 100  # asked in that time: somebody who invents nodes makes the hub write no more than that
RECEIVE_MAXIMUM = 65535  # MQTT 5's largest: the broker keeps what we have not acknowledged
KEEP_ALIVE_SECONDS = 30  # a dead peer is noticed within 45 s on any NAT
SESSION_EXPIRY_SECONDS = 7 * 86400.0  # a hub may be off for a week without losing an event
SEND_WINDOW = 64  # QoS 1 publishes under way at once: bounds what a crash can send twice
RECONNECT_SECONDS = (0.1, 30.0)  # first and longest wait between attempts, full jitter between
CONNECT_SECONDS = 10.0  # TCP, TLS and CONNACK together
NEXT_BROKER_SECONDS = 3.0  # … of one of several addresses, before the next is tried: a machine may be off
CONFIRM_SECONDS = 0.1  # the broker is asked at most this often whether it has taken our acknowledgements
RECEIPTS_KEPT = 32_767  # packet ids known to be committed, half of all: a broker that died sends the last ones again
RECEIPT_COMMITS = 4096  # … of so many commits: an hour where one comes each second, 1 MB
REQUEUED_SECONDS = 10.0  # what came so shortly before its end a broker may have again in its queue: it saves each 1 s
REQUEUED_WAIT_SECONDS = 0.02  # for the second message, where the first looks like one that came before
REDELIVERY_SECONDS = 60.0  # timers wait so long for what was not acknowledged: some brokers send it again after 30 s
REDELIVERY_LOOK_SECONDS = 1.0  # between two looks whether it is here
STALL_SECONDS = 0.5  # after a longer commit, or pause of the process, timers wait until all that came is heard
READ_PAUSE_SECONDS = 0.001  # under load the socket is read at most this often: fewer, larger batches, half the CPU
READ_PAUSE_RATE = 3000.0  # events/s from which on that holds; below, latency goes first
INBOX_QOS0 = 100_000  # QoS 0 has no acknowledgement to hold back; beyond this they are dropped and counted

SOURCE_WINDOW = 1000  # messages of one source that are not acknowledged yet; the queue keeps the rest
SOURCE_WAIT_SECONDS = 5.0  # how long one question to a queue for messages waits there

IDEMPOTENCY_SECONDS = 86400.0  # how long a key of posted events is known: clients repeat for minutes, queues for hours
IDEMPOTENCY_KEYS = 100_000  # of them at once: about 20 MB

# rules
COVER_COMPARISONS = 2_000_000  # beyond this filters are subscribed without looking which cover others: 1 s of CPU
OVERLAP_COMPARISONS = 200_000  # beyond this filters count as overlapping without looking: 0.2 s of CPU
TOGETHER_RULES = 64  # whose conditions become one function: 5 ms of compiling
TOGETHER_AFTER = 32  # events, before that happens
LATEST_VALUES = 1_000_000  # of all names of `topic` maps: some 400 bytes each
LATEST_BYTES = 65_536  # of one of them
SHARED_INSTANCES = 10_000  # that one message of a shared topic judges, before it is told: 30 ms
EACH_ELEMENTS = 10_000  # of one message that `each` makes readings of; what a gateway sends has some hundreds
PLAN_CACHE_TOPICS = 65_536  # topics with a remembered plan; about 400 bytes each, and the last payload
HEARD_ROWS = 1000  # last messages written in a second, 3 ms; where more topics speak, it is a little longer ago
HEARD_LOOKS = 5000  # topics looked at for that in a second: 0.5 ms
HEARD_LEAST = 100  # … and with each commit, of which there may be hundreds in a second
RULE_INSTANCES = 2_000_000  # of one rule, remembered for `absent`, `for` or because they fire: 1 KB each, so 2 GB; a
# fleet of a million fits twice, and whoever invents topics takes no more than that. Who comes later is not watched
HEAVY_PAYLOAD_BYTES = 4096  # a larger payload counts when it is remembered; devices send less than 2 KB as a rule
HEAVY_BYTES = 256 << 20  # of those together, of all instances, and once more of all topics

ABSENT_LEARNED_SECONDS = 7 * 86400.0  # the longest that `absent: auto` waits, also for whom it knows nothing of
ABSENT_LEARNED_LEAST_SECONDS = 30.0  # the shortest: a burst of messages must not make a device silent
ABSENT_LEARNED_AFTER = 5  # messages before an interval is believed,
ABSENT_LEARNED_OVER_SECONDS = 600.0  # which come over this time: a device that has just started sends many at once
TIMESTAMP_AGE_SECONDS = 7 * 86400.0  # an event's own time is believed that far back: what a gateway buffers
OUT_OF_ORDER_SECONDS = 7 * 86400.0  # the most that `late` may say: a message's own time is believed no farther back
OUT_OF_ORDER_MESSAGES = 1000  # of one instance that are kept for `late`; beyond, it is as if `late` were shorter
OUT_OF_ORDER_FRESH_SECONDS = 60.0  # what was under way for longer is part of an upload: more may follow
OUT_OF_ORDER_CALM_SECONDS = 10.0  # without a message: then an upload is over, and what still holds fires
SET_BACK_MESSAGES = (
    5  # older than the latest, and going on at the pace of time, mean that a device's clock was set back,
)
SET_BACK_SECONDS = 60.0  # if they come over this time
SET_BACK_DEVICES = 10_000  # of one rule whose clocks are looked at so at once
LAST_VALUES = 3  # of an absent device, which its summary names: more is no summary
LAST_VALUE_BYTES = 80  # of each of them
VALUE_CHARS = 120  # of a value that a transition shows beside its condition: what fits into a line

PRESENCE_SUBJECTS = 100_000  # devices that are gone, asleep or in doubt; beyond, what was heard first is forgotten

# history: the samples that functions such as avg(x, 10m) look at
WINDOW_SECONDS = 31 * 86400.0  # the longest window
AHEAD_SECONDS = 366 * 86400.0  # how far predict(x, 1h, 6h) looks ahead at most: a year
REACH_SECONDS = 36_500 * 86400.0  # what reaches(x, 0, 6h) says at most: what lies farther off is no forecast
CLOCK_LOOKS = 3600  # a condition whose bound is not written out is judged each 3600th of the window, a second at least
CLOCK_STEP = 0.001  # seconds after a value was exactly its bound: then it is above or below
WINDOW_ENTRIES = 1024  # kept of one window: so many samples it holds exactly, in 16 KB
WINDOW_GRAINS = 512  # beyond that, samples of the same 512th of the window become one entry of it
WINDOW_PACE = 60  # messages that come faster than a 60th of the window move it themselves, and no clock need do so
WINDOW_CHUNK = 16  # entries of one row in the store: a checkpoint writes at most these again for one sample
WINDOW_NUMBER = 1e150  # the largest number that is a sample: sums and squares of what is kept cannot overflow
SAMPLE_BYTES = 1024  # of JSON: the longest value that previous(x) and its like remember
HISTORY_IDLE_SECONDS = 7 * 86400.0  # previous(x) and its like forget an instance of which nothing came for so long
HISTORY_INSTANCES = 100_000  # of one rule with history; beyond, those not heard for longest are forgotten
HISTORY_FORGOTTEN = 100  # at once: a few of them, so that no message waits, and each time it is said
MEMBERS_INSTANCE = 200_000  # members (`across`) of one instance: 200 bytes each, so 40 MB
MEMBERS_ALL = 1_000_000  # of all instances together: 200 MB; one more is not watched, and each is told as an error
MEMBER_NAMES = 10  # that names(cond) writes out; of the others it says how many they are
UNJUDGED_MESSAGES = 10  # in a row that a rule judges none of: then it is told that it watches nothing there
UNJUDGED_TOPICS = 10_000  # whose runs are followed, of all rules together; 200 bytes each
UNJUDGED_IDLE_SECONDS = 86400.0  # a topic without a message for so long says nothing of the rule any more
UNJUDGED_RECALL_SECONDS = 600.0  # after a restart: before, nobody knows whether a rule told of judges again

# store
CHECKPOINT_SECONDS = 1.0  # events that caused nothing are committed and acknowledged at the latest after this
CHECKPOINT_WINDOW_SHARE = 4  # … or when a quarter of the receive window is filled
STORE_RETRY_SECONDS = 0.5  # between attempts to commit while the disk is full
SAY_LOST_SECONDS = 1.0  # for the last word on MQTT of a hub that ends because its state file is unusable
STORE_LOOK_SECONDS = 1.0  # between attempts to open the state file at a start, where waiting helps
STORE_LOCK_SECONDS = 12.0  # for a hub that is just stopping to let go of its state file: DRAIN_SECONDS, and more
DEAD_LETTERS = 10_000  # kept, newest first to stay: of messages that could not be read, and of notifications given up
HANDED = 10_000  # messages that went to a fallback, which is to hear of their end; beyond, it does not of the oldest
DEAD_LETTERS_SLACK = 1000  # of notifications: how many more there may be, so that counting them costs nothing

# pipeline
BATCH = 512  # events that are evaluated before the next stage takes over: what one stage touched is still in the cache
BUSY = 500  # a commit of more events than this means saturation: the next one gathers for BUSY_SECONDS first,
BUSY_SECONDS = 0.005  # which spares a fifth of the CPU and is far below what waits in the queue by then
ALIVE_SECONDS = 10.0  # an idle hub writes this often that it is alive: a crash adds at most this to an `absent`
MAY_CONNECT_SECONDS = 0.1  # between two looks whether we may connect, where the session may be another hub's by now
MAY_BEGIN_SECONDS = 0.5  # between two looks of a lane whether attempts may begin, where they may not for a while
SETTLE_WINDOW = 16  # results of deliveries that may wait for a commit: with those under way, what a crash sends twice
SETTLE_SECONDS = 0.05  # … and how long they may wait

# alerts
REPEAT_SECONDS = 10.0  # the shortest `repeat`
LIMIT_COUNT = 1000  # the largest `limit`: the times of so many notifications are remembered for each instance
LIMIT_EVENTS = 100_000  # instances of event rules whose `limit` counts; beyond, those that spoke longest ago begin anew
LIMIT_SECONDS = 31 * 86400.0  # the longest time a `limit` counts over
GROUP_WAIT_SECONDS = 10.0  # from a group's first alert to its notification: what has one cause comes within seconds
GROUP_INTERVAL_SECONDS = 300.0  # between two notifications of a group
NEWCOMERS_WAIT_SECONDS = 10.0  # from a reload that names somebody anew to his first message: files are saved in haste
GROUP_INTERVAL_LEAST_SECONDS = 1.0  # a shorter one folds nothing
GROUP_SECONDS = 7 * 86400.0  # the longest wait or interval of a group
UNLESS_AFTER_SECONDS = 10.0  # what a cause explains comes back within seconds of it: a gateway's sensors report again
UNLESS_AFTER_MOST_SECONDS = 86400.0  # the longest that a cause which is over holds others back
GROUP_ALERTS = 100  # shown in one grouped notification
HELD_BACK_SHOWN = 20  # alerts named in the message of the one that holds them back
FLAPPING_SECONDS = 60.0  # from one firing to the next: what fires twice within a minute chatters (ISA-18.2: 3 times)
FLAPPING_CALM_SECONDS = 60.0  # without a change, then its end is told: longer than most chattering, and not too late
FLAPPING_TRACED = 50  # firings to one entry of the trace that says so: among WHY_ENTRIES there is always one
SILENCE_REMINDER_SECONDS = 86400.0  # people are reminded of a silence that hides a critical alert for longer
SILENCES = 10_000  # that are not forgotten yet: a program that makes one each minute and ends none is noticed in a week
SILENCE_KEPT_SECONDS = 5 * 86400.0  # how long an expired silence can be looked up, as in Alertmanager
SILENCE_SECONDS = 3600.0  # of a silence whose end nobody named
TRACE_ROWS = 200_000  # entries kept, about 100 MB at most, 40 MB as a rule
AUDIT_ROWS = 100_000  # who changed what: years of a busy desk, 20 MB
TRACE_KEPT_SECONDS = 400 * 86400.0  # what a device said a year ago can be compared; older entries are nobody's any more
AUDIT_KEPT_SECONDS = 3 * 366 * 86400.0  # auditors ask for the years before; names of people do not stay for ever
AGED_ROWS = 2  # too old ones that leave for each entry that comes: a clock that is years ahead empties no table
TRACE_HEAD_BYTES = 512  # of a payload in the trace
SHOWN_SLICE = 200  # alerts that one turn of the loop writes out for a client: 2 ms, for which events wait
ALERT_KEPT_SECONDS = LIMIT_SECONDS  # what is over is known for so long: its `limit` may still count what was told
ALERTS_KEPT = 100_000  # that are over and known still, about 100 MB; beyond, those leave first that are over longest
RESOLVED_KEPT_SECONDS = 900.0  # how long a resolved alert stays visible in its retained topic
POSTED_ALERTS = 10_000  # that others have posted and that are not over: about 1 KB each in memory and in the store
POSTED_LABELS = 64  # labels, and annotations, of one of them; Prometheus' own default for what it scrapes is no limit
POSTED_LABEL_BYTES = 4096  # of all label names and values of one: they are levels of its retained topic
POSTED_BATCH = 2000  # in one post: Prometheus sends 64 at once
POSTED_SLICE = 50  # that one turn of the loop takes, of 0.2 ms each: 10 ms, for which events wait
POSTED_SECONDS = 300.0  # until one is over that has no end and is not posted again, Alertmanager's resolve_timeout
NOTIFICATION_PAYLOAD_BYTES = 16 << 10  # a larger payload goes into a notification as its head

# tests in rule files
TRIAL_MESSAGES = 5_000_000  # of one `send`: a minute of computing

# discovery
DISCOVERY_AGAIN_SECONDS = 30.0  # all announcements anew at most this often: Home Assistant starts, a loop says `online`
DISCOVERY_ALERTS = 5000  # announced to Home Assistant; more devices than that make it slow, and nobody looks at them

# commands
DRILLS = 16  # whose receipts are kept
DRILL_WAIT_SECONDS = 20.0  # for all receipts: one attempt and a little more
DRILL_LOOK_SECONDS = 0.3  # between two looks at them
DESK_RETRY_SECONDS = (5.0, 3600.0)  # first and longest wait where another took the session for requests: it doubles
COMPLAINTS = 10  # lines about requests that could not be answered, in the time below; of the rest how many there were
COMPLAINT_SECONDS = 60.0  # who may write to the desk may do so thousands of times a second
REQUEST_BYTES = 64 << 10  # of a request's JSON
ANSWER_ROWS = 5000  # alerts in one answer: about 2 MB, what brokers take
TOKEN_SECONDS = 86400.0  # how long a token acknowledges, where nobody says
LINK_SECONDS = 4 * 86400.0  # … one in a message: a day, also where the message came after three
ANSWER_BYTES = 256 << 10  # of one answer of the desk; the shipped broker lets 1 MiB through, many clients a quarter
ANSWER_LEAST_BYTES = 2 << 10  # for an answer that a request may ask for: room for one alert that is no novel
ANSWER_FRAME_BYTES = 512  # of a packet around an answer: its properties, and what stands beside the list in it
PAGE_ITEMS = 1000  # of a list in one answer
PAGE_LOOK = 2000  # alerts that a page looks at between two looks at the whole book
ANSWER_SECONDS = 10.0  # how long the command line waits for the hub's answer
LAST_WORD_SECONDS = 2.0  # … and, where none has come, for what the broker keeps of the hub's status

# HTTP
HTTP_CONNECTIONS = 1000  # at once, about 50 KB each; fewer where the system gives fewer files
HTTP_CONNECTIONS_EACH = 100  # of one address (of IPv6 one /64): a dozen browsers; of a proxy in http.proxies any number
HTTP_RESERVED_FILES = (
    256  # never used for connections: store, broker, 20 receivers with 8 attempts each, and as much again
)
HTTP_ACCEPTS_A_SECOND = (
    500  # new connections; each costs 0.2 ms, so who knocks and runs takes a tenth of the hub's time
)
HTTP_HEADER_BYTES = 32 << 10  # of a request's head; browsers and proxies send 8 KB at most
HTTP_HEADER_SECONDS = 10.0  # for the head of a request, from its first byte or from the connection; for TLS as well
HTTP_BODY_SECONDS = 30.0  # for a body: 8 MB at 2 Mbit/s
HTTP_BODIES_BYTES = 64 << 20  # of bodies that are being read, of all clients together
HTTP_WRITE_SECONDS = 20.0  # without a byte taken of an answer: then the client is cut off
HTTP_REQUEST_SECONDS = 120.0  # from a request to the end of its answer: 5 MB on a poor phone's line
HTTP_IDLE_SECONDS = 75.0  # between two requests on a connection: proxies keep theirs for 60 s
HTTP_STREAMS = 32  # requests at once on one connection of HTTP/2; browsers ask for a dozen
HTTP_READ_BYTES = 4096  # read of one connection in a turn of the loop: 240 pings of HTTP/2 cost 7 ms; of bodies 64 KB
HTTP_SOCKET_BYTES = 64 << 10  # that a client of the WebSocket may say in a minute: nobody listens, and pings are short
HTTP_CLOSE_SECONDS = 2.0  # for a client to hear the goodbye
HTTP_GRACE_SECONDS = 1.0  # for what is under way when the hub stops; half of a request keeps it that long
HTTP_TOLD_SECONDS = 60.0  # between two lines of the log about connections that are refused
HTTP_BODY_BYTES = 8 << 20  # of one request: a batch of 10,000 events
HTTP_BATCH_EVENTS = 10_000  # in one request; half a second of evaluating at worst
HTTP_POSTS = 64  # posts of events under way at once; more are asked to come again
IDEMPOTENCY_KEY_CHARS = 256
TOKEN_CHARS = 16  # the least of a token in hub.yaml: 96 random bits as base64, which nobody guesses
LOGIN_FAILURES = 10  # times one wrong token from one address, or so many different ones, before it has to wait
LOGIN_PAUSE_SECONDS = 60.0  # for so long; guessing a random token of 128 bits takes for ever anyway
LOGIN_ADDRESSES = 10_000  # pairs of an address and a wrong token that are remembered: about 2 MB
LOGOUTS = 10_000  # logins ended before their time that are remembered; beyond, all logins end: only who has a token can
LOGIN_SECONDS = 30 * 86400.0  # of a login in a browser
FEED_CLIENTS = 200  # of the feed at once: they wake together, 50 µs each, which is 10 ms for which events wait
FEED_CLIENTS_EACH = 50  # of one token, or without tokens of one address: a wall of screens
FEED_KEPT = 10_000  # messages that a client may have missed and still gets: minutes as a rule, 5 MB
FEED_BATCH = 200  # messages handed to a client at once
FEED_COPY_SECONDS = 3.0  # that a node keeps the owner's messages back until its copy has them: usually milliseconds
FEED_PAUSE_SECONDS = 0.1  # what comes within it reaches clients together: they wake 10 times a second at most
FEED_EVENTS_A_SECOND = 10  # samples of the event stream; nobody reads more, and each is a frame for every client
FEED_REPEATS_A_SECOND = 20  # errors of rules and payloads
FEED_PAYLOAD_BYTES = 1024  # of one event's payload in the feed
FEED_PATIENCE_SECONDS = 20.0  # for one message to a client that does not read
FEED_PING_SECONDS = 15.0  # of silence, until a client hears that the hub is still there: proxies cut after 60 s
READS = 32  # long answers under way at once, about 2 MB each until their clients have taken them
READ_SLICE_SECONDS = 0.003  # of an answer written in one turn of the loop, for which events wait
VALUES_POINTS = 100_000  # of all series in one answer: 3 MB; a chart needs those of a few topics
RECENT_TOPICS = 5000  # whose last values are kept for charts: about 60 MB at worst, 15 MB as a rule
RECENT_POINTS = 60  # kept of one topic, a second apart at first, 24 minutes apart in the end
RECENT_RAW_BYTES = 512  # a larger payload is no measurement
RECENT_FIELDS = 8  # numbers of one payload that are charted
RECENT_SLICE = 2000  # topics looked at in one turn of the loop: 0.3 ms
HISTORY_SHOWN = 1000  # entries of the trace or the audit log in one answer
COST_RULES = 200  # conditions timed each second; COST_SECONDS is the tighter bound where one is slow
COST_SECONDS = 0.0005  # of each second for timing conditions: less than a batch of events
METRIC_RULES = 30  # with figures of their own in /metrics, three counters and a cost each; the rest is `other`
METRIC_RECEIVERS = 20  # the same, seven series each
METRIC_ALERTS = 80  # series of ALERTS: pairs of names and severities, the most frequent; the rest is `other`
VIEW_ROWS = 5000  # topics or devices in one answer: about 1 MB

# why
WHY_ALERTS = 5  # told of at once, the latest first
WHY_ENTRIES = 200  # of one alert: its last days

# notify
DELIVERY_AGE_SECONDS = 3 * 86400.0  # older than this a notification is a dead letter: nobody acts on it
RETRY_SECONDS = (1.0, 300.0)  # first and longest back-off, full jitter between
RETRY_AFTER_SECONDS = 3600.0  # the longest a receiver may ask us to wait: a wrong clock there must not silence it
ALLOWANCE_LEAST_SECONDS = 1.0  # a receiver that says `Retry-After: 0` gets this: it has just refused
ALLOWANCE_GAIN = (0.5, 0.05)  # a second, while a receiver that asked to wait takes all: at first, and once measured
ALLOWANCE_CALM_SECONDS = 60.0  # without an attempt, then what was learned is forgotten: most limits count by the minute
RECEIVER_TIMEOUT_SECONDS = 15.0  # one attempt
BROKER_PATIENCE_SECONDS = 86400.0  # one attempt on our own broker: it waits for the connection; to back off would delay
RECEIVER_CONCURRENCY = 8  # attempts under way at once per receiver
FED_SECONDS = 30 * 86400.0  # how long an Alertmanager that is fed takes an alert to fire, unless it is told again
LANE_QUEUE = 10_000  # notifications of one receiver held in memory; the rest waits in the outbox
LANE_FETCH = 500  # rows read from the outbox at once: a few ms of the store's reader
RESPONSE_BYTES = 64 << 10  # what is read of a webhook's answer; it is only for the reason of a failure
MAIL_LINE_BYTES = 998  # of one line of a mail (RFC 5322, 2.1.1)
RECEIVER_NOTES = 20  # different warnings of one receiver that are told, each once; a text in one may change each time
REASON_CHARS = 300  # why a delivery failed, in one line of a log
RATE_COUNT = 10_000  # the largest `rate`: the times of so many attempts are remembered
BREAKER_FAILURES = 5  # in a row, of more than one alert: then a receiver is left alone for a while
HOST_CIRCUITS = 1000  # hosts that fail, of a receiver whose host an event names: 0.3 MB
HOST_STRANGERS_SECONDS = 300.0  # of much that waits, until what hosts that never answered have of it is given up
HOST_CROWD_SECONDS = 1.0  # between two looks at what waits for hosts that fail, where it is much: a look takes 30 ms
HOST_LOOKUPS = 8  # names from events that are looked up at once: what hangs in that holds up no other look-up
BREAKER_SECONDS = (1.0, 60.0)  # first and longest pause before it is tried again: what is seen of it after an outage
LATE_SECONDS = 10.0  # what waits less is on its way: an alert that fires and resolves at once is told, both times
FALLBACK_LOOK_SECONDS = 1.0  # between two looks at what has waited long enough to go to a fallback
URL_VALUE_CHARS = 256  # of one value of an event in the path or query of a URL
TABLE_ROWS = 500  # of a table that is fitted to the terminal, at 1 ms a row; longer ones stand in plain columns
OUTBOX_SHOWN = 1000  # rows that `hub outbox` lists or changes at once
CLOSE_SECONDS = 2.0  # a receiver that does not close is left behind
QUEUE_CONNECT_SECONDS = 5.0  # to a message queue; with the next one below a receiver's time limit, so that it says why
QUEUE_CONFIRM_SECONDS = 8.0  # for the queue's word that it has a message
ADDRESS_CHARS = 249  # of a topic, subject, routing key, channel: the most that Kafka takes, AMQP takes 255 bytes
ADDRESS_VALUE_CHARS = 64  # of one value in it
ZEROMQ_JOIN_SECONDS = 1.0  # a new socket waits so long for the first subscriber, who would miss the first message
ZEROMQ_LINGER_MILLISECONDS = 500  # what a socket may take to send the rest when it is closed
SUBSCRIBERS = 200  # browsers that are told by push; each notification is encrypted and signed for each, 0.5 ms
PUSH_AT_ONCE = 8  # requests of one notification under way: the loop has a turn between every few that are encrypted
SUBSCRIBER_URL_CHARS = 2048  # of a push service's URL; the longest that were seen have 600
PUSH_SECONDS = 10.0  # for one browser's push service: one that hangs costs the other browsers nothing
PUSH_BYTES = 3800  # of one message: push services take 4096 encrypted (RFC 8030, 7.2), of which 103 are not text
PUSH_KEPT_SECONDS = 86400  # how long a push service keeps a message for a browser that is off
VAPID_SECONDS = 12 * 3600  # how long a signature of ours is good; a day at most (RFC 8292, 2)
TITLE_LEAST_CHARS = 40  # of room that a link leaves for what it acknowledges, or it is left out: "[firing] name: s"
CUT_MARK_CHARS = 300  # from here on a cut text says how much of it is missing; below, "…" is all there is room for
SMS_CHARS = 320  # of an SMS, where a gateway takes more: two parts of the phone's alphabet, five of any other
APPRISE_THREADS = 4  # attempts under way at once per Apprise receiver, those that hang included

# devices
FLEET_DEVICES = 100_000  # of one fleet; about 1 kB each in the registry, 9 kB each at play
TABLE_BYTES = 32 << 20  # of one CSV file: 100,000 devices with 300 bytes each
TABLE_PROBLEMS = 100  # of one CSV file that are told: a wrong column has one in each row
SETTINGS = 100_000  # devices of which people have set something; 200 bytes each
SETTINGS_LISTED = 500  # devices in one answer: 200 kB
SETTING_CHARS = 200  # of one value that is set
SETTING_CHOICES = 100  # of one attribute
FLEET_WINDOW = 1024  # QoS 1 publishes of one fleet under way: a fifth of a second at 5,000 events/s

# the hub's own clock, alerts, heartbeat
SELF_WATCH_SECONDS = 10.0  # between two measurements of itself: one commit; Mosquitto's $SYS comes as often
SELF_WATCH_SOON_SECONDS = 1.0  # what is worth telling at once is measured after this, all that comes together as one
SELF_WATCH_RULES = 100  # rules with errors that are told of at once; of further ones when these are calm again
SELF_WATCH_CALM_SECONDS = (
    2 * 3600.0
)  # a rule without errors for so long is told of no more; no rule that ships looks back so far
HEARTBEAT_EVERY_SECONDS = 60.0  # what services that wait for one expect
HEARTBEAT_LEAST_SECONDS = 10.0  # more often says nothing more
HEARTBEAT_SECONDS = 10.0  # one request, and the commit before it
HEARTBEAT_LATE_SECONDS = 30.0  # a deadline that is overdue by this means that the timers stand still
CLOCK_STEP_SECONDS = 5.0  # what the wall clock gains or loses at once is a step; a time service slews 0.03 s a minute

# live view
LIVE_REFRESH_SECONDS = 0.25  # between two pictures: what the eye follows; a picture costs a few ms
LIVE_READ_SECONDS = 2.0  # between two reads of rules, devices or receivers, and only while they are looked at
LIVE_ANSWER_SECONDS = 10.0  # for an answer of the hub
LIVE_SILENT_SECONDS = 10.0  # without a message, then the feed counts as lost: figures come each second
LIVE_AGAIN_SECONDS = (0.2, 5.0)  # first and longest wait before the next attempt to reach a hub that is away
LIVE_HISTORY = 120  # seconds of a sparkline: two minutes fill a wide terminal's quarter
LIVE_LINES = 500  # of the event stream and of deliveries; nobody scrolls further
LIVE_ALERTS = 20_000  # shown at once, of the largest storm: about 20 MB

# traces
TRACE_SAMPLE = 0.1  # of the events that bring no trace of their own
TRACE_PENDING = 4096  # events between two commits that are recorded; the others of a storm only pass their trace on
TRACE_QUEUE = 16_384  # spans that wait for the collector, about 1 KB each; those beyond are lost, and that is said
TRACE_BATCH = 512  # spans in one request, as OpenTelemetry has it
TRACE_FLUSH_SECONDS = 1.0  # how long spans gather
TRACE_TIMEOUT_SECONDS = 5.0  # one request to the collector, its retries with it; nobody waits for it but the thread
TRACE_LINKS = 16  # of a grouped notification, to the events it tells of
TRACE_CLOSE_SECONDS = 1.0  # what is left is sent at the end for so long: within the grace of a stop

# process
FILES = 65_536  # the soft limit of open files is raised so far at most: what starts a process closes them one by one
GC_ALLOCATIONS = 50_000  # Python's 700 costs 0.6 µs an event: a batch holds more objects than that, none in a cycle
RELOAD_LOOK_SECONDS = 1.0  # between two looks at the rule files: a stat each, 0.3 ms for a hundred
RELOAD_LOOK_SHARE = 0.01  # of one core for these looks: with thousands of files they come less often
RELOAD_QUIET_SECONDS = 0.4  # editors and rsync touch several files: read them when that has ended,
RELOAD_QUIET_LOOKS = 25  # or after 10 s: a file that is written all the time must not keep the others from being read
DRAIN_SECONDS = 8.0  # SIGTERM to exit, so that 10 s of systemd or Docker are enough
GOODBYE_SECONDS = 1.0  # … of which the broker has so long to take that the hub is offline

# a cluster: nodes on a replicated log
LEASE_SECONDS = 5.0  # a Raft election of the log's servers takes 4-9 s and makes nobody silent: beats do not need it
LINK_CONNECT_SECONDS = 2.0  # to a NATS server; the next one is tried after it
LINK_CLOSE_SECONDS = 1.0  # … for what is still to be sent: after a failed TLS handshake the end is never told
LINK_PING_SECONDS = 2.0  # a server that does not answer two of them is gone
LINK_REQUEST_SECONDS = 2.0  # for an answer of a server; what it was asked for may have been done all the same
LINK_PATIENCE_SECONDS = 10.0  # of a command that needs the servers
LINK_WAIT_SECONDS = 0.2  # between two rounds through the servers
LOG_AGAIN_SECONDS = 0.5  # between two attempts to write a record that the servers refuse
LOG_IN_FLIGHT_SECONDS = 0.1  # between two looks whether a record whose answer was lost is there
LOG_SHORTER_SECONDS = 4.0  # a log that is shorter for so long than it was has lost records: no leader of old answers
LEADER_HEARD_SECONDS = 3.0  # the servers of a stream speak to its leader every second
LINK_LEAST_PAYLOAD = 128 << 10  # a server that takes less in one message is not used: a beat or an answer may not fit
LOG_RECORD_BYTES = 7 << 20  # a longer commit is cut: a server takes 8 MB at most, and headers need room
LOG_ROOM_BYTES = 64 << 10  # what is left for the headers where the server takes less than that
FOLLOW_BATCH = 500  # records asked for at once
FOLLOW_WAIT_SECONDS = 1.0  # for a record; then the server says that there is none
FOLLOW_IDLE_SECONDS = 30.0  # after it the server forgets a follower's place
LOG_CLOSE_SECONDS = 3.0  # for the last records of an owner that ends; a graceful stop has 10 s in all
LOG_GIVE_UP_SECONDS = 1.0  # … where the log could not be written before either: the whole stop stays below 9.5 s
BEAT_SECONDS = 0.5  # between two words of a node that it lives
BEAT_TEXT_CHARS = 2000  # of what is wrong with a node's rules, in each of its beats
NODE_GONE_SECONDS = 3.0  # a node that was silent for longer is shown as gone: six beats were not heard
BEATS_KEPT_SECONDS = 10.0  # a node that was silent for longer is not counted among the others
OWN_ECHO_SECONDS = 2.0  # a node that has not heard its own word for longer suspects nobody
GONE_ASK_SECONDS = 1.0  # for the word of a process that is asked whether it lives
GONE_AGAIN_SECONDS = 0.3  # between the two times that nobody answers
OVERDUE_SECONDS = 1.2  # an owner that was not heard for so long is asked directly
OPENING_SECONDS = 60.0  # … and followed, where it reads the state in: 21 µs an instance, twice that on a busy machine
RANK_SECONDS = 0.2  # by so much a candidate waits for the one before it
HAND_OVER_SECONDS = 2.0  # others wait so long for the node to which an owner hands over
CLOCKS_APART_SECONDS = 3.0  # more than a record's way to the server, which has LINK_REQUEST_SECONDS at most
TIDY_SECONDS = 3.0  # a node lets go of the state it owned so long after: 0.3 s of work, of which a take-over is free
CLAIM_LOOK_SECONDS = 0.1  # between two looks of a standby at its owner
STALE_SECONDS = 10.0  # a copy that is further behind is not fresh
REPLICA_WAITING = 1000  # records of the log that may wait to be written into a node's copy
REPLICA_GATHER_SECONDS = 0.2  # for more of them before they are written: one transaction costs less than ten
CREATE_SECONDS = 20.0  # for servers that have just started to find each other and agree on a stream
STATE_STREAM_BYTES = 1 << 30  # of the log on each server: full only where nobody makes snapshots for long
SNAPSHOT_STREAM_BYTES = 1 << 30  # of the snapshots on each server: some of the largest state
SNAPSHOT_PIECE_BYTES = 512 << 10  # of a snapshot in one message: below the 1 MB that a server takes where nobody set it
LOG_FULL_SHARE = 0.9  # of its room: then nodes that stand by cut it, too, as none could claim a log that is full
SNAPSHOT_LOG_BYTES = 64 << 20  # the log is cut when it has more than this, and twice the last snapshot
SNAPSHOT_SECONDS = 6 * 3600.0  # … or so long after the last snapshot
SNAPSHOT_LOOK_SECONDS = 10.0  # between two looks whether a snapshot is due
SNAPSHOT_TORN_SECONDS = 3600.0  # pieces without a manifest are nobody's after it, unless clocks are an hour apart
MOVE_SECONDS = 15.0  # for a hand-over that an operator asks for; a drain alone may take 8 s
MIRROR_SHARE = 0.1  # of its time that a standby may spend on reading its copy anew for those who ask
FORWARD_SECONDS = 15.0  # for the owner's answer to what another node was asked
