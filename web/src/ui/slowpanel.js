/**
 * What is in a panel of slow quantities: curves with an axis, or marks where values are names.
 * @typedef {import("../protocol.js").StreamInfo} StreamInfo
 * @typedef {import("../view/scale.js").Span} Span
 * @typedef {import("../view/loader.js").Layer} Layer
 * @typedef {import("./lower.js").Panel} Panel
 * @typedef {{ name: string, layer: Layer | undefined, c: number | undefined, physical: (raw: number) => number, stride: number, colour: string }} Series
 * @typedef {{ min: number, max: number, step: number, unit: string, y: (value: number) => number }} Axis
 */
import { MEASURES } from "../measures.js";
import { ANGLES, anglesOfSamples } from "../plots/angles.js";
import { levelMarks, levelsIn, mayBeLevels } from "../plots/levels.js";
import { strokeEnvelope, strokeSamples } from "../plots/lines.js";
import { physicalFromRaw, unitOf } from "../signals.js";
import { periodOf } from "../times.js";
import { bestLayer } from "../view/loader.js";
import { decimalsOf, multiples, valueAxis } from "../view/scale.js";
import { baseUnit, count, grouped, integer } from "../words.js";
import { fitted } from "./dom.js";
import { blank, hatchMissing } from "./panel.js";
import { canvasFont, token } from "./tokens.js";

/** Colours of several quantities in one panel: hues that colour-blind people can tell apart. */
const HUES = /** @type {const} */ (["shank-1", "shank-2", "shank-3", "shank-4"]);

/** Words of a name that its unit repeats. */
const SAID_BY_UNIT = /^(percent|bytes)$/i;

/** Room above and below what is drawn, and least distance of the names of two values. CSS pixels. */
const ROOM = { above: 18, below: 10, label: 11 };

/** @param {Panel} panel @param {StreamInfo} info @param {Span} view */
export function drawSlow(panel, info, view) {
  const levels = levelsOf(panel, info);
  panel.sheet.node.toggleAttribute("data-over", !levels); // numbers are under curves: over them they would look like something missing
  if (levels) drawLevels(panel, info, view, levels);
  else drawCurves(panel, info, view);
}

/** @param {Panel} panel @param {StreamInfo} info @param {Span} view */
function drawCurves(panel, info, view) {
  const { ctx, width, height, plot } = blank(panel);
  const series = seriesOf(panel, info, view), unit = panel.turned ? "°" : unitOf(info.columns[panel.columns[0]]);
  const axis = axisOf(series, unit, height), { y } = axis, values = multiples(axis.min, axis.max, axis.step);
  const twin = twinOf(panel, info, series[0], view);
  ctx.lineWidth = 1;
  ctx.strokeStyle = token("line");
  ctx.beginPath();
  for (const value of values) {
    ctx.moveTo(MEASURES.gutter, Math.round(y(value)) + 0.5);
    ctx.lineTo(width, Math.round(y(value)) + 0.5);
  }
  ctx.stroke();
  const labels = labelsOf(values, axis.step, unit);
  nameIn(ctx, panel.turned ? panel.name + " angles" : panel.name, twin ? `${labels.unit}, ${labelsOf(values.map(twin.physical), twin.physical(axis.step), twin.unit).unit}` : labels.unit);
  ctx.font = canvasFont(10);
  ctx.textBaseline = "bottom";
  rim(ctx, token("dim"));
  values.forEach((value, i) => written(ctx, labels.texts[i], MEASURES.gutter + 8, Math.round(y(value)) - 1.5)); // inside the plot, clear of a dot at the left edge
  if (twin) {
    const { texts, unit: second } = labelsOf(values.map(twin.physical), twin.physical(axis.step), twin.unit);
    values.forEach((value, i) => written(ctx, i === values.length - 1 ? `${texts[i]} ${second}` : texts[i], width - 8, Math.round(y(value)) - 1.5, "right"));
  }
  panel.sheet.draw(view, plot, height, (ctx, wide, width) => {
    ctx.lineWidth = 1.5;
    ctx.lineJoin = "round";
    for (const { layer, c, physical, stride, colour } of twin ? [twin.series, ...series] : series) {
      if (!layer || c === undefined) continue;
      const place = (/** @type {number} */ raw) => y(physical(raw));
      ctx.strokeStyle = colour;
      if (layer.envelope.kind === "samples") strokeSamples(ctx, layer.envelope, c, wide, width, place, { stride, periodTicks: periodOf(info) });
      else strokeEnvelope(ctx, layer.envelope, c, wide, width, place);
    }
    hatchMissing(ctx, info, wide, width, height);
  });
  ctx.font = canvasFont(10);
  ctx.textBaseline = "bottom";
  rim(ctx, token("dim"));
  if (panel.more > 0) {
    written(ctx, `the first ${count(panel.columns.length, "column")} of ${integer(panel.columns.length + panel.more)}; the table has all`, width - 8, ROOM.above, "right");
  } else if (series.length > 1) legend(ctx, series, width);
}

