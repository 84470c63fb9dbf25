// Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
"use strict";
// What the pages of pairs and of reports share. Whatever comes from the data becomes text nodes and attributes only,
// never markup.
const get = (id) => document.getElementById(id);
let page = 0;

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function fillSelect(id, names, shown = (name) => name) {
  const values = [...new Set(names)].filter(Boolean).sort();
  for (const name of values) get(id).append(make("option", { value: name, textContent: shown(name) }));
  get(id).hidden = values.length < 2;
}

// What is chosen in the fields, and the words that are searched.
function readChoices(ids) {
  const wanted = Object.fromEntries(ids.map((id) => [id, get(id).value]));
  return { ...wanted, words: wanted.search.toLowerCase().split(/\s+/).filter(Boolean) };
}

function makeCurrent(card) {
  document.querySelector(".pair.current")?.classList.remove("current");
  card?.classList.add("current");
}

function goOn(direction) {
  const cards = [...document.querySelectorAll(".pair")];
  const current = cards.findIndex((card) => card.classList.contains("current"));
  const card = cards[Math.min(Math.max(current + direction, 0), cards.length - 1)];
  makeCurrent(card);
  card?.scrollIntoView({ block: "start" });
}

// Shows the cards of one page of some items, or a line that says why there is none.
function showPage(items, size, makeCard, nothing, keepPage) {
  const pages = Math.max(1, Math.ceil(items.length / size));
  page = keepPage ? Math.min(Math.max(page, 0), pages - 1) : 0;
  const cards = items.slice(page * size, (page + 1) * size).map(makeCard);
  document.querySelector("main").replaceChildren(...(cards.length ? cards : [make("p", { className: "nothing", textContent: nothing })]));
  get("page").textContent = `Page ${page + 1} of ${pages}`;
  get("previous").disabled = page === 0;
  get("next").disabled = page === pages - 1;
}

// The address names what is chosen, so that it can be kept and sent.
function saveChoices(ids, more = {}) {
  const state = new URLSearchParams(ids.map((id) => [id, get(id).value]).filter(([, value]) => value));
  for (const [name, value] of Object.entries(more)) if (value !== "") state.set(name, value);
  if (page) state.set("page", page + 1);
  history.replaceState(null, "", `#${state}`);
}

function restoreChoices(ids) {
  const saved = new URLSearchParams(location.hash.slice(1));
  for (const id of ids) {
    get(id).value = saved.get(id) ?? "";
    if (get(id).selectedIndex === -1) get(id).value = "";
  }
  page = (parseInt(saved.get("page"), 10) || 1) - 1;
  return saved;
}

// Connects fields, buttons and keys; `keys` adds to j, k, /, [ and ].
function connect(ids, render, keys) {
  const turnTo = (number) => {
    page = number;
    render(true);
    window.scrollTo({ top: 0, behavior: "instant" });
    document.querySelector("main").focus({ preventScroll: true });
  };
  const all = {
    j: () => goOn(1),
    k: () => goOn(-1),
    "/": () => get("search").focus(),
    "[": () => get("previous").click(),
    "]": () => get("next").click(),
    ...keys,
  };
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input, select") || event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(all, event.key)) return;
    all[event.key](event.key);
    event.preventDefault();
  });
  let waiting;
  get("search").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(render, 150); });
  for (const id of ids.slice(1)) get(id).addEventListener("change", () => render());
  get("filters").addEventListener("submit", (event) => { event.preventDefault(); render(); });
  get("previous").addEventListener("click", () => turnTo(page - 1));
  get("next").addEventListener("click", () => turnTo(page + 1));
}
