// The hub's HTTP interface: reads, commands, and the live feed over a WebSocket, which connects again by itself.

// The hub has not done what was asked; `status` is the answer's, 0 where there was no answer.
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// Addresses are relative to the page: a proxy may serve the hub below a path.
const here = (path) => new URL(path, document.baseURI);

async function call(path, options = {}) {
  let response;
  try {
    response = await fetch(here(path), { credentials: "same-origin", ...options });
  } catch {
    throw new Refused(0, "the hub does not answer");
  }
  const said = await response.json().catch(() => ({}));
  if (!response.ok || said.ok === false) {
    if (response.status === 401) dispatchEvent(new Event("hub-signed-out"));
    throw new Refused(response.status, said.error ?? `the hub answers ${response.status}`);
  }
  return said;
}

// Read `/api/hub/NAME`; parameters that are empty or undefined are left out.
export function ask(name, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(given).toString();
  return call(`api/hub/${name}${text ? `?${text}` : ""}`);
}

const JSON_BODY = { "Content-Type": "application/json" };

// Send a command, which changes something, and return the hub's answer.
export function command(name, request) {
  return call(`api/hub/${name}`, { method: "POST", headers: JSON_BODY, body: JSON.stringify(request) });
}

export const login = (token) => call("login", { method: "POST", headers: JSON_BODY, body: JSON.stringify({ token }) });
export const logout = () => call("logout", { method: "POST" });

const WAIT = [500, 1000, 2000, 5000, 10000];
const SILENT = 20000; // figures come each second: a connection on which nothing comes for so long is dead

// Calls `hear(message)` for each message of the feed, and `link(state)` when the connection is connecting, live or lost.
export class Feed {
  constructor(hear, link) {
    this.hear = hear;
    this.link = link;
    this.since = "";
    this.failures = 0;
  }

  open() {
    this.close();
    this.link("connecting");
    const url = here("ws");
    url.protocol = url.protocol.replace("http", "ws");
    if (this.since) url.searchParams.set("since", this.since);
    const socket = (this.socket = new WebSocket(url));
    socket.onmessage = ({ data }) => {
      this.alive();
      const message = JSON.parse(data);
      if (message.id) this.since = message.id;
      if (message.type === "hello") {
        this.failures = 0;
        this.link("live");
      }
      this.hear(message);
    };
    socket.onclose = () => this.lost(socket);
    this.alive();
  }

  // Something came: open the connection anew only if nothing more comes for SILENT milliseconds.
  alive() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.open(), SILENT);
  }

  // Try again after an ever longer pause, a random part of it: after a restart not all pages come at once.
  lost(socket) {
    if (socket !== this.socket) return; // it was closed by `close`, or another one has taken its place
    this.close();
    this.link("lost");
    const wait = WAIT[Math.min(this.failures++, WAIT.length - 1)];
    this.retry = setTimeout(() => this.open(), wait * (0.5 + Math.random() / 2));
  }

  close() {
    clearTimeout(this.silence);
    clearTimeout(this.retry);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }
}
