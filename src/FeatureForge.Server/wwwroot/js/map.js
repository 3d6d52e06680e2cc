// The map page: loads points and clusters, colours points by the cluster at a chosen depth, zooms and pans,
// and shows the item under the pointer. Drawing is in scatter.js, colours are in palette.js, the nearest point in grid.js.
import { Scatter } from "./scatter.js";
import { PointGrid } from "./grid.js";
import { clusterColours, valueColours, rampColours, css } from "./palette.js";
import { density } from "./density.js";
import { showItem } from "./preview.js";
import { startLasso } from "./lasso.js";

const page = document.querySelector(".map");
if (page) start(page);

async function start(page) {
  const status = page.querySelector(".map-status");
  const address = `/api/v1/clusterings/${page.dataset.clustering}`;
  const [clusters, map] = await Promise.all([fetch(`${address}/clusters`), fetch(`${address}/map`)]);
  if (!clusters.ok || !map.ok) { status.textContent = "The map could not be read."; return; }
  const total = Number(map.headers.get("X-Map-Total")), all = Number(map.headers.get("X-Map-Points"));
  const tree = await clusters.json();
  const x = new Float32Array(all), y = new Float32Array(all), leaf = new Int32Array(all);
  const take = (bytes, first) => {
    const floats = new Float32Array(bytes), leaves = new Int32Array(bytes), count = Math.min(bytes.byteLength / 12, all - first);
    for (let point = 0; point < count; point++) {
      x[first + point] = floats[point * 3];
      y[first + point] = floats[point * 3 + 1];
      leaf[first + point] = leaves[point * 3 + 2];
    }
    return first + count;
  };
  let count = take(await map.arrayBuffer(), 0);
  const tell = () => { status.textContent = count < total ? `${count.toLocaleString()} of ${total.toLocaleString()} points` : `${count.toLocaleString()} points`; };
  tell();

  const canvas = page.querySelector("canvas");
  const scatter = new Scatter(canvas, x, y, count);
  let grid = new PointGrid(x, y, count);
  const view = { tree, leaf, scatter, depth: 1, alone: null, values: null, selected: null, matching: null };

  const depth = page.querySelector("#depth");
  const output = page.querySelector("output");
  const selectDepth = () => { output.textContent = depth.value; view.depth = Number(depth.value); view.alone = null; paint(page, view); };
  depth.addEventListener("input", selectDepth);
  if (page.dataset.cluster) {
    const wanted = tree.findIndex(cluster => cluster.cluster_id === page.dataset.cluster);
    depth.value = output.textContent = view.depth = tree[wanted].depth;
    view.alone = wanted;
  } else {
    view.depth = Number(depth.value);
  }
  paint(page, view);
  document.addEventListener("themechange", () => paint(page, view));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => paint(page, view));
  const by = page.querySelector("#by");
  by.addEventListener("change", async () => {
    view.alone = null;
    view.values = null;
    if (by.value === "density") view.values = density(x, y, scatter.count);
    else if (by.value) {
      const answer = await fetch(`${address}/map/values?by=${encodeURIComponent(by.value)}`);
      if (!answer.ok) { status.textContent = "These values could not be read."; by.value = ""; }
      else {
        const { names, codes } = await answer.json();
        view.values = { names, codes: Uint8Array.from(atob(codes), letter => letter.charCodeAt(0)) };
      }
    }
    depth.disabled = by.value !== "";
    paint(page, view);
  });
  // What does not match is faint, and no loop takes it.
  page.querySelector("#only").addEventListener("submit", async event => {
    event.preventDefault();
    const where = event.target.where.value.trim();
    view.matching = null;
    tell();
    if (where) {
      const answer = await fetch(`${address}/map/matching?where=${encodeURIComponent(where)}`);
      const found = await answer.json();
      if (!answer.ok) status.textContent = found.problems?.join(" ") ?? found.detail ?? "This condition could not be used.";
      else {
        const bits = Uint8Array.from(atob(found.bits), letter => letter.charCodeAt(0));
        view.matching = point => (bits[point >> 3] >> (point & 7) & 1) === 1;
        status.textContent = `${found.count.toLocaleString()} of ${all.toLocaleString()} points`;
      }
    }
    paint(page, view);
  });
  startLasso(page, canvas, scatter, x, y, point => !view.matching || view.matching(point), selected => { view.selected = selected; paint(page, view); });
  listen(page, canvas, scatter, (left, bottom, within) => grid.nearest(left, bottom, within));
  page.dataset.ready = "true";

  // The rest, a chunk at a time, once the first is on the screen; painted when four times as many are there, and at the end.
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  for (let painted = count; count < all;) {
    const chunk = await fetch(`${address}/map?first=${count}`);
    const before = count;
    if (chunk.ok) count = take(await chunk.arrayBuffer(), count);
    if (count === before) { status.textContent = `${count.toLocaleString()} of ${total.toLocaleString()} points; the others could not be read.`; break; }
    tell();
    if (count < Math.min(all, 4 * painted)) continue;
    painted = count;
    scatter.grow(count);
    if (by.value === "density") view.values = density(x, y, count);
    paint(page, view);
    grid = new PointGrid(x, y, count);
  }
  page.dataset.whole = "true";
}

// The cluster a leaf belongs to at a depth; a leaf above that depth stands for itself.
function ancestor(tree, position, depth) {
  while (position >= 0 && tree[position].depth > depth) position = tree[position].parent;
  return position;
}

