// Shows the item of a map point: picture, recording or text, with the way to its page.
let asked = 0;

export async function showItem(page, point, keeps) {
  const number = ++asked;
  // A pointer that passes over many points asks for the one it stops at.
  if (!keeps) await new Promise(resolve => setTimeout(resolve, 60));
  if (number !== asked) return;
  const response = await fetch(`/api/v1/clusterings/${page.dataset.clustering}/map/${point}`);
  if (number !== asked || !response.ok) return;
  const item = await response.json();
  const panel = page.querySelector("#preview");
  if (!item.modality) { panel.replaceChildren(text("p", "This item is no longer in the corpus.")); return; }
  const media = `/media/${item.corpus}/${item.item_id}`;
  panel.replaceChildren(...(body[item.modality] ?? body.text)(item, media, keeps), link(item));
}

const body = {
  image(item, media) {
    const frame = Object.assign(document.createElement("div"), { className: "picture" });
    const image = Object.assign(document.createElement("img"), { src: `${media}/thumbnail?size=320`, alt: item.path, className: item.width <= 96 ? "tiny" : "" });
    frame.append(image);
    return [frame];
  },
  audio(item, media, keeps) {
    const wave = Object.assign(document.createElement("img"), { src: `${media}/waveform`, alt: "", className: "wave-wide" });
    const sound = Object.assign(document.createElement("audio"), { src: `${media}/audio`, controls: true });
    // Browsers allow sound only after a click on the page; until then the controls are there.
    if (keeps || navigator.userActivation?.hasBeenActive) sound.play().catch(() => {});
    return [wave, sound];
  },
  text: item => [Object.assign(text("div", item.snippet ?? ""), { className: "snippet" })],
};

function text(tag, words) { return Object.assign(document.createElement(tag), { textContent: words }); }

function link(item) {
  return Object.assign(text("a", item.path), { href: `/corpora/${item.corpus}/items/${item.item_id}`, className: "small" });
}
