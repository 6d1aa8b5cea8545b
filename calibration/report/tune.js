"use strict";
// Counts again as limits move. Frames are sorted by badness once for each limit, so a moved limit
// touches only the frames between its old and its new place.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
  const good = new Uint8Array(bytes(data.good)), held = new Uint8Array(bytes(data.held));
  const subject = new Int32Array(bytes(data.subject)), item = new Int32Array(bytes(data.item));
  const seq = new Int32Array(bytes(data.seq)), mask = new Uint32Array(bytes(data.mask));
  const n = good.length, subjects = data.subjects;
  const SHOWN = 12, STEPS = 1000;
  const heldSubject = new Uint8Array(subjects);
  for (let f = 0; f < n; f++) heldSubject[subject[f]] = held[f];

  // Errors of one kind among some frames: by subject, so that each subject counts the same.
  class Tally {
    constructor(among) {
      this.all = new Int32Array(subjects);
      this.errors = new Int32Array(subjects);
      for (let f = 0; f < n; f++) if (among(f)) this.all[subject[f]]++;
    }
    read(side) {
      let errors = 0, frames = 0, people = 0, shares = 0;
      for (let s = 0; s < subjects; s++) {
        if (!this.all[s] || (side !== "all" && heldSubject[s] !== (side === "held" ? 1 : 0))) continue;
        errors += this.errors[s];
        frames += this.all[s];
        shares += this.errors[s] / this.all[s];
        people++;
      }
      return { errors, frames, people, rate: people ? shares / people : NaN };
    }
  }

  const isBadFor = (limit, f) => limit.reason >= 0 && (mask[f] >>> limit.reason) & 1;
  const violations = new Uint8Array(n);
  const rejects = new Tally((f) => good[f]), accepts = new Tally((f) => !good[f]);
  for (let f = 0; f < n; f++) if (!good[f]) accepts.errors[subject[f]]++;

  const limits = data.limits.map((limit) => {
    const badness = new Float64Array(bytes(limit.badness));
    const order = Uint32Array.from({ length: n }, (_, f) => f).filter((f) => !Number.isNaN(badness[f]));
    order.sort((a, b) => (badness[a] < badness[b] ? -1 : badness[a] > badness[b] ? 1 : a - b));
    const sorted = Float64Array.from(order, (f) => badness[f]);
    const made = {
      ...limit, badness, order, sorted, at: order.length,
      rejectsOf: new Tally((f) => good[f] && !Number.isNaN(badness[f])),
      acceptsOf: new Tally((f) => isBadFor(limit, f) && !Number.isNaN(badness[f])),
    };
    for (const f of order) if (isBadFor(limit, f)) made.acceptsOf.errors[subject[f]]++;
    return made;
  });

  // How many frames, in order, are within a level.
  function placeOf(limit, level) {
    const most = limit.sign * level;
    let low = 0, high = limit.sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (limit.sorted[middle] <= most) low = middle + 1; else high = middle;
    }
    return low;
  }

  function flip(limit, f, beyond) {
    const step = beyond ? 1 : -1;
    if (good[f]) limit.rejectsOf.errors[subject[f]] += step;
    else if (isBadFor(limit, f)) limit.acceptsOf.errors[subject[f]] -= step;
    if (!limit.rejects) return;
    const before = violations[f] > 0;
    violations[f] += step;
    if (before === violations[f] > 0) return;
    if (good[f]) rejects.errors[subject[f]] += step; else accepts.errors[subject[f]] -= step;
  }

  function move(limit, level) {
    const to = placeOf(limit, level);
    for (let k = limit.at - 1; k >= to; k--) flip(limit, limit.order[k], true);
    for (let k = limit.at; k < to; k++) flip(limit, limit.order[k], false);
    limit.at = to;
    limit.now = level;
  }

  const percent = (rate) => (Number.isNaN(rate) ? "-" : `${(100 * rate).toFixed(2)} %`);
  const short = (value) => String(Number(value.toPrecision(4)));
  function write(node, found) {
    node.textContent = found.frames ? `${percent(found.rate)} \u00b7 ${found.errors} of ${found.frames}` : "-";
    node.dataset.errors = found.errors;
    node.dataset.frames = found.frames;
    node.dataset.people = found.people;
    node.dataset.rate = found.rate;
  }

  const query = (name) => document.getElementById(name);
  let side = "held";

  function showAll() {
    write(query("good-rejected"), rejects.read(side));
    write(query("bad-accepted"), accepts.read(side));
    query("people").textContent = `${rejects.read(side).people} subjects`;
    const changed = limits.filter((limit) => limit.now !== limit.level).length;
    query("changed").textContent = changed ? `${changed} moved from the tuned levels` : "the tuned levels";
    query("toml").textContent = toml();
  }

  function toml() {
    const rows = ["[thresholds]"];
    for (const limit of limits) {
      if (limit.now === limit.default) continue;
      rows.push(`${limit.key} = ${decimal(limit.now)}`);
      if (!limit.acceptKey) continue;
      const accept = Number((limit.now * limit.acceptRatio).toPrecision(4));
      rows.push(`${limit.acceptKey} = ${decimal(Math.min(Math.max(accept, limit.low), limit.high))}`);
    }
    return rows.join("\n");
  }
  const decimal = (value) => (Number.isInteger(value) ? value.toFixed(1) : String(value));

  const EDGE = 10, WIDTH = 560;
  function across(limit, value) {
    const [low, high] = limit.span;
    return EDGE + Math.min(Math.max((value - low) / (high - low), 0), 1) * (WIDTH - 2 * EDGE);
  }
  const logit = (p) => Math.log(p / (1 - p));
  function onDet(rate) {
    const low = 0.001, high = 0.9, clipped = Math.min(Math.max(rate, low), high);
    return (logit(clipped) - logit(low)) / (logit(high) - logit(low));
  }
  function point(node, frr, far) {
    if (!node || Number.isNaN(frr) || Number.isNaN(far)) return;
    node.setAttribute("cx", 44 + onDet(frr) * (300 - 10 - 44));
    node.setAttribute("cy", 206 - onDet(far) * (206 - 10));
  }

  function showLimit(limit) {
    const card = limit.card, found = limit.rejectsOf.read(side), missed = limit.acceptsOf.read(side);
    write(card.querySelector(".rejected"), found);
    write(card.querySelector(".accepted"), missed);
    const x = across(limit, limit.now), mark = card.querySelector(".mark.level");
    mark?.setAttribute("x1", x);
    mark?.setAttribute("x2", x);
    point(card.querySelector(".point.level"), limit.rejectsOf.read("all").rate, limit.acceptsOf.read("all").rate);
    const [low, high] = limit.span;
    limit.slider.value = Math.round(((limit.now - low) / (high - low)) * STEPS);
    if (document.activeElement !== limit.field) limit.field.value = short(limit.now);
    limit.slider.setAttribute("aria-valuetext", short(limit.now));
    showFlips(limit);
  }

  // Frames between the default and the level, nearest to the level first; pictures before names.
  function showFlips(limit) {
    const start = placeOf(limit, limit.default), stricter = limit.at < start;
    const from = Math.min(start, limit.at), to = Math.max(start, limit.at);
    const pictured = [], named = [];
    let goodOnes = 0, badOnes = 0;
    for (let k = 0; k < to - from; k++) {
      const f = limit.order[stricter ? from + k : to - 1 - k];
      if (side !== "all" && held[f] !== (side === "held" ? 1 : 0)) continue;
      if (good[f]) goodOnes++; else if (isBadFor(limit, f)) badOnes++; else continue;
      const into = f in data.pictures ? pictured : named;
      if (into.length < SHOWN) into.push(f);
    }
    const verb = stricter ? "now rejected" : "now accepted";
    limit.card.querySelector(".flips").textContent = goodOnes + badOnes
      ? `Against the default ${short(limit.default)}: ${goodOnes} good and ${badOnes} bad frames ${verb}`
      : `Against the default ${short(limit.default)} no frame changes sides`;
    const shown = [...pictured, ...named].slice(0, SHOWN);
    const strip = limit.card.querySelector(".thumbs");
    const told = shown.join();
    if (strip.dataset.shown === told) return;
    strip.dataset.shown = told;
    strip.replaceChildren(...shown.map(thumb));
  }

  const nodes = new Map();
  function thumb(f) {
    if (nodes.has(f)) return nodes.get(f).cloneNode(true);
    const name = `${data.items[item[f]]}${seq[f] ? `, frame ${seq[f]}` : ""}`;
    const caption = document.createElement("span");
    caption.textContent = `${good[f] ? "good" : "bad"}: ${name}`;
    caption.className = good[f] ? "good" : "bad";
    caption.title = name;
    const node = document.createElement(f in data.pictures ? "button" : "div");
    if (f in data.pictures) {
      const image = document.createElement("img");
      image.src = data.pictures[f];
      image.alt = name;
      node.type = "button";
      node.setAttribute("aria-pressed", "false");
      node.append(image);
    }
    node.append(caption);
    nodes.set(f, node);
    return node.cloneNode(true);
  }

  const waiting = new Set();
  function set(limit, level) {
    move(limit, level);
    if (!waiting.size) requestAnimationFrame(() => {
      waiting.forEach(showLimit);
      waiting.clear();
      showAll();
    });
    waiting.add(limit);
  }

  for (const limit of limits) {
    limit.card = document.querySelector(`[data-key="${limit.key}"]`);
    limit.slider = limit.card.querySelector("[type=range]");
    limit.field = limit.card.querySelector("[type=number]");
    const [low, high] = limit.span;
    const within = (value) => Math.min(Math.max(value, limit.low), limit.high);
    limit.slider.addEventListener("input", () =>
      set(limit, within(Number((low + ((high - low) * limit.slider.value) / STEPS).toPrecision(4)))));
    limit.field.addEventListener("input", () => {
      const level = limit.field.valueAsNumber;
      if (Number.isFinite(level)) set(limit, within(level));
    });
    limit.field.addEventListener("blur", () => showLimit(limit));
    limit.card.querySelector(".to-default").addEventListener("click", () => set(limit, limit.default));
    limit.card.querySelector(".to-tuned").addEventListener("click", () => set(limit, limit.level));
    move(limit, limit.default);
    point(limit.card.querySelector(".point.default"), limit.rejectsOf.read("all").rate, limit.acceptsOf.read("all").rate);
    move(limit, limit.level);
  }

  function everything() {
    limits.forEach(showLimit);
    showAll();
  }
  for (const choice of document.querySelectorAll("[name=side]"))
    choice.addEventListener("change", () => { side = choice.value; everything(); });
  query("all-default").addEventListener("click", () => limits.forEach((l) => set(l, l.default)));
  query("all-tuned").addEventListener("click", () => limits.forEach((l) => set(l, l.level)));
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".thumbs button");
    if (button) button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
  });

  // report.html#blur_drop_pct=1.6&side=all opens with these levels; moves=N times N random moves.
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const limit of limits) {
    const level = parseFloat(asked.get(limit.key));
    if (Number.isFinite(level)) move(limit, level);
  }
  if (["held", "training", "all"].includes(asked.get("side"))) {
    side = asked.get("side");
    document.querySelector(`[name=side][value=${side}]`).checked = true;
  }
  const moves = Math.min(parseInt(asked.get("moves"), 10) || 0, 10000);
  if (moves) {
    const started = performance.now(), levels = limits.map((limit) => limit.now);
    for (let k = 0; k < moves; k++) {
      const limit = limits[k % limits.length], [low, high] = limit.span;
      move(limit, low + (high - low) * Math.abs(Math.sin(k)));
      showLimit(limit);
      showAll();
    }
    document.body.dataset.moveMs = (performance.now() - started) / moves;
    limits.forEach((limit, k) => move(limit, levels[k]));
  }
  everything();
  document.body.dataset.ready = "yes";
})();
