// Draws the page from the unit's JSON document: first from the copy inside the
// page, then from /events, once a second. It never writes HTML, only text.
"use strict";

const $ = (id) => document.getElementById(id);
const on = (id, event, act) => $(id) && $(id).addEventListener(event, act);

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
    if (!$("hits")) return [number(d.hits), `in ${span(d.uptime_s)}`];
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
  Board(d) {
    const b = d.board || {}, disk = d.disk ? `${bytes(d.disk.free)} free of ${bytes(d.disk.total)}` : "disk unknown";
    const power = b.under_voltage ? "supply voltage low" : b.slowed ? "slowed down" : "";
    return [d.temperature_c == null ? "–" : `${Math.round(d.temperature_c)} °C`, [power, disk].filter(Boolean).join(", ")];
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
      make("h2", "", tile).textContent = title;
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
    .map((p, i) => ({ level: p.level, text: [i || d.condition.level === "ok" ? p.text : "", p.advice && `→ ${p.advice}`].filter(Boolean).join(" ") }))
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
  if (!$("hits")) return; // not for this role
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

// The board, as far as it tells.
function boardWords(d) {
  const b = d.board || {}, at = [];
  const lately = (now, ever) => (now ? "yes, now" : ever ? "not now, but since the start" : "no");
  if (b.model) at.push(["Board", b.model]);
  if (d.temperature_c != null) at.push(["Temperature", `${d.temperature_c.toFixed(0)} °C`]);
  if (b.throttling_known) at.push(["Supply voltage low", lately(b.under_voltage, b.under_voltage_seen)], ["Slowed down", lately(b.slowed, b.slowed_seen)]);
  if (b.memory_total_bytes) at.push(["Memory of the board", `${bytes(b.memory_available_bytes)} of ${bytes(b.memory_total_bytes)} left`]);
  if (d.disk) at.push(["Disk", `${bytes(d.disk.free)} of ${bytes(d.disk.total)} free${b.read_only ? ", read-only" : ""}`]);
  if (b.disk_wear != null) at.push(["Disk’s life used", `about ${percent(b.disk_wear)}`]);
  if (b.clock_error_s) at.push(["Clock’s largest error", b.clock_error_s < 1 ? `${(1000 * b.clock_error_s).toFixed(0)} ms` : span(b.clock_error_s)]);
  if (d.page && !isZero(d.page.certificate_expires)) at.push(["Page’s certificate", `until ${when(d.page.certificate_expires)}, SHA-256 ${d.page.fingerprint}`]);
  if (!isZero(d.uplink.certificate_expires)) at.push(["Certificate for the broker", `until ${when(d.uplink.certificate_expires)}`]);
  return at;
}

// What a camera's stream announces.
function streamWords(c) {
  const off = c.clock_ahead_s;
  return [c.codec, c.keyframes_s && `a keyframe each ${c.keyframes_s.toFixed(1)} s`,
    off != null && (Math.abs(off) < 2 ? "its clock agrees" : `its clock is ${span(Math.abs(off))} ${off > 0 ? "ahead" : "behind"}`)].filter(Boolean).join(", ") || "–";
}

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
      ["Stream", streamWords(c)],
      ["Frames", number(c.frames)],
      ["Dropped", sum(c.drops) ? listed(c.drops) : "none"],
      ["Opened", plural(c.opens, "time", "times")],
      ["Searched", `${number(c.looks)} frames, ${number(c.full_looks || 0)} of them completely; no motion in ${number(c.still || 0)}`],
      ["Find and read", c.looks ? `median ${number(c.look.p50_ms)} ms, 95 % within ${number(c.look.p95_ms)} ms` : "–"],
      ["Light on plates", lightWords(c.light)],
      ["Controls", (c.controls || []).map((k) => `${k.name}${k.error && k.value === k.asked ? "" : ` ${k.value}`}${k.error ? `: ${k.error}` : k.value !== k.asked ? ` (set to ${k.asked})` : ""}`).join(", ") || "camera defaults"],
      ["Plates in view", (c.plate_boxes || []).map((b) => `${b.w} × ${b.h} px`).join(", ") || "none"],
      ["Passages", number(c.passages)],
      ["Last error", online(c) ? c.last_error || "none" : "see above"],
    ]);
  });
  const o = d.outbox;
  definitions($("unit-details"), [
    ...d.hotlist.lists.map((l) => [`List ${l.name}`, l.missing ? "missing" : `${plural(l.entries, "entry", "entries")}, version ${l.version || "–"}, imported ${when(l.imported)}`]),
    ...((d.verdicts && d.verdicts.counts) || []).map((v) => [`Verdicts on ${v.list}, ${v.how.replaceAll("_", " ")}`,
      `${number(v.right)} right, ${number(v.wrong)} wrong (${percent(v.wrong / Math.max(1, v.right + v.wrong))})${v.too_many_wrong ? ": too many" : ""}`]),
    ["Outbox", `${number(o.pending)} waiting, ${bytes(o.bytes)}${o.max_bytes ? ` of ${bytes(o.max_bytes)}` : ""} on disk`],
    ["Dropped", sum(o.dropped) ? listed(o.dropped) : "none"],
    ["Uplink", [d.uplink.broker || d.uplink.state, `${number(d.uplink.delivered)} delivered`, d.uplink.last_error].filter(Boolean).join(", ")],
    ...boardWords(d),
    ["Unit’s time", `${when(d.now)}${d.clock.source ? `, by ${d.clock.source}` : ""}`],
    ["Started", when(d.started)],
    ["Memory", `${d.process.memory_bytes ? bytes(d.process.memory_bytes) : "unknown"}, ${number(d.process.goroutines)} goroutines`],
    ["Go", d.version.go || "–"],
  ]);
}

