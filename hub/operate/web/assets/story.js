// Writes an entry of the trace as a sentence, in the words of `hub why`.

import { span } from "./dom.js";

const written = (value) => (value !== null && typeof value === "object" ? JSON.stringify(value) : String(value));

const TELLERS = {
  transition({ phase, reason, since, time, values, event }) {
    const lasted = phase === "firing" && since ? (new Date(time) / 1000) - since : 0;
    const parts = [`${phase}${lasted >= 1 ? ` after ${span(lasted)}` : ""}${reason ? `: ${reason}` : ""}`];
    if (values?.length) parts.push(values.map(([part, value]) => `${part} was ${written(value)}`).join(", "));
    if (event) parts.push(`by ${event.topic} ${written(event.payload)}`);
    return parts.join("; ");
  },
  held: ({ stage, detail }) => `held back: ${stage}${detail ? ` (${detail})` : ""}`,
  released: ({ stage }) => (stage ? `no longer held back by ${stage}` : "no longer held back"),
  notified: ({ receivers, step }) => `told to ${receivers?.join(", ") || "nobody"} (${step})`,
  delivery: ({ receiver, outcome, attempt, reason }) =>
    `${receiver}: ${outcome}${attempt ? `, attempt ${attempt}` : ""}${reason ? `: ${reason}` : ""}`,
  command: ({ command, by, comment }) => `${command} by ${by || "somebody"}${comment ? `: ${comment}` : ""}`,
};

// Of a kind that this page does not know, the name of the kind.
export function sentence(entry) {
  return TELLERS[entry.kind]?.(entry) ?? entry.kind;
}
