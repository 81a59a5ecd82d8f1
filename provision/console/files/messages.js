// LINE's messages as elements: text, stickers, images and Flex.
import { make, say } from "./dom.js";

// The sandbox's articles have addresses that only exist here: /news/ of this page.
const here = address => address.replace(/^https:\/\/news\.example\//, "/news/");
// Only addresses that a browser may follow from here; anything else stays text.
const web = address => /^https?:\/\//i.test(address || "") ? here(address) : null;

export const STICKERS = { 1988: "happy", 1989: "sad", 1990: "surprised", 1991: "love" };
const FACES = {
  happy: "M30 56q20 22 40 0", sad: "M32 68q18 -18 36 0", surprised: "M43 64a7 9 0 1 0 14 0a7 9 0 1 0 -14 0",
  love: "M30 56q20 22 40 0",
};

// Return the picture of a sticker; of one that is not ours a text.
export function sticker(id) {
  const mood = STICKERS[id];
  if (!mood) return make("div", { class: "say", text: "[" + say("sticker") + "]" });
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const part = (tag, attributes) => {
    const element = document.createElementNS(svg.namespaceURI, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    svg.append(element);
  };
  svg.setAttribute("viewBox", "0 0 100 100");
  svg.setAttribute("class", "sticker");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", say(mood));
  part("circle", { cx: 50, cy: 50, r: 44, fill: "#ffd84d", stroke: "#6b4e00", "stroke-width": 3 });
  for (const x of [36, 64]) {
    if (mood === "love") part("path", { d: `M${x} 50l-9 -9a5 5 0 0 1 9 -6a5 5 0 0 1 9 6z`, fill: "#d6243b" });
    else part("circle", { cx: x, cy: 40, r: 5, fill: "#3a2b00" });
  }
  part("path", { d: FACES[mood], fill: "none", stroke: "#3a2b00", "stroke-width": 5, "stroke-linecap": "round" });
  return svg;
}

// Return a button or link for an action; `act` is called with the action.
export function button(action, name, act) {
  if (action && action.type === "uri" && web(action.uri)) {
    return make("a", { class: name, text: action.label, href: web(action.uri), target: "_blank", rel: "noopener noreferrer" });
  }
  const known = action && ["message", "postback"].includes(action.type);
  return make("button", { type: "button", class: name, text: action ? action.label : "",
    onclick: () => known && act(action) });
}

const SIZES = { xxs: 11, xs: 12, sm: 13.5, md: 15, lg: 18, xl: 21, xxl: 25 };
const GAPS = { none: 0, xs: 2, sm: 4, md: 8, lg: 12, xl: 16, xxl: 20 };
function component(part, act) {
  if (part.type === "box") {
    const box = make("div", { class: "box " + (["horizontal", "baseline"].includes(part.layout) ? part.layout : "vertical") });
    box.style.gap = (GAPS[part.spacing] || 0) + "px";
    box.append(...(part.contents || []).map(each => component(each, act)));
    return box;
  }
  if (part.type === "text") {
    const text = make("div", { class: part.wrap ? "clip" : "line", text: part.text });
    text.style.fontSize = (SIZES[part.size] || SIZES.md) + "px";
    if (part.weight === "bold") text.style.fontWeight = 700;
    if (/^#[0-9a-f]{6}/i.test(part.color || "")) text.classList.add("soft");
    if (part.wrap && part.maxLines) text.style.webkitLineClamp = part.maxLines;
    return text;
  }
  if (part.type === "button") return button(part.action, part.style === "primary" ? "link primary" : "link", act);
  if (part.type === "image" && web(part.url)) return make("img", { src: web(part.url), alt: "" });
  if (part.type === "separator") return make("hr");
  return make("span");
}

function bubble(content, act) {
  const card = make("article", { class: "bubble" });
  for (const block of ["header", "hero", "body", "footer"]) {
    if (!content[block]) continue;
    const part = component(content[block], act);
    part.classList.add(block);
    card.append(part);
  }
  return card;
}

// Return a message as an element, and whether it takes the whole width.
export function message(content, act) {
  if (content.type === "flex") {
    const bubbles = content.contents.type === "carousel" ? content.contents.contents : [content.contents];
    const strip = make("div", { class: "flex", role: "group", tabindex: 0, "aria-label": content.altText },
      ...bubbles.map(each => bubble(each, act)));
    return [strip, true];
  }
  if (content.type === "sticker") return [sticker(content.stickerId), false];
  if (content.type === "image" && web(content.previewImageUrl)) {
    return [make("img", { class: "picture", src: web(content.previewImageUrl), alt: say("bot") }), false];
  }
  return [make("div", { class: "say", text: content.text || "[" + content.type + "]" }), false];
}
