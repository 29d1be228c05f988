/**
 * Below the traces: a panel of bit lanes for every stream with digital ports, one for every slow quantity, and one with a tick a row for streams that have times only.
 * @typedef {import("../protocol.js").ColumnInfo} ColumnInfo
 * @typedef {import("../protocol.js").StreamInfo} StreamInfo
 * @typedef {import("../state.js").State} State
 * @typedef {import("../view/loader.js").Loader} Loader
 * @typedef {{ key: string, id: string, kind: "lanes" | "slow" | "ticks", name: string, columns: number[], more: number, parts?: Record<"w" | "x" | "y" | "z", number>, node: HTMLElement, canvas: HTMLCanvasElement, loader: Loader, bits: Map<number, number>, turned?: { of: Layer, as: Layer } }} Panel
 *   more: columns that are not drawn; bits: by column, those that were ever seen to change; parts: columns of a quaternion, which is drawn as angles
 * @typedef {import("../view/loader.js").Layer} Layer
 * @typedef {{ name: string, layer: Layer | undefined, c: number | undefined, physical: (raw: number) => number, stride: number, colour: string }} Series
 */
import { MEASURES } from "../measures.js";
import { bestLayer } from "../view/loader.js";
import { changingBits, strokeBit } from "../plots/bits.js";
import { drawHatch, missingIn } from "../plots/hatch.js";
import { ANGLES, anglesOfSamples } from "../plots/angles.js";
import { strokeEnvelope, strokeSamples } from "../plots/lines.js";
import { tickMarks } from "../plots/ticks.js";
import { bitLabel, hasTimesOnly, physicalFromRaw, unitOf } from "../signals.js";
import { decimalsOf, multiples, valueAxis } from "../view/scale.js";
import { count, integer, baseUnit, grouped } from "../words.js";
import { byId, el, fitCanvas, fitted, sign } from "./dom.js";
import { plotLoader, wantedWhole } from "./plot.js";
import { canvasFont, token } from "./tokens.js";
import { periodOf, spanOf } from "../times.js";

/** Height of a panel of lanes with up to five bits, and of each bit beyond. */
const LANE_HEIGHT = 12;

/** Height of a panel that is folded. */
const FOLDED_HEIGHT = 19;

/** Colours of several quantities in one panel: hues that colour-blind people can tell apart. */
const HUES = /** @type {const} */ (["shank-1", "shank-2", "shank-3", "shank-4"]);

/** Words of a name that its unit repeats. */
const SAID_BY_UNIT = /^(percent|bytes)$/i;

/** Columns drawn over one another in a panel. */
const MOST_LINES = 256;

/** Bits shown while none is known to change. */
const QUIET_BITS = 4;

export class LowerPlots {
  node = byId("lower");
  /** @type {Panel[]} */
  panels = [];

  /** Keys of panels that are folded. @type {Set<string>} */
  #folded = new Set();

  /** @param {State} state */
  constructor(state) {
    this.state = state;
  }

