// Draws the page from the unit's JSON document: first from the copy inside the
// page, then from /events, once a second. It never writes HTML, only text.
"use strict";

const $ = (id) => document.getElementById(id);

// ---- words for numbers

const number = (n) => Math.round(n).toLocaleString("en");

function span(seconds) {
  const s = Math.max(0, seconds);
  if (s < 1) return "less than 1 s";
  if (s < 90) return `${Math.round(s)} s`;
  if (s < 90 * 60) return `${Math.round(s / 60)} min`;
  if (s < 36 * 3600) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} days`;
}

const ago = (seconds) => (seconds < 2 ? "just now" : `${span(seconds)} ago`);

function bytes(n) {
  for (const [unit, size] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]) {
    if (n >= size) {
      const v = n / size;
      return `${v >= 10 ? Math.round(v) : v.toFixed(1)} ${unit}`;
    }
  }
  return `${n} B`;
}

const sum = (counts) => Object.values(counts || {}).reduce((a, b) => a + b, 0);
const plural = (n, one, many) => `${number(n)} ${n === 1 ? one : many}`;
const listed = (counts) => Object.entries(counts || {}).map(([k, v]) => `${number(v)} ${k}`).join(", ");
const isZero = (time) => !time || time.startsWith("0001-");
const when = (time) => isZero(time) ? "unknown" : new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });

// ---- small steps in the document

function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

function state(element, name) {
  for (const s of ["ok", "warn", "bad"]) element.classList.toggle(s, s === name);
}

function make(tag, className, parent) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (parent) parent.append(element);
  return element;
}

// definitions fills a <dl> and keeps its elements from one time to the next.
function definitions(dl, pairs) {
  while (dl.children.length > pairs.length * 2) dl.lastChild.remove();
  pairs.forEach(([name, value], i) => {
    if (dl.children.length <= i * 2) { make("dt", "", dl); make("dd", "", dl); }
    text(dl.children[i * 2], name);
    text(dl.children[i * 2 + 1], String(value));
  });
}

const online = (camera) => camera.state === "online" || camera.state === "ended";

// ---- the tiles: title, words, more words. Their colour is that of the worst
// problem about them.

const tiles = {
  Cameras(d) {
    const there = d.cameras.filter(online).length, all = d.cameras.length;
    if (!all) return ["None", "no camera is configured"];
    const absent = d.cameras.filter((c) => !online(c)).map((c) => `${c.name} ${c.state} for ${span(c.since_s)}`);
    const words = all === 1 ? (there ? "Online" : "Offline") : there === all ? `${all} online` : `${there} of ${all} online`;
    return [words, absent.join(", ") || `${d.cameras.map((c) => c.fps.toFixed(0)).join(" and ")} frames/s`];
  },
  Reading(d) {
    const busy = d.cameras.filter((c) => c.looks > 0);
    if (!busy.length) return ["Not yet", "no frame was searched yet"];
    const slowest = busy.reduce((a, b) => (b.look.p50_ms > a.look.p50_ms ? b : a));
    const boxes = busy.filter((c) => c.plate_boxes && c.plate_boxes.length).sort((a, b) => (a.plate_age_s || 0) - (b.plate_age_s || 0))[0];
    const last = boxes ? `per frame; last plate ${boxes.plate_boxes[0].w} px wide, ${ago(boxes.plate_age_s || 0)}` : "per frame; no plate read yet";
    return [`${number(slowest.look.p50_ms)} ms`, last];
  },
  Passages: (d) => [number(d.passages), `vehicles in ${span(d.uptime_s)}`],
  Hits(d) {
    return [number(d.hits), d.last_hits.length ? `last ${ago(d.last_hits[0].age_s)}` : `none in ${span(d.uptime_s)}`];
  },
  Uplink(d) {
    const u = d.uplink;
    switch (u.state) {
      case "connected": return ["Connected", u.server_silent ? "the server does not acknowledge hits" : `${hostOf(u.broker)} for ${span(u.since_s)}`];
      case "off": return ["None", "hits stay in the outbox"];
      case "connecting": return ["Connecting", `${hostOf(u.broker)}, ${span(u.since_s)}`];
    }
    return ["No connection", `for ${span(u.since_s)}; hits stay in the outbox`];
  },
  Outbox(d) {
    const o = d.outbox;
    if (!o.open) return ["Not open", o.error || "hits cannot be stored"];
    const lost = sum(o.dropped);
    if (lost) return [`${number(lost)} dropped`, `${number(o.pending)} waiting, ${bytes(o.bytes)} on disk`];
    if (!o.pending) return ["Empty", `${number(d.uplink.delivered)} delivered`];
    return [`${number(o.pending)} waiting`, `oldest ${ago(o.oldest_age_s)}`];
  },
  Hotlist(d) {
    const h = d.hotlist, held = h.lists.filter((l) => !l.missing), entries = held.reduce((n, l) => n + l.entries, 0);
    if (!h.open) return ["Not open", h.error || "nothing can match"];
    const missing = h.lists.length - held.length, lacks = missing ? `, ${number(missing)} missing` : "";
    if (!entries) return ["Empty", `nothing can match${lacks}`];
    return [number(entries), `${entries === 1 ? "entry" : "entries"} in ${plural(held.length, "list", "lists")}${lacks}`];
  },
  Clock(d) {
    const off = (Date.parse(d.now) - Date.now()) / 1000;
    const apart = Math.abs(off) < 5 ? "same as this device" : `${span(Math.abs(off))} ${off > 0 ? "ahead of" : "behind"} this device`;
    const words = { synchronised: "In sync", unsynchronised: "Not in sync" }[d.clock.state] || "Unknown";
    return [words, apart];
  },
};

// Tiles that only count have no colour.
const counting = ["Reading", "Passages", "Hits"];

function hostOf(broker) {
  try { return new URL(broker).hostname || broker; } catch { return broker || "the broker"; }
}

function drawTiles(d) {
  const parent = $("tiles");
  for (const [title, words] of Object.entries(tiles)) {
    const id = `tile-${title.toLowerCase()}`;
    let tile = $(id);
    if (!tile) {
      tile = make("div", "tile", parent);
      tile.id = id;
      make("h3", "", tile).textContent = title;
      make("p", "value", tile);
      make("p", "more", tile);
    }
    const [value, more] = words(d);
    const level = counting.includes(title) ? "" : worst(d, title.toLowerCase());
    text(tile.children[1], value);
    text(tile.children[2], more);
    state(tile, level === "ok" ? "" : level);
    state(tile.children[0], level);
  }
}

const percent = (share) => `${Math.round(100 * share)} %`;

// The light on recent plates of a camera, in numbers.
function lightWords(l) {
  if (!l) return "–";
  const faults = [["over-exposed", l.over], ["too dark", l.under], ["blurred", l.blurred], ["too small", l.small]]
    .filter(([, share]) => share > 0).map(([name, share]) => `${percent(share)} ${name}`);
  return `background ${Math.round(l.bright)}, characters ${Math.round(l.dark)} of 255; height ${Math.round(l.height_px)} px, edges ${l.blur_px.toFixed(1)} px; ${faults.join(", ") || "no fault"}`;
}

// ---- the condition: the unit decides it, and the page only shows it

const levels = ["ok", "note", "warn", "bad"];
const rank = (level) => Math.max(0, levels.indexOf(level));

// worst is the level of the worst problem about something.
function worst(d, about) {
  const level = d.condition.problems.filter((p) => p.about === about)
    .reduce((l, p) => (rank(p.level) > rank(l) ? p.level : l), "ok");
  return level === "note" ? "ok" : level;
}

function drawHead(d) {
  text($("overall"), d.condition.headline);
  state($("overall"), d.condition.level);
  text($("position"), d.position || "");
  // The headline says the worst of them: below it stands only what to do.
  const list = d.condition.problems
    .map((p, i) => ({ level: p.level, text: [i || d.condition.level === "ok" ? p.text : "", p.hint && `→ ${p.hint}`].filter(Boolean).join(" ") }))
    .filter((p) => p.text);
  const box = $("warnings");
  while (box.children.length > list.length) box.lastChild.remove();
  list.forEach((p, i) => {
    const line = box.children[i] || make("p", "banner", box);
    text(line, p.text);
    state(line, p.level === "bad" ? "bad" : "");
  });
  text($("version"), `platewatch ${d.version.version}${d.version.revision ? ` (${d.version.revision.slice(0, 8)})` : ""}, up ${span(d.uptime_s)}`);
}

// ---- the hits

// Categories shown without alarm. Unknown ones are shown as alarms.
const quiet = /expired|insurance|tax|custom|information/i;

function hitElement(hit) {
  const li = make("li", "hit");
  const top = make("div", "top", li);
  make("span", "plate", top);
  li.classList.toggle("withdrawn", Boolean(hit.withdrawn));
  if (!hit.withdrawn) {
    const category = make("span", "category", top);
    category.textContent = (hit.category || hit.list).replaceAll("_", " ");
    category.classList.add(quiet.test(hit.category) ? "warn" : "bad");
  }
  if (hit.picture) {
    const img = make("img", "", top);
    img.alt = `The plate on camera ${hit.camera}`;
    img.loading = "lazy";
    img.addEventListener("error", () => img.remove());
    img.src = `hits/${encodeURIComponent(hit.id)}/plate.jpg`;
  }
  make("p", "compare", li);
  make("dl", "facts", li);
  make("p", "muted meta", li);
  return li;
}

const drawn = new Map(); // id → element

function drawHits(d) {
  const list = $("hit-list"), first = drawn.size === 0;
  const ids = new Set(d.last_hits.map((h) => h.id));
  for (const [id, li] of drawn) if (!ids.has(id)) { li.remove(); drawn.delete(id); }
  d.last_hits.forEach((hit, i) => {
    let li = drawn.get(hit.id);
    if (li && li.classList.contains("withdrawn") !== Boolean(hit.withdrawn)) { li.remove(); li = null; }
    if (!li) {
      li = hitElement(hit);
      if (!first) li.classList.add("new");
      drawn.set(hit.id, li);
    }
    text(li.querySelector(".plate"), hit.withdrawn ? "–" : hit.text);
    text(li.querySelector(".compare"), hit.head);
    const facts = li.querySelector(".facts");
    definitions(facts, (hit.facts || []).map((f) => [f.label, f.text]));
    (hit.facts || []).forEach((f, i) => facts.children[i * 2 + 1].classList.toggle("urgent", Boolean(f.urgent)));
    text(li.querySelector(".meta"), [
      `${hit.camera}, ${ago(hit.age_s)}`,
      hit.withdrawn ? "" : { exact: "exact match", confusable: "match with similar characters", one_character: "one character differs", wildcard: "match with a pattern" }[hit.how] || hit.how,
      hit.withdrawn ? "" : `${Math.round(hit.confidence * 100)}\u00a0% sure`,
      hit.delivered ? "✓\u00a0delivered" : "…\u00a0waiting",
    ].filter(Boolean).join(" · "));
    if (list.children[i] !== li) list.insertBefore(li, list.children[i] || null);
  });
  $("no-hits").hidden = d.last_hits.length > 0;
}

// ---- everything in numbers

function drawDetails(d) {
  const box = $("camera-details");
  while (box.children.length > d.cameras.length) box.lastChild.remove();
  d.cameras.forEach((c, i) => {
    let part = box.children[i];
    if (!part) { part = make("div", "", box); make("h3", "", part); make("dl", "", part); }
    text(part.children[0], c.name);
    definitions(part.children[1], [
      ["State", `${stateWords(c)}${c.kind ? `, ${c.kind}` : ""}`],
      ["Picture", c.width ? `${c.width} × ${c.height}, ${c.fps.toFixed(1)} frames/s` : "none yet"],
      ["Frames", number(c.frames)],
      ["Dropped", sum(c.drops) ? listed(c.drops) : "none"],
      ["Opened", plural(c.opens, "time", "times")],
      ["Searched", `${number(c.looks)} frames, ${number(c.full_looks || 0)} of them completely; no motion in ${number(c.still || 0)}`],
      ["Find and read", c.looks ? `median ${number(c.look.p50_ms)} ms, 95 % within ${number(c.look.p95_ms)} ms` : "–"],
      ["Light on plates", lightWords(c.light)],
      ["Controls", (c.controls || []).map((k) => `${k.name} ${k.value}${k.error ? `: ${k.error}` : k.value !== k.asked ? ` (set to ${k.asked})` : ""}`).join(", ") || "camera defaults"],
      ["Plates in view", (c.plate_boxes || []).map((b) => `${b.w} × ${b.h} px`).join(", ") || "none"],
      ["Passages", number(c.passages)],
      ["Last error", online(c) ? c.last_error || "none" : "see above"],
    ]);
  });
  const o = d.outbox;
  definitions($("unit-details"), [
    ...d.hotlist.lists.map((l) => [`List ${l.name}`, l.missing ? "missing" : `${plural(l.entries, "entry", "entries")}, version ${l.version || "–"}, imported ${when(l.imported)}`]),
    ["Outbox", `${number(o.pending)} waiting, ${bytes(o.bytes)}${o.max_bytes ? ` of ${bytes(o.max_bytes)}` : ""} on disk`],
    ["Dropped", sum(o.dropped) ? listed(o.dropped) : "none"],
    ["Uplink", [d.uplink.broker || d.uplink.state, `${number(d.uplink.delivered)} delivered`, d.uplink.last_error].filter(Boolean).join(", ")],
    ["Unit’s time", `${when(d.now)}${d.clock.source ? `, by ${d.clock.source}` : ""}`],
    ["Started", when(d.started)],
    ["Memory", `${d.process.memory_bytes ? bytes(d.process.memory_bytes) : "unknown"}, ${number(d.process.goroutines)} goroutines`],
    ["Go", d.version.go || "–"],
  ]);
}

// ---- the live picture: the next one is requested when the last one was loaded

const live = {
  camera: null,
  viewer: Math.random().toString(36).slice(2, 10),
  count: 0,
  timer: 0,
  asked: 0,
  busy: false,
};
const frameTime = 125; // ms between two pictures, at most 8 a second

function drawTabs(d) {
  const box = $("tabs"), names = d.cameras.map((c) => c.name);
  if (!names.includes(live.camera)) choose(names[0] || null);
  if (names.length < 2) { box.replaceChildren(); return; }
  while (box.children.length > names.length) box.lastChild.remove();
  d.cameras.forEach((c, i) => {
    let tab = box.children[i];
    if (!tab) {
      tab = make("button", "", box);
      tab.type = "button";
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", "screen");
      tab.addEventListener("click", () => { choose(tab.dataset.camera); draw(latest); });
    }
    tab.dataset.camera = c.name;
    text(tab, c.name);
    state(tab, online(c) ? "ok" : "bad");
    tab.setAttribute("aria-selected", String(c.name === live.camera));
  });
}

function choose(camera) {
  if (camera === live.camera) return;
  live.camera = camera;
  live.count++; // pictures still loading belong to the other camera
  live.busy = false;
  $("picture").hidden = true;
  text($("no-picture"), "Loading the picture.");
  $("no-picture").hidden = false;
}

// stateWords says how a camera is, and for how long.
function stateWords(c) {
  return c.state === "waiting" ? `waiting for a keyframe, ${span(c.since_s)}` : `${c.state} for ${span(c.since_s)}`;
}

function drawLive(d) {
  const camera = d.cameras.find((c) => c.name === live.camera);
  if (!camera) {
    text($("no-picture"), "No camera is configured.");
    return;
  }
  const there = online(camera);
  $("screen").classList.toggle("stale", !there && !$("picture").hidden);
  if (!there) {
    text($("no-picture"), stateWords(camera)); // the reason and the advice stand above, once
    $("no-picture").hidden = false;
  } else {
    if (camera.width) $("screen").style.aspectRatio = `${camera.width} / ${camera.height}`;
    ask();
  }
  $("picture").alt = `Live picture of camera ${camera.name}`;
  text($("caption"), there
    ? `${camera.name}: ${camera.width} × ${camera.height}, ${camera.fps.toFixed(1)} frames/s, last frame ${ago(camera.last_frame_age_s)}`
    : `${camera.name}: no frame for ${span(camera.last_frame_age_s || camera.since_s)}`);
}

function ask() {
  if (live.busy || document.hidden || !live.camera) return;
  live.busy = true;
  live.asked = performance.now();
  live.count++;
  $("picture").src = `cameras/${encodeURIComponent(live.camera)}/frame.jpg?viewer=${live.viewer}&n=${live.count}`;
}

function next(wait) {
  clearTimeout(live.timer);
  live.timer = setTimeout(() => { live.busy = false; if (latest) drawLive(latest); }, wait);
}

$("picture").addEventListener("load", () => {
  $("picture").hidden = false;
  $("no-picture").hidden = true;
  $("picture").dataset.shown = String(live.count);
  next(Math.max(0, frameTime - (performance.now() - live.asked)));
});
$("picture").addEventListener("error", () => {
  $("picture").hidden = true;
  $("no-picture").hidden = false;
  text($("no-picture"), "No picture: the camera delivers none, or too many people are viewing.");
  next(3000);
});
document.addEventListener("visibilitychange", () => { if (!document.hidden && latest) drawLive(latest); });

// ---- all of it

let latest = null;

function draw(d) {
  latest = d;
  drawHead(d);
  drawTabs(d);
  drawTiles(d);
  drawHits(d);
  drawDetails(d);
  drawLive(d);
}

function listen() {
  let heard = Date.now(), events;
  const connect = () => {
    events = new EventSource("events");
    events.onmessage = (event) => {
      heard = Date.now();
      $("lost").hidden = true;
      document.body.classList.remove("lost");
      draw(JSON.parse(event.data));
    };
  };
  connect();
  setInterval(async () => {
    if (Date.now() - heard < 5000) return;
    text($("lost"), `No connection to the unit: this page is ${span((Date.now() - heard) / 1000)} old.`);
    // What the unit said last is not its state any more.
    text($("overall"), "No connection to the unit");
    state($("overall"), "bad");
    $("lost").hidden = false;
    document.body.classList.add("lost");
    // The browser reconnects by itself, but not after a response that is no
    // stream, as from a unit that is starting or requires a new login.
    if (events.readyState !== EventSource.CLOSED) return;
    connect();
    const answer = await fetch("status.json").catch(() => null);
    if (answer && answer.status === 401) location.reload();
  }, 1000);
}

draw(JSON.parse($("document").textContent));
listen();
