// The page of all rules, and the page of one rule: its facts, last values and alerts, and why it does not fire.

import { ask } from "./api.js";
import { card } from "./alerts.js";
import { charts } from "./chart.js";
import { desk } from "./desk.js";
import { h, heading, keepFocus, reconcile, show, span } from "./dom.js";

const AGAIN = 5000;

// Call `load` now, and again after each pause, until the function returned is called: the page is left then.
export function repeated(load, box) {
  let gone = false;
  let timer = 0;
  const turn = async () => {
    try {
      await load();
    } catch (error) {
      show(box, h("p", { class: "wrong" }, error.message));
    }
    if (!gone) timer = setTimeout(turn, AGAIN);
  };
  turn();
  return () => {
    gone = true;
    clearTimeout(timer);
  };
}

export function table(names, rows) {
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Table" }, h("table", {},
    h("thead", {}, h("tr", {}, names.map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell, place) =>
      (place ? h("td", { "data-name": names[place] }, cell) : h("th", { scope: "row" }, cell))))))));
}

export function rulesPage(main) {
  const box = h("div", {});
  show(main, heading("Rules"), box);
  return repeated(async () => {
    const { rules } = await ask("rules");
    const focused = box.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    show(box, table(["Rule", "Topics", "Severity", "Firing", "Pending", "Instances", "Errors"], rules.map((rule) => [
      [h("a", { href: `#/rules/${encodeURIComponent(rule.name)}` }, rule.name), rule.shadow ? " on trial" : "", rule.enabled === false ? " off" : ""],
      h("span", { class: "topic" }, rule.topics.join(", ")),
      rule.severity, rule.firing, rule.pending, rule.instances, rule.errors,
    ])));
    if (focused) box.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  }, box);
}

export function rulePage(main, name) {
  const about = h("dl", { class: "facts" });
  const values = h("section", { "aria-label": "Last values" });
  const cards = h("div", { class: "cards" });
  const firing = h("section", { "aria-label": "Alerts of this rule" }, h("h2", {}, "Alerts"), cards);
  const not = h("section", { "aria-label": "What it sees" });
  show(main, heading(name), about, values, firing, not);
  const paint = () => {
    const found = desk.sorted((alert) => alert.alertname === name);
    firing.hidden = !found.length;
    const back = keepFocus();
    reconcile(cards, found, (alert) => alert.fingerprint, () => h("article", { class: "alert" }), card);
    back();
  };
  paint();
  desk.addEventListener("change", paint);
  const stop = repeated(async () => {
    const [{ rule }, { series }] = await Promise.all([ask(`rules/${encodeURIComponent(name)}`), ask("values", { rule: name })]);
    show(about, facts(rule));
    show(values, h("h2", {}, "Last values"), charts(series, rule) ?? h("p", { class: "empty" }, "No numbers came on its topics yet."));
    show(not, await seen(name));
  }, about);
  return () => {
    stop();
    desk.removeEventListener("change", paint);
  };
}

function facts(rule) {
  return [
    ["Topics", h("code", {}, rule.topics.join("\n"))],
    rule.when && ["When", h("code", {}, rule.when)],
    rule.clear && ["Clear", h("code", {}, rule.clear)],
    rule.for && ["For", rule.for],
    ["Severity", rule.severity],
    ["Told to", rule.notify?.join(", ") || "nobody"],
    rule.file && ["File", `${rule.file}:${rule.line}`],
    ["Instances", rule.instances],
    rule.unless?.length ? ["Unless", rule.unless.map((each) => each.name ?? each).join(", ")] : null,
    rule.absent && ["Absent", typeof rule.absent === "number" ? span(rule.absent) : "learned"],
    rule.shadow && ["On trial", "evaluated and recorded, nobody is told"],
    rule.errors ? ["Errors", `${rule.errors}, the last: ${rule.last_error}`] : null,
  ].filter(Boolean).map(([key, value]) => [h("dt", {}, key), h("dd", {}, value)]);
}

// Why the rule does not fire: its sentences, and those of its instances.
async function seen(name) {
  const { sentences, instances } = await ask("why-not", { rule: name }).catch(() => ({}));
  if (!instances?.length && !sentences?.length) return null;
  return [h("h2", {}, "What it sees"), (sentences ?? []).map((text) => h("p", {}, text)),
    h("ul", { class: "seen" }, (instances ?? []).slice(0, 50).map((each) => h("li", {},
      h("b", {}, Object.entries(each.labels).map((pair) => pair.join("=")).join(" ") || name), " ", each.state, h("br"), each.sentences.join("; "))))];
}
