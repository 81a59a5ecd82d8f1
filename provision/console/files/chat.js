// The phone: conversations with the bot, as the sandbox's LINE keeps them.
import { $, get, make, page, post, repeat, say, time } from "./dom.js";
import { STICKERS, button, message, sticker } from "./messages.js";

const SOON = 1; // seconds
let chat, after, shown, waiting = 0, channel = null, greeted = false;

// An id of this browser's, so that a reload finds its conversation.
function mine(kind) {
  const fresh = kind + Array.from(crypto.getRandomValues(new Uint8Array(16)), b => b.toString(16).padStart(2, "0")).join("");
  try {
    const before = localStorage.getItem(kind);
    if (before) return before;
    localStorage.setItem(kind, fresh);
  } catch { /* storage is switched off */ }
  return fresh;
}
const user = mine("U"), group = mine("C");

function face(name) { return make("div", { class: "face", "aria-hidden": "true", text: name }); }

function row(who, name, at, element) {
  const clock = make("time", { text: time(at) });
  const said = make("span", { class: "hidden", text: name + ": " });
  return who === "me" ? make("div", { class: "row me" }, clock, said, element)
    : make("div", { class: "row bot" }, face(who === "line" ? "L" : "N"), said, element, clock);
}

function note(text) { return make("p", { class: "note", text }); }

// Return the elements of one entry of the conversation.
function entry(one) {
  if (one.sender === "bot" || one.sender === "line") {
    return one.messages.map(content => {
      const [element, wide] = message(content, act);
      return wide ? element : row(one.sender, one.sender === "line" ? "LINE" : say("bot"), one.time, element);
    });
  }
  if (!one.sender) return [note(say(one.reason, { status: one.status }))];
  if (one.event) return [note(say("told_" + one.event))];
  if (one.postback) {
    return [one.display ? row("me", say("you"), one.time, make("div", { class: "say", text: one.display })) : note(say("pressed"))];
  }
  const [element] = message(one.message, act);
  return [row("me", say("you"), one.time, element)];
}

function quick(last) {
  const messages = last && last.sender === "bot" ? last.messages : [];
  const reply = messages.length ? messages.at(-1).quickReply : null;
  $("quick").replaceChildren(...(reply ? reply.items : []).map(item => button(item.action, "", act)));
  $("quick").scrollLeft = 0;
}

async function refresh() {
  const asked = chat;
  const entries = await get(`/_sandbox/chat?chat=${asked}&after=${after}`);
  if (!entries || asked !== chat) return;
  const talk = $("talk");
  for (const one of entries) {
    if (one.number <= after) continue;
    after = one.number;
    shown += 1;
    talk.append(...entry(one));
    quick(one);
  }
  const dots = talk.querySelector(".dots");
  if (dots) dots.remove();
  if (waiting) talk.append(make("div", { class: "row bot dots" }, face("N"),
    make("div", { class: "say", role: "img", "aria-label": say("writing") }, make("i"), make("i"), make("i"))));
  if (entries.length || dots || waiting) talk.scrollTop = talk.scrollHeight;
}

async function send(body) {
  quick(null);
  waiting += 1;
  const sent = post("/_sandbox/send", { user, language: page.language, ...(chat === group ? { group } : {}), ...body });
  await refresh();
  await sent;
  waiting -= 1;
  await refresh();
}

function act(action) {
  if (action.type === "message") write(action.text);
  else send({ postback: action.data, text: action.displayText || "" });
  $("words").focus();
}
function write(text) {
  send({ text, ...(chat === group && $("mention").checked ? { mention: true } : {}) });
}

// What a person can do in this chat beside writing.
function doings() {
  const names = chat === group ? ["join", "leave"] : ["follow", "unfollow"];
  $("doings").replaceChildren(...names.map(name =>
    make("button", { type: "button", text: say(name), onclick: () => send({ event: name }) })));
  if (chat === group) {
    $("doings").prepend(make("label", {}, make("input", { type: "checkbox", id: "mention", checked: true }), " " + say("mention")));
  }
}

function open(which) {
  chat = which;
  after = shown = 0;
  $("talk").replaceChildren();
  quick(null);
  doings();
  refresh();
}

async function about() {
  const before = channel;
  channel = await get("/_sandbox/channel") || channel;
  if (!channel) return;
  $("bot-name").textContent = channel.displayName;
  $("bot-about").textContent = channel.basicId + " · " + say("about");
  if (chat !== user || shown || greeted) return;
  if (channel.endpoint && channel.active) {
    greeted = true;
    send({ event: "follow" });
  } else if (!before) {
    $("talk").append(note(say(channel.endpoint ? "WEBHOOK_OFF" : "NO_WEBHOOK_ENDPOINT")));
  }
}

export function start() {
  $("which").setAttribute("aria-label", say("which_chat"));
  $("which").append(make("option", { value: user, text: say("with_bot") }), make("option", { value: group, text: say("in_group") }));
  $("which").onchange = () => open($("which").value);
  $("talk").setAttribute("aria-label", say("conversation"));
  $("quick").setAttribute("aria-label", say("replies"));
  $("words").placeholder = say("write");
  $("words").setAttribute("aria-label", say("write"));
  $("send").textContent = say("send");
  $("open-stickers").setAttribute("aria-label", say("stickers"));
  $("stickers").setAttribute("aria-label", say("stickers"));
  $("stickers").append(...Object.keys(STICKERS).map(id => make("button", { type: "button", onclick: () => {
    toggle(false);
    send({ sticker: { packageId: "446", stickerId: id } });
  } }, sticker(id))));
  const toggle = opened => {
    $("stickers").hidden = !opened;
    $("open-stickers").setAttribute("aria-expanded", opened);
  };
  $("open-stickers").onclick = () => toggle($("stickers").hidden);
  // Enter sends, Shift and Enter begins a line; not while an input method composes.
  $("words").onkeydown = event => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    $("say").requestSubmit();
  };
  $("say").onsubmit = event => {
    event.preventDefault();
    const text = $("words").value.trim();
    $("words").value = "";
    if (text) write(text);
  };
  chat = user;
  after = shown = 0;
  doings();
  refresh().then(() => repeat(2, about));
  repeat(SOON, refresh);
}
