// Curves by uPlot: draws { steps, series } in the page's colours; every .chart[data-source] loads its own.
import uPlot from "../lib/uplot.js";

const hues = ["--accent", "--good", "--warn", "--bad", "--text"];
const drawn = new Set();

function colour(name) {
  // light-dark() is resolved by asking for the colour of an element that uses it.
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

function order(names) {
  const depth = name => ["high", "mid", "low", "raw"].indexOf(name.split(".").at(-1));
  return [...names].sort((a, b) => depth(a) - depth(b) || a.localeCompare(b));
}

export function draw(element, data) {
  element.data = data;
  element.chart?.destroy();
  element.chart = null;
  element.replaceChildren();
  const names = order(Object.keys(data.series));
  if (names.length === 0) {
    element.textContent = "No numbers were recorded.";
    return;
  }
  const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
  element.chart = new uPlot({
    width: Math.max(200, element.clientWidth),
    height: 230,
    scales: { x: { time: false } },
    axes: [{ ...axis }, { ...axis, size: 58 }],
    series: [
      { label: "step" },
      ...names.map((name, index) => ({
        label: name,
        stroke: colour(name.endsWith(".raw") ? "--muted" : hues[index % hues.length]),
        width: 1.75,
        dash: name.endsWith(".raw") ? [5, 4] : undefined,
        spanGaps: true,
        points: { show: data.steps.length < 40 },
        value: (_, value) => value == null ? "–" : Number(value.toPrecision(4)),
      })),
    ],
  }, [data.steps, ...names.map(name => data.series[name])], element);
  if (drawn.has(element)) return;
  drawn.add(element);
  new ResizeObserver(() => element.chart?.setSize({ width: Math.max(200, element.clientWidth), height: 230 })).observe(element);
}

async function load(element) {
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", element.dataset.label ?? "Curve");
  const response = await fetch(element.dataset.source);
  if (response.ok) draw(element, await response.json());
  else element.textContent = "The curve could not be read.";
}

export function start() {
  for (const element of document.querySelectorAll(".chart[data-source]")) load(element);
}

const redraw = () => { for (const element of drawn) draw(element, element.data); };
document.addEventListener("themechange", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
