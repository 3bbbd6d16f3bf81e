// Ties the page together: what the server tells, what the reader chose, and what is drawn.
import { CompareChart } from "./chart.js";
import { duration, element, grouped, nameParts, percent, sample, short, table } from "./format.js";
import { drawDistribution, drawMap } from "./layers.js";
import { RunList } from "./runs.js";

const find = (selector) => document.querySelector(selector);
const slotCount = 8;

const metrics = {
  loss: { label: "Loss", y: "training loss", names: ["loss", "trainLoss"], format: (value) => short(value) },
  testLoss: { label: "Test loss", y: "test loss", names: ["testLoss"], format: (value) => short(value) },
  testAccuracy: { label: "Accuracy", y: "test accuracy", names: ["testAccuracy"], format: percent },
  learningRate: { label: "Learning rate", y: "learning rate", names: ["learningRate"], format: (value) => short(value, 3) },
  samplesPerSecond: { label: "Speed", y: "samples per second", names: ["samplesPerSecond"], format: grouped },
};
const axisNames = { step: { label: "Step", x: "step" }, seconds: { label: "Time", x: "seconds of training" } };

const runs = new Map();
/** Chosen runs with their colours. */
const slots = new Map();
/** Answers about chosen runs. */
const series = new Map();
const choice = { metric: "loss", axis: "step", isLogarithmic: false, layersRun: null, layersKind: "layers", layer: 0 };
let isFirst = true;

// MARK: Asking

/** The server said no. */
class AnswerError extends Error {}

async function ask(path, parameters) {
  const response = await fetch(`${path}?${new URLSearchParams(parameters)}`);
  if (!response.ok) throw new AnswerError((await response.text()) || response.statusText);
  return response.json();
}

/** Calls `load` soon, at most one call at a time for a key and at least so many milliseconds apart. */
const pending = new Map();
function soon(key, pause, load) {
  const known = pending.get(key);
  if (known) {
    known.again = true;
    return;
  }
  const entry = { again: false };
  pending.set(key, entry);
  (async () => {
    let isComplete = true;
    try {
      isComplete = await load();
    } catch (error) {
      // The run may be gone, or the server; the next event tells.
      if (!(error instanceof AnswerError || error instanceof TypeError && /fetch/i.test(error.message))) console.error(error);
    }
    setTimeout(() => {
      pending.delete(key);
      if (entry.again || isComplete === false) soon(key, pause, load);
    }, isComplete === false ? 0 : pause);
  })();
}

function loadSeries(id) {
  if (document.hidden || !slots.has(id) || series.get(id)?.revision === runs.get(id)?.revision && series.get(id)?.isComplete) return;
  soon(`series ${id}`, 1000, async () => {
    if (!slots.has(id)) return true;
    const answer = await ask("api/series", { run: id });
    if (!slots.has(id)) return true;
    series.set(id, answer);
    drawChart();
    return answer.isComplete;
  });
}

/** Answers about the run whose layers are shown. */
let [layers, layer] = [null, null];
function loadLayers(force = false) {
  const id = choice.layersRun;
  if (document.hidden || !id || (!force && layers?.id === id && layers.revision === runs.get(id)?.revision)) return;
  soon(`layers ${id}`, 2000, async () => {
    if (id !== choice.layersRun) return true;
    const answer = await ask("api/layers", { run: id });
    if (id !== choice.layersRun) return true;
    const count = answer.layers.length;
    choice.layer = Math.min(choice.layer, Math.max(count - 1, 0));
    layers = answer;
    if (count > 0) layer = { id, answer: await ask("api/layer", { run: id, index: choice.layer }) };
    drawLayers();
    return answer.isComplete;
  });
}

async function stop(id) {
  const response = await fetch(`api/stop?${new URLSearchParams({ run: id })}`, { method: "POST", headers: { "X-EvenKeel": "stop" } });
  if (!response.ok) throw new Error(await response.text());
}

// MARK: Choosing

