// How crowded it is around each point: points in its cell of a grid and in those next to it, in steps of two. What is drawn on top of each other shows so.
const Cells = 256, Levels = 8;

export function density(x, y, count) {
  let [left, right, bottom, top] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let point = 0; point < count; point++) {
    left = Math.min(left, x[point]); right = Math.max(right, x[point]);
    bottom = Math.min(bottom, y[point]); top = Math.max(top, y[point]);
  }
  const side = Math.max(right - left, top - bottom) / Cells || 1;
  const across = Cells + 3, cell = point => (1 + Math.floor((y[point] - bottom) / side)) * across + 1 + Math.floor((x[point] - left) / side);
  const counts = new Uint32Array(across * across);
  for (let point = 0; point < count; point++) counts[cell(point)]++;
  // Three by three cells: no edge of the grid shows.
  const around = new Uint32Array(counts.length);
  let most = 1;
  for (let at = across + 1; at < counts.length - across - 1; at++) {
    if (counts[at] === 0) continue;
    for (const row of [-across, 0, across]) around[at] += counts[at + row - 1] + counts[at + row] + counts[at + row + 1];
    most = Math.max(most, around[at]);
  }
  const step = Math.max(1, Math.log2(most + 1) / Levels);
  const codes = new Uint8Array(x.length).fill(255);
  for (let point = 0; point < count; point++) codes[point] = Math.min(Levels - 1, Math.floor(Math.log2(around[cell(point)]) / step));
  const from = level => Math.ceil(2 ** (level * step)), upTo = level => from(level + 1) - 1;
  return { ordered: true, codes, names: Array.from({ length: Levels }, (_, level) => `${from(level).toLocaleString()}${level === Levels - 1 ? " and more" : upTo(level) > from(level) ? ` to ${upTo(level).toLocaleString()}` : ""} points around`) };
}
