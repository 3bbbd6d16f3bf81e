// Line charts: means with bands from the lowest to the highest, on linear or logarithmic axes.
import { mark, sample, shape, short, element } from "./format.js";

/** A scale from values to places, with the values at which it is labelled. */
export function scale(low, high, from, to, isLogarithmic, room) {
  if (isLogarithmic) {
    let [a, b] = [Math.log10(low), Math.log10(high)];
    if (b - a < 0.2) [a, b] = [a - 0.1, b + 0.1];
    const place = (value) => from + (Math.log10(value) - a) / (b - a) * (to - from);
    const every = Math.max(1, Math.ceil((b - a) / Math.max(room, 1)));
    let ticks = [];
    for (let power = Math.ceil(a); power <= b; power += every) ticks.push(10 ** power);
    if (ticks.length < 2) ticks = steps(10 ** a, 10 ** b, room).filter((value) => value > 0);
    return { place, ticks, low: 10 ** a, high: 10 ** b };
  }
  if (high === low) [low, high] = [low - Math.abs(low || 1) * 0.1, high + Math.abs(high || 1) * 0.1];
  const place = (value) => from + (value - low) / (high - low) * (to - from);
  return { place, ticks: steps(low, high, room), low, high };
}

/** Round numbers between two. */
function steps(low, high, room) {
  const raw = (high - low) / Math.max(room, 1);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw * 0.8);
  const result = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k += 1) {
    result.push(Number((k * step).toPrecision(12)));
  }
  return result;
}

/** 12000 as 12k. */
export function tick(value) {
  if (Math.abs(value) >= 1e9) return short(value, 3);
  if (Math.abs(value) >= 1e6) return short(value / 1e6, 4) + "M";
  if (Math.abs(value) >= 1e4) return short(value / 1e3, 4) + "k";
  return short(value, 3);
}

/** Axes with a grid; returns the group to draw in. */
export function axes(svg, x, y, box, labels) {
  for (const value of y.ticks) {
    const at = y.place(value);
    svg.append(
      shape("line", { x1: box.left, x2: box.right, y1: at, y2: at, class: "grid" }),
      shape("text", { x: box.left - 8, y: at + 4, "text-anchor": "end" }, tick(value)));
  }
  let free = -Infinity;
  for (const value of x.ticks) {
    const [at, text] = [x.place(value), tick(value)];
    const half = text.length * 3.8;
    svg.append(shape("line", { x1: at, x2: at, y1: box.bottom, y2: box.bottom + 4, class: "axis" }));
    if (at - half < free || at + half > box.right + 14) continue;
    svg.append(shape("text", { x: at, y: box.bottom + 18, "text-anchor": "middle" }, text));
    free = at + half + 8;
  }
  svg.append(
    shape("line", { x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom, class: "axis" }),
    shape("text", { x: (box.left + box.right) / 2, y: box.bottom + 36, "text-anchor": "middle", class: "label" }, labels.x));
}

const number = (value) => value.toFixed(1);

/** The path of a line; gaps where a place is not a number. */
export function path(points) {
  let text = "";
  let isDrawing = false;
  for (const [x, y] of points) {
    const isPoint = Number.isFinite(x) && Number.isFinite(y);
    if (isPoint) text += `${isDrawing ? "L" : "M"}${number(x)} ${number(y)}`;
    isDrawing = isPoint;
  }
  return text;
}

/** The outline of a band. */
export function band(upper, lower) {
  const both = upper.map((point, index) => [point, lower[index]])
    .filter(([a, b]) => [...a, ...b].every(Number.isFinite));
  if (both.length < 2) return "";
  return path([...both.map(([a]) => a), ...both.map(([, b]) => b).reverse()]) + "Z";
}

/** The chart that compares runs; it remembers where the reader points. */
export class CompareChart {
  constructor(svg, tip) {
    [this.svg, this.tip] = [svg, tip];
    this.lines = [];
    this.cursor = null;
    svg.addEventListener("pointermove", (event) => this.point(event.offsetX));
    svg.addEventListener("pointerdown", (event) => this.point(event.offsetX));
    svg.addEventListener("pointerleave", () => this.point(null));
    svg.addEventListener("blur", () => this.point(null));
    svg.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(svg);
  }

  /**
   * Shows lines `{slot, name, x, mean, low, high}`, columns of equal length.
   * Options: `{x, y, isLogarithmic, format, empty}`.
   */
  show(lines, options) {
    [this.lines, this.options] = [lines, options];
    this.draw();
  }

