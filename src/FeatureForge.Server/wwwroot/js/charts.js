// Curves by uPlot: every .chart[data-source] loads { steps, series } and draws it in the page's colours.
import uPlot from "../lib/uplot.js";

const hues = ["--accent", "--muted", "--good", "--warn", "--bad"];

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
  return names.sort((a, b) => depth(a) - depth(b) || a.localeCompare(b));
}

function draw(element, data) {
  element.replaceChildren();
  const names = order(Object.keys(data.series));
  if (names.length === 0) {
    element.textContent = "No numbers were recorded.";
    return;
  }
  const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
  const chart = new uPlot({
    width: element.clientWidth,
    height: 240,
    scales: { x: { time: false } },
    axes: [{ ...axis }, { ...axis, size: 58 }],
    cursor: { points: { size: 7 } },
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
  element.chart = chart;
}

async function load(element) {
  const response = await fetch(element.dataset.source);
  if (!response.ok) { element.textContent = "The curve could not be read."; return; }
  element.data = await response.json();
  draw(element, element.data);
}

export function refresh(element) { return load(element); }

export function start() {
  for (const element of document.querySelectorAll(".chart[data-source]")) {
    element.setAttribute("role", "img");
    element.setAttribute("aria-label", element.dataset.label ?? "Curve");
    load(element);
    new ResizeObserver(() => element.chart?.setSize({ width: element.clientWidth, height: 240 })).observe(element);
  }
  const redraw = () => { for (const element of document.querySelectorAll(".chart[data-source]")) if (element.data) draw(element, element.data); };
  document.addEventListener("themechange", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
}