function choose(id, isChosen) {
  if (isChosen && !slots.has(id)) {
    // With all colours in use the one chosen first makes room.
    if (slots.size === slotCount) drop(slots.keys().next().value);
    const used = new Set(slots.values());
    slots.set(id, [...Array(slotCount).keys()].find((slot) => !used.has(slot)));
    loadSeries(id);
  } else if (!isChosen) {
    drop(id);
  }
  list.show(runs);
  drawAll();
  remember();
}

function drop(id) {
  slots.delete(id);
  series.delete(id);
}

function remember() {
  const state = new URLSearchParams({ metric: choice.metric, axis: choice.axis });
  if (choice.isLogarithmic) state.set("log", "1");
  for (const id of slots.keys()) state.append("run", id);
  history.replaceState(null, "", `#${state}`);
}

function recall() {
  const state = new URLSearchParams(location.hash.slice(1));
  if (metrics[state.get("metric")]) choice.metric = state.get("metric");
  if (axisNames[state.get("axis")]) choice.axis = state.get("axis");
  choice.isLogarithmic = state.get("log") === "1";
  find("#logarithmic").checked = choice.isLogarithmic;
  return state.getAll("run").slice(0, slotCount);
}

function radios(fieldset, name, entries, chosen) {
  for (const [value, { label }] of Object.entries(entries)) {
    const input = element("input", { type: "radio", name, value });
    input.checked = value === choice[chosen];
    input.addEventListener("change", () => {
      choice[chosen] = value;
      drawChart();
      remember();
    });
    fieldset.append(element("label", {}, input, element("span", {}, label)));
  }
}

// MARK: Drawing

const chart = new CompareChart(find("#chart"), find("#tip"));
const list = new RunList(find("#list"), find("#more"), { choose, stop, slot: (id) => slots.get(id) });

function label(id) {
  const names = [...slots.keys()].map((other) => nameParts(other).last);
  const { last, before } = nameParts(id);
  return names.filter((name) => name === last).length > 1 && before ? `${before}/${last}` : last;
}

function drawChart() {
  const metric = metrics[choice.metric];
  const lines = [];
  const rows = [];
  let notFinite = 0;
  for (const [id, slot] of slots) {
    const known = series.get(id)?.series ?? {};
    const points = metric.names.map((name) => known[name]).find((points) => points?.step.length);
    notFinite += points?.notFinite ?? 0;
    if (!points) continue;
    const x = choice.axis === "step" ? points.step : points.seconds.map((value) => value ?? NaN);
    lines.push({ id, slot, name: label(id), x, mean: points.mean, low: points.low, high: points.high });
    const lowest = points.low.reduce((best, value, index) => (value < points.low[best] ? index : best), 0);
    const highest = points.high.reduce((best, value, index) => (value > points.high[best] ? index : best), 0);
    rows.push([id, metric.format(points.mean.at(-1)), metric.format(points.low[lowest]), grouped(points.step[lowest]), metric.format(points.high[highest]), grouped(points.step[highest]), duration(points.seconds.at(-1))]);
  }
  const empty = !runs.size ? "No run is here yet. Start one: evenkeel train"
    : !slots.size ? "Choose runs in the list"
    : [...slots.keys()].some((id) => !series.has(id)) ? "Reading" : `No ${metric.y} was recorded`;
  const axis = axisNames[choice.axis];
  find("#compare figcaption").textContent = `${metric.label} against ${axis.label.toLowerCase()}`
    + (notFinite ? ` (${grouped(notFinite)} values were not finite)` : "");
  chart.show(lines, { x: axis.x, y: metric.y, isLogarithmic: choice.isLogarithmic, format: metric.format, empty });
  find("#compare .legend").replaceChildren(...lines.map((line) => element("li", { title: line.id }, sample(line.slot), line.name)));
  find("#compare .table").replaceChildren(table(["run", "last", "lowest", "at step", "highest", "at step", "trained for"], rows));
}

