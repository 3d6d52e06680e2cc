// Labelling by keyboard: shows one item of the queue, gives it the class that is typed or chosen, goes to the next; every act can be taken back.
import { send } from "./api.js";

const root = document.getElementById("labelling");
const { name, set, corpus, selection } = root.dataset;
const part = id => document.getElementById(id);
const base = `/api/v1/labels/${name}`;
const LowWater = 3;
const TurnLength = 12;

let waiting = [];   // entries of the queue that were not answered yet; the first one is shown
const past = [];    // what was done, newest last: { entry, batch, answer }
let classes = [];   // names in the order in which they came, so that a key keeps its class
let labelled = 0;
let left = 0;
let asking = null;
let audio = null;

const author = part("author");
author.value = (author.readOnly ? null : localStorage.getItem("labels-author")) ?? root.dataset.author;
author.addEventListener("change", () => {
  localStorage.setItem("labels-author", author.value);
  waiting = [];
  next();
});

function say(problem) {
  part("problem").hidden = !problem;
  part("problem").textContent = problem ?? "";
}

// Asks for more while there is still something to show; two turns may not be under way at once.
function refill() {
  if (asking || waiting.length > LowWater) return asking;
  asking = send(`${base}/queue`, { set, author: author.value, selection: selection || null, count: TurnLength }).then(turn => {
    const known = new Set([...waiting, ...past.filter(act => act.batch).map(act => act.entry)].map(entry => entry.item_id));
    const fresh = turn.entries.filter(entry => !known.has(entry.item_id));
    waiting.push(...fresh);
    [labelled, left] = [turn.labelled, turn.left];
    for (const entry of turn.entries) for (const suggestion of entry.suggestions) remember(suggestion.name);
    return fresh.length;
  }).finally(() => { asking = null; });
  return asking;
}

async function next() {
  say(null);
  try {
    if (waiting.length === 0) {
      part("item-title").textContent = "Looking for what to label…";
      await refill();
    }
    show();
    if (waiting.length > 0) refill()?.catch(error => say(error.message));
  } catch (error) {
    part("item-title").textContent = "There is nothing to show.";
    say(error.message);
  }
}

function element(tag, properties, className) {
  const made = Object.assign(document.createElement(tag), properties);
  if (className) made.className = className;
  return made;
}

async function show() {
  const entry = waiting[0];
  const shown = part("shown");
  audio?.pause();
  audio = null;
  part("counts").textContent = `${labelled.toLocaleString("en")} labelled, ${left.toLocaleString("en")} left`;
  part("undo").disabled = past.length === 0;
  drawChoices(entry);
  for (const id of ["skip", "defer"]) part(id).disabled = !entry;
  if (!entry) {
    part("item-title").textContent = "Everything is labelled, skipped or held by others.";
    shown.replaceChildren();
    part("reason").textContent = part("kind").textContent = "";
    return;
  }
  const media = `/media/${corpus}/${entry.item_id}`;
  const link = element("a", { href: `/corpora/${corpus}/items/${entry.item_id}`, textContent: entry.path.split("/").at(-1) || entry.item_id });
  part("item-title").replaceChildren(link);
  part("kind").textContent = entry.cluster_name ?? "";
  part("reason").textContent = entry.reason;
  if (entry.modality === "image") {
    const picture = element("div", {}, "large-picture");
    const image = element("img", { src: `${media}/thumbnail?size=1024`, alt: entry.path });
    image.addEventListener("load", () => image.classList.toggle("tiny", image.naturalWidth <= 96));
    picture.append(image);
    shown.replaceChildren(picture);
  } else if (entry.modality === "audio") {
    audio = element("audio", { controls: true, src: `${media}/audio` });
    shown.replaceChildren(element("img", { src: `${media}/waveform?bars=160`, alt: "Waveform" }, "large-wave"), audio);
    audio.play().catch(() => { /* browsers wait for a first gesture */ });
  } else {
    const text = element("div", { textContent: "…", tabIndex: 0 }, "document");
    text.setAttribute("role", "region");
    text.setAttribute("aria-label", "Text");
    shown.replaceChildren(text);
    const response = await fetch(`/api/v1/corpora/${corpus}/items/${entry.item_id}`);
    if (waiting[0] === entry) text.textContent = response.ok ? (await response.json()).text?.slice(0, 20_000) ?? "" : "The text could not be read.";
  }
}

function remember(label) {
  if (!classes.includes(label)) classes.push(label);
}

function drawChoices(entry) {
  const likely = new Map((entry?.suggestions ?? []).map(suggestion => [suggestion.name, suggestion.probability]));
  part("classes").replaceChildren(...classes.map(value => element("option", { value })));
  part("choices").replaceChildren(...classes.map((label, index) => {
    const button = element("button", { type: "button" }, "button");
    button.append(element("span", { textContent: label }));
    if (likely.has(label)) button.append(element("small", { textContent: `${Math.round(100 * likely.get(label))} %` }));
    if (index < 9) button.append(element("kbd", { textContent: index + 1 }));
    button.addEventListener("click", () => give(label));
    return button;
  }));
}

async function act(work) {
  const entry = waiting.shift();
  if (!entry) return;
  const done = { entry };
  past.push(done);
  try {
    Object.assign(done, await work(entry));
  } catch (error) {
    past.splice(past.indexOf(done), 1);
    waiting.unshift(entry);
    await show();
    say(error.message);
    return;
  }
  await next();
}

function give(label) {
  remember(label);
  return act(async entry => {
    const { batch } = await send(base, { name: label, author: author.value, items: [entry.item_id] });
    labelled++;
    left--;
    return { batch };
  });
}

const answer = kind => act(async entry => {
  await send(`${base}/answers`, { items: [entry.item_id], answer: kind, author: author.value });
  return { answer: kind };
});

// An item that was skipped comes back on this page alone; the queue may show it to others meanwhile.
async function undo() {
  const last = past.pop();
  if (!last) return;
  try {
    if (last.batch) {
      await send(`${base}/undo`, { author: author.value, batch: last.batch });
      labelled--;
      left++;
    }
    waiting.unshift(last.entry);
    say(null);
    await show();
  } catch (error) {
    past.push(last);
    say(error.message);
  }
}

part("give").addEventListener("submit", event => {
  event.preventDefault();
  const label = part("class").value.trim();
  if (!label) return;
  part("class").value = "";
  part("class").blur();
  give(label);
});
part("skip").addEventListener("click", () => answer("skip"));
part("defer").addEventListener("click", () => answer("defer"));
part("undo").addEventListener("click", undo);

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input, textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const key = event.key.toLowerCase();
  if (key >= "1" && key <= "9") { if (classes[key - 1]) give(classes[key - 1]); }
  else if (key === "s") answer("skip");
  else if (key === "l") answer("defer");
  else if (key === "u") undo();
  else if (key === "/") part("class").focus();
  else if (key === " " && audio && !event.target.matches("button, a, audio")) audio.paused ? audio.play() : audio.pause();
  else return;
  event.preventDefault();
});

// Classes that the set has already get their keys in the order of the alphabet.
if ((await (await fetch("/api/v1/labels")).json()).includes(name))
  for (const label of Object.keys((await (await fetch(base)).json()).by_name)) remember(label);
await next();
