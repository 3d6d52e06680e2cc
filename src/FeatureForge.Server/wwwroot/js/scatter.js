// Draws points with WebGL 2, or on a plain canvas where that is missing. Knows nothing of clusters or items. The first points of a map are spread
// evenly over it: they are drawn alone until the others have come, and while the map moves.
const quickPoints = 200000;
const vertex = `#version 300 es
in vec2 place; in vec4 colour; uniform vec2 scale; uniform vec2 shift; uniform float size; out vec4 tint;
void main() { gl_Position = vec4(place * scale + shift, 0.0, 1.0); gl_PointSize = size; tint = colour; }`;
const fragment = `#version 300 es
precision highp float; in vec4 tint; uniform float size; uniform float strength; out vec4 result;
void main() {
  float edge = length(gl_PointCoord - 0.5) * size;
  float alpha = tint.a * strength * clamp(size * 0.5 - edge, 0.0, 1.0);
  result = vec4(tint.rgb * alpha, alpha);
}`;

export class Scatter {
  // Of x and y the first `count` are known.
  constructor(canvas, x, y, count) {
    Object.assign(this, { canvas, x, y, count });
    this.bounds = bounds(x, y, count);
    this.gl = canvas.getContext("webgl2", { antialias: false, premultipliedAlpha: true, preserveDrawingBuffer: true });
    if (this.gl) this.prepare();
    else this.plane = canvas.getContext("2d");
    new ResizeObserver(() => this.follow()).observe(canvas);
    this.resize();
    this.fit();
  }

  prepare() {
    const gl = this.gl;
    const program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(`The map's shader did not link: ${gl.getProgramInfoLog(program)}`);
    gl.useProgram(program);
    this.uniform = name => gl.getUniformLocation(program, name);
    this.placeBuffer = this.attribute(program, "place", this.places(), 2, gl.FLOAT, false);
    this.colourBuffer = this.attribute(program, "colour", new Uint8Array(this.count * 4), 4, gl.UNSIGNED_BYTE, true);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  places() {
    const places = new Float32Array(this.count * 2);
    for (let point = 0; point < this.count; point++) { places[point * 2] = this.x[point]; places[point * 2 + 1] = this.y[point]; }
    return places;
  }

  // More of x and y are known now; colours of all of them come next.
  grow(count) {
    this.count = count;
    this.bounds = bounds(this.x, this.y, count);
    this.rgba = null;
    if (this.gl) {
      this.gl.bindBuffer(this.gl.ARRAY_BUFFER, this.placeBuffer);
      this.gl.bufferData(this.gl.ARRAY_BUFFER, this.places(), this.gl.DYNAMIC_DRAW);
    }
    if (this.fitted) this.fit();
  }

  attribute(program, name, values, size, type, normalised) {
    const gl = this.gl;
    const buffer = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
    const location = gl.getAttribLocation(program, name);
    gl.enableVertexAttribArray(location);
    gl.vertexAttribPointer(location, size, type, normalised, 0, 0);
    return buffer;
  }

  setColours(rgba) {
    this.rgba = rgba;
    if (this.gl) {
      this.gl.bindBuffer(this.gl.ARRAY_BUFFER, this.colourBuffer);
      this.gl.bufferData(this.gl.ARRAY_BUFFER, rgba, this.gl.DYNAMIC_DRAW);
    }
    this.draw();
  }

  resize() {
    this.ratio = Math.min(devicePixelRatio || 1, 2);
    this.width = this.canvas.clientWidth || 1;
    this.height = this.canvas.clientHeight || 1;
    this.canvas.width = Math.round(this.width * this.ratio);
    this.canvas.height = Math.round(this.height * this.ratio);
  }

  // A canvas that changes size is blank, so it is painted again at once and not with the next frame.
  follow() {
    if (this.canvas.clientWidth === this.width && this.canvas.clientHeight === this.height) return;
    this.resize();
    if (this.fitted) this.fit();
    if (this.rgba) this.paint();
  }

  // Shows all points, with a margin, at equal scale in both directions.
  fit() {
    const { left, right, bottom, top } = this.bounds;
    this.pixelsPerUnit = 0.92 * Math.min(this.width / (right - left), this.height / (top - bottom));
    this.fitPixels = this.pixelsPerUnit;
    this.centreX = (left + right) / 2;
    this.centreY = (bottom + top) / 2;
    this.fitted = true;
    this.draw();
  }

  pan(dx, dy) {
    this.centreX -= dx / this.pixelsPerUnit;
    this.centreY += dy / this.pixelsPerUnit;
    this.fitted = false;
    this.drawQuickly();
  }

  // Zooms so that the data under (left, top) stays there.
  zoom(factor, left, top) {
    const [x, y] = this.toData(left, top);
    this.pixelsPerUnit = Math.min(Math.max(this.pixelsPerUnit * factor, this.fitPixels / 4), this.fitPixels * 2000);
    this.centreX = x - (left - this.width / 2) / this.pixelsPerUnit;
    this.centreY = y + (top - this.height / 2) / this.pixelsPerUnit;
    this.fitted = false;
    this.drawQuickly();
  }

  toData(left, top) {
    return [this.centreX + (left - this.width / 2) / this.pixelsPerUnit, this.centreY - (top - this.height / 2) / this.pixelsPerUnit];
  }

  toScreen(point) {
    return [this.width / 2 + (this.x[point] - this.centreX) * this.pixelsPerUnit, this.height / 2 - (this.y[point] - this.centreY) * this.pixelsPerUnit];
  }

  // Points grow a little with zoom, and are smaller and fainter the more there are.
  get pointSize() {
    const base = Math.max(2.2, Math.min(9, 520 / Math.sqrt(this.count)));
    return Math.min(14, base * Math.pow(this.pixelsPerUnit / this.fitPixels, 0.25));
  }

  // Few points while the view moves, all of them once it rests.
  drawQuickly() {
    if (this.count > quickPoints) {
      this.drawn = quickPoints;
      clearTimeout(this.rest);
      this.rest = setTimeout(() => { this.drawn = Infinity; this.draw(); }, 160);
    }
    this.draw();
  }

  draw() {
    if (!this.rgba || this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.paint(); });
  }