  /** Makes the panels that the open streams call for, keeping those that stay. */
  arrange() {
    const wanted = this.state.companions.flatMap((info) => panelsOf(info).map((p) => ({ ...p, id: info.id })));
    const old = new Map(this.panels.map((p) => [p.key, p]));
    this.panels = wanted.map((p) => old.get(p.key) ?? this.#make(p));
    for (const panel of old.values()) {
      if (this.panels.includes(panel)) continue;
      panel.loader.reset();
    }
    const nodes = this.panels.map((p) => p.node);
    if (nodes.length !== this.node.children.length || nodes.some((c, i) => c !== this.node.children[i])) this.node.replaceChildren(...nodes);
    this.node.toggleAttribute("data-alone", !this.state.traces);
  }

  /** @param {Pick<Panel, "key" | "id" | "kind" | "name" | "columns" | "parts">} p @returns {Panel} */
  #make(p) {
    const canvas = el("canvas", { role: "img", "aria-label": p.name });
    canvas.addEventListener("click", () => this.state.select(this.state.rows.find((r) => r.id === p.id && r.kind === p.kind)?.key ?? this.state.activeKey));
    const fold = el("button", { type: "button", class: "fold-panel", "aria-expanded": String(!this.#folded.has(p.key)), "aria-label": `Fold ${p.name}`, onclick: () => {
      if (!this.#folded.delete(p.key)) this.#folded.add(p.key);
      fold.setAttribute("aria-expanded", String(!this.#folded.has(p.key)));
      node.toggleAttribute("data-folded", this.#folded.has(p.key));
      this.state.changed("rows");
    } }, sign("fold"));
    const node = el("div", { class: "panel " + p.kind, "data-panel": p.key, "data-folded": this.#folded.has(p.key) }, canvas, fold);
    const columns = p.kind === "slow" ? p.columns.slice(0, MOST_LINES) : p.columns;
    return { ...p, columns, more: p.columns.length - columns.length, node, canvas, loader: plotLoader(this.state), bits: new Map() };
  }

  reset() {
    for (const panel of this.panels) panel.loader.reset();
    this.panels = [];
    this.node.replaceChildren();
  }

  want() {
    for (const panel of this.panels) {
      const info = this.state.entry(panel.id).info;
      if (info.rows > 0) panel.loader.want(wantedWhole(this.state, info, panel.columns));
    }
  }

  /** How many panels have data. */
  get loaded() {
    return this.panels.filter((panel) => panel.loader.layers.length > 0).length;
  }

  /** Moments at which a digital port changed, of the streams that are here whole. @returns {Generator<number>} */
  *events() {
    for (const panel of this.panels) {
      const envelope = panel.kind === "lanes" ? panel.loader.layers[0]?.envelope : undefined;
      if (envelope?.kind !== "samples" || !envelope.x) continue;
      for (const x of envelope.x) yield envelope.from + x;
    }
  }

  get settled() {
    return this.panels.every((p) => p.loader.settled);
  }

  draw() {
    for (const panel of this.panels) {
      const info = this.state.entry(panel.id).info;
      if (this.#folded.has(panel.key)) this.#drawFolded(panel);
      else if (panel.kind === "lanes") this.#drawLanes(panel, info);
      else if (panel.kind === "ticks") this.#drawTicks(panel, info);
      else this.#drawSlow(panel, info);
    }
  }

  /** The name alone. @param {Panel} panel */
  #drawFolded(panel) {
    if (panel.node.style.height !== FOLDED_HEIGHT + "px") panel.node.style.height = FOLDED_HEIGHT + "px";
    const { ctx, width, height } = fitCanvas(panel.canvas);
    ctx.clearRect(0, 0, width, height);
    ctx.font = canvasFont(10.5);
    ctx.textBaseline = "middle";
    ctx.fillStyle = token("dim");
    ctx.fillText(fitted(ctx, panel.name, width / 2), 22, height / 2);
  }

  /** A short line at the time of each row. @param {Panel} panel @param {StreamInfo} info */
  #drawTicks(panel, info) {
    this.#setHeight(panel, "");
    const { ctx, width, height } = fitCanvas(panel.canvas), { view } = this.state, plot = width - MEASURES.gutter;
    ctx.clearRect(0, 0, width, height);
    ctx.font = canvasFont(10.5);
    ctx.textBaseline = "middle";
    ctx.fillStyle = token("dim");
    ctx.fillText(fitted(ctx, panel.name, (MEASURES.gutter - 14) * 1.3), 10, height / 2, MEASURES.gutter - 14);
    this.#inPlot(ctx, width, height, () => {
      const layer = bestLayer(panel.loader.layers, panel.columns[0], view) ?? panel.loader.layers[0];
      ctx.fillStyle = token("slow");
      if (layer) for (const { x, width: wide } of tickMarks(layer.envelope, view, plot)) ctx.fillRect(x, 5, wide, height - 10);
      this.#hatch(ctx, info, plot, height);
    });
  }

  /** @param {Panel} panel @param {string} height  of the panel; "" as the style sheet says */
  #setHeight(panel, height) {
    if (panel.node.style.height !== height) panel.node.style.height = height;
  }

  /** @param {Panel} panel @param {StreamInfo} info */
  #drawLanes(panel, info) {
    const lanes = this.#lanes(panel);
    const want = Math.max(MEASURES.lanes, lanes.length * LANE_HEIGHT + 8);
    this.#setHeight(panel, want + "px");
    const { ctx, width, height } = fitCanvas(panel.canvas);
    ctx.clearRect(0, 0, width, height);
    const lane = (height - 6) / lanes.length;
    const view = this.state.view, plot = width - MEASURES.gutter;
    ctx.textBaseline = "middle";
    ctx.font = canvasFont(10.5);
    ctx.fillStyle = token("dim");
    lanes.forEach(({ column, bit }, i) => ctx.fillText(bitLabel(info.columns[column], bit), 10, 3 + (i + 0.5) * lane));
    this.#inPlot(ctx, width, height, () => {
      ctx.strokeStyle = token("digital");
      ctx.lineWidth = 1.2;
      lanes.forEach(({ column, bit }, i) => {
        const layer = bestLayer(panel.loader.layers, column, view) ?? panel.loader.layers[0];
        if (!layer?.index.has(column)) return;
        const high = Math.round(3 + i * lane + lane * 0.2) + 0.5, low = Math.round(3 + (i + 1) * lane - lane * 0.2) + 0.5;
        strokeBit(ctx, layer.envelope, /** @type {number} */ (layer.index.get(column)), bit, view, plot, high, low, spanOf(info).to);
      });
      this.#hatch(ctx, info, plot, height);
    });
  }

  /** Bits of a panel from its first port to its last. @param {Panel} panel */
  #lanes(panel) {
    const layer = panel.loader.layers[0];
    for (const column of panel.columns) {
      const c = layer?.index.get(column);
      if (layer && c !== undefined) panel.bits.set(column, (panel.bits.get(column) ?? 0) | changingBits(layer.envelope, c));
    }
    const lanes = panel.columns.flatMap((column) => bitsOf(panel.bits.get(column) ?? 0).map((bit) => ({ column, bit })));
    return lanes.length > 0 ? lanes : Array.from({ length: QUIET_BITS }, (_, bit) => ({ column: panel.columns[0], bit }));
  }

  /** @param {Panel} panel @param {StreamInfo} info */
  #drawSlow(panel, info) {
    this.#setHeight(panel, "");
    const { ctx, width, height } = fitCanvas(panel.canvas);
    ctx.clearRect(0, 0, width, height);
    const view = this.state.view, plot = width - MEASURES.gutter;
    const series = this.#series(panel, info), unit = panel.turned ? "°" : unitOf(info.columns[panel.columns[0]]);
    const range = rangeOf(series);
    const axis = valueAxis(range.min, range.max, height > 120 ? 4 : 2);
    const top = 18, bottom = height - 10;
    const y = (/** @type {number} */ value) => bottom - ((value - axis.min) / (axis.max - axis.min)) * (bottom - top);

    const [factor, base] = baseUnit(unit);
    const scale = prefixFor(Math.max(Math.abs(axis.min), Math.abs(axis.max)) * factor, base);
    ctx.lineWidth = 1;
    ctx.strokeStyle = token("line");
    ctx.font = canvasFont(10);
    const values = multiples(axis.min, axis.max, axis.step);
    ctx.beginPath();
    for (const value of values) {
      ctx.moveTo(MEASURES.gutter, Math.round(y(value)) + 0.5);
      ctx.lineTo(width, Math.round(y(value)) + 0.5);
    }
    ctx.stroke();
    this.#slowName(ctx, panel, scale.prefix + base);

    this.#inPlot(ctx, width, height, () => {
      ctx.lineWidth = 1.5;
      ctx.lineJoin = "round";
      for (const { layer, c, physical, stride, colour } of series) {
        if (!layer || c === undefined) continue;
        const place = (/** @type {number} */ raw) => y(physical(raw));
        ctx.strokeStyle = colour;
        if (layer.envelope.kind === "samples") strokeSamples(ctx, layer.envelope, c, view, plot, place, { stride, periodTicks: periodOf(info) });
        else strokeEnvelope(ctx, layer.envelope, c, view, plot, place);
      }
      this.#hatch(ctx, info, plot, height);
    });
    const decimals = decimalsOf((axis.step * factor) / scale.step);
    ctx.font = canvasFont(10);
    ctx.textBaseline = "bottom";
    ctx.lineWidth = 3;
    ctx.strokeStyle = token("bg");
    ctx.fillStyle = token("dim");
    for (const value of values) { // inside the plot, on the grid lines, with a rim against the data
      const text = grouped(((value * factor) / scale.step).toFixed(decimals));
      ctx.strokeText(text, MEASURES.gutter + 8, Math.round(y(value)) - 1.5); // clear of a dot at the left edge
      ctx.fillText(text, MEASURES.gutter + 8, Math.round(y(value)) - 1.5);
    }
    if (panel.more > 0) {
      const words = `the first ${count(panel.columns.length, "column")} of ${integer(panel.columns.length + panel.more)}; the table has all`;
      ctx.strokeText(words, width - ctx.measureText(words).width - 8, top);
      ctx.fillText(words, width - ctx.measureText(words).width - 8, top);
    } else if (series.length > 1) this.#legend(ctx, series, width);
  }

  /**
   * What a panel draws: its columns, or the angles of a quaternion where single samples are known.
   * @param {Panel} panel
   * @param {StreamInfo} info
   * @returns {Series[]}
   */
  #series(panel, info) {
    const { view } = this.state, newest = panel.loader.layers[0];
    if (panel.parts && newest?.envelope.kind === "samples") {
      if (panel.turned?.of !== newest) panel.turned = { of: newest, as: turned(newest, panel.parts, info) };
      const { as } = panel.turned;
      return ANGLES.map((name, c) => ({ name, layer: as, c, physical: (raw) => raw, stride: 1, colour: token(HUES[c]) }));
    }
    panel.turned = undefined;
    return panel.columns.map((index, i) => {
      const layer = bestLayer(panel.loader.layers, index, view) ?? newest, column = info.columns[index];
      return {
        name: column.label.split(" ").pop() ?? column.label, layer, c: layer?.index.get(index), physical: (/** @type {number} */ raw) => physicalFromRaw(column, raw), stride: column.stride,
        colour: token(panel.columns.length > 1 ? HUES[i % HUES.length] : "slow"),
      };
    });
  }

  /** Names of several quantities in their colours, at the upper right. @param {CanvasRenderingContext2D} ctx @param {Series[]} series @param {number} width */
  #legend(ctx, series, width) {
    ctx.font = canvasFont(10.5, 550);
    ctx.textBaseline = "top";
    ctx.textAlign = "right";
    ctx.lineWidth = 3;
    ctx.strokeStyle = token("bg");
    let x = width - 8;
    for (const { name, colour } of [...series].reverse()) {
      ctx.fillStyle = colour;
      ctx.strokeText(name, x, 4);
      ctx.fillText(name, x, 4);
      x -= ctx.measureText(name).width + 10;
    }
    ctx.textAlign = "left";
  }

  /** Name and unit in the gutter, on two lines. @param {CanvasRenderingContext2D} ctx @param {Panel} panel @param {string} unit */
  #slowName(ctx, panel, unit) {
    ctx.textAlign = "left";
    ctx.font = canvasFont(10.5);
    ctx.fillStyle = token("dim");
    ctx.textBaseline = "middle";
    const words = (panel.turned ? panel.name + " angles" : panel.name).split(" ").filter((word) => !unit || !SAID_BY_UNIT.test(word));
    const lines = words.length > 1 ? [words[0], words.slice(1).join(" ")] : [words[0] ?? panel.name];
    lines[0] = lines[0].charAt(0).toUpperCase() + lines[0].slice(1);
    if (unit && lines[lines.length - 1].length + unit.length < 9) lines[lines.length - 1] += ", " + unit;
    else if (unit) lines.push(unit);
    lines.forEach((line, i) => ctx.fillText(fitted(ctx, line, (MEASURES.gutter - 14) * 1.5), 10, 20 + i * 14, MEASURES.gutter - 14));
  }

  /** @param {CanvasRenderingContext2D} ctx @param {number} width @param {number} height @param {() => void} paint */
  #inPlot(ctx, width, height, paint) {
    ctx.save();
    ctx.beginPath();
    ctx.rect(MEASURES.gutter, 0, width - MEASURES.gutter, height);
    ctx.clip();
    ctx.translate(MEASURES.gutter, 0);
    paint();
    ctx.restore();
  }

  /** @param {CanvasRenderingContext2D} ctx @param {StreamInfo} info @param {number} width @param {number} height */
  #hatch(ctx, info, width, height) {
    drawHatch(ctx, missingIn(info.coverage, this.state.view), this.state.view, width, height, { bg: token("bg"), bad: token("bad"), warn: token("warn"), line: token("line-2") });
  }
}