function paint(page, view) {
  const { tree, leaf, scatter, depth, values } = view;
  const colours = values ? (values.ordered ? rampColours : valueColours)(values.names.length + 1) : clusterColours(tree);
  const at = tree.map((_, position) => ancestor(tree, position, depth));
  // Groups are numbered from 1; 0 is none. A colour is one little-endian word, so that millions of points take no time.
  const word = ([red, green, blue], alpha) => (alpha << 24 | blue << 16 | green << 8 | red) >>> 0;
  const words = Uint32Array.from([colours.none, ...colours.of], colour => word(colour ?? colours.none, 255)), faint = word(colours.none, 60);
  const rgba = new Uint8Array(scatter.count * 4), pixels = new Uint32Array(rgba.buffer);
  const counts = new Uint32Array(words.length);
  for (let point = 0; point < pixels.length; point++) {
    const group = 1 + (values ? (values.codes[point] === 255 ? -1 : values.codes[point]) : leaf[point] < 0 ? -1 : at[leaf[point]]);
    const isOut = view.matching != null && !view.matching(point);
    if (!isOut) counts[group]++;
    const dimmed = isOut || (view.alone != null && group - 1 !== view.alone) || (view.selected != null && !view.selected.has(point));
    pixels[point] = dimmed ? faint : words[group];
  }
  scatter.setColours(rgba);
  legend(page, view, colours, new Map([...counts].map((size, group) => [group - 1, size]).filter(([, size]) => size > 0)));
}

function legend(page, view, colours, sizes) {
  const list = page.querySelector(".legend");
  list.replaceChildren(...[...sizes].sort(view.values?.ordered ? (a, b) => b[0] - a[0] : (a, b) => b[1] - a[1]).slice(0, 200).map(([cluster, size]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", view.alone === cluster);
    const dot = document.createElement("i");
    dot.style.background = css(cluster < 0 ? colours.none : colours.of[cluster]);
    const name = document.createElement("span");
    name.textContent = name.title = view.values ? (cluster < 0 ? "none" : view.values.names[cluster] ?? "other") : cluster < 0 ? "in no cluster" : view.tree[cluster].name;
    const number = document.createElement("span");
    number.textContent = size.toLocaleString();
    button.append(dot, name, number);
    button.addEventListener("click", () => { view.alone = view.alone === cluster ? null : cluster; paint(page, view); });
    const line = document.createElement("li");
    line.append(button);
    return line;
  }));
}

function listen(page, canvas, scatter, closest) {
  const ring = page.querySelector(".map-ring");
  let kept = -1, shown = -1, drag = null, moved = false;
  const pointers = new Map();

  const mark = point => {
    ring.hidden = point < 0;
    if (point < 0) return;
    const [left, top] = scatter.toScreen(point);
    ring.style.left = `${left}px`;
    ring.style.top = `${top}px`;
  };
  const show = (point, keeps) => {
    mark(point);
    if (point < 0 || point === shown) return;
    shown = point;
    showItem(page, point, keeps);
  };
  const nearest = (left, top) => {
    const [x, y] = scatter.toData(left, top);
    return closest(x, y, 14 / scatter.pixelsPerUnit);
  };
  const place = event => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  const spread = () => { const [a, b] = [...pointers.values()]; return Math.hypot(a[0] - b[0], a[1] - b[1]); };

  canvas.addEventListener("wheel", event => {
    event.preventDefault();
    scatter.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), ...place(event));
    mark(kept);
  }, { passive: false });
  canvas.addEventListener("pointerdown", event => {
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
    drag = place(event);
    moved = false;
  });
  canvas.addEventListener("pointermove", event => {
    const at = place(event);
    if (pointers.size === 2) {
      const before = spread();
      pointers.set(event.pointerId, at);
      scatter.zoom(spread() / before, ...at);
      moved = true;
    } else if (drag) {
      moved ||= Math.hypot(at[0] - drag[0], at[1] - drag[1]) > 3;
      if (!moved) return;
      scatter.pan(at[0] - drag[0], at[1] - drag[1]);
      drag = at;
      pointers.set(event.pointerId, at);
    } else if (kept < 0) {
      show(nearest(...at), false);
      return;
    }
    mark(kept);
  });
  const release = event => {
    pointers.delete(event.pointerId);
    if (drag && !moved && event.type === "pointerup") {
      kept = nearest(...place(event));
      shown = -1;
      show(kept, true);
    }
    if (pointers.size === 0) drag = null;
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("keydown", event => {
    const step = 60;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const actions = {
      ArrowLeft: () => scatter.pan(step, 0), ArrowRight: () => scatter.pan(-step, 0),
      ArrowUp: () => scatter.pan(0, step), ArrowDown: () => scatter.pan(0, -step),
      "+": () => scatter.zoom(1.4, width / 2, height / 2), "=": () => scatter.zoom(1.4, width / 2, height / 2),
      "-": () => scatter.zoom(1 / 1.4, width / 2, height / 2), 0: () => scatter.fit(),
      Enter: () => { const [x, y] = scatter.toData(width / 2, height / 2); kept = closest(x, y, Infinity); shown = -1; show(kept, true); },
      Escape: () => { kept = -1; },
    };
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
    mark(kept);
  });
  const middle = () => [canvas.clientWidth / 2, canvas.clientHeight / 2];
  page.querySelector("[data-map=in]").addEventListener("click", () => { scatter.zoom(1.5, ...middle()); mark(kept); });
  page.querySelector("[data-map=out]").addEventListener("click", () => { scatter.zoom(1 / 1.5, ...middle()); mark(kept); });
  page.querySelector("[data-map=fit]").addEventListener("click", () => { scatter.fit(); mark(kept); });
}
