// The page of one alert: its state, its buttons, its last values, and the story of how it came.

import { ask } from "./api.js";
import { desk } from "./desk.js";
import { card } from "./alerts.js";
import { charts } from "./chart.js";
import { h, heading, keepFocus, labels, show, time } from "./dom.js";
import { sentence } from "./story.js";

export function alertPage(main, fingerprint) {
  const box = h("article", { class: "alert" });
  const facts = h("dl", { class: "facts" });
  const why = h("section", { "aria-label": "Why" });
  const values = h("section", { "aria-label": "Last values" });
  const head = heading("Alert");
  show(main, head, box, facts, values, why);
  let version = ""; // what the story and the values were last fetched for: they are fetched again when this changes
  const paint = () => {
    const alert = desk.alerts.get(fingerprint);
    if (!alert) {
      if (desk.loaded) show(box, h("p", { class: "empty" }, "It does not fire now."));
      if (desk.loaded && version !== "gone") {
        version = "gone";
        tellWhy(why, fingerprint);
      }
      return;
    }
    head.firstChild.textContent = alert.alertname;
    document.title = `${alert.alertname} – hub`;
    const back = keepFocus();
    card(box, alert, "h2");
    back();
    show(facts, pairs(alert));
    const now = `${alert.id} ${Boolean(alert.acknowledged)} ${alert.held?.stage}`;
    if (now === version) return;
    version = now;
    tellWhy(why, fingerprint);
    drawValues(values, alert);
  };
  paint();
  desk.addEventListener("change", paint);
  return () => desk.removeEventListener("change", paint);
}

function pairs(alert) {
  const rows = [
    ["Rule", h("a", { href: `#/rules/${encodeURIComponent(alert.alertname)}` }, alert.alertname)],
    ["Reason", alert.reason],
    ["Since", time(alert.since)],
    alert.until && ["Until", time(alert.until)],
    alert.details && ["Details", h("span", { class: "lines" }, alert.details)],
    ["Episode", alert.episode],
    ["Id", h("code", {}, alert.fingerprint)],
  ];
  return rows.filter(Boolean).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
}

// Fetch and show the story, newest entry first; of an alert that does not fire any more also its rule and labels.
async function tellWhy(section, fingerprint) {
  let entries = [];
  try {
    const { alerts } = await ask("why", { alert: fingerprint });
    entries = alerts[0]?.trace ?? [];
    if (!document.querySelector("article.alert").alert && alerts[0]) {
      show(document.querySelector("dl.facts"), h("dt", {}, "Rule"),
        h("dd", {}, h("a", { href: `#/rules/${encodeURIComponent(alerts[0].alertname)}` }, alerts[0].alertname)),
        h("dt", {}, "Labels"), h("dd", {}, labels(alerts[0].labels) ?? "none"));
    }
  } catch (error) {
    show(section, h("h2", {}, "Why"), h("p", { class: "wrong" }, error.message));
    return;
  }
  const latest = [...entries].reverse();
  const list = h("ol", { class: "story", reversed: true }, latest.map((entry) => h("li", { "data-kind": entry.kind }, time(entry.time), " ", h("span", {}, sentence(entry)))));
  show(section, h("h2", {}, "Why"), list);
}

// Draw the last values of the topics that name all of the alert's labels; those of other devices do not concern it.
async function drawValues(section, alert) {
  try {
    const [{ series }, { rule }] = await Promise.all([
      ask("values", { ...alert.labels, rule: alert.alertname }), ask(`rules/${encodeURIComponent(alert.alertname)}`)]);
    const values = Object.values(alert.labels).filter((value) => value !== alert.severity && value !== alert.alertname);
    const own = series.filter(({ topic }) => values.every((value) => topic.split("/").includes(value)));
    show(section, own.length ? h("h2", {}, "Last values") : null, charts(own, rule));
  } catch {
    show(section); // without charts the page still says what matters
  }
}
