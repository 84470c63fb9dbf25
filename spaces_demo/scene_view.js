// Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
// Pan and zoom of a scene: wheel, drag, two fingers, buttons and keys. `element` and `watch` come from gr.HTML.
const LARGEST = 16; // Pixels of the screen for one of the overview.
const STEP = 60; // Pixels of the screen by which a key pans.
const view = { scale: 1, x: 0, y: 0 };
const fingers = new Map();
const frame = () => element.querySelector(".scene-frame");
const stage = () => element.querySelector(".scene-stage");
const size = () => [Number(stage().dataset.width), Number(stage().dataset.height)];
const fitting = () => Math.min(frame().clientWidth / size()[0], frame().clientHeight / size()[1]);

function show() {
  const [width, height] = size();
  const middle = (length, visible, place) =>
    length <= visible ? (visible - length) / 2 : Math.min(0, Math.max(visible - length, place));
  view.x = middle(width * view.scale, frame().clientWidth, view.x);
  view.y = middle(height * view.scale, frame().clientHeight, view.y);
  stage().style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
  stage().classList.toggle("large", view.scale > 2);
}

function fit() {
  view.scale = fitting();
  show();
}

// The point (x, y) of the frame stays where it is.
function zoom(factor, x = frame().clientWidth / 2, y = frame().clientHeight / 2) {
  const scale = Math.min(LARGEST, Math.max(fitting(), view.scale * factor));
  view.x = x - ((x - view.x) * scale) / view.scale;
  view.y = y - ((y - view.y) * scale) / view.scale;
  view.scale = scale;
  show();
}

function choose(layer) {
  const button = element.querySelector(`[data-act="${layer}"]`);
  const isOn = layer === "masks" ? button.getAttribute("aria-pressed") !== "true" : true;
  if (layer !== "masks") {
    for (const date of ["t1", "t2"]) {
      element.querySelector(`[data-act="${date}"]`).setAttribute("aria-pressed", String(date === layer));
      element.querySelector(`.layer-${date}`).hidden = date !== layer;
    }
    return;
  }
  button.setAttribute("aria-pressed", String(isOn));
  element.querySelector(".layer-masks").hidden = !isOn;
}

const ACTS = {
  in: () => zoom(1.5), out: () => zoom(1 / 1.5), fit,
  t1: () => choose("t1"), t2: () => choose("t2"), masks: () => choose("masks"),
};
const KEYS = {
  "+": ACTS.in, "=": ACTS.in, "-": ACTS.out, 0: fit, 1: ACTS.t1, 2: ACTS.t2, m: ACTS.masks,
  ArrowLeft: () => pan(STEP, 0), ArrowRight: () => pan(-STEP, 0), ArrowUp: () => pan(0, STEP), ArrowDown: () => pan(0, -STEP),
};

function pan(x, y) {
  view.x += x;
  view.y += y;
  show();
}

const isInside = (event) => frame() && frame().contains(event.target);
const place = (event) => {
  const box = frame().getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};

element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  if (button) ACTS[button.dataset.act]();
});
element.addEventListener("wheel", (event) => {
  if (!isInside(event)) return;
  event.preventDefault();
  zoom(Math.exp(-event.deltaY / 400), ...place(event));
}, { passive: false });
element.addEventListener("keydown", (event) => {
  if (!isInside(event) || event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key]();
});
element.addEventListener("pointerdown", (event) => {
  if (!isInside(event)) return;
  frame().setPointerCapture(event.pointerId);
  frame().focus({ preventScroll: true });
  fingers.set(event.pointerId, place(event));
});
element.addEventListener("pointermove", (event) => {
  const before = fingers.get(event.pointerId);
  if (!before) return;
  const now = place(event);
  const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
  fingers.set(event.pointerId, now);
  if (other) {
    const distance = ([x, y]) => Math.hypot(x - other[0], y - other[1]);
    zoom(distance(now) / Math.max(1, distance(before)), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  } else {
    pan(now[0] - before[0], now[1] - before[1]);
  }
});
for (const end of ["pointerup", "pointercancel"]) element.addEventListener(end, (event) => fingers.delete(event.pointerId));

function start() {
  fingers.clear();
  if (frame()) requestAnimationFrame(fit);
}
watch("value", start);
new ResizeObserver(() => frame() && show()).observe(element);
start();
