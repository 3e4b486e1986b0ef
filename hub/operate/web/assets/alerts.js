// The page of all alerts, which can be filtered and grouped; the feed keeps it up to date.

import { desk } from "./desk.js";
import { acknowledge, silence, unacknowledge } from "./dialogs.js";
import { button, h, heading, keepFocus, labels, local, reconcile, show, time } from "./dom.js";

const SHOWN = 200; // cards of one group at first; a button shows the others
const chosen = { text: "", severity: "", group: "state" };
const GROUPS = {
  state: (alert) => (alert.state !== "firing" ? alert.state : alert.acknowledged ? "acknowledged" : "firing"),
  alertname: (alert) => alert.alertname,
  severity: (alert) => alert.severity,
};
const ORDER = ["firing", "acknowledged", "pending", "resolved", "critical", "warning", "info"];
const HEADS = { firing: "Firing", acknowledged: "Acknowledged", pending: "Pending", resolved: "Resolved lately" };

export function alertsPage(main) {
  const list = h("div", { class: "groups" });
  const more = new Set();
  const count = h("p", { class: "count", role: "status" });
  const paint = () => {
    const back = keepFocus();
    regroup(group.querySelector("select"));
    paintList(list, count, more, paint);
    back();
  };
  const search = h("input", {
    type: "search", id: "search", value: chosen.text, placeholder: "name, label or text", autocomplete: "off",
    input: () => { chosen.text = search.value; paint(); },
  });
  const severity = choice("Severity", "severity", { "": "any", critical: "critical", warning: "warning", info: "info" }, paint);
  const group = choice("Group by", "group", groupings(), paint);
  show(main,
    heading("Alerts", h("a", { href: "#/silences", class: "beside" }, "Silences")),
    h("form", { class: "filters", role: "search", submit: (event) => event.preventDefault() },
      h("label", { for: "search" }, "Filter", search), severity, group),
    count, list);
  paint();
  desk.addEventListener("change", paint);
  return () => desk.removeEventListener("change", paint);
}

// What alerts can be grouped by: their state, name, severity, and the labels that they have now.
function groupings() {
  const names = new Set();
  for (const alert of desk.alerts.values()) for (const name of Object.keys(alert.labels)) names.add(name);
  names.delete("alertname");
  names.delete("severity");
  const found = [...names].sort().slice(0, 20).map((name) => [`label:${name}`, name]);
  return { state: "state", alertname: "alert", severity: "severity", ...Object.fromEntries(found) };
}

function choice(title, key, options, paint) {
  const node = h("select", { change: () => { chosen[key] = node.value; paint(); } });
  offer(node, options, chosen[key]);
  return h("label", {}, title, node);
}

function offer(select, options, value) {
  show(select, Object.entries(options).map(([its, text]) => h("option", { value: its, selected: its === value }, text)));
  select.offered = JSON.stringify(options);
}

// Offer new groupings where the alerts have other labels now.
function regroup(select) {
  const options = groupings();
  if (select.offered !== JSON.stringify(options)) offer(select, options, chosen.group);
}

// Whether the filter lets an alert pass: each word of it must occur.
function wanted(alert) {
  if (chosen.severity && alert.severity !== chosen.severity) return false;
  if (!chosen.text) return true;
  const said = `${alert.alertname} ${alert.summary} ${Object.entries(alert.labels).map((pair) => pair.join("=")).join(" ")}`;
  return chosen.text.toLowerCase().split(/\s+/).every((word) => said.toLowerCase().includes(word));
}

function paintList(list, count, more, paint) {
  const found = desk.sorted(wanted);
  const key = GROUPS[chosen.group] ?? ((alert) => alert.labels[chosen.group.slice(6)] ?? "–");
  const groups = new Map();
  for (const alert of found) {
    const name = key(alert);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(alert);
  }
  const rank = ([name]) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  const firing = found.filter((alert) => alert.state === "firing").length;
  const said = desk.loaded ? `${firing} firing, ${found.length} shown of ${desk.alerts.size}` : "loading";
  if (count.textContent !== said) count.textContent = said;
  const all = [...groups].sort((a, b) => rank(a) - rank(b) || a[0].localeCompare(b[0]));
  if (!all.length) all.push([desk.loaded ? (desk.alerts.size ? "nothing matches" : "all quiet") : "", null]);
  reconcile(list, all, ([name, alerts]) => (alerts ? `${chosen.group} ${name}` : " "),
    ([name, alerts]) => (alerts ? section(name) : h("p", { class: "empty" })),
    (node, [name, alerts]) => (alerts ? paintSection(node, name, alerts, more, paint) : quiet(node, name)));
}

