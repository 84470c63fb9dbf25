// Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
// A pair with masks: slider or side by side, pan and zoom by mouse, fingers, keys and buttons, masks that light up.
const PV_LARGEST = 16; // Pixels of the screen for one of the image.
const PV_STEP = 60; // Pixels of the screen by which a key moves the image.
const PV_DATE = 110; // A pane of which less is visible shows the short form of its date.
const PV_NARROW = 640; // Below this width a slider leaves more room than two images.

class PairView {
  constructor(root, kept) {
    this.root = root;
    this.kept = kept; // What stays when the same pair is shown again with other masks.
    this.size = [Number(root.dataset.width), Number(root.dataset.height)];
    this.stage = root.querySelector(".pv-stage");
    this.split = root.querySelector(".pv-split");
    this.panes = [...root.querySelectorAll(".pv-pane")];
    this.fingers = new Map();
    this.scale = 0;
    if (kept.pair === root.dataset.pair) Object.assign(this, { scale: kept.scale, x: kept.x, y: kept.y, isZoomed: kept.isZoomed });
    this.at = kept.at ?? this.startAt();
    this.setMode(kept.mode ?? (root.clientWidth < PV_NARROW ? "slider" : "side"));
    this.listen();
    new ResizeObserver(() => this.layOut()).observe(root);
  }

  // More of the date where the things are, if all of them are at one date.
  startAt() {
    const [isAtT1, isAtT2] = this.panes.map((pane) => Boolean(pane.querySelector(".pv-mask.here")));
    return isAtT1 === isAtT2 ? 50 : isAtT1 ? 85 : 15;
  }

  setMode(mode) {
    this.mode = this.stage.dataset.mode = mode;
    for (const each of ["side", "slider"]) this.button(each).setAttribute("aria-pressed", String(each === mode));
    this.layOut();
  }

  button(act) {
    return this.root.querySelector(`[data-act="${act}"]`);
  }

  // Width and height of one image's place.
  room() {
    const width = this.mode === "side" ? (this.stage.clientWidth - 6) / 2 : this.stage.clientWidth;
    return [width, this.stage.clientHeight];
  }

  fitting() {
    return Math.min(...this.room().map((length, axis) => length / this.size[axis]));
  }

  layOut() {
    if (!this.root.isConnected || !this.root.clientWidth) return;
    const [width] = this.room();
    const most = Math.max(260, Math.min(innerHeight * 0.7, 640));
    this.stage.style.height = `${Math.round(Math.min(most, (width * this.size[1]) / this.size[0]))}px`;
    for (const [number, pane] of this.panes.entries()) {
      pane.style.left = this.mode === "side" && number ? `${width + 6}px` : "0";
      pane.style.width = `${width}px`;
    }
    if (!this.isZoomed) this.scale = this.fitting();
    this.show();
  }

  show() {
    this.scale = Math.max(this.scale, this.fitting());
    this.isZoomed = this.scale > this.fitting() * 1.001;
    const place = (axis, at) => {
      const [length, visible] = [this.size[axis] * this.scale, this.room()[axis]];
      return length <= visible ? (visible - length) / 2 : Math.min(0, Math.max(visible - length, at ?? 0));
    };
    [this.x, this.y] = [place(0, this.x), place(1, this.y)];
    for (const pane of this.panes) {
      const style = pane.querySelector(".pv-canvas").style;
      [style.left, style.top] = [`${this.x}px`, `${this.y}px`];
      [style.width, style.height] = this.size.map((length) => `${length * this.scale}px`);
    }
    const cut = `${this.at}%`;
    this.panes[0].style.clipPath = this.mode === "slider" ? `inset(0 calc(100% - ${cut}) 0 0)` : "";
    this.panes[1].style.clipPath = this.mode === "slider" ? `inset(0 0 0 ${cut})` : "";
    for (const [pane, share] of [[this.panes[0], this.at], [this.panes[1], 100 - this.at]]) {
      pane.classList.toggle("slim", this.mode === "slider" && (share / 100) * this.room()[0] < PV_DATE);
    }
    this.split.style.left = cut;
    this.split.setAttribute("aria-valuenow", Math.round(this.at));
    this.stage.classList.toggle("zoomed", this.isZoomed);
    this.stage.classList.toggle("large", this.scale > 4);
    const { scale, x, y, isZoomed, at, mode } = this;
    Object.assign(this.kept, { pair: this.root.dataset.pair, scale, x, y, isZoomed, at, mode: this.chosenMode ? mode : this.kept.mode });
  }

  fit() {
    this.scale = this.fitting();
    this.show();
  }

  // The point (x, y) of an image's place stays where it is.
  zoom(factor, x = this.room()[0] / 2, y = this.room()[1] / 2) {
    const scale = Math.min(Math.max(PV_LARGEST, this.fitting()), Math.max(this.fitting(), this.scale * factor));
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.show();
  }

  pan(x, y) {
    this.x += x;
    this.y += y;
    this.show();
  }

  slideTo(share) {
    this.at = Math.min(100, Math.max(0, share));
    this.show();
  }

