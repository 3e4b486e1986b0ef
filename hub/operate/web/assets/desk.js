// What fires now: the state as the hub tells it, kept up to date by the feed. Pages listen to `change`.

import { ask } from "./api.js";
import { announce } from "./dom.js";

const RANK = { critical: 0, warning: 1, info: 2 };
const PHASE = { firing: 0, pending: 1, resolved: 2 };
const AT_ONCE = 3; // alerts that are named one by one to a screen reader; of more their number is told

class Desk extends EventTarget {
  alerts = new Map();
  loaded = false;
  #asking = false;
  #again = false;
  #news = [];
  #speaking = 0;
  #painting = 0;

  // Fetch all anew: at the start, and where the feed has a gap. What the feed says meanwhile is applied behind it.
  // `since` is when the feed began. What changed after that, or while there was no feed, is told: when the feed brings
  // it later, the desk knows it already.
  async load(since) {
    if (this.#asking) {
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

  forget() {
    this.alerts = new Map();
    this.loaded = false;
  }

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

  #changed() {
    if (this.#painting) return;
    this.#painting = setTimeout(() => {
      this.#painting = 0;
      this.dispatchEvent(new Event("change"));
    }, 50);
  }

  // Tell a screen reader, once a second at most.
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

// Whether it began to fire, or is over, since `before`.
function isNews(alert, before) {
  if (alert.state === "firing") return !(before?.state === "firing" && before.episode === alert.episode);
  return alert.state === "resolved" && before?.state === "firing";
}

export const desk = new Desk();

// Matchers that mean exactly this alert, as Alertmanager writes them.
export function matchers(alert) {
  return Object.entries({ alertname: alert.alertname, ...alert.labels })
    .filter(([name]) => name !== "severity")
    .map(([name, value]) => `${name}="${quoted(value)}"`)
    .join(", ");
}

const quoted = (value) => value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
