// The alerts that the hub keeps, fetched once and kept up to date by the feed. Pages listen to its event `change`.

import { ask } from "./api.js";
import { announce } from "./dom.js";

const RANK = { critical: 0, warning: 1, info: 2 };
const PHASE = { firing: 0, pending: 1, resolved: 2 };
const AT_ONCE = 3; // a screen reader names so many alerts one by one; of more it tells only how many there are

class Desk extends EventTarget {
  alerts = new Map();
  loaded = false;
  #asking = false;
  #again = false;
  #news = [];
  #speaking = 0;
  #painting = 0;

  // Fetch all alerts: at the start, and after a gap in the feed. What the feed says meanwhile is applied afterwards.
  // `since` is when the feed began. A change after that, or while there was no feed, is told here: when the feed brings
  // it later, it is no news for the desk any more.
  async load(since) {
    if (this.#asking) { // the answer under way may be older than this gap
      this.#again = true;
      return;
    }
    this.#asking = true;
    this.waiting = [];
    try {
      const { alerts } = await ask("alerts");
      const known = this.alerts;
      this.alerts = new Map(alerts.map((alert) => [alert.fingerprint, alert]));
      for (const alert of alerts) {
        const before = known.get(alert.fingerprint);
        if (this.loaded || before ? isNews(alert, before) : alert.since >= since && alert.state !== "pending") this.#tell(alert);
      }
      this.loaded = true;
      for (const alert of this.waiting) this.#put(alert);
      this.#changed();
    } finally {
      this.waiting = null;
      this.#asking = false;
    }
    if (this.#again) {
      this.#again = false;
      await this.load(since);
    }
  }

  // Forget everything: after a logout the next user must not see it.
  forget() {
    this.alerts = new Map();
    this.loaded = false;
  }

  // Take a new state of an alert from the feed.
  hear(alert) {
    if (this.waiting) this.waiting.push(alert);
    const before = this.alerts.get(alert.fingerprint);
    this.#put(alert);
    if (isNews(alert, before)) this.#tell(alert);
    this.#changed();
  }

  #put(alert) {
    if (alert.state === "inactive") this.alerts.delete(alert.fingerprint);
    else this.alerts.set(alert.fingerprint, alert);
  }

  // Let pages paint, once for all changes of 50 ms: a storm of alerts must not block the browser.
  #changed() {
    if (this.#painting) return;
    this.#painting = setTimeout(() => {
      this.#painting = 0;
      this.dispatchEvent(new Event("change"));
    }, 50);
  }

  // Tell a screen reader, at most once a second: it would not come to an end of its sentences otherwise.
  #tell(alert) {
    this.#news.push(alert);
    if (this.#speaking) return;
    this.#speaking = setTimeout(() => {
      this.#speaking = 0;
      const news = this.#news.splice(0);
      if (news.length > AT_ONCE) announce(`${news.length} alerts changed`);
      else for (const each of news) announce(`${each.state} ${each.severity} alert: ${each.summary || each.alertname}`);
    }, 1000);
  }

  sorted(keep) {
    return [...this.alerts.values()].filter(keep).sort((a, b) =>
      PHASE[a.state] - PHASE[b.state]
      || Boolean(a.acknowledged) - Boolean(b.acknowledged)
      || (RANK[a.severity] ?? 3) - (RANK[b.severity] ?? 3)
      || (a.since < b.since ? 1 : -1));
  }
}

// Whether an alert began to fire, or ended, since the state `before`.
function isNews(alert, before) {
  if (alert.state === "firing") return !(before?.state === "firing" && before.episode === alert.episode);
  return alert.state === "resolved" && before?.state === "firing";
}

export const desk = new Desk();

// Matchers that match this alert, as Alertmanager writes them; the severity may change, so it is left out.
export function matchers(alert) {
  return Object.entries({ alertname: alert.alertname, ...alert.labels })
    .filter(([name]) => name !== "severity")
    .map(([name, value]) => `${name}="${quoted(value)}"`)
    .join(", ");
}

const quoted = (value) => value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