// ---- the views: aim, health, hits. Which one is shown stands in the address.

const viewNames = ["aim", "health", "hits"].filter($);

// wellSet: a camera that needs no technician.
const wellSet = (c) => !c.aim || c.aim.level === "good" || c.aim.level === "fair";

function viewNow(d) {
  const asked = location.hash.slice(1);
  if (viewNames.includes(asked)) return asked;
  return viewNames.includes("aim") && d.cameras.some((c) => !wellSet(c)) ? "aim" : "health";
}

let shown = ""; // the view

function drawViews(d) {
  // The first choice stays, until somebody makes another.
  const asked = location.hash.slice(1);
  if (!shown || (viewNames.includes(asked) && asked !== shown)) shown = viewNow(d);
  for (const name of viewNames) $(name).hidden = name !== shown;
  for (const a of document.querySelectorAll("#views a")) {
    if (a.dataset.view === shown) a.setAttribute("aria-current", "page"); else a.removeAttribute("aria-current");
  }
}

window.addEventListener("hashchange", () => { if (latest) draw(latest); });

// ---- what has been received, for whoever pays for it

const received = { bytes: 0, since: performance.now() };

if (window.PerformanceObserver) {
  new PerformanceObserver((list) => {
    for (const e of list.getEntries()) if (!e.name.endsWith("events")) received.bytes += e.transferSize || 0;
    performance.clearResourceTimings();
  }).observe({ type: "resource", buffered: true });
}

function drawReceived() {
  text($("received"), `received ${bytes(received.bytes)}, ${bytes(Math.round(received.bytes / Math.max(1, (performance.now() - received.since) / 1000)))}/s`);
}

// ---- the live picture: the next one is requested when the last one was loaded, and
// numbers come first: none is requested while they are late

const live = {
  camera: null,
  viewer: Math.random().toString(36).slice(2, 10),
  count: 0,
  timer: 0,
  asked: 0,
  busy: false,
  small: false, // on a bad link
  quick: 0,     // pictures in a row that came at once
};
const frameTime = 125; // ms between two pictures, at most 8 a second
const slowPicture = 1500, quickPicture = 300; // ms
const numbersLate = 2500; // ms without numbers

