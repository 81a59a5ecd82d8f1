// The sandbox's other sides: registrar, LINE's settings, calls, webhooks, faults and the clock.
import { $, get, make, post, request, repeat, say, tell, timeWithSeconds } from "./dom.js";
import * as stack from "./stack.js";

const SHOWN = 200; // rows of calls or webhooks

// Registrar ------------------------------------------------------------------------------------------

export function startRegistrar() {
  const fields = [1, 2, 3, 4].map(number => make("input", { id: "ns" + number, autocomplete: "off", spellcheck: "false", placeholder: "ns-0000.awsdns-00.org" }));
  const domain = make("input", { id: "domain", autocomplete: "off", spellcheck: "false", required: true });
  const now = make("p", { id: "servers-now", role: "status" });
  const path = () => "/_sandbox/registrar/domains/" + encodeURIComponent(domain.value.trim());
  const show = found => {
    const text = found ? say("now", { servers: found.name_servers.join(", ") }) : now.textContent;
    if (text !== now.textContent) now.textContent = text;
  };
  const look = async quiet => { if (domain.value.includes(".")) show(await get(path(), quiet)); };
  let known = ""; // what the domain's field was filled with
  fields[0].onpaste = event => {
    const pasted = event.clipboardData.getData("text").split(/[\s,]+/).filter(Boolean);
    if (pasted.length < 2) return;
    event.preventDefault();
    fields.forEach((field, index) => { field.value = pasted[index] || ""; });
  };
  const form = make("form", { class: "card", onsubmit: async event => {
    event.preventDefault();
    const servers = fields.map(field => field.value.trim()).filter(Boolean);
    if (servers.length < 4) { tell(say("four")); fields.find(field => !field.value.trim()).focus(); return; }
    const found = await request("PUT", path(), { name_servers: servers });
    show(found);
    if (found) tell(say("saved"));
  } },
    make("label", { for: "domain", text: say("domain") }), domain,
    ...fields.flatMap((field, index) => [make("label", { for: field.id, text: say("server", { number: index + 1 }) }), field]),
    make("p", { class: "hint", text: say("paste") }), make("button", { class: "main", text: say("save") }));
  domain.onchange = () => look(false);
  $("view-registrar").replaceChildren(make("h2", { text: say("registrar") }), make("p", { text: say("registrar_about") }), form, now);
  return () => {
    if (!domain.value && stack.domain !== known) domain.value = known = stack.domain;
    return look(true);
  };
}

// LINE's settings ------------------------------------------------------------------------------------

let changes = 0; // of switches, begun and ended

// Return what `read` reads, or null if a switch was used meanwhile: the switches would jump back.
async function readSwitches(read) {
  const before = changes;
  const found = await read();
  return before === changes ? found : null;
}

// Show a switch's state, once it is known; until then it is disabled.
function setSwitch(id, on) {
  $(id).checked = on;
  $(id).disabled = false;
}

// Return a switch with its explanation; `change` is called with its new state and returns null if it failed.
function toggle(id, label, about, change) {
  const input = make("input", { type: "checkbox", role: "switch", id, disabled: true, "aria-describedby": id + "-about", onchange: async () => {
    changes += 1;
    if (await change(input.checked) === null) input.checked = !input.checked;
    changes += 1;
  } });
  return make("div", { class: "switch" }, make("label", { for: id }, input, " " + label), make("p", { id: id + "-about", class: "hint", text: about }));
}

export function startLine() {
  const names = ["active", "redelivery", "auto_reply", "greeting"];
  const facts = make("dl", { class: "facts" });
  $("view-line").replaceChildren(make("h2", { text: say("line") }), make("p", { text: say("line_about") }),
    make("div", { class: "card" }, ...names.map(name =>
      toggle(name, say(name), say(name + "_about"), value => post("/_sandbox/switch", { [name]: value })))), facts);
  return async () => {
    const channel = await readSwitches(() => get("/_sandbox/channel"));
    if (!channel) return;
    for (const name of names) setSwitch(name, channel[name]);
    facts.replaceChildren(make("dt", { text: say("endpoint") }), make("dd", { text: channel.endpoint || say("none") }),
      make("dt", { text: say("basic_id") }), make("dd", { text: channel.basicId }));
  };
}

// Calls and webhooks ---------------------------------------------------------------------------------

function pretty(value) { return make("pre", { tabindex: 0, text: JSON.stringify(value, null, 2) }); }

// Return a row that shows request and response when it is opened.
function exchange(at, title, outcome, good, load) {
  const details = make("details", { class: "call" },
    make("summary", {}, make("time", { text: timeWithSeconds(at) }), make("span", { class: "name", text: title }),
      make("span", { class: good ? "outcome" : "outcome bad", text: outcome })));
  details.addEventListener("toggle", async () => {
    if (!details.open || details.childElementCount > 1) return;
    const found = await load();
    if (!found) return;
    details.append(make("h3", { text: say("request") }), pretty(found.request), make("h3", { text: say("response") }), pretty(found.response));
  });
  return details;
}

function list(view, nothing) {
  const rows = make("div", { class: "calls" });
  const empty = make("p", { text: nothing });
  view.append(empty, rows);
  return { rows, add(elements) {
    if (!elements.length) return;
    empty.hidden = true;
    rows.prepend(...elements.reverse());
    while (rows.childElementCount > SHOWN) rows.lastChild.remove();
  }, clear() { rows.replaceChildren(); empty.hidden = false; } };
}

