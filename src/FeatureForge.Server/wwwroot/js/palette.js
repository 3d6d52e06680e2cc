// Colours for a tree of clusters: every cluster has a slice of the hue circle, its children share that slice,
// so that colours stay related when the depth changes; neighbours alternate in lightness to stay apart.
export function clusterColours(tree) {
  const dark = getComputedStyle(document.body).colorScheme === "dark" ||
    (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const children = new Map();
  tree.forEach((cluster, position) => children.set(cluster.parent, [...(children.get(cluster.parent) ?? []), position]));
  const of = new Array(tree.length);
  const lightness = dark ? [0.78, 0.66, 0.86] : [0.6, 0.5, 0.7];
  const paint = (position, from, to, place) => {
    of[position] = oklch(lightness[place % 3], 0.15, (from + to) / 2);
    share(children.get(position) ?? [], from, to);
  };
  // Half by number and half by size, so that a small cluster is not lost beside a big one.
  const share = (positions, from, to) => {
    const total = positions.reduce((sum, position) => sum + tree[position].size, 0) || 1;
    let start = from;
    positions.forEach((position, place) => {
      const end = start + (to - from) * (0.5 / positions.length + 0.5 * tree[position].size / total);
      paint(position, start, end, place);
      start = end;
    });
  };
  share(children.get(-1) ?? [], 20, 380);
  return { of, none: dark ? [90, 98, 108] : [176, 183, 192] };
}

// Colours for values that have no order: hues as far apart as so many can be, in turns of three lightnesses.
export function valueColours(count) {
  const { none } = clusterColours([]);
  const lightness = none[0] < 128 ? [0.78, 0.66, 0.86] : [0.6, 0.5, 0.7];
  return { of: Array.from({ length: count }, (_, place) => oklch(lightness[place % 3], 0.15, 20 + 360 * place * 0.618034)), none };
}

// Colours for values in order: from blue to yellow, stronger against the page the higher.
export function rampColours(count) {
  const { none } = clusterColours([]);
  const [low, high] = none[0] < 128 ? [0.42, 0.9] : [0.86, 0.42];
  return { of: Array.from({ length: count }, (_, place) => { const share = count > 2 ? Math.min(1, place / (count - 2)) : 0; return oklch(low + (high - low) * share, 0.13, 265 - 165 * share); }), none };
}

export function css([red, green, blue]) { return `rgb(${red} ${green} ${blue})`; }

function oklch(lightness, chroma, hue) {
  const a = chroma * Math.cos(hue * Math.PI / 180), b = chroma * Math.sin(hue * Math.PI / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map(value => Math.round(255 * Math.max(0, Math.min(1, value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055))));
}