/**
 * The axis of what is loaded.
 * @param {Series[]} series
 * @param {string} unit
 * @param {number} height  CSS pixels
 * @returns {Axis}
 */
function axisOf(series, unit, height) {
  const range = rangeOf(series), axis = valueAxis(range.min, range.max, height > 120 ? 4 : 2);
  if (unit === "codes" && axis.step < 1) Object.assign(axis, { step: 1, min: Math.floor(axis.min), max: Math.ceil(axis.max) }); // there is no half a code
  const top = ROOM.above, bottom = height - ROOM.below;
  return { ...axis, unit, y: (value) => bottom - ((value - axis.min) / (axis.max - axis.min)) * (bottom - top) };
}

/** What stands beside the lines of an axis, and the unit of it. @param {number[]} values @param {number} step @param {string} unit */
function labelsOf(values, step, unit) {
  const [factor, base] = baseUnit(unit);
  const scale = prefixFor(Math.max(...values.map((value) => Math.abs(value))) * factor, base), decimals = decimalsOf((step * factor) / scale.step);
  return { unit: scale.prefix + base, texts: values.map((value) => grouped(((value * factor) / scale.step).toFixed(decimals))) };
}

/**
 * The same quantity in another unit, as bytes beside percent: how its values lie on the axis of the first. Where the two go together one curve lies on the other.
 * @param {Panel} panel
 * @param {StreamInfo} info
 * @param {Series} first
 * @param {Span} view
 * @returns {{ series: Series, unit: string, physical: (value: number) => number } | null}
 */
function twinOf(panel, info, first, view) {
  if (panel.twin === undefined) return null;
  const column = info.columns[panel.twin], layer = bestLayer(panel.loader.layers, panel.twin, view) ?? panel.loader.layers[0], c = layer?.index.get(panel.twin);
  if (!layer || c === undefined || first.c === undefined) return null;
  const { envelope } = layer, n = envelope.kind === "samples" ? envelope.x?.length ?? 0 : envelope.bins * 2;
  let both = 0, square = 0;
  for (let i = 0; i < n; i++) {
    const a = first.physical(envelope.data[first.c * n + i]), b = physicalFromRaw(column, envelope.data[c * n + i]);
    if (Number.isNaN(a) || Number.isNaN(b)) continue;
    both += a * b;
    square += a * a;
  }
  const ratio = both / square;
  if (!(ratio > 0)) return null;
  return { unit: unitOf(column), physical: (value) => value * ratio, series: { ...first, layer, c, name: column.label, physical: (raw) => physicalFromRaw(column, raw) / ratio, colour: token("shank-2") } };
}

/** Values of each column of a panel, where all of them are names; a panel that has once shown a quantity goes on to. @param {Panel} panel @param {StreamInfo} info */
function levelsOf(panel, info) {
  if (panel.levels === null || !panel.columns.every((c) => mayBeLevels(info.columns[c]))) return null;
  for (const column of panel.columns) {
    if (panel.loader.layers.length === 0) return null;
    const found = levelsIn(panel.loader.layers, column), known = panel.levels.get(column) ?? [], all = [...new Set([...known, ...(found ?? [])])].sort((a, b) => a - b);
    if (!found || !levelsIn([{ envelope: /** @type {any} */ ({ kind: "samples", x: all, data: all }), index: new Map([[column, 0]]) }], column)) return (panel.levels = null);
    panel.levels.set(column, all);
  }
  return panel.levels;
}

/** A line for each value, and marks where it was. @param {Panel} panel @param {StreamInfo} info @param {Span} view @param {Map<number, number[]>} levels */
function drawLevels(panel, info, view, levels) {
  const lines = panel.columns.flatMap((column) => (levels.get(column) ?? []).map((level) => ({ column, level }))).reverse(); // the highest on top
  const { ctx, height, plot } = blank(panel), top = 8, row = (height - top - 6) / lines.length, thick = Math.max(1, Math.min(8, row - 2));
  nameIn(ctx, panel.name, "");
  const middle = (/** @type {number} */ i) => top + (i + 0.5) * row;
  panel.sheet.draw(view, plot, height, (ctx, wide, width) => {
    lines.forEach(({ column, level }, i) => {
      const layer = bestLayer(panel.loader.layers, column, view) ?? panel.loader.layers[0], c = layer?.index.get(column);
      ctx.fillStyle = token("line");
      ctx.fillRect(0, Math.round(middle(i)), width, 1);
      if (!layer || c === undefined) return;
      ctx.fillStyle = token(panel.columns.length > 1 ? HUES[panel.columns.indexOf(column) % HUES.length] : "slow");
      for (const mark of levelMarks(layer.envelope, c, wide, width, info.columns[column].rate_hz > 0 ? periodOf(info) : 0)) {
        if (mark.level !== level) continue;
        ctx.globalAlpha = mark.sure ? 1 : 0.3;
        ctx.fillRect(mark.from, Math.round(middle(i) - thick / 2), Math.max(1, mark.to - mark.from), thick);
      }
      ctx.globalAlpha = 1;
    });
    hatchMissing(ctx, info, wide, width, height);
  });
  ctx.font = canvasFont(10);
  ctx.textBaseline = "middle";
  rim(ctx, token("dim"));
  const every = Math.max(1, Math.ceil(ROOM.label / row));
  lines.forEach(({ level }, i) => {
    if ((lines.length - 1 - i) % every === 0) written(ctx, integer(level), MEASURES.gutter - 5, middle(i) + 0.5, "right"); // in the plot it would hide marks
  });
}

