"use strict";
// The page's curves. The data are what report/html's Data says.
(async () => {
  const $ = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value !== null && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };
  const svg = (tag, attributes = {}, ...children) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };

  // Themes.
  const root = document.documentElement, themeButton = document.getElementById("theme");
  const preferred = matchMedia("(prefers-color-scheme: dark)");
  const setTheme = name => {
    root.dataset.theme = name;
    themeButton.textContent = name === "dark" ? "Light" : "Dark";
    themeButton.setAttribute("aria-label", `Switch to the ${name === "dark" ? "light" : "dark"} theme`);
  };
  setTheme(preferred.matches ? "dark" : "light");
  const color = name => getComputedStyle(root).getPropertyValue("--" + name).trim();

  // Data.
  const app = document.getElementById("app");
  const read = async () => {
    const text = document.getElementById("data").textContent.trim().replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  };
  if (typeof DecompressionStream === "undefined") {
    app.append($("p", { class: "warning" }, "! The curves need a browser with DecompressionStream: Chrome 80, Safari 16.4, Firefox 113 or later."));
    return;
  }
  const data = await read(), runs = data.runs;
  let shown = runs.find(r => r.name === data.shown) || runs[0];
  const hidden = new Set();

  // Words for figures.
  const digits = v => {
    const size = Math.abs(v);
    if (v === 0) return "0";
    if (size >= 1e5) return v.toLocaleString("en-US", { maximumFractionDigits: 0 });
    if (size >= 100) return v.toLocaleString("en-US", { maximumFractionDigits: 0 });
    return String(Number(v.toPrecision(3)));
  };
  const clock = s => {
    const rounded = Math.round(s * 10) / 10;
    let rest = Math.floor(rounded), text = "";
    for (const [unit, size] of [["d", 86400], ["h", 3600], ["m", 60]]) {
      const n = Math.floor(rest / size);
      if (n > 0) { text += n + unit; rest -= n * size; }
    }
    const seconds = rest + (rounded - Math.floor(rounded));
    return seconds > 0 || text === "" ? text + Number(seconds.toFixed(1)) + "s" : text;
  };
  const duration = v => v === null || v === undefined ? "-" : v >= 100 ? clock(v) : v >= 1 ? digits(v) + " s" : v >= 1e-3 ? digits(v * 1e3) + " ms" : v > 0 ? digits(v * 1e6) + " µs" : "0 s";
  const figure = (v, unit) => v === null || v === undefined ? "-" : unit === "s" ? duration(v) : digits(v) + (unit ? (unit === "%" ? " %" : unit) : "");

  // Lanes: each is {title, note, unit, log, series: [{label, color, values, fill, dash, width, step}], bands, shared}.
  const mine = i => "c" + i % 8;
  const overview = () => {
    const first = runs[0], lines = (pick, extra) => runs.map((r, i) => ({ label: r.name, color: mine(i), values: pick(r), run: r.name, ...extra }));
    return [
      { title: "Requests per second", note: "the same for all", series: [{ label: "offered", color: "c7", values: first.arrived, fill: true }] },
      { title: "Ready replicas", series: lines(r => r.ready, { step: true }) },
      { title: "Latency p99", unit: "s", log: true, series: lines(r => r.p99) },
      { title: "Requests lost per second", series: lines(r => r.lost).filter(s => s.values) },
    ];
  };
  const detail = r => {
    const lanes = [
      { title: "Requests per second", series: [
        { label: "offered", color: "c7", values: r.arrived, fill: true },
        { label: "served", color: "c0", values: r.completed },
        { label: "lost", color: "c1", values: r.lost, fill: true }] },
      { title: "Replicas", bands: r.bands, series: [
        { label: "ideal", color: "c7", values: r.ideal, dash: [3, 3], step: true },
        { label: "desired", color: "c3", values: r.desired, step: true },
        { label: "created", color: "c4", values: r.created, step: true, dash: [6, 3] },
        { label: "ready", color: "c0", values: r.ready, step: true, width: 2 }] },
      { title: "Latency", unit: "s", log: true, series: [
        { label: "p50", color: "c2", values: r.p50 },
        { label: "p90", color: "c4", values: r.p90 },
        { label: "p99", color: "c1", values: r.p99, width: 2 }], shades: r.p50 && r.p90 ? [[2, 1], [3, 2]] : undefined },
      { title: "Requests waiting", series: [{ label: "queue", color: "c3", values: r.queue, fill: true }] },
    ];
    for (const m of r.metrics || []) {
      lanes.push({ title: m.name, unit: m.unit, note: `as ${m.loop} saw it, and as it was`, age: m.age, series: [
        { label: "truth", color: "c7", values: m.truth, fill: true },
        { label: "seen", color: "c0", values: m.seen, step: true, width: 2 },
        ...(m.target === null || m.target === undefined ? [] : [{ label: "target", color: "c2", values: r.t.map(() => m.target), dash: [6, 4] }])] });
    }
    for (const lane of lanes) lane.series = lane.series.filter(s => s.values);
    return lanes;
  };

  // One cursor and one stretch of time for all lanes.
  let charts = [], cursor = null, window_ = null;
  const end = runs[0].end;
  const readout = $("div", { class: "readout", id: "readout", role: "status", "aria-live": "off" });
  const laneBox = $("div", { id: "lanes", tabindex: "0", role: "group",
    "aria-label": "Curves over time. Left and right arrows move the cursor, plus and minus zoom, 0 shows all." });

  const nearest = (t, at) => {
    let low = 0, high = t.length - 1;
    while (low < high) { const middle = (low + high) >> 1; if (t[middle] < at) low = middle + 1; else high = middle; }
    return low;
  };
  const say = () => {
    readout.replaceChildren();
    if (cursor === null) {
      readout.append($("span", { class: "faint" }, "Move over the curves to read them all at one instant; drag to zoom, double-click to see everything. Keys: ← → + − 0."));
      return;
    }
    readout.append($("b", {}, clock(cursor)));
    const phase = (shown.phases || []).find(p => cursor > p.from && cursor <= p.to) || (shown.phases || [])[0];
    if (phase) readout.append($("span", { class: "faint" }, $("bdi", {}, phase.name)));
    for (const chart of charts) {
      const at = nearest(chart.data[0], cursor);
      for (const [i, s] of chart.lane.series.entries()) {
        if (hidden.has(s.run)) continue;
        const value = chart.data[i + 1][at], age = chart.lane.age && s.label === "seen" ? chart.lane.age[at] : null;
        readout.append($("span", {}, swatch(s.color), $("bdi", {}, s.run ? `${s.label} ${chart.lane.title.toLowerCase()}` : s.label), " ",
          $("strong", {}, figure(value, chart.lane.unit)), age === null || age === undefined ? "" : ` (${duration(age)} old)`));
      }
    }
    const held = (shown.bands || []).filter(b => cursor >= b.from && cursor < b.to);
    if (held.length) readout.append($("span", { class: "warn" }, $("bdi", {}, held.map(b => b.name).join(", "))));
  };
  const swatch = (name, area) => { const s = $("span", { class: area ? "swatch area" : "swatch" }); s.style.color = `var(--${name})`; return s; };
  const tintOf = band => ["c4", "c6", "c5", "c2"][[...new Set((shown.bands || []).map(b => b.name))].sort().indexOf(band) % 4];

  const moveTo = (at, from) => {
    cursor = at;
    for (const { plot } of charts) {
      if (plot === from) continue;
      plot.setCursor(at === null ? { left: -10, top: -10 } : { left: plot.valToPos(at, "x"), top: plot.over.clientHeight / 2 }, false);
    }
    say();
    follow();
  };
  const zoomTo = stretch => {
    window_ = stretch && stretch[1] - stretch[0] < end ? [Math.max(0, stretch[0]), Math.min(end, stretch[1])] : null;
    const [min, max] = window_ || [0, end];
    for (const { plot } of charts) plot.setScale("x", { min, max });
    zoomed.textContent = window_ ? `${clock(min)} to ${clock(max)}` : "";
  };
  const zoomBy = factor => {
    const [min, max] = window_ || [0, end], middle = cursor !== null && cursor >= min && cursor <= max ? cursor : (min + max) / 2;
    zoomTo([middle - (middle - min) * factor, middle + (max - middle) * factor]);
  };
  const zoomed = $("span", { class: "faint", id: "zoomed", role: "status" });

  // Drawing.
  const thin = (t, columns) => {
    // Many points per pixel: the least and the greatest of each stretch are kept, so no spike is lost.
    const limit = 1500, n = t.length;
    if (n <= limit) return [t, ...columns];
    const keep = new Set([0, n - 1]), stretch = n / (limit / (2 * columns.length + 1));
    for (let from = 0; from < n; from += stretch) {
      const first = Math.floor(from), last = Math.min(n, Math.floor(from + stretch));
      for (const column of columns) {
        let low = -1, high = -1;
        for (let i = first; i < last; i++) {
          if (column[i] === null) continue;
          if (low < 0 || column[i] < column[low]) low = i;
          if (high < 0 || column[i] > column[high]) high = i;
        }
        if (low >= 0) keep.add(low).add(high);
      }
    }
    const kept = [...keep].sort((a, b) => a - b);
    return [t, ...columns].map(column => kept.map(i => column[i]));
  };
  const phases = lane => plot => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath(); ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height); ctx.clip();
    const span = (b, style, top, height) => {
      const left = plot.valToPos(b.from, "x", true), right = plot.valToPos(b.to, "x", true);
      ctx.fillStyle = style;
      ctx.fillRect(left, top, Math.max(1, right - left), height);
      return left;
    };
    const ratio = devicePixelRatio || 1;
    for (const [i, p] of (shown.phases || []).entries()) {
      if (i % 2 === 1) span(p, color("phase"), bbox.top, bbox.height);
    }
    for (const b of lane.bands || []) span(b, color(tintOf(b.name)) + "38", bbox.top, bbox.height);
    if (lane.named) {
      ctx.fillStyle = color("faint");
      ctx.font = `${11 * ratio}px system-ui, sans-serif`;
      ctx.textBaseline = "top";
      for (const p of shown.phases || []) {
        const left = Math.max(plot.valToPos(p.from, "x", true), bbox.left) + 4 * ratio, room = plot.valToPos(p.to, "x", true) - left - 4 * ratio;
        let name = p.name;
        while (name && ctx.measureText(name).width > room) name = name.slice(0, -1);
        if (name.length > 1) ctx.fillText(name === p.name ? name : name.slice(0, -1) + "…", left, bbox.top + 3 * ratio);
      }
    }
    ctx.restore();
  };
  const build = (lane, index, last) => {
    const shades = lane.shades || [];
    const line = s => ({
      label: s.label, stroke: () => color(s.color), width: s.width || 1.25, dash: s.dash, show: !hidden.has(s.run),
      fill: s.fill ? () => color(s.color) + "22" : undefined, spanGaps: false,
      paths: s.step ? uPlot.paths.stepped({ align: -1 }) : undefined, points: { show: false },
    });
    const columns = lane.series.map(s => s.values.map(v => v === undefined ? null : lane.log && v !== null && v <= 0 ? null : v));
    const given = thin(shown.t, columns);
    const any = columns.some(column => column.some(v => v !== null && v > 0));
    const logarithmic = lane.log && any;
    const axis = { stroke: () => color("faint"), grid: { stroke: () => color("grid"), width: 1 }, ticks: { stroke: () => color("grid"), width: 1, size: 4 }, font: "11px system-ui, sans-serif" };
    const box = $("div", { class: "lane", "data-lane": lane.title });
    box.append($("h3", {}, $("bdi", {}, lane.title), " ", $("span", {}, lane.note || ""), ...lane.series.filter(s => !s.run).flatMap(s => [" ", swatch(s.color), $("span", {}, s.label)]),
      ...[...new Set((lane.bands || []).map(b => b.name))].map(name => $("span", {}, " ", swatch(tintOf(name), true), $("bdi", {}, name)))));
    const options = {
      width: laneBox.clientWidth || 600, height: last ? 150 : 128, padding: [6, 8, last ? 0 : 7, 0], legend: { show: false },
      cursor: { sync: { key: "time" }, drag: { x: true, y: false, setScale: false }, points: { size: 6 }, y: false },
      scales: { x: { time: false, range: () => window_ || [0, end] }, y: { distr: logarithmic ? 3 : 1, range: logarithmic ? undefined : (u, low, high) => [0, high > 0 ? high * 1.08 : 1] } },
      axes: [{ ...axis, values: (u, ticks) => ticks.map(clock), incrs: [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800], space: 60, show: last },
        { ...axis, size: 58, values: (u, ticks) => ticks.map(v => v === null ? "" : figure(v, lane.unit)), space: logarithmic ? 22 : 26 }],
      series: [{}, ...lane.series.map(line)],
      bands: shades.map(series => ({ series, fill: () => color(lane.series[series[0] - 1].color) + "2e" })),
      hooks: {
        drawClear: [phases({ ...lane, named: index === 0 })],
        setCursor: [plot => {
          const { left, event } = plot.cursor;
          if (!event || left === null || left < 0) return;
          cursor = plot.posToVal(left, "x");
          say();
          follow();
        }],
        setSelect: [plot => {
          if (plot.select.width < 4) return;
          const from = plot.posToVal(plot.select.left, "x"), to = plot.posToVal(plot.select.left + plot.select.width, "x");
          plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          zoomTo([from, to]);
        }],
      },
    };
    const plot = new uPlot(options, given, box);
    plot.over.addEventListener("dblclick", () => zoomTo(null));
    return { box, plot, lane, data: given };
  };

  // What is shown: all autoscalers together, or one in detail.
  let view = runs.length > 1 ? "" : shown.name;
  const draw = () => {
    for (const { plot } of charts) plot.destroy();
    laneBox.replaceChildren();
    const lanes = view === "" ? overview() : detail(shown);
    charts = lanes.map((lane, i) => build(lane, i, i === lanes.length - 1));
    laneBox.append(...charts.map(c => c.box));
    resize();
    moveTo(cursor);
  };
  const resize = () => { for (const { plot } of charts) plot.setSize({ width: laneBox.clientWidth, height: plot.height }); };

  const controls = $("div", { class: "bar" });
  const choice = $("select", { id: "view", "aria-label": "What the curves show", onchange: e => { view = e.target.value; shown = runs.find(r => r.name === view) || runs[0]; drawAll(); } });
  if (runs.length > 1) {
    choice.append($("option", { value: "" }, "all autoscalers"), ...runs.map(r => $("option", { value: r.name }, `${r.name} in detail`)));
    choice.value = view;
    controls.append(choice);
  }
  const toggles = $("span", { class: "bar", id: "toggles" });
  const drawToggles = () => toggles.replaceChildren(...(view !== "" ? [] : runs.map((r, i) => $("button", {
    type: "button", "aria-pressed": String(!hidden.has(r.name)),
    onclick: e => { hidden.has(r.name) ? hidden.delete(r.name) : hidden.add(r.name); e.currentTarget.setAttribute("aria-pressed", String(!hidden.has(r.name))); draw(); },
  }, swatch(mine(i)), $("bdi", {}, r.name)))));
  controls.append(toggles, $("span", { class: "gap" }), zoomed,
    $("button", { type: "button", onclick: () => zoomBy(0.5), "aria-label": "Zoom in" }, "+"),
    $("button", { type: "button", onclick: () => zoomBy(2), "aria-label": "Zoom out" }, "−"),
    $("button", { type: "button", id: "all", onclick: () => zoomTo(null) }, "All"));

  laneBox.addEventListener("keydown", e => {
    const step = ((window_ ? window_[1] - window_[0] : end) / 100) * (e.shiftKey ? 10 : 1);
    const acts = {
      ArrowRight: () => moveTo(Math.min(end, (cursor === null ? 0 : cursor) + step)), ArrowLeft: () => moveTo(Math.max(0, (cursor === null ? end : cursor) - step)),
      Home: () => moveTo(0), End: () => moveTo(end), "+": () => zoomBy(0.5), "=": () => zoomBy(0.5), "-": () => zoomBy(2), 0: () => zoomTo(null),
    };
    if (acts[e.key]) { e.preventDefault(); acts[e.key](); }
  });

  // The decision log.
  const log = $("div", { class: "log", id: "log" });
  let onlyChanges = true, entries = [];
  const drawLog = () => {
    const all = shown.decisions || [];
    const listed = all.filter(d => !onlyChanges || d.from !== d.to);
    entries = listed.map(d => {
      const steps = $("ul", { class: "steps", hidden: "" }, ...(d.steps || []).map(s => $("li", {}, $("bdi", {}, `${s.stage}: ${s.detail} → ${s.replicas}`))));
      const entry = $("button", { type: "button", "aria-expanded": "false", onclick: () => {
        steps.hidden = !steps.hidden;
        entry.setAttribute("aria-expanded", String(!steps.hidden));
        moveTo(d.t);
      } }, $("span", {}, clock(d.t)), $("span", { class: "move" }, d.from === d.to ? `${d.from}` : `${d.from} → ${d.to}`),
      $("span", { class: "why" }, $("bdi", {}, d.message + (d.again ? ` (${d.again} times more, until ${clock(d.until)})` : ""))));
      return { d, entry, steps };
    });
    log.replaceChildren(...entries.flatMap(e => [e.entry, e.steps]));
    if (listed.length === 0) log.append($("p", { class: "faint" }, all.length === 0 ? "It makes no decisions." : "No decision changed the count."));
    if (shown.omitted) log.append($("p", { class: "faint" }, `${digits(shown.omitted)} decisions are left out here; the result as JSON has them all.`));
  };
  let marked = null;
  const follow = () => {
    if (!entries.length) return;
    let at = -1;
    if (cursor !== null) for (const [i, e] of entries.entries()) { if (e.d.t <= cursor + 1e-9) at = i; else break; }
    const now = at < 0 ? null : entries[at].entry;
    if (now === marked) return;
    if (marked) marked.classList.remove("now");
    marked = now;
    if (!now) return;
    now.classList.add("now");
    log.scrollTop = now.offsetTop - log.offsetTop - log.clientHeight / 2;
  };
  const changesButton = $("button", { type: "button", "aria-pressed": "true", onclick: () => {
    onlyChanges = !onlyChanges;
    changesButton.setAttribute("aria-pressed", String(onlyChanges));
    marked = null;
    drawLog();
    follow();
  } }, "Changes only");

  // Pictures that have no time axis, as wide as their place.
  const room = () => Math.max(300, Math.min(600, app.clientWidth > 720 ? app.clientWidth / 2 - 16 : app.clientWidth));
  const starts = () => {
    const s = shown.starts;
    if (!s) return $("p", { class: "faint" }, "No pod was started during the run.");
    const pods = s.pods.slice(0, 60), row = 10, left = 66, width = room(), stages = [["scheduled", "c7"], ["started", "c4"], ["ready", "c0"], ["routable", "c2"]];
    const names = { scheduled: "waits for a node", started: "pulls its image", ready: "starts", routable: "is made known" };
    const longest = Math.max(...pods.map(p => (p.routable ?? p.ready ?? p.started ?? p.scheduled ?? p.created) - p.created), 1e-9);
    const x = v => left + v / longest * (width - left - 60);
    const picture = svg("svg", { viewBox: `0 0 ${width} ${pods.length * row + 24}`, class: "picture", role: "img", "aria-label": "How long each pod took to start" });
    for (const [i, p] of pods.entries()) {
      let from = p.created;
      if (i % Math.ceil(pods.length / 12) === 0) picture.append(svg("text", { x: left - 6, y: i * row + 8, "text-anchor": "end", fill: "var(--faint)", "font-size": 9 }, clock(p.created)));
      for (const [stage, tint] of stages) {
        if (p[stage] === null || p[stage] === undefined) continue;
        if (p[stage] > from) picture.append(svg("rect", { x: x(from - p.created), y: i * row + 1, width: Math.max(0.5, x(p[stage] - p.created) - x(from - p.created)), height: row - 2, fill: `var(--${tint})` },
          svg("title", {}, `pod ${p.pod}: ${names[stage]} for ${duration(p[stage] - from)}`)));
        from = p[stage];
      }
      picture.append(svg("text", { x: x(from - p.created) + 4, y: i * row + 8, fill: "var(--faint)", "font-size": 8 }, p.routable === null || p.routable === undefined ? "never got a request" : duration(from - p.created)));
    }
    picture.append(svg("text", { x: left, y: pods.length * row + 16, fill: "var(--faint)", "font-size": 10 }, `seconds since creation, up to ${duration(longest)}`));
    const legend = $("p", { class: "note" }, ...stages.flatMap(([stage, tint]) => [swatch(tint), names[stage], "   "]));
    if (s.count > pods.length) legend.append(` The first ${pods.length} of ${s.count} pods.`);
    return $("div", { id: "starts" }, picture, legend);
  };
  const curve = () => {
    const listed = view === "" ? runs : [shown], width = room(), height = 300, left = 56, bottom = 34;
    const curves = listed.filter(r => r.curve && !hidden.has(r.name)).map(r => ({ r, points: r.curve.q.map((q, i) => [q, r.curve.s[i]]).filter(p => p[0] < 1 && p[1] > 0) })).filter(c => c.points.length > 1);
    if (!curves.length) return $("p", { class: "faint" }, "No request was completed.");
    const nines = q => -Math.log10(1 - q), all = curves.flatMap(c => c.points);
    const right = Math.max(...all.map(p => nines(p[0])), 1), low = Math.log10(Math.min(...all.map(p => p[1]))), high = Math.log10(Math.max(...all.map(p => p[1]))) + 0.05;
    const x = q => left + Math.min(1, nines(q) / right) * (width - left - 30), y = s => 10 + (high - Math.log10(s)) / Math.max(1e-9, high - low) * (height - bottom - 10);
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "picture", role: "img", "aria-label": "Latency by percentile" });
    for (const [q, name] of [[0, "0 %"], [0.5, "50 %"], [0.9, "90 %"], [0.99, "99 %"], [0.999, "99.9 %"], [0.9999, "99.99 %"], [0.99999, "99.999 %"]]) {
      if (nines(q) > right + 1e-9) continue;
      picture.append(svg("line", { x1: x(q), x2: x(q), y1: 10, y2: height - bottom, stroke: "var(--grid)" }), svg("text", { x: x(q), y: height - bottom + 15, "text-anchor": "middle", fill: "var(--faint)", "font-size": 10 }, name));
    }
    for (let e = Math.ceil(low - 1e-9); e <= high; e++) {
      picture.append(svg("line", { x1: left, x2: width - 20, y1: y(10 ** e), y2: y(10 ** e), stroke: "var(--grid)" }), svg("text", { x: left - 6, y: y(10 ** e) + 4, "text-anchor": "end", fill: "var(--faint)", "font-size": 10 }, duration(10 ** e)));
    }
    for (const c of curves) {
      const at = c.points.map(p => `${x(p[0]).toFixed(1)},${y(p[1]).toFixed(1)}`).join(" ");
      picture.append(svg("polyline", { points: at, fill: "none", stroke: `var(--${mine(runs.indexOf(c.r))})`, "stroke-width": 2 }, svg("title", {}, c.r.name)));
    }
    picture.append(svg("text", { x: left, y: height - 4, fill: "var(--faint)", "font-size": 10 }, "share of the requests that took no longer; logarithmic both ways"));
    return $("div", { id: "curve" }, picture);
  };
  const pareto = () => {
    const points = (data.points || []).filter(p => p.cost !== null && p.p99 !== null), width = room(), height = 320, left = 62, bottom = 40;
    if (points.length < 2) return null;
    const top = Math.max(...points.map(p => p.p99)) * 1.12, far = Math.max(...points.map(p => p.cost)) * 1.12;
    const x = v => left + v / far * (width - left - 20), y = v => 14 + (1 - v / top) * (height - bottom - 14);
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "picture", role: "img", "aria-label": "Cost against p99 latency" });
    for (let i = 0; i <= 4; i++) {
      const h = top / 1.12 * i / 4, v = far / 1.12 * i / 4;
      picture.append(svg("line", { x1: left, x2: width - 20, y1: y(h), y2: y(h), stroke: "var(--grid)" }), svg("text", { x: left - 6, y: y(h) + 4, "text-anchor": "end", fill: "var(--faint)", "font-size": 10 }, duration(h)),
        svg("text", { x: x(v), y: height - bottom + 15, "text-anchor": "middle", fill: "var(--faint)", "font-size": 10 }, digits(v)));
    }
    const front = points.filter(p => p.front).sort((a, b) => a.cost - b.cost);
    if (front.length > 1) picture.append(svg("polyline", { points: front.map(p => `${x(p.cost)},${y(p.p99)}`).join(" "), fill: "none", stroke: "var(--c7)", "stroke-dasharray": "4 3" }));
    const placed = points.map(p => ({ from: x(p.cost) - 8, to: x(p.cost) + 8, y: y(p.p99) + 4, of: p }));
    for (const p of [...points].sort((a, b) => a.p99 - b.p99)) {
      const tint = `var(--${mine(Math.max(0, runs.findIndex(r => r.name === p.name)))})`, px = x(p.cost), py = y(p.p99);
      picture.append(svg("circle", { cx: px, cy: py, r: 6, fill: p.front ? tint : "var(--ground)", stroke: tint, "stroke-width": 2 }, svg("title", {}, `${p.name}: ${digits(p.cost)} ${data.costUnit}, p99 ${duration(p.p99)}, ${digits(p.lost * 100)} % lost`)));
      const name = (p.name.length > 26 ? p.name.slice(0, 25) + "…" : p.name) + (p.lost > 0 ? ` (${digits(p.lost * 100)} % lost)` : "");
      const leftward = px > width * 0.6, long = name.length * 6.2, label = { from: leftward ? px - 11 - long : px + 11, y: py + 4 };
      label.to = label.from + long;
      while (placed.some(o => Math.abs(o.y - label.y) < 13 && o.from < label.to && label.from < o.to && o.of !== p)) label.y -= 13;
      placed.push(label);
      picture.append(svg("text", { x: leftward ? label.to : label.from, y: label.y, "text-anchor": leftward ? "end" : "start", fill: "var(--text)", "font-size": 11 }, name));
    }
    picture.append(svg("text", { x: left, y: height - 6, fill: "var(--faint)", "font-size": 10 }, `${data.costUnit}; up: p99 latency. Filled: nothing else is better in cost, p99 and losses at once`));
    return $("section", { id: "pareto" }, $("h2", {}, "Cost against p99"), picture);
  };

  // The page.
  const logTitle = $("h2", {}), startsBox = $("div"), curveBox = $("div"), startsTitle = $("h2", {}, "How pods started");
  const drawAll = () => {
    marked = null;
    logTitle.replaceChildren("Decisions", ...(runs.length > 1 ? [" of ", $("bdi", {}, shown.name)] : []));
    startsTitle.replaceChildren("How pods started", ...(runs.length > 1 ? [": ", $("bdi", {}, shown.name)] : []));
    drawToggles();
    drawLog();
    draw();
    drawPictures();
  };
  const paretoBox = $("div"), drawPictures = () => { startsBox.replaceChildren(starts()); curveBox.replaceChildren(curve()); paretoBox.replaceChildren(pareto() || ""); };
  app.append($("h2", {}, "Over time"), controls, readout, laneBox,
    $("div", { class: "split" },
      $("section", {}, logTitle, $("div", { class: "bar" }, changesButton, $("span", { class: "faint" }, "An entry moves the cursor and opens its steps.")), log),
      $("section", {}, startsTitle, startsBox)),
    $("div", { class: "split" }, $("section", {}, $("h2", {}, "Latency by percentile"), curveBox), paretoBox));
  drawAll();
  let drawnAt = room();
  new ResizeObserver(() => { resize(); if (room() !== drawnAt) { drawnAt = room(); drawPictures(); } }).observe(laneBox);
  themeButton.addEventListener("click", () => { setTheme(root.dataset.theme === "dark" ? "light" : "dark"); for (const { plot } of charts) plot.redraw(false, true); });
  preferred.addEventListener("change", e => { setTheme(e.matches ? "dark" : "light"); for (const { plot } of charts) plot.redraw(false, true); });
  laneBox.addEventListener("mouseleave", () => { if (!laneBox.matches(":focus-within")) moveTo(null); });
  root.dataset.ready = "true";
})().catch(problem => { document.documentElement.dataset.problem = String(problem && problem.stack || problem); throw problem; });
