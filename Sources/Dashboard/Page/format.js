// Numbers and elements as people read them.

/** With about so many significant digits, without zeros at the end. */
export function short(value, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (typeof value === "string") return value.replace("Infinity", "∞");
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e6) return String(value);
  if (size >= 1e-3 && size < 1e6) return String(Number(value.toPrecision(digits)));
  return value.toExponential(digits - 1).replace(/\.?0+e/, "e").replace("e+", "e");
}

/** 1407 as 1,407. */
export function grouped(value) {
  return value === null || value === undefined ? "–" : Math.round(value).toLocaleString("en");
}

export function percent(value) {
  return typeof value === "number" ? (value * 100).toFixed(value >= 0.9995 ? 1 : 2) + " %" : "–";
}

/** Seconds as 1 h 2 min. */
export function duration(seconds) {
  if (typeof seconds !== "number" || !Number.isFinite(seconds)) return "–";
  if (seconds < 90) return `${short(seconds, seconds < 10 ? 2 : 3)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** How long ago a moment was, in words. */
export function ago(time) {
  const seconds = Date.now() / 1000 - time;
  if (seconds < 60) return "just now";
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86400)} days ago`;
}

/** A run's name: the last part, and what stands before it. */
export function nameParts(id) {
  const parts = id.replace(/\/trials\//, "/").split("/");
  return { last: parts.pop(), before: parts.join("/") };
}

/** An HTML element. Text only ever goes in as text. */
export function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** An SVG element. */
export function shape(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** A table with a row of headings. */
export function table(headings, rows) {
  const head = element("tr", {}, ...headings.map((text) => element("th", { scope: "col" }, text)));
  const body = rows.map((row) =>
    element("tr", {}, ...row.map((cell, index) => {
      const isNumber = typeof cell === "number" || cell === null;
      const text = isNumber ? short(cell) : cell;
      return index === 0 ? element("th", { scope: "row" }, text)
        : element("td", { class: isNumber ? "number" : false }, text);
    })));
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
}

/** A line and its mark, as charts draw the series of a number. */
export function sample(slot) {
  return shape("svg", { viewBox: "0 0 26 10", "aria-hidden": "true" },
    shape("line", { x1: 0, y1: 5, x2: 26, y2: 5, class: `s${slot}` }), mark(slot, 13, 5, 3.5));
}

/** A mark; series differ by it as well as by colour. */
export function mark(slot, x, y, r = 3.2) {
  const style = { class: `m${slot}` };
  switch (slot % 4) {
    case 0: return shape("circle", { cx: x, cy: y, r, ...style });
    case 1: return shape("rect", { x: x - r, y: y - r, width: 2 * r, height: 2 * r, ...style });
    case 2: return shape("path", { d: `M${x} ${y - r * 1.3}l${r * 1.2} ${r * 2.2}h${-2.4 * r}z`, ...style });
    default: return shape("path", { d: `M${x} ${y - r * 1.4}l${r * 1.4} ${r * 1.4}l${-r * 1.4} ${r * 1.4}l${-r * 1.4} ${-r * 1.4}z`, ...style });
  }
}
