// What happened: a timeline of when each alert fired, and below it the entries of the trace, newest first.
// Bars show only what is known. Where older entries are not read or not kept, the page says where the known time begins.

import { ask } from "./api.js";
import { button, h, heading, local, show, svg, time } from "./dom.js";
import { sentence } from "./story.js";

const SPANS = { 900: "15 minutes", 3600: "1 hour", 21600: "6 hours", 86400: "1 day", 604800: "7 days" };
const PAGE = 1000; // entries of one request
const PAGES = 5; // requests until the user asks for more
const ROWS = 40; // alerts in the timeline
const LISTED = 300; // entries below it
let chosen = 3600;

export function historyPage(main) {
  const box = h("div", {});
  const name = h("input", { type: "search", placeholder: "name of an alert", autocomplete: "off", change: () => load() });
  const length = h("select", { change: () => { chosen = Number(length.value); load(); } },
    Object.entries(SPANS).map(([value, text]) => h("option", { value, selected: Number(value) === chosen }, text)));
  show(main, heading("History"),
    h("form", { class: "filters", role: "search", submit: (event) => { event.preventDefault(); load(); } },
      h("label", {}, "Alert", name), h("label", {}, "Span", length)), box);
  let turn = 0; // only the answer to the latest request is shown
  const load = async (pages = PAGES) => {
    const mine = ++turn;
    const end = Date.now();
    const start = end - chosen * 1000;
    try {
      const found = await fetched(start, name.value.trim(), pages);
      if (mine === turn) paint(box, found, start, end, () => load(pages + PAGES));
    } catch (error) {
      if (mine === turn) show(box, h("p", { class: "wrong" }, error.message));
    }
  };
  load();
  return () => { turn = -1; };
}

// Fetch the entries since `start` and the alerts that fire. Since `known` nothing is missing: before that, `cut` says
// that there are more entries to read, `gone` that older ones were deleted.
async function fetched(start, alertname, pages) {
  const all = [];
  let more = true;
  let kept = null;
  for (let page = 0; more && page < pages; page++) {
    const found = await ask("history", { alertname, limit: PAGE, before: all.at(-1)?.row });
    all.push(...found.entries);
    kept = found.kept_since && Number(new Date(found.kept_since));
    more = found.more && new Date(all.at(-1).time) >= start;
  }
  const { alerts } = await ask("alerts", { state: "firing" });
  const known = more ? Number(new Date(all.at(-1).time)) : Math.max(start, kept ?? start);
  return {
    entries: all.filter((entry) => new Date(entry.time) >= start),
    firing: alerts.filter((alert) => !alertname || alert.alertname === alertname),
    known, cut: more, gone: !more && kept !== null && kept > start,
  };
}

// The spans in which each alert fired, as bars. The entry of an end says when the alert began to fire, so a bar needs no
// entry of its begin; where it does not say so, a mark stands for the end.
function spans(entries, firing, start, end) {
  const alerts = new Map();
  const row = ({ alertname, fingerprint }) => alerts.get(fingerprint)
    ?? alerts.set(fingerprint, { alertname, fingerprint, labels: {}, bars: [], marks: [], open: null, seen: false }).get(fingerprint);
  for (const entry of [...entries].reverse()) {
    const line = row(entry);
    const at = Number(new Date(entry.time));
    Object.assign(line.labels, entry.labels ?? {});
    if (entry.kind === "command") line.marks.push({ at, text: sentence(entry) });
    if (entry.kind !== "transition") continue;
    if (entry.phase === "event") line.marks.push({ at, text: "event" });
    if (entry.phase === "firing" && line.open === null) line.open = at;
    if (entry.phase !== "firing") ended(line, entry, at, start);
    line.seen = true;
  }
  for (const alert of firing) { // without an entry it fires since before `start`
    const line = row(alert);
    Object.assign(line.labels, alert.labels);
    if (!line.seen) line.open = Math.max(start, Number(new Date(alert.since)));
  }
  for (const line of alerts.values()) if (line.open !== null) line.bars.push([line.open, end]);
  return [...alerts.values()].filter(({ bars, marks }) => bars.length || marks.length).reverse()
    .sort((a, b) => Boolean(b.bars.length) - Boolean(a.bars.length));
}

function ended(line, entry, at, start) {
  if (line.open !== null) line.bars.push([line.open, at]);
  else if (!line.seen && entry.phase === "resolved") {
    if (entry.since) line.bars.push([Math.max(start, entry.since * 1000), at]);
    else line.marks.push({ at, text: sentence(entry) });
  }
  line.open = null;
}

function paint(box, { entries, firing, known, cut, gone }, start, end, more) {
  const found = spans(entries, firing, start, end);
  const rows = found.slice(0, ROWS);
  show(box,
    cut ? h("p", { class: "hint cut" }, "All is shown from ", time(new Date(known).toISOString()),
      ` on: before that there are more than ${entries.length.toLocaleString()} entries. `, button("Show earlier ones", more, { class: "quiet" })) : null,
    gone ? h("p", { class: "hint cut" }, "All is known from ", time(new Date(known).toISOString()), " on: older entries had to make room.") : null,
    rows.length ? timeline(rows, start, end, known) : h("p", { class: "empty" }, "Nothing happened in this time."),
    found.length > ROWS ? h("p", { class: "hint" }, `and ${found.length - ROWS} more alerts`) : null,
    h("h2", {}, "Entries"),
    h("ol", { class: "story", reversed: true }, entries.slice(0, LISTED).map((entry) => h("li", { "data-kind": entry.kind },
      time(entry.time), " ", h("a", { href: `#/alert/${entry.fingerprint}` }, entry.alertname), " ", h("span", {}, sentence(entry))))),
    entries.length > LISTED ? h("p", { class: "hint" }, `and ${entries.length - LISTED} more`) : null);
}

function timeline(rows, start, end, known) {
  const place = (at) => (100 * (Math.max(at, start) - start)) / (end - start);
  const date = (at) => local(at, end - start > 86400000 ? { dateStyle: "short" } : { timeStyle: "short" });
  return h("section", { class: "timeline", "aria-label": "Timeline" },
    h("p", { class: "scale", "aria-hidden": "true" }, [0, 0.25, 0.5, 0.75, 1].map((part) => h("span", {}, date(start + part * (end - start))))),
    h("ol", {}, rows.map((row) => {
      const values = Object.entries(row.labels).filter(([name]) => name !== "alertname" && name !== "severity").map(([, value]) => value).join(" ");
      const said = row.bars.length ? `fired ${row.bars.length} time${row.bars.length > 1 ? "s" : ""}` : `${row.marks.length} events`;
      return h("li", { "data-severity": row.labels.severity },
        h("a", { href: `#/alert/${row.fingerprint}` }, row.alertname, " ", h("span", { class: "its" }, values)),
        svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", role: "img", "aria-label": said },
          known > start ? svg("rect", { class: "unknown", x: 0, y: 0, width: place(known), height: 10 }, svg("title", {}, "not all of this is shown")) : null,
          row.bars.map(([from, to]) => svg("rect", { class: "bar", x: place(from), y: 1, width: Math.max(0.4, place(to) - place(from)), height: 8 },
            svg("title", {}, `${date(from)} to ${date(to)}`))),
          row.marks.map(({ at, text }) => svg("rect", { class: "mark", x: place(at) - 0.15, y: 0, width: 0.3, height: 10 }, svg("title", {}, text)))));
    })));
}
