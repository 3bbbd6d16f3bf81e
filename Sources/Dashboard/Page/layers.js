// What the layers of a run give over time.
import { axes, band, path, range, scale, tick } from "./chart.js";
import { shape, short, table } from "./format.js";

/** More columns could not be told apart. */
const maximumColumns = 64;

/** Between dark blue, grey and yellow in even steps of lightness, as in reports. */
function colour(share) {
  const anchors = [[0, 34, 78], [53, 69, 108], [102, 105, 112], [148, 142, 119], [201, 183, 95], [254, 232, 56]];
  const place = Math.min(Math.max(share, 0), 1) * (anchors.length - 1);
  const index = Math.min(Math.floor(place), anchors.length - 2);
  const mix = anchors[index].map((value, channel) => Math.round(value + (anchors[index + 1][channel] - value) * (place - index)));
  return `rgb(${mix.join(",")})`;
}

const kinds = {
  layers: { title: "Deviation of each layer's outputs", label: "standard deviation" },
  gradients: { title: "Norm of each parameter's gradient", label: "norm" },
  gaps: { title: "How far the running mean is from the batches'", label: "batch deviations" },
};

/** Draws rows over looks as colours; `choose(row)` is called when one is pressed. */
export function drawMap(figure, answer, kind, chosen, choose) {
  const [svg, caption] = [figure.querySelector("svg"), figure.querySelector("figcaption")];
  const rows = answer[kind];
  const { title, label } = kinds[kind];
  caption.textContent = title;
  svg.replaceChildren();
  const width = svg.clientWidth || 480;
  const every = Math.ceil(answer.steps.length / maximumColumns) || 1;
  const columns = answer.steps.map((_, index) => index).filter((index) => index % every === 0);
  const isPlain = (value) => typeof value === "number" && value > 0;
  const [low, high] = range(rows.flatMap((row) => columns.map((index) => row.values[index]).filter(isPlain)));
  const shareOf = (value) => (high > low ? Math.log(value / low) / Math.log(high / low) : 0.5);
  const names = rows.map((row) => (row.kind ? `${row.name} ${row.kind}` : row.name));
  const longest = Math.max(0, ...names.map((name) => name.length));
  const left = Math.min(Math.max(longest * 7.3 + 10, 50), width * 0.42);
  const tall = Math.min(Math.max(240 / Math.max(rows.length, 1), 15), 30);
  const [top, right] = [4, width - 8];
  const bottom = top + tall * rows.length;
  const wide = (right - left) / Math.max(columns.length, 1);
  svg.setAttribute("viewBox", `0 0 ${width} ${bottom + 66}`);
  svg.setAttribute("role", "group");
  svg.setAttribute("aria-label", `${title}: a row for each of ${rows.length}, a column for each of ${columns.length} looks`);
  const room = Math.floor((left - 8) / 7.3);
  rows.forEach((row, index) => {
    const y = top + tall * index;
    const name = names[index].length > room ? names[index].slice(0, room - 1) + "…" : names[index];
    const isButton = kind === "layers";
    const group = shape("g", { class: `${isButton ? "row" : ""}${isButton && index === chosen ? " chosen" : ""}`, tabindex: isButton ? 0 : false, role: isButton ? "button" : "img", "aria-label": names[index], "aria-pressed": isButton ? String(index === chosen) : false });
    group.append(shape("text", { x: left - 6, y: y + tall / 2 + 4, "text-anchor": "end" }, name));
    columns.forEach((column, at) => {
      const value = row.values[column];
      if (!isPlain(value)) return;
      group.append(shape("rect", { x: (left + wide * at).toFixed(1), y: y.toFixed(1), width: (wide + 0.3).toFixed(1), height: (tall - 1).toFixed(1), fill: colour(shareOf(value)) }, shape("title", {}, `${names[index]}, step ${answer.steps[column]}: ${short(value)}`)));
    });
    if (isButton) {
      if (index === chosen) group.append(shape("rect", { x: left, y, width: right - left, height: tall - 1, class: "frame" }));
      group.addEventListener("click", () => choose(index));
      group.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        choose(index);
      });
    }
    svg.append(group);
  });
  let free = -Infinity;
  columns.forEach((column, at) => {
    const [x, text] = [left + wide * (at + 0.5), tick(answer.steps[column])];
    const half = text.length * 3.8;
    if (x - half < Math.max(free, left - 30) || x + half > width) return;
    svg.append(shape("text", { x, y: bottom + 16, "text-anchor": "middle" }, text));
    free = x + half + 10;
  });
  drawKey(svg, left, right, bottom + 32, low, high, label);
  figure.querySelector(".table").replaceChildren(table(["step", ...names], columns.map((column) => [String(answer.steps[column]), ...rows.map((row) => row.values[column])])));
}

/** What the colours mean. */
function drawKey(svg, left, right, y, low, high, label) {
  const [start, wide, count] = [left + 52, Math.max(right - left - 104, 40), 24];
  for (let index = 0; index < count; index += 1) {
    svg.append(shape("rect", { x: start + wide * index / count, y, width: wide / count + 0.5, height: 9, fill: colour(index / (count - 1)) }));
  }
  svg.append(
    shape("text", { x: start - 6, y: y + 9, "text-anchor": "end" }, short(low, 3)),
    shape("text", { x: start + wide + 6, y: y + 9 }, short(high, 3)),
    shape("text", { x: start + wide / 2, y: y + 25, "text-anchor": "middle", class: "label" }, label));
}

/** Draws the distribution of a layer's outputs: the median in bands of percentiles. */
export function drawDistribution(figure, layer) {
  const [svg, caption] = [figure.querySelector("svg"), figure.querySelector("figcaption")];
  caption.textContent = `Outputs of ${layer.name} ${layer.kind}: median, 25–75 %, 5–95 %`;
  svg.replaceChildren();
  const [width, height] = [svg.clientWidth || 480, 300];
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("role", "img");
  const at = (level) => layer.percentiles.map((row) => row[layer.levels.indexOf(level)] ?? NaN);
  const [low, lower, middle, upper, high] = [5, 25, 50, 75, 95].map(at);
  svg.setAttribute("aria-label", `${caption.textContent}; at the last look the median is ${short(middle.at(-1), 3)}`);
  const box = { left: 52, right: width - 10, top: 8, bottom: height - 44 };
  const x = scale(...range(layer.steps), box.left, box.right, false, (box.right - box.left) / 80);
  const y = scale(...range([...low, ...high].filter(Number.isFinite)), box.bottom, box.top, false, 5);
  axes(svg, x, y, box, { x: "step" });
  // The first look alone is drawn as wide as the chart, to be seen at all.
  const isAlone = layer.steps.length === 1;
  const points = (values) => isAlone
    ? [[box.left, y.place(values[0])], [box.right, y.place(values[0])]]
    : layer.steps.map((step, index) => [x.place(step), y.place(values[index])]);
  svg.append(
    shape("path", { d: band(points(high), points(low)), class: "b0" }),
    shape("path", { d: band(points(upper), points(lower)), class: "b0" }),
    shape("path", { d: path(points(middle)), class: "s0" }));
  figure.querySelector(".table").replaceChildren(table(["step", ...layer.levels.map((level) => `${level} %`)], layer.steps.map((step, index) => [String(step), ...layer.percentiles[index]])));
}