  draw() {
    if (!this.options) return;
    const { svg, options } = this;
    const [width, height] = [svg.clientWidth || 600, svg.clientHeight || 380];
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.replaceChildren();
    svg.setAttribute("role", "img");
    const lines = this.lines.filter((line) => line.x.some(Number.isFinite));
    const names = lines.map((line) => `${line.name} ends at ${options.format(line.mean.at(-1))}`);
    svg.setAttribute("aria-label", lines.length ? `${options.y} against ${options.x}: ${names.join("; ")}` : options.empty);
    if (!lines.length) {
      svg.append(shape("text", { x: width / 2, y: height / 2, "text-anchor": "middle", class: "empty" }, options.empty));
      this.box = null;
      this.point(null);
      return;
    }
    const isFit = (value) => Number.isFinite(value) && (!options.isLogarithmic || value > 0);
    const xs = lines.flatMap((line) => line.x.filter(Number.isFinite));
    let [low, high] = limits(lines, isFit);
    if (!options.isLogarithmic) {
      const margin = (high - low) * 0.04;
      [low, high] = [low >= 0 && low - margin < 0 ? 0 : low - margin, high + margin];
    }
    const box = this.box = { left: width < 520 ? 46 : 58, right: width - 14, top: 10, bottom: height - 46 };
    const x = this.x = scale(Math.min(...range(xs)), Math.max(...range(xs)), box.left, box.right, false, (box.right - box.left) / 80);
    const y = this.y = scale(low, high, box.bottom, box.top, options.isLogarithmic, (box.bottom - box.top) / 46);
    axes(svg, x, y, box, options);
    const place = (value) => isFit(value) ? Math.min(Math.max(y.place(value), box.top), box.bottom) : NaN;
    for (const line of lines) {
      const points = (values) => line.x.map((step, index) => [x.place(step ?? NaN), place(values[index])]);
      const outline = band(points(line.high), points(line.low));
      const group = shape("g", { "data-run": line.id, class: "series" });
      if (outline) group.append(shape("path", { d: outline, class: `b${line.slot}` }));
      const middle = points(line.mean);
      group.append(shape("path", { d: path(middle), class: `s${line.slot}`, "stroke-linejoin": "round" }));
      const marks = middle.filter((point) => point.every(Number.isFinite));
      const shown = marks.length <= 40 ? marks : marks.slice(-1);
      group.append(...shown.map(([px, py]) => mark(line.slot, px, py)));
      svg.append(group);
    }
    this.cross = shape("g", { "aria-hidden": "true" });
    svg.append(this.cross);
    this.shown = lines;
    this.point(this.cursor);
  }

  /** Shows the values at a place. */
  point(place) {
    this.cursor = place;
    this.cross?.replaceChildren();
    this.tip.hidden = place === null || !this.box;
    if (this.tip.hidden) return;
    const { box, x, y } = this;
    const at = Math.min(Math.max(place, box.left), box.right);
    const wanted = x.low + (at - box.left) / (box.right - box.left) * (x.high - x.low);
    const rows = [];
    let label = null;
    for (const line of this.shown) {
      const index = nearest(line.x, wanted);
      if (index === null) continue;
      label ??= line.x[index];
      const [px, py] = [x.place(line.x[index]), y.place(line.mean[index])];
      if (Number.isFinite(py)) this.cross.append(mark(line.slot, px, py, 4.6));
      const hasRoom = this.svg.clientWidth > 520;
      const spread = hasRoom && line.high[index] > line.low[index] ? ` (${this.options.format(line.low[index])} – ${this.options.format(line.high[index])})` : "";
      rows.push(element("div", {}, sample(line.slot), element("span", {}, line.name), element("strong", {}, this.options.format(line.mean[index]) + spread)));
    }
    this.cross.prepend(shape("line", { x1: at, x2: at, y1: box.top, y2: box.bottom, class: "cross" }));
    this.tip.replaceChildren(element("div", {}, element("span", {}, `${this.options.x} ${tick(label ?? wanted)}`)), ...rows);
    const free = this.svg.clientWidth - this.tip.offsetWidth;
    this.tip.style.left = `${Math.max(Math.min(at > free - 20 ? at - this.tip.offsetWidth - 14 : at + 14, free), 0)}px`;
  }

  key(event) {
    if (!this.box || !["ArrowLeft", "ArrowRight", "Escape"].includes(event.key)) return;
    event.preventDefault();
    if (event.key === "Escape") return this.point(null);
    const step = (this.box.right - this.box.left) / 50 * (event.key === "ArrowLeft" ? -1 : 1);
    const start = this.cursor ?? this.box.right;
    this.point(Math.min(Math.max(start + step, this.box.left), this.box.right));
  }
}

/** The lowest and the highest, where few extremes do not flatten all the rest. */
function limits(lines, isFit) {
  const means = lines.flatMap((line) => line.mean.filter(isFit));
  const lows = lines.flatMap((line) => line.low.filter(isFit));
  const highs = lines.flatMap((line) => line.high.filter(isFit));
  const [low, high] = [range(means)[0], range(means)[1]];
  const spread = (high - low) || Math.abs(high) || 1;
  return [Math.max(range(lows)[0], isFit(low - spread) ? low - spread : low * 0.3), Math.min(range(highs)[1], high + spread)];
}

/** Also of more numbers than a call has room for. */
export function range(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 1];
}

function nearest(values, wanted) {
  let best = null;
  for (let index = 0; index < values.length; index += 1) {
    if (!Number.isFinite(values[index])) continue;
    if (best === null || Math.abs(values[index] - wanted) < Math.abs(values[best] - wanted)) best = index;
  }
  return best;
}
