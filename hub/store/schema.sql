-- The state file. One section a version, never edited once released: a change is a new section at the end. What SQL
-- cannot move, a function of the same number in migrations.py moves behind it.
-- Lists of rows come in as one JSON text each (json_each), so that a commit is a handful of statements.

-- version 1
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- what the rule engine knows of each instance; `state` is the engine's own JSON
CREATE TABLE instances (
    rule TEXT NOT NULL,
    instance TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (rule, instance)
) STRICT, WITHOUT ROWID;

-- what each rule meant when its instances were written: a rule that means something else starts anew
CREATE TABLE rules (
    rule TEXT PRIMARY KEY,
    signature TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- the alert book; a row outlives its alert, because the episode number does
CREATE TABLE alerts (
    fingerprint TEXT PRIMARY KEY,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- what is still to be told to whom; delivered rows are gone, the newest dead ones stay
CREATE TABLE outbox (
    row INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    receiver TEXT NOT NULL,
    lane TEXT NOT NULL,
    body TEXT NOT NULL,
    created REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'dead')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at REAL NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    UNIQUE (id, receiver)
) STRICT;

-- packet ids that are committed and perhaps not yet seen by the broker: 6 bytes each, one row a commit
CREATE TABLE receipts (
    number INTEGER PRIMARY KEY,
    packets BLOB NOT NULL
) STRICT;

-- messages that could not be read
CREATE TABLE dead_letters (
    row INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    topic TEXT NOT NULL,
    head BLOB NOT NULL,
    reason TEXT NOT NULL
) STRICT;

-- version 2
-- samples that rules look back at (avg(x, 10m)): full chunks of an instance's windows; what is younger stands in its row
CREATE TABLE samples (
    rule TEXT NOT NULL,
    instance TEXT NOT NULL,
    slot TEXT NOT NULL,
    number INTEGER NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (rule, instance, slot, number)
) STRICT, WITHOUT ROWID;

-- version 3
-- what needs no table of its own, a kind each (FORMATS in formats.py names them); `state` is the owner's own JSON
CREATE TABLE desk (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;

-- why and why not: transitions, what was held back, what was told, each attempt; the newest rows stay
CREATE TABLE trace (
    row INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    alert TEXT NOT NULL,
    rule TEXT NOT NULL,
    notification TEXT NOT NULL,
    data TEXT NOT NULL
) STRICT;
CREATE INDEX trace_alert ON trace (alert, row);
CREATE INDEX trace_rule ON trace (rule, alert, row);

-- version 4
-- the fallback that a firing message went to; emptied when the end of its episode has gone there, too
ALTER TABLE outbox ADD COLUMN handed TEXT NOT NULL DEFAULT '';

-- version 5
-- idempotency keys of events that were posted; `at` tells when one may be forgotten
CREATE TABLE keys (
    digest TEXT PRIMARY KEY,
    at REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- who changed what, by which way; the newest rows stay
CREATE TABLE audit (
    row INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    actor TEXT NOT NULL,
    via TEXT NOT NULL,
    action TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;

-- version 6
-- browsers that are told by push; `state` is the rest of their subscription
CREATE TABLE subscribers (
    endpoint TEXT PRIMARY KEY,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- version 7
-- groups are conversations: they remember what was said, and who takes part follows from the alerts
UPDATE desk SET kind = 'conversation' WHERE kind = 'group';

-- version 8
-- an alert that is over knows since when (`over`, in its JSON), so that it leaves: a hub before this one cannot read it.
-- Samples of instances that are gone would stay for ever.
DELETE FROM samples WHERE (rule, instance) NOT IN (SELECT rule, instance FROM instances);

-- version 9
-- silences have annotations, behind the rest in their JSON, and the last message of each topic stands in `desk`, as
-- `heard`: a hub before this one cannot read the one and would take the other for an alert desk's

-- version 10
-- each kind of row has a format number of its own, which may be raised alone (formats.py); before it, some of the JSON
-- changed without a new version: alerts, silences and groups of all of these hubs are made to look alike (migrations.py)
CREATE TABLE formats (
    kind TEXT PRIMARY KEY,
    format INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
