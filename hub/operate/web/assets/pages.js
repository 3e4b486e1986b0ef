// The pages of silences, of devices, and of delivery: receivers, and the notifications that wait for them.

import { ask, command } from "./api.js";
import { confirm, silence } from "./dialogs.js";
import { button, h, heading, show, time, toast } from "./dom.js";
import { repeated, table } from "./rules.js";

export function silencesPage(main) {
  const box = h("div", {});
  const expired = h("input", { type: "checkbox", change: () => load() });
  show(main, heading("Silences", button("New silence", () => silence(null), { class: "beside" })),
    h("form", { class: "filters" }, h("label", { class: "check" }, expired, "with expired ones")), box);
  const load = async () => {
    const { silences } = await ask("silences", expired.checked ? { expired: true } : {});
    if (box.contains(document.activeElement)) return; // a button that somebody is about to press must not move
    show(box, silences.length ? silences.map((each) => h("article", { class: "silence" },
      h("p", { class: "when" }, h("span", { class: "state" }, each.status.state),
        each.status.state === "pending" ? [" from ", time(each.startsAt)] : null, " until ", time(each.endsAt)),
      h("p", {}, h("code", {}, each.matchers_text.join(", "))),
      h("p", { class: "note" }, `${each.createdBy}${each.comment ? `: ${each.comment}` : ""}`),
      each.status.state === "expired" ? null : h("p", { class: "actions" }, button("End it", () => end(each, load, box), { class: "quiet" })),
    )) : h("p", { class: "empty" }, "No silence."));
  };
  return repeated(load, box);
}

async function end({ id }, load, box) {
  try {
    await command("unsilence", { id });
    toast("Silence ended");
    document.activeElement.blur(); // else `load` would leave the silence that has just ended
    await load();
  } catch (error) {
    toast(error.message, true);
  }
  box.querySelector("button")?.focus();
}

export function devicesPage(main) {
  const box = h("div", {});
  let text = "";
  let all = [];
  const search = h("input", { type: "search", autocomplete: "off", input: () => { text = search.value.toLowerCase(); paint(); } });
  show(main, heading("Devices"), h("form", { class: "filters", role: "search", submit: (event) => event.preventDefault() }, h("label", {}, "Filter", search)), box);
  const rank = { silent: 0, late: 1, unknown: 2, online: 3 };
  const paint = () => {
    const found = all.filter((each) => `${each.device} ${JSON.stringify(each.attributes ?? {})}`.toLowerCase().includes(text));
    const shown = found.sort((a, b) => rank[a.presence] - rank[b.presence] || a.device.localeCompare(b.device)).slice(0, 300);
    show(box, h("p", { class: "count" }, `${found.length} of ${all.length}`), table(["Device", "Presence", "Last seen", "Interval", "Known"], shown.map((each) => [
      each.device, h("span", { class: "presence", "data-presence": each.presence }, each.presence),
      each.last_seen ? [time(each.last_seen, true), " ago"] : "never",
      each.interval_seconds ? `${Number(each.interval_seconds.toPrecision(2))} s` : "–",
      each.registered ? Object.entries(each.attributes ?? {}).map(([key, value]) => `${key} ${value}`).join(", ") || "registered" : "–",
    ])));
  };
  return repeated(async () => {
    all = (await ask("devices")).devices;
    paint();
  }, box);
}

// A receiver works only when it has delivered something: of one that was never tried the page does not say so.
const STANDING = { works: "online", fails: "silent", untried: "unknown" };
const SAID = { works: "works", fails: "fails", untried: "not tried yet" };

export function deliveryPage(main) {
  const receivers = h("div", {});
  const outbox = h("div", {});
  show(main, heading("Delivery"), h("h2", {}, "Receivers"), receivers, h("h2", {}, "Outbox"), outbox);
  return repeated(async () => {
    const said = await ask("receivers");
    show(receivers, table(["Receiver", "Kind", "State", "Queued", "Dead", "Last delivered"], (said.receivers ?? said).map((each) => [
      each.name, each.kind,
      [h("span", { class: "presence", "data-presence": STANDING[each.state] }, each.circuit === "closed" ? SAID[each.state] : each.circuit),
        each.last_error ? h("span", { class: "topic" }, ` ${each.last_error}`) : null],
      each.queued, each.dead, each.last_delivered ? [time(each.last_delivered, true), " ago"] : "–",
    ])));
    const rows = (await ask("outbox")).outbox;
    if (outbox.contains(document.activeElement)) return; // as above
    show(outbox, rows.length ? table(["Notification", "Receiver", "State", "Attempts", "Reason", ""], rows.slice(0, 300).map((row) => [
      `[${row.says}] ${row.alertname}${row.summary ? `: ${row.summary}` : ""}`, row.receiver, row.state, row.attempts, row.reason || "–",
      h("p", { class: "actions" },
        row.state === "dead" ? button("Retry", () => change("outbox-retry", row, "Queued anew"), { class: "quiet" }) : null,
        button("Drop", () => confirm("Drop it?", `Nobody will be told: ${row.alertname}, ${row.receiver}.`, "Drop", () => drop(row)), { class: "quiet", "data-needs": "admin" })),
    ])) : h("p", { class: "empty" }, "Nothing waits, nothing was given up."));
  }, outbox);
}

async function change(name, row, said) {
  try {
    await command(name, { ids: [row.id], receiver: row.receiver });
    toast(said);
    document.activeElement.blur();
  } catch (error) {
    toast(error.message, true);
  }
}

async function drop(row) {
  await command("outbox-drop", { ids: [row.id], receiver: row.receiver });
  return "Dropped";
}