function drawLayers() {
  const candidates = [...slots.keys()].filter((id) => runs.get(id)?.hasLayers);
  find("#layers").hidden = candidates.length === 0;
  if (!candidates.includes(choice.layersRun)) [choice.layersRun, choice.layer] = [candidates[0] ?? null, 0];
  const select = find("#layers-run");
  if ([...select.options].map((option) => option.value).join("\n") !== candidates.join("\n")) {
    select.replaceChildren(...candidates.map((id) => element("option", { value: id }, label(id))));
  }
  select.value = choice.layersRun ?? "";
  if (layers?.id !== choice.layersRun) {
    for (const figure of [find("#map"), find("#distribution")]) {
      figure.querySelector("figcaption").textContent = "Reading";
      figure.querySelector("svg").replaceChildren();
    }
  } else if (layers) {
    drawMap(find("#map"), layers, choice.layersKind, choice.layer, (index) => {
      choice.layer = index;
      loadLayers(true);
    });
    if (layer?.id === choice.layersRun) drawDistribution(find("#distribution"), layer.answer);
  }
  loadLayers();
}

function drawAll() {
  drawChart();
  drawLayers();
}

function drawSummary(isCutShort) {
  const running = [...runs.values()].filter((run) => run.state === "running").length;
  find("#summary").textContent = `${grouped(runs.size)} run${runs.size === 1 ? "" : "s"}${running ? `, ${running} running` : ""}`
    + (isCutShort ? "; there are more than are shown" : "");
  document.title = running ? `(${running}) EvenKeel: runs` : "EvenKeel: runs";
}

// MARK: Events

function take(changes) {
  if (changes.isWhole) {
    const present = new Set(changes.runs.map((run) => run.id));
    for (const id of [...runs.keys()].filter((id) => !present.has(id))) runs.delete(id);
  }
  for (const run of changes.runs) runs.set(run.id, run);
  for (const id of changes.removed) runs.delete(id);
  const gone = [...slots.keys()].filter((id) => !runs.has(id));
  gone.forEach(drop);
  if (isFirst) {
    isFirst = false;
    const wanted = recall().filter((id) => runs.has(id));
    if (!wanted.length) {
      const newest = [...runs.values()].sort((a, b) => (b.state === "running") - (a.state === "running") || (b.time ?? 0) - (a.time ?? 0))[0];
      if (newest) wanted.push(newest.id);
    }
    wanted.forEach((id, index) => slots.set(id, index));
  }
  list.show(runs, changes.isWhole ? null : new Set(changes.runs.map((run) => run.id)));
  drawSummary(changes.isCutShort);
  if (changes.isWhole || gone.length) drawAll();
  else drawLayers();
  for (const id of slots.keys()) loadSeries(id);
}

/** The connection that events come by; none while nobody sees the page, for browsers allow few. */
let source = null;

function connect() {
  if (source || document.hidden) return;
  source = new EventSource("api/events");
  source.addEventListener("runs", (event) => {
    tellConnection("live", "live");
    take(JSON.parse(event.data));
  });
  source.addEventListener("error", () => {
    tellConnection("lost", "connection lost, trying again");
    if (source?.readyState !== EventSource.CLOSED) return;
    disconnect();
    setTimeout(connect, 5000);
  });
}

function disconnect() {
  source?.close();
  source = null;
}

function tellConnection(state, text) {
  const node = find("#connection");
  if (node.dataset.state !== state) [node.dataset.state, node.textContent] = [state, text];
}

radios(find("#metric"), "metric", metrics, "metric");
radios(find("#axis"), "axis", axisNames, "axis");
recall();
for (const name of ["metric", "axis"]) find(`input[name=${name}][value=${choice[name]}]`).checked = true;
find("#logarithmic").addEventListener("change", (event) => {
  choice.isLogarithmic = event.target.checked;
  drawChart();
  remember();
});
find("#filter").addEventListener("input", (event) => {
  list.filter = event.target.value;
  list.show(runs);
});
find("#order").addEventListener("change", (event) => {
  list.order = event.target.value;
  list.show(runs);
});
find("#layers-run").addEventListener("change", (event) => {
  [choice.layersRun, choice.layer] = [event.target.value, 0];
  loadLayers(true);
});
find("#layers-kind").addEventListener("change", (event) => {
  choice.layersKind = event.target.value;
  drawLayers();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) disconnect();
  else connect();
});
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  drawLayers();
});
connect();
