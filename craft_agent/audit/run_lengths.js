// Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
// Masks as COCO run lengths, as they are sent: column by column, beginning with the background.
"use strict";

(() => {
  // The compressed form: 5 bits per character, lowest first; bit 6 says that more follow, the last fifth bit is the sign.
  function readRunLengths(text) {
    const counts = [];
    for (let place = 0; place < text.length; ) {
      let value = 0;
      for (let shift = 0, more = true; more; shift += 5, place += 1) {
        const code = text.charCodeAt(place) - 48;
        value |= (code & 31) << shift;
        more = code > 31;
        if (!more && code & 16) value |= -1 << (shift + 5);
      }
      counts.push(counts.length > 2 ? value + counts[counts.length - 2] : value);
    }
    return counts;
  }

  function decodeMask({ size: [height, width], counts }) {
    const mask = new Uint8Array(width * height);
    let place = 0;
    const runs = typeof counts === "string" ? readRunLengths(counts) : counts;
    for (const [index, count] of runs.entries()) {
      if (index % 2) {
        for (let pixel = place; pixel < place + count; pixel += 1) {
          mask[(pixel % height) * width + Math.floor(pixel / height)] = 1;
        }
      }
      place += count;
    }
    return mask;
  }

  function encodeMask(mask, width, height) {
    const counts = [];
    let value = 0;
    let count = 0;
    for (let x = 0; x < width; x += 1) {
      for (let place = x; place < mask.length; place += width) {
        if (mask[place] !== value) {
          counts.push(count);
          count = 0;
          value = mask[place];
        }
        count += 1;
      }
    }
    counts.push(count);
    return { size: [height, width], counts };
  }

  window.AuditRunLengths = { decodeMask, encodeMask };
})();
