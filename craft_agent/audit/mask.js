// Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
// Shows both images of a pair, and edits a mask with the size of the images.
//
// The mask has one byte per image pixel, which strokes set or clear. It is never read back from a canvas, so pixels that
// no stroke touched stay the same. Canvases only display it.
"use strict";

(() => {
  const VIEWS = ["side", "t1", "t2", "blink", "slider"];
  const TITLES = { t1: "t1 · earlier", t2: "t2 · later" };
  const OVERLAYS = ["fill", "outline", "off"];
  const FILL_OPACITY = 0.42;
  const BLINK_MILLISECONDS = 700; // below three flashes per second, the limit for photosensitive people
  const LARGEST_SCALE = 32; // screen pixels per image pixel
  const SIZES = [1, 2, 3, 5, 8, 12, 18, 27, 40, 60, 90, 130]; // diameters of the brush in image pixels
  const HANDLE = 18; // distance within which the pointer grabs the slider, in screen pixels

  // The rows of a disc of a diameter in pixels, as [row, first, last] around its middle pixel.
  function discRows(diameter) {
    const rows = [];
    const [low, high] = [-Math.floor(diameter / 2), Math.ceil(diameter / 2) - 1];
    const middle = (low + high) / 2;
    for (let row = low; row <= high; row += 1) {
      const reach = Math.sqrt(Math.max(0, (diameter / 2) ** 2 - (row - middle) ** 2));
      const [first, last] = [Math.ceil(middle - reach), Math.floor(middle + reach)];
      if (first <= last) rows.push([row, first, last]);
    }
    return rows;
  }

  class MaskViewer {
    // `stage`: the element to fill. `onStroke(flipped)`: called after a stroke with the indices of the changed pixels.
    // `onChange()`: called after changes that the controls show. `colors`: RGB of the mask and of another auditor's mask.
    constructor(stage, colors, { onStroke, onChange }) {
      Object.assign(this, { stage, colors, onStroke, onChange });
      this.view = "side";
      this.tool = "hand";
      this.overlay = "fill";
      this.sizeIndex = 5;
      this.divider = 0.5;
      this.peeking = false;
      this.blinkShowsLater = true;
      this.cursor = null;
      this.pen = false;
      this.mask = null;
      this.gesture = null;
      this.maskCanvas = document.createElement("canvas");
      this.otherCanvas = document.createElement("canvas");
      this.panels = [0, 1].map(() => this.makePanel());
      new ResizeObserver(() => this.layOut()).observe(stage);
      setInterval(() => {
        if (this.view !== "blink" || this.peeking || this.gesture?.stroke) return;
        this.blinkShowsLater = !this.blinkShowsLater;
        this.redraw();
      }, BLINK_MILLISECONDS);
    }

    makePanel() {
      const frame = document.createElement("div");
      frame.className = "audit-panel";
      const canvas = document.createElement("canvas");
      const titles = ["t1", "t2"].map((date) => {
        const title = document.createElement("span");
        Object.assign(title, { className: "audit-date", textContent: TITLES[date], hidden: true });
        title.dataset.date = date;
        return title;
      });
      frame.append(canvas, ...titles);
      this.stage.append(frame);
      const panel = { frame, canvas, titles, layer: document.createElement("canvas"), width: 1, height: 1 };
      canvas.addEventListener("pointerdown", (event) => this.press(event, panel));
      canvas.addEventListener("pointermove", (event) => this.move(event, panel));
      canvas.addEventListener("pointerleave", () => this.setCursor(null));
      for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => this.release());
      canvas.addEventListener("wheel", (event) => {
        event.preventDefault();
        this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), this.place(event, panel));
      }, { passive: false });
      return panel;
    }

    // --- content ---

    // `images`: the loaded images `t1` and `t2`, or null. `other`: another auditor's mask, shown as an outline, or null.
    show(images, width, height, mask, other) {
      Object.assign(this, { images, width, height, mask, other });
      this.gesture = null;
      this.pen = false;
      this.cursor = null;
      this.scale = 0;
      this.step = 0;
      this.layOut();
      this.redraw();
    }

    clear() {
      this.mask = null;
      this.images = null;
      this.redraw();
    }

    setView(view) {
      this.view = view;
      this.blinkShowsLater = true;
      this.layOut();
      this.changed();
    }

    setTool(tool) {
      this.endStroke();
      this.tool = tool;
      this.pen = false;
      this.changed();
    }

    setOverlay(overlay) {
      this.overlay = overlay;
      this.changed();
    }

    nextOverlay() {
      this.setOverlay(OVERLAYS[(OVERLAYS.indexOf(this.overlay) + 1) % OVERLAYS.length]);
    }

    get brushSize() {
      return SIZES[this.sizeIndex];
    }

    stepSize(step) {
      this.sizeIndex = Math.min(Math.max(this.sizeIndex + step, 0), SIZES.length - 1);
      this.changed();
    }

    setPeek(peeking) {
      if (this.peeking === peeking) return;
      this.peeking = peeking;
      this.redraw();
    }

    moveDivider(step) {
      this.divider = Math.min(Math.max(this.divider + step, 0), 1);
      this.redraw();
    }

    changed() {
      this.redraw();
      this.onChange();
    }

    area() {
      let area = 0;
      for (const value of this.mask) area += value;
      return area;
    }

    // --- position: `scale` in screen pixels per image pixel, `middle` of the panel in image pixels ---

    layOut() {
      const { clientWidth, clientHeight } = this.stage;
      if (!clientWidth || !this.images) return;
      const both = this.view === "side";
      const gap = 8;
      const scaleOf = (width, height) => Math.min(width / this.width, height / this.height);
      const [halfWidth, halfHeight] = [(clientWidth - gap) / 2, (clientHeight - gap) / 2];
      const stacked = both && scaleOf(clientWidth, halfHeight) > scaleOf(halfWidth, clientHeight);
      this.stage.classList.toggle("stacked", stacked);
      const width = Math.floor(both && !stacked ? halfWidth : clientWidth);
      const height = Math.floor(both && stacked ? halfHeight : clientHeight);
      this.panels[1].frame.hidden = !both;
      const ratio = window.devicePixelRatio || 1;
      for (const panel of this.panels) {
        Object.assign(panel, { width, height });
        panel.frame.style.width = `${width}px`;
        panel.frame.style.height = `${height}px`;
        for (const canvas of [panel.canvas, panel.layer]) {
          canvas.width = Math.round(width * ratio);
          canvas.height = Math.round(height * ratio);
        }
      }
      const wasFitting = !this.scale || this.scale <= this.fitScale * 1.001;
      this.fitScale = scaleOf(width, height);
      if (wasFitting) this.fit();
      else this.setScale(this.scale, this.middle);
    }

    fit() {
      this.setScale(this.fitScale, { x: this.width / 2, y: this.height / 2 });
    }

    // The box around the mask with a margin.
    fitMask() {
      let [left, top, right, bottom] = [this.width, this.height, -1, -1];
      for (let place = this.mask.indexOf(1); place >= 0; place = this.mask.indexOf(1, place + 1)) {
        const [x, y] = [place % this.width, Math.floor(place / this.width)];
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y);
      }
      if (right < 0) return this.fit();
      const { width, height } = this.panels[0];
      const scale = 0.5 * Math.min(width / (right - left + 1), height / (bottom - top + 1));
      this.setScale(Math.min(scale, 12), { x: (left + right + 1) / 2, y: (top + bottom + 1) / 2 });
    }

    setScale(scale, middle) {
      if (!this.images) return;
      this.scale = Math.min(Math.max(scale, this.fitScale), Math.max(LARGEST_SCALE, this.fitScale));
      const { width, height } = this.panels[0];
      const keep = (value, size, shown) =>
        shown >= size ? size / 2 : Math.min(Math.max(value, shown / 2), size - shown / 2);
      this.middle = {
        x: keep(middle.x, this.width, width / this.scale),
        y: keep(middle.y, this.height, height / this.scale),
      };
      this.setStep();
      this.changed();
    }

    // How many image pixels per side share one pixel of the mask canvases, chosen so that drawing these shrinks them by
    // half at most: a single pixel would be lost otherwise.
    setStep() {
      const ratio = window.devicePixelRatio || 1;
      const step = 2 ** Math.max(0, Math.floor(-Math.log2(this.scale * ratio)));
      if (step === this.step) return;
      this.step = step;
      const size = { width: Math.ceil(this.width / step), height: Math.ceil(this.height / step) };
      for (const canvas of [this.maskCanvas, this.otherCanvas]) Object.assign(canvas, size);
      this.paintMaskCanvas();
      if (this.other) this.paintCanvas(this.otherCanvas, this.other, this.colors[1], 0, 0, this.width, this.height);
    }

    zoom(factor, about = this.middle) {
      if (!this.images) return;
      const before = this.scale;
      const scale = Math.min(Math.max(before * factor, this.fitScale), Math.max(LARGEST_SCALE, this.fitScale));
      const keep = (middle, place) => place + ((middle - place) * before) / scale;
      this.setScale(scale, { x: keep(this.middle.x, about.x), y: keep(this.middle.y, about.y) });
    }

    pan(x, y) {
      if (this.images) this.setScale(this.scale, { x: this.middle.x + x / this.scale, y: this.middle.y + y / this.scale });
    }

    corner(panel) {
      return {
        x: panel.width / 2 - this.middle.x * this.scale,
        y: panel.height / 2 - this.middle.y * this.scale,
      };
    }

    // The position of a pointer in image pixels, with fractions.
    place(event, panel) {
      const box = panel.canvas.getBoundingClientRect();
      const corner = this.corner(panel);
      return {
        x: (event.clientX - box.left - corner.x) / this.scale,
        y: (event.clientY - box.top - corner.y) / this.scale,
      };
    }

    // --- pointer ---

    press(event, panel) {
      if (!this.images || event.button > 1) return;
      this.stage.focus({ preventScroll: true });
      event.preventDefault();
      panel.canvas.setPointerCapture(event.pointerId);
      const offset = event.clientX - panel.canvas.getBoundingClientRect().left;
      const last = { x: event.clientX, y: event.clientY };
      if (event.button === 0 && this.view === "slider" && Math.abs(offset - this.divider * panel.width) < HANDLE) {
        this.gesture = { divider: true };
      } else if (event.button === 0 && this.tool !== "hand") {
        this.beginStroke();
        this.strokeTo(this.place(event, panel));
      } else {
        this.gesture = { pan: true, last };
      }
    }

    move(event, panel) {
      if (!this.images) return;
      const gesture = this.gesture;
      if (gesture?.divider) {
        const box = panel.canvas.getBoundingClientRect();
        this.divider = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
      } else if (gesture?.pan) {
        this.pan(gesture.last.x - event.clientX, gesture.last.y - event.clientY);
        gesture.last = { x: event.clientX, y: event.clientY };
      } else if (gesture?.stroke && !this.pen) {
        for (const each of event.getCoalescedEvents?.() ?? []) this.strokeTo(this.place(each, panel));
        this.strokeTo(this.place(event, panel));
      }
      if (!this.pen) this.setCursor(this.place(event, panel));
      this.redraw();
    }

    release() {
      if (this.gesture?.stroke && !this.pen) this.endStroke();
      else if (!this.pen) this.gesture = null;
    }

    setCursor(place) {
      if (this.pen) return;
      this.cursor = place;
      this.redraw();
      this.onChange();
    }

    // --- keyboard: a cursor that moves by image pixels, and a pen that is down or up ---

    moveCursor(x, y) {
      if (!this.images) return;
      const from = this.cursor ?? { x: Math.floor(this.middle.x) + 0.5, y: Math.floor(this.middle.y) + 0.5 };
      this.cursor = {
        x: Math.min(Math.max(Math.floor(from.x) + x, 0), this.width - 1) + 0.5,
        y: Math.min(Math.max(Math.floor(from.y) + y, 0), this.height - 1) + 0.5,
      };
      if (this.pen) this.strokeTo(this.cursor);
      const { width, height } = this.panels[0];
      const away = { x: this.cursor.x - this.middle.x, y: this.cursor.y - this.middle.y };
      const isOutside = Math.abs(away.x) > width / this.scale / 2 || Math.abs(away.y) > height / this.scale / 2;
      if (isOutside) this.setScale(this.scale, this.cursor);
      this.changed();
    }

    togglePen() {
      if (this.tool === "hand" || !this.images) return;
      if (this.pen) {
        this.endStroke();
      } else {
        this.beginStroke();
        this.pen = true;
        this.moveCursor(0, 0);
      }
      this.changed();
    }

    // --- strokes ---

    beginStroke() {
      this.endStroke();
      this.gesture = { stroke: true, value: this.tool === "brush" ? 1 : 0, rows: discRows(this.brushSize), flipped: [] };
    }

    // A line of discs from the previous position to this one.
    strokeTo(place) {
      const gesture = this.gesture;
      const target = { x: Math.floor(place.x), y: Math.floor(place.y) };
      const from = gesture.at ?? target;
      const steps = Math.max(Math.abs(target.x - from.x), Math.abs(target.y - from.y));
      for (let step = steps ? 1 : 0; step <= steps; step += 1) {
        const part = steps ? step / steps : 0;
        this.stamp(Math.round(from.x + (target.x - from.x) * part), Math.round(from.y + (target.y - from.y) * part));
      }
      const reach = this.brushSize + 1;
      this.paintMaskCanvas(
        Math.min(from.x, target.x) - reach, Math.min(from.y, target.y) - reach,
        Math.max(from.x, target.x) + reach, Math.max(from.y, target.y) + reach,
      );
      gesture.at = target;
      this.redraw();
    }

    stamp(x, y) {
      const { rows, value, flipped } = this.gesture;
      for (const [row, first, last] of rows) {
        if (y + row < 0 || y + row >= this.height) continue;
        const begin = (y + row) * this.width;
        for (let column = Math.max(0, x + first); column <= Math.min(this.width - 1, x + last); column += 1) {
          if (this.mask[begin + column] === value) continue;
          this.mask[begin + column] = value;
          flipped.push(begin + column);
        }
      }
    }

    endStroke() {
      const gesture = this.gesture;
      this.gesture = null;
      this.pen = false;
      if (gesture?.stroke && gesture.flipped.length) this.onStroke(Uint32Array.from(gesture.flipped));
    }

    flip(places) {
      for (const place of places) this.mask[place] ^= 1;
      this.paintMaskCanvas();
      this.changed();
    }

    replaceMask(mask) {
      this.mask = mask;
      this.paintMaskCanvas();
      this.changed();
    }

    // --- drawing ---

    paintMaskCanvas(left = 0, top = 0, right = this.width, bottom = this.height) {
      this.paintCanvas(this.maskCanvas, this.mask, this.colors[0], left, top, right, bottom);
    }

    // Updates a mask canvas within a box in image pixels. A canvas pixel is set if any of its image pixels is.
    paintCanvas(canvas, mask, [red, green, blue], left, top, right, bottom) {
      const { step } = this;
      [left, top] = [left, top].map((side) => Math.floor(Math.max(0, side) / step) * step);
      right = Math.min(this.width, Math.ceil(right / step) * step);
      bottom = Math.min(this.height, Math.ceil(bottom / step) * step);
      if (!step || right <= left || bottom <= top) return;
      const columns = Math.ceil((right - left) / step);
      const pixels = new ImageData(columns, Math.ceil((bottom - top) / step));
      const words = new Uint32Array(pixels.data.buffer);
      const ink = new Uint32Array(new Uint8ClampedArray([red, green, blue, 255]).buffer)[0];
      for (let y = top; y < bottom; y += 1) {
        const row = Math.floor((y - top) / step) * columns;
        for (let x = left; x < right; x += 1) {
          if (mask[y * this.width + x]) words[row + Math.floor((x - left) / step)] = ink;
        }
      }
      canvas.getContext("2d").putImageData(pixels, left / step, top / step);
    }

    redraw() {
      if (this.frame) return;
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        const dates = this.dates();
        for (const [index, panel] of this.panels.entries()) if (!panel.frame.hidden) this.draw(panel, dates[index]);
      });
    }

    // What each panel shows: "t1", "t2", or "both" divided by the slider.
    dates() {
      if (this.view === "side") return this.peeking ? ["t2", "t1"] : ["t1", "t2"];
      if (this.view === "slider") return [this.peeking ? "t1" : "both"];
      const date = this.view === "blink" ? (this.blinkShowsLater ? "t2" : "t1") : this.view;
      return [this.peeking ? (date === "t1" ? "t2" : "t1") : date];
    }

    draw(panel, date) {
      const context = panel.canvas.getContext("2d");
      const ratio = panel.canvas.width / panel.width;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, panel.width, panel.height);
      for (const title of panel.titles) {
        title.hidden = !this.images || (date !== "both" && title.dataset.date !== date);
        title.classList.toggle("right", date === "both" && title.dataset.date === "t2");
      }
      if (!this.images) return;
      const corner = this.corner(panel);
      context.imageSmoothingEnabled = this.scale * ratio < 3;
      context.imageSmoothingQuality = "high";
      const box = [corner.x, corner.y, this.width * this.scale, this.height * this.scale];
      context.drawImage(this.images[date === "both" ? "t2" : date], ...box);
      if (date === "both") this.drawEarlierPart(context, panel, box);
      if (this.overlay !== "off") {
        if (this.other) this.drawMask(context, panel, box, ratio, this.otherCanvas, this.colors[1], false);
        this.drawMask(context, panel, box, ratio, this.maskCanvas, this.colors[0], this.overlay === "fill");
      }
      if (date === "both") this.drawDivider(context, panel);
      if (this.cursor && this.tool !== "hand") this.drawCursor(context, corner);
    }

    drawEarlierPart(context, panel, box) {
      context.save();
      context.beginPath();
      context.rect(0, 0, this.divider * panel.width, panel.height);
      context.clip();
      context.drawImage(this.images.t1, ...box);
      context.restore();
    }

    drawDivider(context, panel) {
      const x = this.divider * panel.width;
      const y = panel.height / 2;
      context.fillStyle = "rgba(0, 0, 0, .45)";
      context.fillRect(x - 2, 0, 4, panel.height);
      context.fillStyle = "#fff";
      context.fillRect(x - 1, 0, 2, panel.height);
      context.beginPath();
      context.arc(x, y, 12, 0, 2 * Math.PI);
      context.fill();
      context.strokeStyle = "#333";
      context.lineWidth = 1.5;
      context.beginPath();
      for (const side of [-1, 1]) {
        context.moveTo(x + side * 3, y - 4);
        context.lineTo(x + side * 7, y);
        context.lineTo(x + side * 3, y + 4);
      }
      context.stroke();
    }

    // Outlines have the same width at every scale, and a mask of one pixel is visible at any scale.
    drawMask(context, panel, box, ratio, mask, color, filled) {
      const shape = panel.layer.getContext("2d");
      shape.setTransform(ratio, 0, 0, ratio, 0, 0);
      shape.globalCompositeOperation = "copy";
      shape.imageSmoothingEnabled = this.scale * ratio < 1;
      const size = this.step * this.scale;
      shape.drawImage(mask, box[0], box[1], mask.width * size, mask.height * size);
      if (shape.imageSmoothingEnabled) {
        // A single pixel keeps a quarter of its opacity at least; drawn eight times it becomes 1 - (1 - a)^8.
        shape.globalCompositeOperation = "source-over";
        shape.setTransform(1, 0, 0, 1, 0, 0);
        for (let round = 0; round < 3; round += 1) shape.drawImage(panel.layer, 0, 0);
      }
      if (filled) {
        context.globalAlpha = FILL_OPACITY;
        context.drawImage(panel.layer, 0, 0, panel.width, panel.height);
        context.globalAlpha = 1;
      }
      this.scratch ??= [document.createElement("canvas"), document.createElement("canvas")];
      context.save();
      context.setTransform(1, 0, 0, 1, 0, 0);
      // The other auditor's outline lies outside this one, so both are visible where the masks agree.
      const reach = Math.max(1, Math.round((mask === this.otherCanvas ? 5 : 2) * ratio));
      context.drawImage(ringAround(panel.layer, reach + Math.max(1, Math.round(ratio)), "#141414", this.scratch[0]), 0, 0);
      context.drawImage(ringAround(panel.layer, reach, `rgb(${color})`, this.scratch[1]), 0, 0);
      context.restore();
    }

    drawCursor(context, corner) {
      // The disc whose middle pixel is under the cursor.
      const diameter = this.brushSize;
      const shift = diameter % 2 ? 0.5 : 0;
      const x = corner.x + (Math.floor(this.cursor.x) + shift) * this.scale;
      const y = corner.y + (Math.floor(this.cursor.y) + shift) * this.scale;
      const radius = Math.max(2, (diameter / 2) * this.scale);
      for (const [width, color] of [[3.5, "rgba(0, 0, 0, .75)"], [1.5, this.pen ? `rgb(${this.colors[0]})` : "#fff"]]) {
        context.lineWidth = width;
        context.strokeStyle = color;
        context.setLineDash(this.tool === "erase" ? [5, 4] : []);
        context.beginPath();
        context.arc(x, y, radius, 0, 2 * Math.PI);
        context.moveTo(x - 3, y);
        context.lineTo(x + 3, y);
        context.moveTo(x, y - 3);
        context.lineTo(x, y + 3);
        context.stroke();
      }
      context.setLineDash([]);
    }
  }

  // Draws what lies within `reach` screen pixels around a shape, in one colour, on a canvas that is reused.
  function ringAround(shape, reach, color, canvas) {
    if (canvas.width !== shape.width || canvas.height !== shape.height) {
      canvas.width = shape.width;
      canvas.height = shape.height;
    }
    const context = canvas.getContext("2d");
    context.globalCompositeOperation = "source-over";
    context.clearRect(0, 0, canvas.width, canvas.height);
    const steps = 12;
    for (let step = 0; step < steps; step += 1) {
      const angle = (2 * Math.PI * step) / steps;
      context.drawImage(shape, Math.round(reach * Math.cos(angle)), Math.round(reach * Math.sin(angle)));
    }
    context.globalCompositeOperation = "source-in";
    context.fillStyle = color;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.globalCompositeOperation = "destination-out";
    context.drawImage(shape, 0, 0);
    return canvas;
  }

  window.AuditMask = { MaskViewer, VIEWS };
})();
