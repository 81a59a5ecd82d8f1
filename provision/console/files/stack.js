// The stack by steps, with live states.
import { $, get, make, page, repeat, say, tell } from "./dom.js";

const SIGNS = { ready: "✓", waiting: "…", absent: "·", differs: "≠", unknown: "?" };
const opened = new Set();
let last = "";
export let domain = "";
export let cluster = "";
export let service = "";

function badge(state, labels) {
  return make("span", { class: "badge " + state }, make("span", { "aria-hidden": "true", text: SIGNS[state] + " " }), labels[state]);
}

function resource(one, labels) {
  const line = make("li", { class: "resource" }, make("span", { class: "name", text: one.name, title: one.key }), badge(one.state, labels));
  if (one.usd) line.append(make("span", { class: "usd", text: say("usd_month", { usd: one.usd.toFixed(2) }) }));
  if (one.reason && one.state !== "absent") line.append(make("p", { class: "reason", text: one.reason }));
  for (const each of one.drift) {
    line.append(make("p", { class: "reason", text: `${each.path}: ${JSON.stringify(each.have)} → ${JSON.stringify(each.want)}` }));
  }
  return line;
}

function step(one, labels) {
  const usd = one.resources.reduce((sum, each) => sum + each.usd, 0);
  const details = make("details", { class: "step", open: opened.has(one.name),
    ontoggle: () => details.open ? opened.add(one.name) : opened.delete(one.name) },
    make("summary", {}, make("span", { class: "name", text: one.name }), badge(one.state, labels),
      make("span", { class: "usd", text: usd ? say("usd_month", { usd: usd.toFixed(2) }) : "" })),
    make("ul", { "aria-label": say("resources", { step: one.name }) }, ...one.resources.map(each => resource(each, labels))));
  const reason = one.resources.find(each => each.state === "waiting" && each.reason);
  if (one.state !== "ready" && reason) details.firstChild.append(make("span", { class: "reason", text: reason.reason }));
  return details;
}

function nameServers(stack) {
  if (!stack.name_servers.length) return [];
  const text = stack.name_servers.join("\n");
  const copy = make("button", { type: "button", text: say("copy"), onclick: async () => {
    await navigator.clipboard.writeText(text);
    tell(say("copied"));
  } });
  return [make("div", { class: stack.delegated ? "servers" : "servers wanted" },
    make("p", { text: say("name_servers_of", { domain: stack.domain }) }), make("pre", { text }), copy)];
}

function facts(stack) {
  const tasks = stack.tasks.running === null ? stack.tasks.reason : say("tasks_run", stack.tasks);
  const next = [stack.next.start, stack.next.stop].filter(Boolean)
    .map(each => new Date(each).toLocaleString(page.language, { weekday: "short", month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit" }));
  const rows = [["region", stack.region], ["url", stack.url], ["tasks", [tasks, ...stack.tasks.rollout].join("\n")], ["cost", stack.cost]];
  if (next.length) rows.push(["next", next.join(" – ")]);
  return make("dl", { class: "facts" }, ...rows.flatMap(([name, value]) => [make("dt", { text: say(name) }), make("dd", { text: value })]));
}

function show(stack) {
  const view = $("view-stack");
  if (stack.error) {
    const lines = [stack.error.what, stack.error.why, stack.error.then].filter(Boolean);
    view.replaceChildren(make("h2", { text: say("stack") }), ...lines.map(text => make("p", { class: "reason", text })));
    return;
  }
  if (!stack.steps) {
    view.replaceChildren(make("h2", { text: say("stack") }), make("p", { text: say("no_stack") }));
    return;
  }
  domain = stack.domain;
  cluster = stack.cluster;
  service = stack.service;
  const focused = document.activeElement && document.activeElement.closest("details.step");
  const name = focused && focused.querySelector(".name").textContent;
  view.replaceChildren(
    make("h2", { text: stack.name }),
    make("p", { class: "headline " + stack.state, text: stack.headline }),
    ...(stack.delegated ? [] : nameServers(stack)),
    make("div", { class: "steps" }, ...stack.steps.map(each => step(each, stack.labels))),
    facts(stack),
    ...(stack.delegated ? nameServers(stack) : []));
  if (!page.sandbox) document.title = stack.name + " · provision";
  for (const each of view.querySelectorAll("details.step")) {
    if (name && each.querySelector(".name").textContent === name) each.firstChild.focus();
  }
}

async function refresh() {
  const stack = await get(page.sandbox ? "/_sandbox/stack.json" : "/stack.json", page.sandbox);
  const text = JSON.stringify(stack);
  if (!stack || text === last) return;
  last = text;
  show(stack);
}

export function start(wanted) {
  $("view-stack").replaceChildren(make("h2", { text: say("stack") }), make("p", { text: say("loading") }));
  return repeat(page.sandbox ? 2 : 10, refresh, wanted);
}
