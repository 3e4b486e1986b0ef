// What happened: a timeline of when each alert fired, and the entries of the trace below it, newest first.

import { ask } from "./api.js";
import { h, heading, local, show, svg, time } from "./dom.js";
import { sentence } from "./story.js";

const SPANS = { 900: "15 minutes", 3600: "1 hour", 21600: "6 hours", 86400: "1 day", 604800: "7 days" };
const PAGE = 1000;
const PAGES = 5;
const ROWS = 40;
const LISTED = 300;
let chosen = 3600;

export function historyPage(main) {
  const box = h("div", {});
  const name = h("input", { type: "search", placeholder: "name of an alert", autocomplete: "off", change: () => load() });
  const length = h("select", { change: () => { chosen = Number(length.value); load(); } },
    Object.entries(SPANS).map(([value, text]) => h("option", { value, selected: Number(value) === chosen }, text)));
  show(main, heading("History"),
    h("form", { class: "filters", role: "search", submit: (event) => { event.preventDefault(); load(); } },
      h("label", {}, "Alert", name), h("label", {}, "Span", length)), box);
  let turn = 0;
  const load = async () => {
    const mine = ++turn;
    const end = Date.now();
    try {
      const entries = await fetched(end - chosen * 1000, name.value.trim());
      if (mine === turn) paint(box, entries, end - chosen * 1000, end);
    } catch (error) {
      if (mine === turn) show(box, h("p", { class: "wrong" }, error.message));
    }
  };
  load();
  return () => { turn = -1; };
}

async function fetched(start, alertname) {
  const all = [];
  for (let page = 0; page < PAGES; page++) {
    const { entries } = await ask("history", { alertname, limit: PAGE, before: all.at(-1)?.row });
    all.push(...entries);
    if (entries.length < PAGE || new Date(entries.at(-1).time) < start) break;
  }
  return all.filter((entry) => new Date(entry.time) >= start);
}

// Spans in which an alert fired, from its transitions: one that fired before the first is open at its left end.
export function spans(entries, start, end) {
  const alerts = new Map();
  for (const entry of [...entries].reverse()) {
    const found = alerts.get(entry.fingerprint)
      ?? alerts.set(entry.fingerprint, { ...entry, labels: {}, bars: [], marks: [], open: null, seen: false }).get(entry.fingerprint);
    const at = Number(new Date(entry.time));
    Object.assign(found.labels, entry.labels ?? {});
    if (entry.kind === "command") found.marks.push({ at, text: sentence(entry) });
    if (entry.kind !== "transition") continue;
    if (entry.phase === "event") found.marks.push({ at, text: "event" });
    if (entry.phase === "firing" && found.open === null) found.open = at;
    if (entry.phase !== "firing" && (found.open !== null || (!found.seen && entry.phase === "resolved"))) {
      found.bars.push([found.open ?? start, at]);
      found.open = null;
    }
    found.seen = true;
  }
  for (const each of alerts.values()) if (each.open !== null) each.bars.push([each.open, end]);
  return [...alerts.values()].filter(({ bars, marks }) => bars.length || marks.length).reverse()
    .sort((a, b) => Boolean(b.bars.length) - Boolean(a.bars.length));
}

function paint(box, entries, start, end) {
  const found = spans(entries, start, end);
  const rows = found.slice(0, ROWS);
  show(box,
    rows.length ? timeline(rows, start, end) : h("p", { class: "empty" }, "Nothing happened in this time."),
    found.length > ROWS ? h("p", { class: "hint" }, `and ${found.length - ROWS} more alerts`) : null,
    h("h2", {}, "Entries"),
    h("ol", { class: "story", reversed: true }, entries.slice(0, LISTED).map((entry) => h("li", { "data-kind": entry.kind },
      time(entry.time), " ", h("a", { href: `#/alert/${entry.fingerprint}` }, entry.alertname), " ", h("span", {}, sentence(entry))))),
    entries.length > LISTED ? h("p", { class: "hint" }, `and ${entries.length - LISTED} more`) : null);
}

function timeline(rows, start, end) {
  const place = (at) => (100 * (Math.max(at, start) - start)) / (end - start);
  const date = (at) => local(at, end - start > 86400000 ? { dateStyle: "short" } : { timeStyle: "short" });
  return h("section", { class: "timeline", "aria-label": "Timeline" },
    h("p", { class: "scale", "aria-hidden": "true" }, [0, 0.25, 0.5, 0.75, 1].map((part) => h("span", {}, date(start + part * (end - start))))),
    h("ol", {}, rows.map((row) => {
      const its = Object.entries(row.labels).filter(([name]) => name !== "alertname" && name !== "severity").map(([, value]) => value).join(" ");
      const said = row.bars.length ? `fired ${row.bars.length} time${row.bars.length > 1 ? "s" : ""}` : `${row.marks.length} events`;
      return h("li", { "data-severity": row.labels.severity },
        h("a", { href: `#/alert/${row.fingerprint}` }, row.alertname, " ", h("span", { class: "its" }, its)),
        svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", role: "img", "aria-label": said },
          row.bars.map(([from, to]) => svg("rect", { class: "bar", x: place(from), y: 1, width: Math.max(0.4, place(to) - place(from)), height: 8 },
            svg("title", {}, `${date(from)} to ${date(to)}`))),
          row.marks.map(({ at, text }) => svg("rect", { class: "mark", x: place(at) - 0.15, y: 0, width: 0.3, height: 10 }, svg("title", {}, text)))));
    })));
}