let heard = Date.now(); // when the last numbers came

function drawTabs(d) {
  const box = $("tabs"), names = d.cameras.map((c) => c.name);
  if (!names.includes(live.camera)) choose((d.cameras.find((c) => !wellSet(c)) || d.cameras[0] || { name: null }).name);
  if (names.length < 2) { box.replaceChildren(); return; }
  while (box.children.length > names.length) box.lastChild.remove();
  d.cameras.forEach((c, i) => {
    let tab = box.children[i];
    if (!tab) {
      tab = make("button", "camera", box);
      tab.type = "button";
      tab.addEventListener("click", () => { choose(tab.dataset.camera); draw(latest); });
    }
    tab.dataset.camera = c.name;
    text(tab, c.name);
    state(tab, !online(c) ? "bad" : wellSet(c) ? "ok" : "warn");
    tab.setAttribute("aria-pressed", String(c.name === live.camera));
  });
}

function choose(camera) {
  if (camera === live.camera) return;
  live.camera = camera;
  live.count++; // pictures still loading belong to the other camera
  live.busy = false;
  closePart();
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
    ? `${camera.name}: ${camera.width} × ${camera.height}, ${camera.fps.toFixed(1)} frames/s, last frame ${ago(camera.last_frame_age_s)}${live.small ? "; small pictures: the link is slow" : ""}. Tap a point of the picture to see it 1:1.`
    : `${camera.name}: no frame for ${span(camera.last_frame_age_s || camera.since_s)}`);
}

const address = (what) => `cameras/${encodeURIComponent(live.camera)}/${what}`;

function ask() {
  if (live.busy || document.hidden || !live.camera || shown !== "aim" || Date.now() - heard > numbersLate) return;
  live.busy = true;
  live.asked = performance.now();
  live.count++;
  $("picture").src = address(`frame.jpg?viewer=${live.viewer}&n=${live.count}${live.small ? "&size=small" : ""}`);
}

function next(wait) {
  clearTimeout(live.timer);
  live.timer = setTimeout(() => { live.busy = false; if (latest && $("aim")) drawLive(latest); }, wait);
}

on("picture", "load", () => {
  $("picture").hidden = false;
  $("no-picture").hidden = true;
  $("picture").dataset.shown = String(live.count);
  const took = performance.now() - live.asked;
  live.quick = took < quickPicture ? live.quick + 1 : 0;
  if (took > slowPicture) live.small = true;
  else if (live.quick > 20) live.small = false;
  // On a slow link half of the time is left to the numbers.
  next(took > quickPicture ? took : Math.max(0, frameTime - took));
});
on("picture", "error", () => {
  $("picture").hidden = true;
  $("no-picture").hidden = false;
  text($("no-picture"), "No picture: the camera delivers none, or too many people are viewing.");
  next(3000);
});
// On paper nothing is closed.
let closed = [];
window.addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll("details:not([open])")];
  closed.forEach((d) => { d.open = true; });
});
window.addEventListener("afterprint", () => closed.forEach((d) => { d.open = false; }));

document.addEventListener("visibilitychange", () => { if (!document.hidden && latest && $("aim")) drawLive(latest); });

// ---- aiming: verdict, bars, zone

// colour of a level, by the classes of states.
const levelState = { good: "ok", fair: "warn", poor: "bad", waiting: "" };

