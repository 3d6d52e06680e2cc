// Selecting points of the map with a loop drawn around them: how many, labelling them, taking their ids away.
import { send } from "./api.js";

export function startLasso(page, canvas, scatter, x, y, may, selected) {
  const button = page.querySelector("[data-map=lasso]");
  const outline = page.querySelector(".map-lasso polygon");
  const card = page.querySelector("#selection");
  const base = `/api/v1/clusterings/${page.dataset.clustering}`;
  let path = null, points = [];

  const isOn = () => button.getAttribute("aria-pressed") === "true";
  button.addEventListener("click", () => { button.setAttribute("aria-pressed", !isOn()); canvas.classList.toggle("drawing", isOn()); });

  const place = event => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  const draw = () => outline.setAttribute("points", (path ?? []).map(at => at.map(Math.round).join(",")).join(" "));

  // Before the map's own listeners: while a loop is drawn the map does not move.
  canvas.addEventListener("pointerdown", event => {
    if (!(isOn() || event.shiftKey) || !event.isPrimary) return;
    event.stopImmediatePropagation();
    canvas.setPointerCapture(event.pointerId);
    path = [place(event)];
  }, true);
  canvas.addEventListener("pointermove", event => {
    if (!path) return;
    event.stopImmediatePropagation();
    const [left, top] = place(event), [before, above] = path[path.length - 1];
    if (Math.hypot(left - before, top - above) > 3) { path.push([left, top]); draw(); }
  }, true);
  const end = event => {
    if (!path) return;
    event.stopImmediatePropagation();
    const loop = path.map(([left, top]) => scatter.toData(left, top));
    path = null;
    draw();
    button.setAttribute("aria-pressed", false);
    canvas.classList.remove("drawing");
    select(event.type === "pointerup" && loop.length > 2 ? inside(loop, x, y, scatter.count).filter(may) : []);
  };
  canvas.addEventListener("pointerup", end, true);
  canvas.addEventListener("pointercancel", end, true);
  canvas.addEventListener("keydown", event => { if (event.key === "Escape" && points.length > 0) select([]); });

  function select(found) {
    points = found;
    card.hidden = points.length === 0;
    card.querySelector("h2").textContent = `${points.length.toLocaleString()} ${points.length === 1 ? "point" : "points"} selected`;
    say("");
    leadTo(null);
    selected(points.length > 0 ? new Set(points) : null);
  }

  const say = (words, isBad) => { const line = card.querySelector("[role=status]"); line.textContent = words; line.className = isBad ? "small bad" : "small muted"; };

  const items = async () => (await send(`${base}/map/items`, { points })).items;

  card.querySelector("[data-form=label]").addEventListener("submit", async event => {
    event.preventDefault();
    const form = new FormData(event.target);
    try {
      say("Labelling…");
      const answer = await send(`/api/v1/labels/${encodeURIComponent(form.get("labelSet"))}`, { name: form.get("name"), author: page.dataset.author, items: await items() });
      say(`${answer.labels.toLocaleString()} labels given. Take them back: featureforge label undo --label-set ${form.get("labelSet")} --batch ${answer.batch}`);
    } catch (error) { say(error.message, true); }
  });
  // The server knows which items the points are: no list of ids crosses the wire, however many there are.
  card.querySelector("[data-form=keep]").addEventListener("submit", async event => {
    event.preventDefault();
    const name = new FormData(event.target).get("name");
    try {
      say("Keeping…");
      const kept = await send("/api/v1/selections", { name, author: page.dataset.author, clustering: page.dataset.clustering, points, note: `from the map of ${page.dataset.clustering}` });
      const rows = kept.item_parts.reduce((sum, part) => sum + part.rows, 0);
      say(`${rows.toLocaleString()} ${rows === 1 ? "item" : "items"} kept as ${name}.`);
      leadTo(kept);
    } catch (error) { say(error.message, true); }
  });

  function leadTo(kept) {
    const [show, queue] = ["show", "queue"].map(what => card.querySelector(`[data-selection=${what}]`));
    show.hidden = queue.hidden = !kept;
    if (!kept) return;
    show.href = `/corpora/${kept.corpus}?where=${encodeURIComponent(`selection = '${kept.name}'`)}`;
    queue.href = `/labels?selection=${kept.name}`;
  }

  card.querySelector("[data-selection=export]").addEventListener("click", async () => {
    try {
      const address = URL.createObjectURL(new Blob(["item_id\n", (await items()).join("\n"), "\n"], { type: "text/csv" }));
      Object.assign(document.createElement("a"), { href: address, download: `${page.dataset.clustering}-selection.csv` }).click();
      URL.revokeObjectURL(address);
    } catch (error) { say(error.message, true); }
  });
  card.querySelector("[data-selection=clear]").addEventListener("click", () => select([]));
}

// Numbers of the points inside a loop (even-odd rule); those outside its bounds are not looked at twice.
export function inside(loop, x, y, count) {
  const [left, right] = [Math.min(...loop.map(at => at[0])), Math.max(...loop.map(at => at[0]))];
  const [bottom, top] = [Math.min(...loop.map(at => at[1])), Math.max(...loop.map(at => at[1]))];
  const found = [];
  for (let point = 0; point < count; point++) {
    if (x[point] < left || x[point] > right || y[point] < bottom || y[point] > top) continue;
    let isIn = false;
    for (let a = 0, b = loop.length - 1; a < loop.length; b = a++)
      if ((loop[a][1] > y[point]) !== (loop[b][1] > y[point]) && x[point] < (loop[b][0] - loop[a][0]) * (y[point] - loop[a][1]) / (loop[b][1] - loop[a][1]) + loop[a][0]) isIn = !isIn;
    if (isIn) found.push(point);
  }
  return found;
}
