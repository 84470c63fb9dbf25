// Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
// Code and tables that are wider than the page are reached by the keyboard, so that its arrow keys move them.
window.addEventListener("load", () => {
  for (const each of document.querySelectorAll(".md-typeset pre > code, .md-typeset__scrollwrap")) {
    if (each.scrollWidth > each.clientWidth) each.tabIndex = 0;
  }
});
