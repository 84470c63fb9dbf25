// Copyright 2026 The mtrefseg authors. Licensed under the Apache License, Version 2.0.
// The behaviour of the page: opens samples, keeps drafts, sends decisions, and assigns a key to every action.
// Sentences and names from the data become values and text nodes, never markup.
"use strict";

window.startAudit = (root) => {
  const { MaskViewer, VIEWS } = window.AuditMask;
  const { decodeMask, encodeMask } = window.AuditRunLengths;
  const settings = window.AUDIT_SETTINGS;
  const TYPES = ["appear", "disappear", "state_change"];
  const TYPE_NAMES = { appear: "appears", disappear: "disappears", state_change: "changes" };
  const LISTS = ["open", "judged", "disagreements"];
  const VERDICTS = { accept: "accepted", reject: "rejected" };
  const page = root.querySelector(".audit");
  const find = (name) => page.querySelector(`.audit-${name}`);
  const all = (selector) => [...page.querySelectorAll(selector)];
  const stage = find("stage");
  let auditor = "";
  let role = "auditor";
  let which = "open";
  let sample = null; // as the server describes it
  let edit = null; // the content of the form: { expressions, change_type }; the viewer holds the mask
  let proposed = null; // the proposed mask
  let encoded = null; // the viewer's mask as run lengths; null after a change
  let hasDraft = false; // whether there is a draft of this sample
  let resumed = false; // whether there was one when the sample was opened
  let steps = []; // how to undo the edits of this sample, newest last
  let busy = false;
  let opened = 0; // number of samples opened so far, so that a late response is ignored

  const viewer = new MaskViewer(stage, settings.colors, {
    onStroke: (flipped) => { maskChanged(); edited({ flipped }); },
    onChange: showTools,
  });
  stage.viewer = viewer; // for the console and for tests

  function make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  function count(number, noun) {
    return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
  }

  // --- the server ---

  async function ask(name, ...data) {
    let response;
    try {
      const headers = { "Content-Type": "application/json" };
      const url = new URL(`gradio_api/run/${name}`, document.baseURI);
      response = await fetch(url, { method: "POST", headers, body: JSON.stringify({ data }) });
    } catch {
      throw new Error("The server does not answer. Your edits are kept in this browser: try again later.");
    }
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(answer.error || `The server answered with status ${response.status}; see its terminal.`);
    return answer.data[0];
  }

  function complain(error) {
    find("trouble").textContent = error ? error.message : "";
    find("trouble").hidden = !error;
  }

  // One action at a time: keys are ignored while the server works.
  async function during(work) {
    if (busy) return;
    busy = true;
    page.setAttribute("aria-busy", "true");
    complain(null);
    try {
      await work();
    } catch (error) {
      complain(error);
    } finally {
      busy = false;
      page.removeAttribute("aria-busy");
      showForm();
    }
  }

  const open = (id = "", step = 0, list = which) => during(async () => show(await ask("open_sample", auditor, id, step, list)));

  // --- drafts: edits without a decision, kept in the browser ---

  const draftKey = (id) => `audit:${settings.run}:${auditor}:${id}`;

  function maskOfNow() {
    encoded ??= encodeMask(viewer.mask, sample.width, sample.height);
    return encoded;
  }

  function maskChanged() {
    encoded = null;
    showFacts();
  }

  function saveDraft() {
    try {
      localStorage.setItem(draftKey(sample.sample_id), JSON.stringify({ ...edit, mask: maskOfNow() }));
      hasDraft = true;
    } catch {
      complain(new Error("The browser's storage is full, so this draft is not kept: decide on this sample before you close the page."));
    }
  }

  function readDraft() {
    try {
      const draft = JSON.parse(localStorage.getItem(draftKey(sample.sample_id)));
      const fits = draft?.mask.size[0] === sample.height && draft.mask.size[1] === sample.width;
      return fits && TYPES.includes(draft.change_type) ? draft : null;
    } catch {
      return null;
    }
  }

  function forgetDraft(id) {
    localStorage.removeItem(draftKey(id));
    hasDraft = false;
  }

  // --- showing a sample ---

  function loadImage(id, date) {
    const image = new Image();
    const query = new URLSearchParams({ run: settings.run, sample: id, date });
    image.src = new URL(`audit/image?${query}`, document.baseURI);
    return image;
  }

  async function show(state) {
    const turn = (opened += 1);
    const { progress, left } = state;
    ({ auditor, role, which } = state);
    showProgress(progress, left);
    let images = null;
    if (state.sample) {
      images = { t1: loadImage(state.sample.sample_id, "t1"), t2: loadImage(state.sample.sample_id, "t2") };
      try {
        await Promise.all(Object.values(images).map((image) => image.decode()));
      } catch {
        const query = new URLSearchParams({ run: settings.run, sample: state.sample.sample_id, date: "t1" });
        const answer = await fetch(new URL(`audit/image?${query}`, document.baseURI)).catch(() => null);
        const text = answer && !answer.ok ? await answer.text() : "";
        complain(new Error(text || `The images of ${state.sample.sample_id} cannot be loaded; continue with the next sample.`));
        images = null;
      }
    }
    if (turn !== opened) return;
    sample = state.sample;
    steps = [];
    page.dataset.state = sample ? "work" : "finished";
    if (!sample) {
      viewer.clear();
      showFinished(progress);
      return;
    }
    const draft = readDraft();
    hasDraft = resumed = draft !== null;
    const base = draft ?? state.undone ?? sample.decision ?? sample;
    edit = { expressions: [...base.expressions], change_type: base.change_type };
    const other = sample.others[0];
    proposed = decodeMask(sample.mask);
    viewer.show(images, sample.width, sample.height, decodeMask(base.mask), other ? decodeMask(other.mask) : null);
    maskChanged();
    closeReasons();
    showSentences();
    showForm();
    showOther();
    showHistory();
    if (!document.activeElement?.matches("input, textarea")) stage.focus({ preventScroll: true });
    if (state.following && state.following !== sample.sample_id) for (const date of ["t1", "t2"]) loadImage(state.following, date);
  }

  function showProgress({ total, accepted, rejected, open: openCount, complete, seats }, left) {
    const share = (number) => `${total ? (100 * number) / total : 0}%`;
    page.querySelector(".audit-track .accepted").style.width = share(accepted);
    page.querySelector(".audit-track .rejected").style.width = share(rejected);
    const text = role === "adjudicator" ? `${openCount} to settle · ${accepted} accepted · ${rejected} rejected` : `${accepted} accepted · ${rejected} rejected · ${openCount} left for you · `
      + `${complete} of ${total} judged by ${seats === 1 ? "somebody" : "two people"}`;
    find("counts").textContent = text;
    find("auditor").textContent = auditor;
    for (const button of all("[data-which]")) {
      const isChosen = button.dataset.which === which;
      button.setAttribute("aria-pressed", String(isChosen));
      button.querySelector("span").textContent = isChosen ? ` ${left.toLocaleString("en")}` : "";
    }
  }

  function showFinished({ open: openCount }) {
    const texts = {
      open: ["Nothing is left for you.", "All samples have been judged or are open in another auditor's browser. See the tab Agreement, or settle your disagreements."],
      judged: ["You have not judged anything yet.", "Samples that you judge are listed here and can be changed."],
      disagreements: ["There are no disagreements.", openCount ? "Continue with the open samples." : "Samples on which two people differ are listed here."],
    };
    if (role === "adjudicator") texts.open = texts.disagreements = ["There is nothing to settle.", "Samples on which two auditors differ are listed here."];
    const [title, text] = texts[which];
    find("finished").querySelector("h2").textContent = title;
    find("finished").querySelector("p").textContent = text;
    find("finished").querySelector("button").hidden = which === "judged"; // Nothing is judged that could be undone.
  }

  function showOther() {
    const panel = find("other");
    panel.hidden = !sample.others.length;
    panel.replaceChildren(...sample.others.flatMap((other, index) => {
      const reason = other.verdict === "reject" ? `: ${(settings.reasons[other.reason] ?? other.reason).toLowerCase()}` : "";
      const head = make("p", {}, make("span", { className: "audit-verdict", textContent: `${other.auditor} ${VERDICTS[other.verdict]} this${reason}` }));
      const lines = [head];
      if (other.comment) lines.push(make("p", { textContent: other.comment }));
      if (other.verdict === "accept") {
        lines.push(...other.expressions.map((text) => make("q", { textContent: text })));
        const outlined = index ? "" : " Their mask has the blue outline.";
        lines.push(make("p", { textContent: `It ${TYPE_NAMES[other.change_type]}.${outlined}` }));
      }
      const button = make("button", { type: "button" }, other.verdict === "accept" ? "Adopt this version " : "Reject as well ", make("kbd", { textContent: "o" }));
      button.dataset.do = "take-over";
      button.dataset.index = index;
      return [...lines, make("div", {}, button)];
    }));
  }

  function showHistory() {
    const name = (verdict) => verdict.replaceAll("_", " ");
    find("history").hidden = !sample.rounds.length;
    find("history").querySelector("ol").replaceChildren(...sample.rounds.map((round) =>
      make("li", { textContent: `${name(round.verdict)}, score ${round.score.toFixed(2)}${round.comment ? `: ${round.comment}` : ""}` })));
  }

  // --- edits ---

  function edited(step) {
    steps.push(step);
    saveDraft();
    showForm();
  }

  function snapshot() {
    return { expressions: [...edit.expressions], change_type: edit.change_type, mask: viewer.mask.slice() };
  }

  function apply({ expressions, change_type: type, mask }) {
    edit = { expressions: [...expressions], change_type: type };
    viewer.replaceMask(mask);
    maskChanged();
    showSentences();
  }

  function setType(type) {
    if (type === edit.change_type) return;
    const before = edit.change_type;
    edit.change_type = type;
    edited({ type: before });
  }

  function resetToProposal() {
    const before = snapshot();
    apply({ ...sample, mask: proposed.slice() });
    edited({ before });
  }

  function takeOver(index = 0) {
    const other = sample.others[index];
    if (!other) return;
    if (other.verdict === "reject") return openReasons(other.reason);
    const before = snapshot();
    apply({ ...other, mask: decodeMask(other.mask) });
    edited({ before });
  }

  function undo() {
    viewer.endStroke();
    document.activeElement?.blur();
    const step = sample ? steps.pop() : null;
    if (!step) return during(async () => show(await ask("undo", auditor)));
    if (step.flipped) {
      viewer.flip(step.flipped);
      maskChanged();
    }
    if (step.type) edit.change_type = step.type;
    if (step.expressions) edit.expressions = step.expressions;
    if (step.before) apply(step.before);
    showSentences();
    if (steps.length || resumed) saveDraft();
    else forgetDraft(sample.sample_id);
    showForm();
    stage.focus({ preventScroll: true });
  }

  // --- sentences ---

  function showSentences() {
    find("sentences").replaceChildren(...edit.expressions.map((text, index) => {
      const area = make("textarea", { value: text, rows: 1, maxLength: 500, spellcheck: true, dir: "auto", lang: "en" });
      area.setAttribute("aria-label", index ? `Sentence ${index + 1}` : "Sentence");
      let before = null;
      area.addEventListener("focus", () => { before = [...edit.expressions]; });
      area.addEventListener("input", () => {
        edit.expressions[index] = area.value;
        grow(area);
        saveDraft();
        showForm();
      });
      area.addEventListener("change", () => {
        steps.push({ expressions: before });
        before = [...edit.expressions];
      });
      area.addEventListener("keydown", (event) => {
        if (event.key === "Escape" || (event.key === "Enter" && (event.ctrlKey || event.metaKey || !event.shiftKey))) {
          event.preventDefault();
          event.stopPropagation();
          stage.focus({ preventScroll: true });
        } else if (event.key === "Backspace" && event.altKey) {
          event.preventDefault();
          removeSentence(index);
          stage.focus({ preventScroll: true });
        }
      });
      const remove = make("button", { type: "button", textContent: "×", title: "Remove this sentence (Alt+Backspace)" });
      remove.setAttribute("aria-label", `Remove sentence ${index + 1}`);
      remove.addEventListener("click", () => removeSentence(index));
      return make("div", { className: "audit-sentence" }, area, remove);
    }));
    for (const area of all(".audit-sentence textarea")) grow(area);
  }

  function grow(area) {
    area.style.height = "auto";
    if (area.scrollHeight) area.style.height = `${area.scrollHeight + 2}px`;
  }

  function removeSentence(index) {
    const before = [...edit.expressions];
    edit.expressions.splice(index, 1);
    showSentences();
    edited({ expressions: before });
  }

  function addSentence() {
    const before = [...edit.expressions];
    edit.expressions.push("");
    showSentences();
    edited({ expressions: before });
    all(".audit-sentence textarea").at(-1).focus();
  }

  function editSentence() {
    const area = page.querySelector(".audit-sentence textarea");
    if (!area) return addSentence();
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }

  // --- what the form shows ---

  function showForm() {
    if (!sample || !edit) return;
    const title = page.querySelector(".audit-head h2");
    title.textContent = sample.sample_id;
    title.title = `${sample.width} × ${sample.height} pixels`;
    for (const button of all("[data-type]")) button.setAttribute("aria-pressed", String(button.dataset.type === edit.change_type));
    for (const [index, area] of all(".audit-sentence textarea").entries()) {
      area.classList.toggle("edited", edit.expressions[index] !== sample.expressions[index]);
    }
    showStanding();
    page.querySelector('[data-do="accept"]').disabled = busy;
    page.querySelector('.audit-verdicts [data-do="reject"]').disabled = busy;
  }

  function showStanding() {
    const { decision } = sample;
    const reason = decision?.reason ? `: ${(settings.reasons[decision.reason] ?? decision.reason).toLowerCase()}` : "";
    const standing = decision ? `You ${VERDICTS[decision.verdict]} this${reason}` : "Not judged by you yet";
    const line = find("standing");
    line.textContent = hasDraft ? `${standing} · edited, not decided` : standing;
    line.className = `audit-standing ${decision?.verdict ?? ""}`;
  }

  function showFacts() {
    const area = viewer.area();
    const share = (100 * area) / (sample.width * sample.height);
    let [added, removed] = [0, 0];
    for (let place = 0; place < proposed.length; place += 1) {
      if (viewer.mask[place] > proposed[place]) added += 1;
      else if (viewer.mask[place] < proposed[place]) removed += 1;
    }
    const difference = added || removed ? ` · +${added.toLocaleString("en")} −${removed.toLocaleString("en")} against the proposal` : " · as proposed";
    find("facts").textContent = area ? `${count(area, "pixel")} · ${share >= 1 ? share.toFixed(1) : share.toPrecision(2)} %${difference}` : `the mask is empty${difference}`;
  }

  function showTools() {
    for (const [name, value] of [["view", viewer.view], ["overlay", viewer.overlay], ["tool", viewer.tool]]) {
      for (const button of all(`button[data-${name}]`)) button.setAttribute("aria-pressed", String(button.dataset[name] === value));
    }
    stage.dataset.tool = viewer.tool;
    find("brush").textContent = `${viewer.brushSize} px`;
    const place = viewer.cursor ? `${Math.floor(viewer.cursor.x)}, ${Math.floor(viewer.cursor.y)} · ` : "";
    find("where").textContent = viewer.scale ? `${viewer.pen ? "pen down · " : ""}${place}${Math.round(100 * viewer.scale)} %` : "";
  }

  // --- decisions ---

  function openReasons(chosen) {
    find("reasons").hidden = false;
    page.querySelector('.audit-verdicts [data-do="reject"]').setAttribute("aria-expanded", "true");
    find("comment").value = sample.decision?.comment ?? "";
    const wanted = chosen ?? sample.decision?.reason;
    for (const button of all("[data-reason]")) button.setAttribute("aria-pressed", String(button.dataset.reason === wanted));
    find("reasons").scrollIntoView({ block: "nearest" });
    (page.querySelector('[data-reason][aria-pressed="true"]') ?? page.querySelector("[data-reason]")).focus();
  }

  function closeReasons() {
    find("reasons").hidden = true;
    page.querySelector('.audit-verdicts [data-do="reject"]').setAttribute("aria-expanded", "false");
  }

  function decide(verdict, reason = null) {
    if (verdict === "accept" && !viewer.images) {
      return complain(new Error("A sample without images cannot be accepted: reject it, or continue with the next sample."));
    }
    viewer.endStroke();
    document.activeElement?.blur();
    const { sample_id: id } = sample;
    const mask = maskOfNow();
    const comment = verdict === "reject" ? find("comment").value : "";
    return during(async () => {
      const state = await ask("decide", auditor, id, { verdict, reason, comment, ...edit, mask }, which);
      forgetDraft(id);
      await show(state);
    });
  }

  // --- auditor and list ---

  function begin(name) {
    auditor = name.trim().replace(/\s+/g, " ");
    return during(async () => {
      await show(await ask("open_sample", auditor, "", 0, which));
      if (settings.invited) return;
      const url = new URL(location);
      url.searchParams.set("auditor", auditor);
      history.replaceState(null, "", url);
    });
  }

  function leave() {
    opened += 1;
    sample = null;
    page.dataset.state = "welcome";
    find("name").focus();
  }

  // The list changes when the server has answered: `show` sets it.
  const choose = (list) => open("", 0, list);

  // --- actions by name, and their keys ---

  const help = find("help");
  const actions = {
    accept: () => decide("accept"),
    reject: () => (find("reasons").hidden ? openReasons() : closeReasons()),
    cancel: () => { closeReasons(); stage.focus({ preventScroll: true }); },
    undo, leave,
    reset: resetToProposal,
    add: addSentence,
    "take-over": takeOver,
    next: () => open(sample?.sample_id ?? "", 1),
    previous: () => open(sample?.sample_id ?? "", -1),
    help: () => help.showModal(),
    "close-help": () => help.close(),
    smaller: () => viewer.stepSize(-1),
    larger: () => viewer.stepSize(1),
    fit: () => viewer.fit(),
    "fit-mask": () => viewer.fitMask(),
  };
  const after = (values, value) => values[(values.indexOf(value) + 1) % values.length];
  const keys = {
    a: actions.accept, r: actions.reject, u: undo, x: actions.reset, s: editSentence, n: addSentence, o: takeOver,
    j: actions.next, k: actions.previous, "[": actions.smaller, "]": actions.larger, 0: actions.fit, f: actions["fit-mask"],
    t: () => setType(after(TYPES, edit.change_type)),
    m: () => viewer.nextOverlay(),
    b: () => viewer.setTool("brush"), e: () => viewer.setTool("erase"), h: () => viewer.setTool("hand"),
    p: () => viewer.togglePen(),
    "+": () => viewer.zoom(1.4, viewer.cursor ?? undefined), "=": () => viewer.zoom(1.4, viewer.cursor ?? undefined),
    "-": () => viewer.zoom(1 / 1.4, viewer.cursor ?? undefined),
    ",": () => viewer.moveDivider(-0.04), ".": () => viewer.moveDivider(0.04),
    Escape: actions.cancel,
  };
  const withoutSample = { u: undo, g: () => choose(after(LISTS, which)), "?": actions.help };
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  function pressArrow(event) {
    const [x, y] = ARROWS[event.key];
    const far = event.shiftKey ? 10 : 1;
    if (viewer.tool !== "hand") viewer.moveCursor(x * far, y * far);
    else if (viewer.scale > viewer.fitScale * 1.001) viewer.pan(40 * x * far, 40 * y * far);
    else return false;
    return true;
  }

  function pressDigit(digit) {
    if (find("reasons").hidden) {
      if (VIEWS[digit - 1]) viewer.setView(VIEWS[digit - 1]);
    } else {
      const reason = Object.keys(settings.reasons)[digit - 1];
      if (reason) decide("reject", reason);
    }
  }

  function press(event) {
    const { key, target } = event;
    if (key === " ") {
      if (target.matches("button, summary")) return false;
      viewer.setPeek(true);
      return true;
    }
    if (key === "Enter" && target.matches("button, summary")) return false;
    if (sample && Object.hasOwn(ARROWS, key)) return pressArrow(event);
    if (sample && /^[1-9]$/.test(key)) return pressDigit(Number(key)) !== false;
    const letter = key.length === 1 ? key.toLowerCase() : key;
    const action = (sample && Object.hasOwn(keys, letter) && keys[letter]) || withoutSample[letter];
    if (!action) return false;
    action();
    return true;
  }

  document.addEventListener("keydown", (event) => {
    const isVisible = page.offsetParent !== null && page.dataset.state !== "welcome";
    if (!isVisible || help.open) return;
    const isUndo = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "z";
    if (event.target.matches("input, textarea, select, [contenteditable]")) {
      if (event.key === "Escape") actions.cancel();
      return;
    }
    if (isUndo) undo();
    else if (event.ctrlKey || event.metaKey || event.altKey || !press(event)) return;
    event.preventDefault();
  });
  document.addEventListener("keyup", (event) => { if (event.key === " ") viewer.setPeek(false); });
  window.addEventListener("blur", () => viewer.setPeek(false));

  page.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const { do: name, view, overlay, tool, type, which: list, reason } = button.dataset;
    if (view) viewer.setView(view);
    else if (overlay) viewer.setOverlay(overlay);
    else if (tool) viewer.setTool(tool);
    else if (type) setType(type);
    else if (list) choose(list);
    else if (reason) decide("reject", reason);
    else if (name === "take-over") takeOver(Number(button.dataset.index));
    else if (name) actions[name]();
    // After a mouse click, keys go to the images again and not to the button.
    const isMouse = event.detail > 0;
    if (isMouse && (view || overlay || tool || type || ["smaller", "larger", "fit", "fit-mask"].includes(name))) stage.focus({ preventScroll: true });
  });

  find("reason-list").replaceChildren(...Object.entries(settings.reasons).map(([reason, text], index) => {
    const button = make("button", { type: "button" }, make("kbd", { textContent: index + 1 }), text);
    button.dataset.reason = reason;
    return button;
  }));
  find("welcome").addEventListener("submit", (event) => { event.preventDefault(); begin(find("name").value); });
  page.querySelector("#audit-names").replaceChildren(...settings.auditors.map((value) => make("option", { value })));
  const known = new URLSearchParams(location.search).get("auditor") ?? settings.auditor;
  find("name").value = known;
  showTools();
  if (settings.invited) page.querySelector('[data-do="leave"]').hidden = true;
  if (known || settings.invited) begin(settings.invited ? "" : known);
};
