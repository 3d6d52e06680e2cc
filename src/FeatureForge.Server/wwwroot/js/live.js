// Keeps a run's page current by server-sent events: state, bar, numbers, log, curves.
import { drawFamilies } from "./curves.js";

const styles = { running: "live", succeeded: "good", failed: "bad", stopped: "warn" };

export function startLive() {
  const page = document.querySelector("[data-run]");
  if (!page) return;
  const part = name => page.querySelector(`[data-live="${name}"]`);
  const curves = document.getElementById("curves");
  const log = part("log");
  log.scrollTop = log.scrollHeight;
  drawFamilies(curves);
  if (page.dataset.ended) return;

  const events = new EventSource(`/api/v1/runs/${page.dataset.run}/events?after=${log.dataset.sequence}`);
  events.addEventListener("run", event => {
    const run = JSON.parse(event.data);
    const chip = part("state");
    chip.textContent = run.state;
    chip.className = `chip ${styles[run.state] ?? ""}`;
    const bar = part("bar");
    if (run.state === "succeeded") bar.value = 100;
    else if (run.percent != null) bar.value = Number(run.percent);
    else if (run.state === "running") bar.removeAttribute("value");
    part("line").textContent = run.line || (run.state === "queued" ? "waits for a worker" : "");
    part("attempt").textContent = run.attempt;
    const error = part("error");
    error.hidden = !run.error;
    error.querySelector("p").textContent = run.error ?? "";
    for (const form of document.querySelectorAll("[data-shown-when]")) form.hidden = !form.dataset.shownWhen.split(" ").includes(run.state);
  });
  events.addEventListener("log", event => {
    const follows = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    for (const line of JSON.parse(event.data)) {
      const at = new Date(line.at).toISOString().slice(11, 19);
      log.append(`${at} ${line.level === "information" ? "" : line.level + ": "}${line.message}\n`);
    }
    if (follows) log.scrollTop = log.scrollHeight;
  });
  let drawing = false;
  events.addEventListener("metrics", async () => {
    if (drawing) return;
    drawing = true;
    await drawFamilies(curves);
    setTimeout(() => { drawing = false; }, 2000);
  });
  events.addEventListener("end", () => {
    events.close();
    location.reload();
  });
}
