// The list of runs.
import { ago, element, grouped, nameParts, percent, sample, short } from "./format.js";

/** More rows would be slow, and nobody reads them: the filter finds the others. */
const maximumRows = 400;

const words = { running: "running", finished: "finished", stopped: "stopped early", interrupted: "interrupted", broken: "ended abruptly", unknown: "" };

export class RunList {
  /** `choose(id, isChosen)` and `stop(id)` are called; `slot(id)` gives a chosen run's colour, or nothing. */
  constructor(list, more, { choose, stop, slot }) {
    Object.assign(this, { list, more, choose, stop, slot });
    this.rows = new Map();
    [this.filter, this.order] = ["", "recent"];
  }

  /** Brings the rows up to date; those of `changed` are drawn anew, or all. */
  show(runs, changed = null) {
    const terms = this.filter.toLowerCase().split(/\s+/).filter(Boolean);
    const matches = [...runs.values()].filter((run) => {
      const text = `${run.id} ${run.setting.join(" ")} ${words[run.state]}`.toLowerCase();
      return terms.every((term) => text.includes(term));
    });
    matches.sort(orders[this.order]);
    const shown = matches.slice(0, maximumRows);
    const ids = new Set(shown.map((run) => run.id));
    for (const [id, row] of this.rows) {
      if (!ids.has(id)) {
        row.remove();
        this.rows.delete(id);
      }
    }
    let place = this.list.firstElementChild;
    for (const run of shown) {
      let row = this.rows.get(run.id);
      if (!row) {
        row = this.makeRow(run);
        this.rows.set(run.id, row);
        this.fill(row, run);
      } else if (!changed || changed.has(run.id)) {
        this.fill(row, run);
      }
      if (row === place) place = place.nextElementSibling;
      else this.list.insertBefore(row, place);
    }
    this.more.hidden = shown.length === matches.length && shown.length > 0;
    this.more.textContent = shown.length === 0 ? "No run is here yet." : `${grouped(matches.length - shown.length)} more: filter to see them.`;
  }

  makeRow(run) {
    const { last, before } = nameParts(run.id === "." ? "this folder" : run.id);
    const box = element("input", { type: "checkbox", "aria-label": `Show ${run.id} in the chart` });
    box.addEventListener("change", () => this.choose(run.id, box.checked));
    const name = element("span", { class: "name", title: run.id }, last);
    if (before) name.append(" ", element("small", {}, before));
    const row = element("li", { class: "run", "data-id": run.id }, box,
      element("span", { class: "swatch", "aria-hidden": "true" }), name, element("span", { class: "figure" }),
      element("span", { class: "setting" }), element("span", { class: "state" }));
    row.box = box;
    return row;
  }

  fill(row, run) {
    const slot = this.slot(run.id);
    row.box.checked = slot !== undefined;
    row.classList.toggle("chosen", slot !== undefined);
    row.dataset.state = run.state;
    const part = (name) => row.querySelector(`.${name}`);
    part("swatch").replaceChildren(...(slot === undefined ? [] : [sample(slot)]));
    part("figure").textContent = run.testAccuracy !== undefined ? percent(run.testAccuracy) : run.loss !== undefined ? `loss ${short(run.loss, 3)}` : "";
    part("setting").textContent = run.setting.join(" · ");
    part("setting").title = run.setting.join(" · ");
    const share = run.totalSteps > 0 ? run.step / run.totalSteps : null;
    part("state").textContent = run.state === "running"
      ? (share === null ? "running" : `${Math.floor(share * 100)} %`)
      : [run.state === "finished" && run.time ? "" : words[run.state], run.time ? ago(run.time) : ""].filter(Boolean).join(", ");
    let bar = row.querySelector("progress");
    let button = row.querySelector(".stop");
    if (run.state !== "running") {
      bar?.remove();
      button?.remove();
      return;
    }
    if (!bar) {
      bar = element("progress", { max: 1, "aria-label": "Part of the training that is done" });
      button = element("button", { type: "button", class: "stop", "aria-label": `Stop ${run.id}` }, "Stop");
      button.addEventListener("click", () => this.askStop(run.id, button));
      row.append(bar, button);
    }
    if (share === null) bar.removeAttribute("value");
    else bar.value = share;
  }

  /** The first click asks, the second one within a few seconds does it. */
  askStop(id, button) {
    if (!button.classList.contains("sure")) {
      button.classList.add("sure");
      button.textContent = "Stop and save?";
      setTimeout(() => {
        if (button.disabled) return;
        button.classList.remove("sure");
        button.textContent = "Stop";
      }, 4000);
      return;
    }
    button.disabled = true;
    button.textContent = "stopping";
    this.stop(id).catch((error) => {
      [button.disabled, button.textContent] = [false, "Stop"];
      button.classList.remove("sure");
      button.title = error.message;
    });
  }
}

const byName = (a, b) => a.id.localeCompare(b.id, "en", { numeric: true });
const isRunning = (run) => (run.state === "running" ? 1 : 0);
const falling = (value) => (a, b) => (value(b) ?? -Infinity) - (value(a) ?? -Infinity) || byName(a, b);
const finite = (value) => (typeof value === "number" && Number.isFinite(value) ? value : undefined);

const orders = {
  name: byName,
  // Those that began last come first; it is the order in which they stay.
  recent: (a, b) => isRunning(b) - isRunning(a) || (isRunning(a) ? byName(a, b) : (b.time ?? 0) - (a.time ?? 0) || byName(a, b)),
  accuracy: falling((run) => finite(run.testAccuracy)),
  loss: falling((run) => (finite(run.loss) === undefined ? undefined : -run.loss)),
};