export function startCalls() {
  const only = make("input", { type: "checkbox", id: "only", checked: true });
  $("view-calls").replaceChildren(make("h2", { text: say("calls") }), make("label", {}, only, " " + say("only_changes")));
  const shown = list($("view-calls"), say("no_calls"));
  let after = -1;
  const refresh = async () => {
    const calls = await get(`/_sandbox/aws/calls?after=${after}${only.checked ? "&mutating=1" : ""}`);
    if (!calls || !calls.length) return;
    after = calls.at(-1).number;
    shown.add(calls.slice(-SHOWN).map(call => exchange(call.time, `${call.service} ${call.operation}`,
      call.outcome === "dropped" ? say("dropped") : String(call.outcome), call.outcome < 300,
      () => get(`/_sandbox/aws/calls/${call.number}`, false))));
  };
  only.onchange = () => { after = -1; shown.clear(); refresh(); };
  return refresh;
}

export function startWebhooks() {
  $("view-webhooks").replaceChildren(make("h2", { text: say("webhooks") }));
  const shown = list($("view-webhooks"), say("no_webhooks"));
  let after = 0;
  return async () => {
    const sent = await get(`/_sandbox/webhooks?after=${after}`);
    if (!sent || !sent.length) return;
    after = sent.at(-1).number;
    shown.add(sent.map(one => exchange(one.time, one.events.map(event => event.type).join(", ") || say("verification"),
      `${one.status || one.reason} · ${say("seconds", { seconds: one.seconds })}`, one.reason === "OK",
      () => ({ request: { url: one.url, events: one.events }, response: { status: one.status, reason: one.reason, detail: one.detail, body: one.body } }))));
  };
}

// Faults and the clock -------------------------------------------------------------------------------

const DNS = { normal: 40, slow: 600 }; // simulated seconds until a change is in effect
const INJECTED = {
  throttle: { kind: "throttle", probability: 0.33 },
  s3_down: { kind: "error", service: "s3", times: 1000000 },
};

async function inject(name, on) {
  if (on) return post("/_sandbox/aws/faults", INJECTED[name]);
  const faults = await get("/_sandbox/aws/faults");
  for (const fault of (faults || []).filter(each => is(name, each))) {
    await request("DELETE", `/_sandbox/aws/faults/${fault.number}`);
  }
  return {};
}
function is(name, fault) {
  return Object.entries(INJECTED[name]).every(([key, value]) => key === "times" || fault[key] === value);
}

export function startFaults() {
  const kinds = {
    no_spot: on => post("/_sandbox/aws/spot", { available: !on }),
    slow_dns: on => post("/_sandbox/aws/delays", { route53_sync: on ? DNS.slow : DNS.normal }),
    throttle: on => inject("throttle", on),
    s3_down: on => inject("s3_down", on),
    broken_feed: on => post("/_sandbox/feed/broken", { broken: on }),
  };
  const interrupt = make("button", { type: "button", id: "interrupt", text: say("interrupt_now"), onclick: async () => {
    const done = await post("/_sandbox/aws/interrupt", { cluster: stack.cluster || "default", service: stack.service });
    if (done) tell(say("interrupted", { count: done.tasks.length }));
  } });
  $("view-faults").replaceChildren(make("h2", { text: say("faults") }), make("p", { text: say("faults_about") }),
    make("div", { class: "card" },
      make("div", { class: "switch" }, make("b", { text: say("interrupt") }), make("p", { class: "hint", text: say("interrupt_about") }), interrupt),
      ...Object.entries(kinds).map(([name, change]) => toggle(name, say(name), say(name + "_about"), change))));
  return async () => {
    const found = await readSwitches(() => Promise.all(["aws/faults", "aws/delays", "aws/spot", "feed/broken"].map(path => get("/_sandbox/" + path))));
    if (!found || !found.every(Boolean)) return;
    const [faults, delays, spot, feed] = found;
    setSwitch("no_spot", !spot.available);
    setSwitch("slow_dns", delays.route53_sync >= DNS.slow);
    setSwitch("broken_feed", feed.broken);
    for (const name of Object.keys(INJECTED)) setSwitch(name, faults.some(fault => is(name, fault)));
  };
}

export function startClock() {
  let at = 0, read = 0, speed = 0;
  const speeds = [1, 5, 20, 100];
  $("clock").hidden = false;
  const draw = () => { $("time").textContent = timeWithSeconds(at + (performance.now() / 1000 - read) * speed); };
  const take = clock => {
    if (!clock) return;
    [at, read, speed] = [clock.now, performance.now() / 1000, clock.speed];
    if (!speeds.includes(speed)) speeds.push(speed);
    speeds.sort((one, other) => one - other);
    if ($("speed").childElementCount !== speeds.length) {
      $("speed").replaceChildren(...speeds.map(value => make("option", { value, text: "×" + value })));
    }
    $("speed").value = String(speed);
    draw();
  };
  $("speed").onchange = async () => take(await post("/_sandbox/aws/clock", { speed: Number($("speed").value) }));
  repeat(5, async () => take(await get("/_sandbox/aws/clock")));
  setInterval(draw, 500);
}