function drawAim(d) {
  const camera = d.cameras.find((c) => c.name === live.camera);
  if (!camera) return;
  const a = camera.aim, card = $("verdict");
  const problem = online(camera) ? null : d.condition.problems.find((p) => p.key.startsWith(`camera ${camera.name} `));
  state(card, problem ? "bad" : a ? levelState[a.level] : "");
  text($("verdict-words"), problem ? "No picture" : a ? a.verdict : "");
  text($("instruction"), problem ? [d.condition.headline.startsWith(problem.text.replace(/\.$/, "")) ? "" : problem.text, problem.advice].filter(Boolean).join(" ") : a ? a.instruction : "");
  const list = a ? a.quantities : [], box = $("quantities");
  while (box.children.length > list.length) box.lastChild.remove();
  list.forEach((q, i) => drawQuantity(box.children[i] || quantityElement(box), q));
  // The measure that matters now stands beside the picture, also in full screen.
  const now = list.find((q) => q.key === a.cause) || (a && a.level === "waiting" && list.find((q) => q.key === "sharpness" && q.known));
  $("cause").hidden = !now;
  if (now) drawQuantity($("cause").firstChild || quantityElement($("cause")), now);
  drawZone(a && a.zone);
}

function quantityElement(box) {
  const li = make("li", "quantity", box);
  const top = make("p", "top", li);
  make("span", "name", top);
  make("span", "value", top);
  const bar = make("div", "bar", li);
  bar.setAttribute("role", "meter");
  make("span", "fine", bar);
  make("span", "peak", bar);
  make("span", "mark", bar);
  make("p", "muted range", li);
  return li;
}

function drawQuantity(li, q) {
  const [top, bar, range] = li.children;
  const digits = Math.abs(q.value) < 10 && q.unit === "px" ? 1 : 0;
  const value = q.known ? `${q.value.toFixed(digits).replace(/^-(0(\.0)?)$/, "$1")} ${q.unit}` : "not known yet";
  const place = (v) => 100 * Math.min(1, Math.max(0, (v - q.low) / (q.high - q.low || 1)));
  text(top.children[0], q.name);
  text(top.children[1], value);
  text(range, `${q.range}${q.peak ? `; peak ${q.peak.toFixed(0)} ${q.unit}` : ""}`);
  for (const [k, v] of Object.entries({ label: q.name, valuemin: q.low, valuemax: q.high, valuenow: q.known ? Math.min(q.high, Math.max(q.low, q.value)).toFixed(1) : q.low, valuetext: `${value}, ${q.range}` })) bar.setAttribute(`aria-${k}`, v);
  const [fine, peak, mark] = bar.children;
  fine.style.left = `${place(q.from)}%`;
  fine.style.right = `${100 - place(q.to)}%`;
  peak.hidden = !q.peak;
  peak.style.left = `${place(q.peak || 0)}%`;
  mark.hidden = !q.known;
  mark.style.left = `${place(q.value)}%`;
  state(li, q.known ? levelState[q.level] : "");
}

// What became of plates, with the sign that stands in the zone: no colour alone.
const outcomes = {
  read: ["✓", "read", "rgb(0 110 50 / 62%)"],
  small: ["S", "too small", "rgb(150 80 0 / 72%)"],
  blurred: ["B", "blurred", "rgb(110 30 140 / 72%)"],
  cut: ["C", "cut off", "rgb(0 70 150 / 72%)"],
  missed: ["?", "not read", "rgb(170 20 15 / 72%)"],
};

