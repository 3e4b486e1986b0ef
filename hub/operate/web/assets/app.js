// The page as a whole: it chooses the part to show, handles login and feed, and fills the head.

import { alertPage } from "./alert.js";
import { alertsPage } from "./alerts.js";
import { ask, Feed, login, logout } from "./api.js";
import { desk } from "./desk.js";
import { h, heading, show, span, tick, toast, zone } from "./dom.js";
import { historyPage } from "./history.js";
import { deliveryPage, devicesPage, silencesPage } from "./pages.js";
import { offerPush } from "./push.js";
import { rulePage, rulesPage } from "./rules.js";

const main = document.getElementById("main");
const PAGES = { "": alertsPage, alert: alertPage, silences: silencesPage, history: historyPage, devices: devicesPage, delivery: deliveryPage, rules: rulesPage };
const NAMES = { live: "live", connecting: "connecting", lost: "no connection" };
let leave = () => {}; // ends what the part in sight does: its timers, and its listening to the desk
let signedIn = false;

// Show the part that the address names: `#/PART/DETAIL`.
function route() {
  if (!signedIn) return;
  const [name, part] = location.hash.replace(/^#\/?/, "").split("/");
  const page = name === "rules" && part ? rulePage : PAGES[name] ?? alertsPage;
  leave();
  leave = page(main, decoded(part)) ?? (() => {});
  for (const link of document.querySelectorAll("nav a")) {
    const target = link.hash.replace(/^#\/?/, "");
    link.toggleAttribute("aria-current", target === name || (target === "" && ["alert", "silences"].includes(name)));
    if (link.hasAttribute("aria-current")) link.setAttribute("aria-current", "page");
  }
}

function decoded(part) {
  try {
    return decodeURIComponent(part ?? "");
  } catch {
    return part; // a % that encodes nothing: somebody has written the address by hand
  }
}

function hear({ type, time, data }) {
  if (type === "alert") desk.hear(data);
  else if (type === "figures") figures(data);
  else if (type === "gap" || type === "hello") desk.load(time).catch((error) => toast(error.message, true));
}

function figures({ egr, nsr, epl, outbox, why }) {
  unowned = why ?? "";
  showLink();
  const box = document.getElementById("figures");
  box.hidden = false;
  const rows = [["events/s", round(egr)], ["told/s", round(nsr)], ["event to disk", epl?.p50 != null ? `${round(epl.p50 * 1000)} ms` : "–"], ["queued", outbox?.queued ?? 0]];
  if (outbox?.dead) rows.push(["dead letters", outbox.dead]);
  show(box, rows.map(([name, value]) => h("div", { "data-name": name }, h("dt", {}, name), h("dd", {}, value))));
}

const round = (value) => (value == null ? "–" : value < 10 ? Number(value.toFixed(1)) : Math.round(value));

let linked = "connecting";
let unowned = ""; // why this node of a cluster shows nothing new: nobody owns the hub, or the node is cut off

// A node that stands by may be reached while no owner is: what it shows then is not live.
function showLink() {
  const node = document.getElementById("link");
  const said = linked === "live" && unowned ? `not live: ${unowned}` : NAMES[linked];
  if (node.textContent === said) return; // it is read out whenever it changes
  node.dataset.state = said === NAMES[linked] ? linked : "lost";
  node.textContent = said;
}

const feed = new Feed(hear, (state) => {
  if (linked === state) return;
  linked = state;
  showLink();
  if (state === "lost") ask("status").catch(() => {}); // where the login has ended, the answer 401 shows the form
});

async function enter() {
  const status = await ask("status");
  signedIn = true;
  zone(status.tz);
  document.getElementById("brand").textContent = status.client_id;
  document.getElementById("logout").hidden = !status.login;
  document.body.dataset.role = status.actor.role;
  feed.open();
  route();
  offerPush();
}

function signIn() {
  if (!signedIn && main.querySelector("#token")) return; // the form is there: what is typed in it must stay
  signedIn = false;
  feed.close();
  leave();
  leave = () => {};
  document.getElementById("logout").hidden = true;
  const token = h("input", { id: "token", type: "password", required: true, autocomplete: "current-password", autofocus: true });
  const said = h("p", { class: "wrong", role: "alert" });
  show(main, heading("Sign in"), h("form", {
    class: "login",
    submit: async (event) => {
      event.preventDefault();
      try {
        await login(token.value);
        await enter();
      } catch (error) {
        said.textContent = error.status === 401 ? "This token is not known." : error.message;
      }
    },
  }, h("label", { for: "token" }, "Token", token), said, h("p", { class: "actions" }, h("button", { type: "submit" }, "Sign in"))));
  token.focus();
}

document.getElementById("logout").addEventListener("click", async () => {
  await logout().catch(() => {});
  desk.forget();
  signIn();
});
addEventListener("hub-signed-out", signIn);
addEventListener("hashchange", () => {
  route();
  main.focus();
  scrollTo(0, 0);
});
setInterval(tick, 1000);
enter().catch((error) => {
  if (error.status !== 401) {
    show(main, heading("No answer"), h("p", { class: "wrong" }, `${error.message}; the next attempt is in ${span(5)}.`));
    setTimeout(() => location.reload(), 5000);
  }
});
