// What a user can do with an alert: acknowledge it, take that back, silence it. A dialog is the browser's own <dialog>,
// which Escape closes.

import { ask, command } from "./api.js";
import { matchers } from "./desk.js";
import { clock, h, keepFocus, toast } from "./dom.js";

// Show a dialog with a button `verb`. It calls `act`, which returns the text of a toast, or all arguments of `toast`. If
// `act` throws, the dialog stays open and shows why.
function dialog(title, content, verb, act) {
  const said = h("p", { class: "wrong", role: "alert" });
  const go = h("button", { type: "submit" }, verb);
  const form = h("form", {
    submit: async (event) => {
      event.preventDefault();
      go.disabled = true;
      try {
        toast(...[await act()].flat());
        box.close();
      } catch (error) {
        said.textContent = error.message;
      } finally {
        go.disabled = false;
      }
    },
  }, h("h2", { id: "dialog-title" }, title), content, said,
  h("p", { class: "actions" }, go, h("button", { type: "button", class: "quiet", click: () => box.close() }, "Cancel")));
  const back = keepFocus();
  const close = () => {
    box.remove();
    back();
  };
  const box = h("dialog", { "aria-labelledby": "dialog-title", close }, form);
  document.body.append(box);
  box.showModal();
}

const field = (text, node) => h("label", {}, text, node);

function choose(options) {
  return h("select", {}, Object.entries(options).map(([value, text]) => h("option", { value }, text)));
}

export function acknowledge(alert) {
  const comment = h("input", { maxlength: 500, autocomplete: "off", autofocus: true });
  const lasting = choose({ "": "it is over", "30m": "30 minutes", "1h": "1 hour", "4h": "4 hours", "1d": "1 day" });
  dialog("Acknowledge", [
    h("p", {}, alert.summary || alert.alertname),
    field("Comment", comment),
    field("Until", lasting),
  ], "Acknowledge", async () => {
    const request = { id: alert.id, comment: comment.value };
    if (lasting.value) request.for = lasting.value;
    await command("ack", request);
    return `Acknowledged: ${alert.summary || alert.alertname}`;
  });
}

export async function unacknowledge(alert) {
  try {
    await command("unack", { id: alert.id });
    toast("Acknowledgement taken back");
  } catch (error) {
    toast(error.message, true);
  }
}

// Make a silence, filled in for this alert; null: with empty matchers.
export function silence(alert) {
  const which = h("textarea", { rows: 3, spellcheck: "false", required: true, input: () => count(), "aria-describedby": "silence-hint" });
  which.value = alert ? matchers(alert) : "";
  const lasting = choose({ "1h": "1 hour", "30m": "30 minutes", "4h": "4 hours", "1d": "1 day", "7d": "7 days" });
  const start = h("input", { type: "datetime-local" });
  const comment = h("input", { maxlength: 500, autocomplete: "off" });
  const hint = h("p", { id: "silence-hint", class: "hint", role: "status" });
  let counting = 0;
  const count = () => {
    clearTimeout(counting);
    counting = setTimeout(async () => {
      try {
        const { alerts } = await ask("alerts", { state: "firing", filter: which.value });
        hint.textContent = `matches ${alerts.length} alert${alerts.length === 1 ? "" : "s"} that fire now`;
      } catch (error) {
        hint.textContent = error.message;
      }
    }, 250);
  };
  dialog("Silence", [
    field("Matchers", which), hint, field("From (empty: now)", start), field("For", lasting), field("Comment", comment),
  ], "Silence", async () => {
    const request = { matchers: which.value, for: lasting.value, comment: comment.value };
    if (start.value) request.start = new Date(start.value).toISOString(); // the field has the time of this browser
    return silenced(await command("silence", request));
  });
  if (alert) count();
}

function silenced({ silence: made, silenced: count, warnings }) {
  const done = made.status.state === "pending"
    ? `Will be silent from ${clock(new Date(made.startsAt))} on` : `Silenced ${count} alert${count === 1 ? "" : "s"}`;
  return warnings.length ? [`${done}. Warning: ${warnings.join(". ")}`, false, true] : done;
}

export function confirm(title, text, verb, act) {
  dialog(title, h("p", {}, text), verb, act);
}