/**
 * Panels of a stream: all its digital ports in one, each slow quantity in its own.
 * @param {StreamInfo} info
 * @returns {Pick<Panel, "key" | "kind" | "name" | "columns" | "parts">[]}
 */
function panelsOf(info) {
  const lanes = info.groups.filter((g) => g.kind === "lanes").flatMap((g) => g.columns);
  const slow = info.groups.filter((g) => g.kind === "slow" && g.columns.length > 0);
  return [
    ...(lanes.length > 0 ? [{ key: info.id + "/lanes", kind: /** @type {const} */ ("lanes"), name: "Digital ports", columns: lanes }] : []),
    ...slow.flatMap((g) => byUnit(info, g.columns).map((columns) => ({
      key: info.id + "/" + info.columns[columns[0]].name, kind: /** @type {const} */ ("slow"), name: columns.length === 1 ? info.columns[columns[0]].label : g.name, columns, parts: quaternionOf(info, columns),
    }))),
    ...(hasTimesOnly(info) ? [{ key: info.id + "/ticks", kind: /** @type {const} */ ("ticks"), name: info.title || info.id, columns: [clockOf(info)] }] : []),
  ];
}

/** Columns that can share an axis. @param {StreamInfo} info @param {number[]} columns @returns {number[][]} */
function byUnit(info, columns) {
  const units = [...new Set(columns.map((c) => unitOf(info.columns[c])))];
  return units.map((unit) => columns.filter((c) => unitOf(info.columns[c]) === unit));
}