/**
 * What a panel draws: its columns, or the angles of a quaternion where single samples are known.
 * @param {Panel} panel
 * @param {StreamInfo} info
 * @param {Span} view
 * @returns {Series[]}
 */
function seriesOf(panel, info, view) {
  const newest = panel.loader.layers[0];
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

/**
 * What a panel draws, under full names and with units; and the same in another unit, where the panel has both.
 * @param {Panel} panel
 * @param {StreamInfo} info
 * @param {Span} view
 * @returns {(Series & { unit: string })[]}
 */
export function quantitiesOf(panel, info, view) {
  const all = seriesOf(panel, info, view).map((series, i) => ({
    ...series, name: panel.turned ? `${panel.name} ${series.name}` : info.columns[panel.columns[i]].label, unit: panel.turned ? "°" : unitOf(info.columns[panel.columns[i]]),
  }));
  if (panel.twin === undefined) return all;
  const column = info.columns[panel.twin], layer = bestLayer(panel.loader.layers, panel.twin, view) ?? panel.loader.layers[0];
  return [...all, { ...all[0], name: column.label, layer, c: layer?.index.get(panel.twin), physical: (raw) => physicalFromRaw(column, raw), unit: unitOf(column) }];
}

/** A layer of samples of a rotation as one of angles. @param {Layer} layer @param {import("../panels.js").Parts} parts @param {StreamInfo} info @returns {Layer} */
function turned({ envelope, index }, parts, info) {
  const n = envelope.x?.length ?? 0;
  const values = (/** @type {number} */ column) => {
    const c = index.get(column) ?? 0;
    return envelope.data.subarray(c * n, (c + 1) * n).map((raw) => physicalFromRaw(info.columns[column], raw));
  };
  const data = anglesOfSamples({ w: values(parts.w), x: values(parts.x), y: values(parts.y), z: values(parts.z) }, n);
  return { envelope: { ...envelope, columns: [0, 1, 2], data }, index: new Map([[0, 0], [1, 1], [2, 2]]) };
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

/** Names of several quantities in their colours, at the upper right. @param {CanvasRenderingContext2D} ctx @param {Series[]} series @param {number} width */
function legend(ctx, series, width) {
  ctx.font = canvasFont(10.5, 550);
  ctx.textBaseline = "top";
  let x = width - 8;
  for (const { name, colour } of [...series].reverse()) {
    rim(ctx, colour);
    written(ctx, name, x, 4, "right");
    x -= ctx.measureText(name).width + 10;
  }
}

/** Name and unit in the gutter, on two lines. @param {CanvasRenderingContext2D} ctx @param {string} name @param {string} unit */
function nameIn(ctx, name, unit) {
  ctx.font = canvasFont(10.5);
  ctx.fillStyle = token("dim");
  ctx.textBaseline = "middle";
  const words = name.split(" ").filter((word) => !unit || !SAID_BY_UNIT.test(word));
  const lines = words.length > 1 ? [words[0], words.slice(1).join(" ")] : [words[0] ?? name];
  lines[0] = lines[0].charAt(0).toUpperCase() + lines[0].slice(1);
  if (unit && lines[lines.length - 1].length + unit.length < 9) lines[lines.length - 1] += ", " + unit;
  else if (unit) lines.push(unit);
  lines.forEach((line, i) => ctx.fillText(fitted(ctx, line, (MEASURES.gutter - 14) * 1.5), 10, 20 + i * 14, MEASURES.gutter - 14));
}

/** What is written over data has a rim against them. @param {CanvasRenderingContext2D} ctx @param {string} colour */
function rim(ctx, colour) {
  ctx.lineWidth = 3;
  ctx.strokeStyle = token("bg");
  ctx.fillStyle = colour;
}

/** @param {CanvasRenderingContext2D} ctx @param {string} text @param {number} x @param {number} y @param {CanvasTextAlign} [align] */
function written(ctx, text, x, y, align = "left") {
  ctx.textAlign = align;
  ctx.strokeText(text, x, y);
  ctx.fillText(text, x, y);
  ctx.textAlign = "left";
}