  paint() {
    if (this.gl) this.drawGl();
    else this.drawPlane();
  }

  drawGl() {
    const gl = this.gl;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const scaleX = 2 * this.pixelsPerUnit / this.width, scaleY = 2 * this.pixelsPerUnit / this.height;
    gl.uniform2f(this.uniform("scale"), scaleX, scaleY);
    gl.uniform2f(this.uniform("shift"), -this.centreX * scaleX, -this.centreY * scaleY);
    gl.uniform1f(this.uniform("size"), this.pointSize * this.ratio);
    gl.uniform1f(this.uniform("strength"), this.count > 20000 ? 0.75 : 0.9);
    gl.drawArrays(gl.POINTS, 0, Math.min(this.count, this.drawn ?? Infinity));
  }

  drawPlane() {
    const { plane, rgba, ratio } = this;
    const size = this.pointSize * ratio;
    plane.clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (let point = 0; point < Math.min(this.count, this.drawn ?? Infinity); point++) {
      const [left, top] = this.toScreen(point);
      plane.fillStyle = `rgb(${rgba[point * 4]} ${rgba[point * 4 + 1]} ${rgba[point * 4 + 2]} / ${rgba[point * 4 + 3] / 255})`;
      plane.fillRect(left * ratio - size / 2, top * ratio - size / 2, size, size);
    }
  }
}

function bounds(x, y, count) {
  let left = Infinity, right = -Infinity, bottom = Infinity, top = -Infinity;
  for (let point = 0; point < count; point++) {
    left = Math.min(left, x[point]); right = Math.max(right, x[point]);
    bottom = Math.min(bottom, y[point]); top = Math.max(top, y[point]);
  }
  if (!(right > left)) { left = (x[0] ?? 0) - 1; right = left + 2; }
  if (!(top > bottom)) { bottom = (y[0] ?? 0) - 1; top = bottom + 2; }
  return { left, right, bottom, top };
}