  // Lights up one answer, or what is chosen, or all.
  light(number) {
    const chosen = [...this.root.querySelectorAll('.pv-answer[aria-pressed="true"]')].map((each) => each.dataset.answer);
    const lit = number ? [number] : chosen;
    this.root.classList.toggle("lit", lit.length > 0);
    for (const each of this.root.querySelectorAll("[data-answer]")) each.classList.toggle("on", lit.includes(each.dataset.answer));
  }

  press(number) {
    const row = this.root.querySelector(`.pv-answer[data-answer="${number}"]`);
    row?.setAttribute("aria-pressed", String(row.getAttribute("aria-pressed") !== "true"));
    this.light();
  }

  act(name) {
    if (name === "side" || name === "slider") {
      this.chosenMode = true;
      this.setMode(name);
    } else if (name === "masks") {
      const isOn = this.stage.classList.toggle("no-masks");
      this.button("masks").setAttribute("aria-pressed", String(!isOn));
    } else if (name === "fit") this.fit();
    else this.zoom(name === "in" ? 1.5 : 1 / 1.5);
  }

  key(event) {
    const slide = (step) => () => this.slideTo(this.at + step);
    const keys = {
      "+": () => this.zoom(1.5), "=": () => this.zoom(1.5), "-": () => this.zoom(1 / 1.5), 0: () => this.fit(),
      ArrowLeft: () => this.pan(PV_STEP, 0), ArrowRight: () => this.pan(-PV_STEP, 0),
      ArrowUp: () => this.pan(0, PV_STEP), ArrowDown: () => this.pan(0, -PV_STEP),
      ",": slide(-5), ".": slide(5), m: () => this.act("masks"),
    };
    if (event.target === this.split) {
      Object.assign(keys, { ArrowLeft: slide(-2), ArrowRight: slide(2), ArrowDown: slide(-2), ArrowUp: slide(2),
        Home: () => this.slideTo(0), End: () => this.slideTo(100) });
    } else if (!this.isZoomed) {
      for (const name of ["ArrowUp", "ArrowDown"]) delete keys[name]; // They scroll the page.
    }
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  }

  // Where an event is in its image's place.
  place(event) {
    const box = this.stage.getBoundingClientRect();
    const x = event.clientX - box.left;
    return [this.mode === "side" ? x % (this.room()[0] + 6) : x, event.clientY - box.top];
  }

  listen() {
    const { root, stage } = this;
    root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-act]");
      if (button) this.act(button.dataset.act);
      const row = event.target.closest(".pv-answer");
      if (row) this.press(row.dataset.answer);
    });
    for (const [start, end] of [["pointerover", "pointerout"], ["focusin", "focusout"]]) {
      root.addEventListener(start, (event) => {
        const found = event.target.closest("[data-answer]");
        if (found && !this.fingers.size) this.light(found.dataset.answer);
      });
      root.addEventListener(end, (event) => event.target.closest("[data-answer]") && this.light());
    }
    stage.addEventListener("keydown", (event) => this.key(event));
    stage.addEventListener("wheel", (event) => {
      // The wheel scrolls the page until the images have the focus.
      if (!event.ctrlKey && !stage.contains(document.activeElement)) return;
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 400), ...this.place(event));
    }, { passive: false });
    stage.addEventListener("pointerdown", (event) => this.grab(event));
    stage.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, (event) => this.release(event));
  }

  grab(event) {
    if (event.button) return;
    this.stage.setPointerCapture(event.pointerId);
    const onSplit = event.target.closest(".pv-split");
    (onSplit ? this.split : this.stage).focus({ preventScroll: true });
    this.fingers.set(event.pointerId, this.place(event));
    this.pressed = { at: this.place(event), answer: event.target.closest("[data-answer]")?.dataset.answer, hasMoved: false };
    this.isSliding = this.mode === "slider" && this.fingers.size === 1 && (Boolean(onSplit) || !this.isZoomed);
    this.stage.classList.add("grabbed");
  }

  move(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const now = this.place(event);
    const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
    this.fingers.set(event.pointerId, now);
    this.pressed.hasMoved ||= Math.hypot(now[0] - this.pressed.at[0], now[1] - this.pressed.at[1]) > 4;
    if (other) {
      const distance = ([x, y]) => Math.hypot(x - other[0], y - other[1]);
      this.isSliding = false;
      this.zoom(distance(now) / Math.max(1, distance(before)), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    } else if (this.isSliding) this.slideTo(this.at + ((now[0] - before[0]) / this.room()[0]) * 100);
    else this.pan(now[0] - before[0], now[1] - before[1]);
  }

  release(event) {
    if (!this.fingers.delete(event.pointerId)) return;
    if (!this.pressed.hasMoved && this.pressed.answer && event.type === "pointerup") this.press(this.pressed.answer);
    this.stage.classList.remove("grabbed");
  }
}

// Starts every view inside an element that is not running yet.
function startPairViews(element) {
  element.pairViewKept ??= {};
  for (const root of element.querySelectorAll(".pair-view")) root.pairView ??= new PairView(root, element.pairViewKept);
}
