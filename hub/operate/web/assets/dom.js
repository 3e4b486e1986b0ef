// Makes elements of the page. Text becomes text nodes, never markup: what a device sends is shown as it was sent.

// An element with attributes (a function is a listener, true an empty attribute) and children.
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false).map(visible));
  return node;
}

// Control characters, and those that turn the direction of text, are shown as `\u…`: they could hide what a text says.
function visible(child) {
  if (child instanceof Node) return child;
  return String(child).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (letter) => {
    return `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

// Put these children in place of all others.
export function show(parent, ...children) {
  parent.replaceChildren();
  fill(parent, {}, children);
}

// Let `parent` have one child for each of `items`, in this order. The child of a key is kept, and with it the focus.
export function reconcile(parent, items, key, make, update) {
  const known = kept.get(parent) ?? new Map();
  const now = new Map();
  let place = parent.firstChild;
  for (const item of items) {
    const name = key(item);
    const node = known.get(name) ?? make(item);
    update(node, item);
    now.set(name, node);
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
  }
  for (const [name, node] of known) if (!now.has(name)) node.remove();
  kept.set(parent, now);
}
const kept = new WeakMap();

const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

// A duration: `5 min 20 s`, `3 h`; two units only where the first is below ten.
export function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  for (const [place, [unit, size]] of UNITS.entries()) {
    if (whole < size && unit !== "s") continue;
    const first = Math.floor(whole / size);
    const next = UNITS[place + 1];
    const rest = next ? Math.floor((whole % size) / next[1]) : 0;
    return rest && first < 10 ? `${first} ${unit} ${rest} ${next[0]}` : `${first} ${unit}`;
  }
}

// Times are shown in the hub's zone, as in its mails. `zone` sets it.
let timeZone;

export function zone(name) {
  try {
    new Intl.DateTimeFormat(undefined, { timeZone: name });
    timeZone = name;
  } catch { /* the hub's TZ is a rule that no browser knows: the browser's own zone is the best there is */ }
}

export const local = (date, options) => new Date(date).toLocaleString(undefined, { ...options, timeZone });

const DATE = { dateStyle: "short" };
const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
const DAY = { dateStyle: "medium", timeStyle: "medium" };

// A moment: of today only the time, else with the date.
export function clock(date) {
  return local(date, local(Date.now(), DATE) === local(date, DATE) ? CLOCK : DAY);
}

// An element for a moment; with `age` it shows how long ago that is, which `tick` keeps up to date.
export function time(text, age = false) {
  if (!text) return h("span", {}, "–");
  const date = new Date(text);
  const node = h("time", { datetime: date.toISOString(), title: local(date, DAY) }, age ? "" : clock(date));
  if (age) {
    node.dataset.age = "";
    node.textContent = span((Date.now() - date) / 1000);
  }
  return node;
}

// Called once a second.
export function tick() {
  for (const node of document.querySelectorAll("time[data-age]")) {
    const text = span((Date.now() - new Date(node.dateTime)) / 1000);
    if (node.textContent !== text) node.textContent = text;
  }
}

export function labels(all, without = ["alertname", "severity"]) {
  const shown = Object.entries(all ?? {}).filter(([name]) => !without.includes(name));
  if (!shown.length) return null;
  return h("ul", { class: "labels", "aria-label": "Labels" }, shown.map(([name, value]) => {
    return h("li", {}, h("span", { class: "name" }, name), " ", h("span", { class: "value" }, value));
  }));
}

export function button(text, press, attributes = {}) {
  return h("button", { type: "button", click: press, ...attributes }, text);
}

let toasting = 0;
// Show a text for a while. `wrong`: something was not done. `slow`: the text stays longer, as there is more to read.
export function toast(text, wrong = false, slow = wrong) {
  const node = document.getElementById("toast");
  node.hidden = false;
  node.dataset.wrong = wrong;
  node.textContent = text;
  clearTimeout(toasting);
  toasting = setTimeout(() => { node.hidden = true; }, slow ? 12000 : 5000);
}

// Let a screen reader say a text.
export function announce(text) {
  const log = document.getElementById("said");
  log.append(h("p", {}, text));
  while (log.childElementCount > 5) log.firstElementChild.remove();
}

// Remember which button of which alert's card has the focus; the function returned puts it there after a painting.
export function keepFocus() {
  const node = document.activeElement;
  const fingerprint = node?.closest("[data-fingerprint]")?.dataset.fingerprint;
  return () => {
    if (!fingerprint || document.activeElement === node) return;
    const card = document.querySelector(`[data-fingerprint="${fingerprint}"]`);
    (card?.querySelector(`[data-action="${node.dataset.action}"]`) ?? card?.querySelector("[data-action]"))?.focus({ preventScroll: true });
  };
}

// The heading of a page, which also names the browser's tab.
export function heading(text, ...beside) {
  document.title = `${text} – hub`;
  return h("div", { class: "title" }, h("h1", {}, text), ...beside);
}
