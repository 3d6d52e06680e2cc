// The curves of a run, one card per family of numbers: "retrieval.high" and "retrieval.raw" share a chart.
import { draw } from "./charts.js";

export async function drawFamilies(container) {
  const response = await fetch(container.dataset.source);
  if (!response.ok) return;
  const { steps, series } = await response.json();
  const families = new Map();
  for (const name of Object.keys(series)) {
    const family = name.split(".")[0];
    families.set(family, [...(families.get(family) ?? []), name]);
  }
  const rank = family => (family === "loss" ? "" : family);
  for (const family of [...families.keys()].sort((a, b) => rank(a).localeCompare(rank(b)))) {
    let chart = container.querySelector(`[data-family="${CSS.escape(family)}"]`);
    if (!chart) {
      const card = document.createElement("section");
      card.className = "card";
      card.innerHTML = "<header><h2></h2></header><div class='body'><div class='chart'></div></div>";
      card.querySelector("h2").textContent = family.replaceAll("_", " ");
      chart = card.querySelector(".chart");
      chart.dataset.family = family;
      chart.setAttribute("role", "img");
      chart.setAttribute("aria-label", `${family} by step`);
      container.append(card);
    }
    const kept = steps.flatMap((_, index) => families.get(family).some(name => series[name][index] != null) ? [index] : []);
    draw(chart, {
      steps: kept.map(index => steps[index]),
      series: Object.fromEntries(families.get(family).map(name => [name, kept.map(index => series[name][index])])),
    });
  }
}