/** @param {number} mask */
function bitsOf(mask) {
  return Array.from({ length: 32 }, (_, bit) => bit).filter((bit) => (mask >>> bit) & 1);
}

/** Columns of a rotation, if they are one. @param {StreamInfo} info @param {number[]} columns @returns {Panel["parts"]} */
function quaternionOf(info, columns) {
  const of = (/** @type {string} */ part) => columns.find((c) => info.columns[c].label === "Quaternion " + part);
  const [w, x, y, z] = ["W", "X", "Y", "Z"].map(of);
  return w !== undefined && x !== undefined && y !== undefined && z !== undefined ? { w, x, y, z } : undefined;
}

/** A layer of samples of a rotation as one of angles. @param {Layer} layer @param {NonNullable<Panel["parts"]>} parts @param {StreamInfo} info @returns {Layer} */
function turned({ envelope, index }, parts, info) {
  const n = envelope.x?.length ?? 0;
  const values = (/** @type {number} */ column) => {
    const c = index.get(column) ?? 0;
    return envelope.data.subarray(c * n, (c + 1) * n).map((raw) => physicalFromRaw(info.columns[column], raw));
  };
  const data = anglesOfSamples({ w: values(parts.w), x: values(parts.x), y: values(parts.y), z: values(parts.z) }, n);
  return { envelope: { ...envelope, columns: [0, 1, 2], data }, index: new Map([[0, 0], [1, 1], [2, 2]]) };
}

/** The column with the times of rows. @param {StreamInfo} info */
function clockOf(info) {
  return info.columns.find((c) => c.name === "Clock")?.index ?? 0;
}

/** Smallest and largest value that is loaded, physical units. @param {Series[]} series */
function rangeOf(series) {
  let min = Infinity, max = -Infinity;
  for (const { layer, c, physical } of series) {
    if (!layer || c === undefined) continue;
    const { envelope } = layer, n = envelope.kind === "samples" ? envelope.x?.length ?? 0 : envelope.bins * 2;
    for (let i = c * n; i < (c + 1) * n; i++) {
      const value = physical(envelope.data[i]);
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  return { min, max };
}

/** Prefix under which an axis has short labels. @param {number} largest @param {string} base */
function prefixFor(largest, base) {
  if (!["V", "A", "s", "T", "B"].includes(base)) return { prefix: "", step: 1 };
  /** @type {[string, number][]} */
  const prefixes = base === "B" ? [["G", 1e9], ["M", 1e6], ["k", 1e3]] : [["", 1], ["m", 1e-3], ["µ", 1e-6]];
  const found = prefixes.find(([, step]) => largest >= step);
  return found ? { prefix: found[0], step: found[1] } : { prefix: "", step: 1 };
}
