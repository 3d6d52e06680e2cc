// Behaviour that every page shares: menu, theme, the reader's own time, copying, one audio player for all cards.
import { startLive } from "./live.js";

document.querySelector(".menu-button")?.addEventListener("click", event => {
  const open = document.getElementById("navigation").classList.toggle("open");
  event.currentTarget.setAttribute("aria-expanded", open);
});

document.querySelector(".theme-button")?.addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try { localStorage.setItem("theme", root.dataset.theme); } catch { /* not remembered where storage is blocked */ }
  document.dispatchEvent(new CustomEvent("themechange"));
});

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
function showTimes(within) {
  for (const time of within.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const seconds = (at - Date.now()) / 1000;
    const [unit, length] = units.find(([, length]) => Math.abs(seconds) >= length) ?? units.at(-1);
    time.textContent = Math.abs(seconds) > 30 * 86400
      ? at.toLocaleDateString(undefined, { dateStyle: "medium" })
      : relative.format(Math.round(seconds / length), unit);
    time.title = at.toLocaleString();
  }
}
showTimes(document);

// What scrolls sideways can be scrolled with the keyboard; what does not is no stop on the way through the page.
const scrolls = new ResizeObserver(entries => {
  for (const { target } of entries)
    if (target.scrollWidth > target.clientWidth || target.scrollHeight > target.clientHeight) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
});
for (const element of document.querySelectorAll(".scroll, pre")) scrolls.observe(element);
setInterval(() => showTimes(document), 30_000);
document.addEventListener("htmx:afterSwap", event => showTimes(event.detail.target));

// Cards carry a play button; only one recording sounds at a time.
let player = null;
let playing = null;
function stopPlaying() {
  player?.pause();
  playing?.setAttribute("aria-pressed", "false");
  playing = null;
}
document.addEventListener("click", async event => {
  const play = event.target.closest("button.play");
  if (play) {
    const again = playing === play;
    stopPlaying();
    if (again) return;
    player ??= Object.assign(new Audio(), { onended: stopPlaying });
    player.src = play.dataset.audio;
    playing = play;
    play.setAttribute("aria-pressed", "true");
    try { await player.play(); } catch { if (playing === play) stopPlaying(); }
    return;
  }
  const copy = event.target.closest("button.copy");
  if (copy) {
    await navigator.clipboard.writeText(copy.parentElement.querySelector("pre").textContent);
    copy.setAttribute("aria-label", "Copied");
    copy.classList.add("good");
    setTimeout(() => { copy.setAttribute("aria-label", "Copy"); copy.classList.remove("good"); }, 1500);
  }
});

document.addEventListener("change", event => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});

document.addEventListener("submit", event => {
  const question = event.target.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});

startLive();
if (document.querySelector(".chart[data-source]")) import("./charts.js").then(charts => charts.start());