function drawZone(zone) {
  const canvas = $("zone"), box = $("screen").getBoundingClientRect();
  canvas.hidden = $("zone-shown").getAttribute("aria-pressed") !== "true";
  const total = {};
  for (const cell of zone ? zone.cells : []) for (const [k, n] of Object.entries(cell.n)) total[k] = (total[k] || 0) + n;
  const words = Object.entries(outcomes).filter(([k]) => total[k]).map(([k, [sign, name]]) => `${sign} ${name}: ${number(total[k])}`).join(", ");
  text($("zone-words"), `Where plates passed, in frames: ${words || "none yet; the zone fills as traffic passes"}.`);
  if (canvas.hidden || !box.width) return;
  const scale = window.devicePixelRatio || 1, w = Math.round(box.width * scale), h = Math.round(box.height * scale);
  if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
  const g = canvas.getContext("2d");
  g.clearRect(0, 0, w, h);
  if (!zone) return;
  const area = shownArea(w, h), cw = area.w / zone.columns, ch = area.h / zone.rows;
  g.textAlign = "center";
  g.textBaseline = "middle";
  for (const cell of zone.cells) {
    const n = sum(cell.n), [kind] = Object.entries(cell.n).reduce((a, b) => (b[1] > a[1] ? b : a));
    const [sign, , colour] = outcomes[kind];
    const x = area.x + cell.x * cw, y = area.y + cell.y * ch;
    g.globalAlpha = Math.min(1, 0.35 + n / 12);
    g.fillStyle = colour;
    g.fillRect(x + 1, y + 1, cw - 2, ch - 2);
    g.globalAlpha = 1;
    g.fillStyle = "#fff";
    g.font = `700 ${Math.round(Math.min(cw, ch) * 0.5)}px sans-serif`;
    g.fillText(sign, x + cw / 2, y + ch / 2);
  }
}

// shownArea is where the picture lies inside a box: it keeps its shape.
function shownArea(w, h) {
  const p = $("picture"), shape = p.naturalWidth ? p.naturalWidth / p.naturalHeight : w / h;
  const width = Math.min(w, h * shape), height = width / shape;
  return { x: (w - width) / 2, y: (h - height) / 2, w: width, h: height };
}

// ---- a part of the picture at its own resolution

const part = { open: false, plate: false, x: 0.5, y: 0.5, timer: 0 };

function openPart(x, y, plate) {
  Object.assign(part, { open: true, plate, x: Math.min(1, Math.max(0, x)), y: Math.min(1, Math.max(0, y)) });
  $("part").hidden = false;
  askPart();
  $("part").focus({ preventScroll: false });
}

function closePart() {
  part.open = false;
  clearTimeout(part.timer);
  if ($("part")) $("part").hidden = true;
}

function askPart() {
  if (!part.open || shown !== "aim") return;
  live.count++;
  const width = Math.min(960, Math.round(document.documentElement.clientWidth - 26));
  text($("part-words"), part.plate ? "Last plate, 1:1" : `1:1 at ${Math.round(100 * part.x)} % across, ${Math.round(100 * part.y)} % down`);
  $("part-picture").alt = part.plate ? "The last plate at its own resolution" : "Part of the live picture at its own resolution";
  $("part-picture").src = address(part.plate ? `plate.jpg?viewer=${live.viewer}&n=${live.count}`
    : `crop.jpg?viewer=${live.viewer}&n=${live.count}&x=${part.x.toFixed(3)}&y=${part.y.toFixed(3)}&w=${width}&h=${Math.round(width * 0.6)}`);
}

function partAgain(wait) {
  clearTimeout(part.timer);
  part.timer = setTimeout(askPart, wait);
}

on("part-picture", "load", () => partAgain(live.small ? 2000 : 500));
on("part-picture", "error", () => {
  text($("part-words"), part.plate ? "No plate was seen since this page was opened." : "No picture.");
  partAgain(2000);
});
on("part-close", "click", closePart);
on("part-plate", "click", () => openPart(0.5, 0.5, true));
on("part-middle", "click", () => openPart(0.5, 0.5, false));
on("part", "keydown", (e) => {
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
  if (e.key === "Escape") closePart();
  if (!step || part.plate) return;
  e.preventDefault();
  openPart(part.x + step[0] / 20, part.y + step[1] / 20, false);
});
on("screen", "click", (e) => {
  const box = $("screen").getBoundingClientRect(), area = shownArea(box.width, box.height);
  openPart((e.clientX - box.left - area.x) / area.w, (e.clientY - box.top - area.y) / area.h, false);
});

