// Helpers of all parts of the page: elements, sentences, and requests to this page's own server.

export const $ = id => document.getElementById(id);

// Return an element with these attributes (text: its content; on...: a listener) and children.
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

let known = {};
export const page = { language: "en", sandbox: false };

// Load the sentences and what kind of page this is.
export async function load() {
  const document = await (await fetch("/console/words.json")).json();
  known = document.words;
  page.language = document.language;
  page.sandbox = document.sandbox;
}

// Return the sentence of this name with its placeholders filled.
export function say(name, values = {}) {
  return (known[name] || name).replace(/\{(\w+)\}/g, (whole, key) => key in values ? values[key] : whole);
}

// Show a short message to everybody, screen readers included.
let clearing = 0;
export function tell(text) {
  $("told").textContent = text;
  clearTimeout(clearing);
  clearing = setTimeout(() => { $("told").textContent = ""; }, 6000);
}

// The token: behind the # of the page's address, which no request carries by itself.
const BEARER = { Authorization: "Bearer " + location.hash.slice(1) };
addEventListener("hashchange", () => location.reload());

// Send a request and return the JSON of the response; tell what went wrong and return null.
export async function request(method, path, body, quiet = false) {
  const headers = body === undefined ? BEARER : { ...BEARER, "Content-Type": "application/json" };
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    if (!quiet) tell(say("lost"));
    return null;
  }
  if (response.status === 401) { tell(say("no_token")); return null; }
  let document = null;
  try { document = await response.json(); } catch { /* an error of the server */ }
  if (response.ok) return document;
  if (!quiet) tell(say("refused", { why: document && (document.error || document.message) || response.status }));
  return null;
}
export const get = (path, quiet = true) => request("GET", path, undefined, quiet);
export const post = (path, body) => request("POST", path, body);

// Run a function now and again and again, each time `seconds` after it has ended, while `wanted()`.
export function repeat(seconds, run, wanted = () => true) {
  let running = false;
  async function once() {
    if (running || document.hidden || !wanted()) return;
    running = true;
    try { await run(); } finally { running = false; }
  }
  (async () => {
    for (;;) {
      await once();
      await new Promise(done => setTimeout(done, seconds * 1000));
    }
  })();
  document.addEventListener("visibilitychange", once);
  return once;
}

export function time(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString(page.language, { hour: "2-digit", minute: "2-digit" });
}
export function timeWithSeconds(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString(page.language);
}

// Make a bar of tabs work by keyboard: the arrow keys, Home and End (ARIA Authoring Practices, Tabs).
export function keysOfTabs(list, select) {
  list.addEventListener("keydown", event => {
    const tabs = [...list.querySelectorAll("[role=tab]")].filter(tab => tab.offsetParent);
    const here = tabs.indexOf(document.activeElement);
    const to = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (here < 0 || to === undefined) return;
    event.preventDefault();
    const tab = tabs[(to + tabs.length) % tabs.length];
    select(tab.dataset.view);
    tab.focus();
  });
}
