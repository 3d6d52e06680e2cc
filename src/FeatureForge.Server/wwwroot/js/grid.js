// Finds the point nearest to a place: points are sorted into square cells once, a search looks at few of them.
export class PointGrid {
  // Of x and y the first `count` are known.
  constructor(x, y, count) {
    Object.assign(this, { x, y });
    const [knownX, knownY] = [x.subarray(0, count), y.subarray(0, count)];
    this.left = knownX.reduce((least, value) => Math.min(least, value), Infinity);
    this.bottom = knownY.reduce((least, value) => Math.min(least, value), Infinity);
    const width = knownX.reduce((most, value) => Math.max(most, value), -Infinity) - this.left;
    const height = knownY.reduce((most, value) => Math.max(most, value), -Infinity) - this.bottom;
    this.side = Math.max(1, Math.ceil(Math.sqrt(count / 4)));
    this.cell = Math.max(width, height, 1e-6) / this.side;
    // Counting sort: starts[c] .. starts[c + 1] are the points of cell c.
    this.starts = new Int32Array((this.side + 1) ** 2 + 1);
    const cells = new Int32Array(count);
    for (let point = 0; point < count; point++) cells[point] = this.cellOf(x[point], y[point]);
    for (const cell of cells) this.starts[cell + 1]++;
    for (let cell = 1; cell < this.starts.length; cell++) this.starts[cell] += this.starts[cell - 1];
    const next = this.starts.slice();
    this.points = new Int32Array(count);
    for (let point = 0; point < count; point++) this.points[next[cells[point]]++] = point;
  }

  column(x) { return Math.max(0, Math.min(this.side, Math.floor((x - this.left) / this.cell))); }
  row(y) { return Math.max(0, Math.min(this.side, Math.floor((y - this.bottom) / this.cell))); }
  cellOf(x, y) { return this.row(y) * (this.side + 1) + this.column(x); }

  // The number of the nearest point within a distance, or -1.
  nearest(x, y, within) {
    let best = -1, bestDistance = within;
    const [left, right] = [this.column(x - within), this.column(x + within)];
    for (let row = this.row(y - within); row <= this.row(y + within); row++)
      for (let slot = this.starts[row * (this.side + 1) + left]; slot < this.starts[row * (this.side + 1) + right + 1]; slot++) {
        const point = this.points[slot];
        const distance = Math.hypot(this.x[point] - x, this.y[point] - y);
        if (distance < bestDistance) [best, bestDistance] = [point, distance];
      }
    return best;
  }
}