function quiet(node, name) {
  const text = { "all quiet": "No alert is firing.", "nothing matches": "No alert matches the filter." }[name] ?? "";
  if (node.textContent !== text) node.textContent = text;
}

function section(name) {
  return h("section", { "aria-label": HEADS[name] ?? name }, h("h2", {}, HEADS[name] ?? name, " ", h("span", { class: "number" })),
    h("div", { class: "cards" }), h("p", { class: "more" }));
}

function paintSection(node, name, alerts, more, paint) {
  const [head, cards, rest] = node.children;
  head.lastChild.textContent = alerts.length;
  const shown = more.has(name) ? alerts.slice(0, 10 * SHOWN) : alerts.slice(0, SHOWN);
  reconcile(cards, shown, (alert) => alert.fingerprint, () => h("article", { class: "alert" }), card);
  const hidden = alerts.length - shown.length;
  if (rest.dataset.hidden === String(hidden)) return;
  rest.dataset.hidden = hidden;
  const press = () => { more.add(name); paint(); };
  show(rest, hidden ? button(`${hidden} more`, press, { class: "quiet" }) : null);
}

// Fill a card. Where the alert has not changed it stays untouched, and with it the focus and the selected text.
export function card(node, alert, level = "h3") {
  if (node.alert === alert) return;
  node.alert = alert;
  node.dataset.fingerprint = alert.fingerprint;
  node.dataset.severity = alert.severity;
  node.dataset.state = alert.state;
  node.toggleAttribute("data-acknowledged", Boolean(alert.acknowledged));
  node.onkeydown = (event) => shortcut(event, alert);
  show(node,
    h("p", { class: "when" }, h("span", { class: "pill" }, alert.severity),
      h("span", { class: "state" }, alert.state, alert.state === "resolved" ? "" : " for"),
      time(alert.state === "resolved" ? alert.until : alert.since, true), alert.state === "resolved" ? "ago" : null),
    h(level, {}, h("a", { href: `#/alert/${alert.fingerprint}`, "data-action": "open" }, alert.summary || alert.alertname)),
    alert.summary ? h("p", { class: "rule" }, alert.alertname) : null,
    labels(alert.labels),
    notes(alert),
    alert.state === "firing" ? actions(alert) : null);
}

// Say who has acknowledged the alert, and why nobody is told.
function notes(alert) {
  const ack = alert.acknowledged;
  const told = ack && [`Acknowledged by ${ack.by}`, ack.comment && `: ${ack.comment}`, ack.until && `, until ${local(ack.until)}`];
  const held = alert.held && `Not told: ${alert.held.stage}${alert.held.detail ? ` (${alert.held.detail})` : ""}`;
  const shadow = alert.shadow && "On trial: nobody is told";
  return [told, held, shadow].filter(Boolean).map((text) => h("p", { class: "note" }, text));
}

function actions(alert) {
  const first = alert.acknowledged
    ? button("Take back", () => unacknowledge(alert), { class: "quiet", "data-action": "ack" })
    : button("Acknowledge", () => acknowledge(alert), { "data-action": "ack" });
  return h("p", { class: "actions" }, first, button("Silence", () => silence(alert), { class: "quiet", "data-action": "silence" }));
}

// Keys on a focused alert: `a` acknowledges, `s` silences. With Ctrl, Alt or Meta they belong to the browser.
function shortcut(event, alert) {
  if (event.ctrlKey || event.altKey || event.metaKey || alert.state !== "firing") return;
  if (event.key === "a" && !alert.acknowledged) acknowledge(alert);
  else if (event.key === "s") silence(alert);
  else return;
  event.preventDefault();
}