function setFull(full) {
  document.body.classList.toggle("full", full);
  $("full").setAttribute("aria-pressed", String(full));
  text($("full"), full ? "Leave full screen" : "Full screen");
  if (full && $("stage").requestFullscreen) $("stage").requestFullscreen().catch(() => {});
  if (!full && document.fullscreenElement) document.exitFullscreen().catch(() => {});
  if (latest) draw(latest);
}
on("full", "click", () => setFull(!document.body.classList.contains("full")));
document.addEventListener("fullscreenchange", () => { if (!document.fullscreenElement && document.body.classList.contains("full")) setFull(false); });
document.addEventListener("keydown", (e) => { if (e.key === "Escape" && document.body.classList.contains("full")) setFull(false); });
on("zone-shown", "click", () => {
  const b = $("zone-shown");
  b.setAttribute("aria-pressed", String(b.getAttribute("aria-pressed") !== "true"));
  if (latest) drawAim(latest);
});
on("anew", "click", () => fetch(address("aim"), { method: "POST" }).catch(() => {}));

// ---- the test drive

const drive = { busy: false };

function drawDrive(d) {
  const running = d.test_drive, banner = $("announced");
  banner.hidden = !running;
  if (running) text(banner, `Test drive: what is read is shown as text to ${running.who}, for ${span(running.left_s)} still.`);
  if (!$("drive")) return;
  $("drive-start").hidden = Boolean(running);
  $("drive-stop").hidden = !running;
  if (!running) {
    $("reads").replaceChildren();
    text($("drive-words"), "");
  } else if (shown === "aim" && !drive.busy) {
    drive.busy = true;
    fetch("testdrive.json").then((r) => (r.ok ? r.json() : { reads: [] })).then(drawReads).catch(() => {}).finally(() => { drive.busy = false; });
  }
}

function drawReads(answer) {
  const list = $("reads");
  text($("drive-words"), answer.reads.length ? `The last ${plural(answer.reads.length, "read", "reads")}, the newest first:` : "Nothing was read yet: drive past.");
  const old = new Map([...list.children].map((li) => [li.dataset.number, li]));
  list.replaceChildren(...answer.reads.map((r) => {
    let li = old.get(String(r.number));
    if (!li) {
      li = make("li", "read");
      li.dataset.number = r.number;
      make("span", "plate", li).textContent = r.text;
      make("span", "sure", li).textContent = `${percent(r.confidence)} sure`;
      if (r.picture) {
        const img = make("img", "", li);
        img.alt = `The plate on camera ${r.camera}`;
        img.src = `testdrive/${r.number}`;
      }
      make("span", "muted when", li);
    }
    text(li.lastChild, `${r.camera}, ${ago(r.age_s)}`);
    return li;
  }));
}

function control(act) {
  fetch("testdrive", { method: "POST", body: new URLSearchParams({ do: act }) })
    .then(async (r) => { if (!r.ok) text($("drive-words"), await r.text()); })
    .catch(() => text($("drive-words"), "No connection to the unit."));
}
on("drive-start", "click", () => control("start"));
on("drive-stop", "click", () => control("stop"));

// ---- all of it

let latest = null;

function draw(d) {
  latest = d;
  drawHead(d);
  drawViews(d);
  drawTiles(d);
  drawHits(d);
  drawDetails(d);
  if ($("aim")) {
    drawTabs(d);
    drawLive(d);
    drawAim(d);
  }
  drawDrive(d);
  drawReceived();
}

function listen() {
  let events;
  heard = Date.now();
  const connect = () => {
    events = new EventSource("events");
    events.onmessage = (event) => {
      heard = Date.now();
      received.bytes += event.data.length;
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

// A QR code brings the token behind the "#", which is not sent: the login form takes
// it from there, and the address forgets it.
function enter() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!token) return;
  history.replaceState(null, "", location.pathname);
  $("token").value = token;
  $("token").form.requestSubmit();
}

if ($("document")) {
  if (location.hash.startsWith("#token=")) history.replaceState(null, "", location.pathname);
  draw(JSON.parse($("document").textContent));
  listen();
} else {
  enter();
}
