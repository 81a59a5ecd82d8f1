// The page: loads the sentences, makes the tabs, and starts each part.
import { $, keysOfTabs, load, make, page, repeat, say } from "./dom.js";
import * as chat from "./chat.js";
import * as panels from "./panels.js";
import * as stack from "./stack.js";

const wide = matchMedia("(min-width: 900px)");
let view = "";
const parts = {}; // what to call when a view is opened

function select(name) {
  view = name;
  document.body.dataset.view = name;
  for (const tab of $("tabs").children) {
    const chosen = tab.dataset.view === name;
    tab.setAttribute("aria-selected", chosen);
    tab.tabIndex = chosen ? 0 : -1;
    if (chosen) tab.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  if (parts[name]) parts[name]();
}

await load();
document.documentElement.lang = page.language;
for (const element of document.querySelectorAll("[data-word]")) element.textContent = say(element.dataset.word);
document.body.dataset.kind = page.sandbox ? "sandbox" : "stack";

const views = page.sandbox ? ["chat", "stack", "registrar", "line", "calls", "webhooks", "faults"] : ["stack"];
$("tabs").setAttribute("aria-label", say("views"));
for (const name of views) {
  $("tabs").append(make("button", { role: "tab", type: "button", id: "tab-" + name, "data-view": name,
    "aria-controls": "view-" + name, text: say(name), onclick: () => select(name) }));
  $("view-" + name).setAttribute(name === "chat" ? "aria-label" : "aria-labelledby", name === "chat" ? say("chat") : "tab-" + name);
}
if (!page.sandbox) $("view-stack").setAttribute("role", "region"); // the only one, without tabs
keysOfTabs($("tabs"), select);

parts.stack = stack.start(() => view === "stack" || view === "registrar" || view === "faults");
if (page.sandbox) {
  chat.start();
  panels.startClock();
  const starts = { registrar: panels.startRegistrar, line: panels.startLine, calls: panels.startCalls,
    webhooks: panels.startWebhooks, faults: panels.startFaults };
  for (const [name, start] of Object.entries(starts)) {
    parts[name] = repeat(2, start(), () => view === name);
  }
}
const wanted = new URLSearchParams(location.search).get("view"); // "registrar" in the address that setup prints
if (views.includes(wanted)) view = wanted;
const choose = () => select(wide.matches && (view === "chat" || !view) ? "stack" : view || views[0]);
wide.addEventListener("change", choose);
choose();
if (page.sandbox && wide.matches) $("words").focus();
