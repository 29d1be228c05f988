/**
 * Pictures of the painter on the screen: moved and stretched to where they belong now, which costs the page's own thread nothing.
 * @typedef {import("../plots/easel.js").Scene} Scene
 * @typedef {import("./traces.js").Shown} Shown
 */

/**
 * Where a picture lies in the window of the traces, CSS pixels.
 * @param {Scene} scene
 * @param {Shown} shown
 * @param {import("../view/scale.js").Span} view
 * @param {number} plot  width of the window
 */
export function placed(scene, { window, rowPixels }, view, plot) {
  const scale = plot / (view.to - view.from);
  return { x: (scene.view.from - view.from) * scale, y: (scene.first - window.first) * rowPixels, width: (scene.view.to - scene.view.from) * scale, height: scene.shown * rowPixels };
}

/** @param {HTMLCanvasElement} canvas @param {import("../painter.js").Picture} picture @param {number} dpr */
export function show(canvas, { bitmap, scene }, dpr) {
  if (canvas.width !== scene.width) canvas.width = scene.width;
  if (canvas.height !== scene.height) canvas.height = scene.height;
  canvas.style.width = scene.width / dpr + "px";
  canvas.style.height = scene.height / dpr + "px";
  canvas.getContext("bitmaprenderer")?.transferFromImageBitmap(bitmap);
}

/** On whole device pixels, and not stretched where it is less than one. @param {Scene} scene @param {{ x: number, y: number, width: number, height: number }} at @param {number} dpr */
export function transformOf(scene, at, dpr) {
  const wide = (at.width * dpr) / scene.width, high = (at.height * dpr) / scene.height;
  const asPainted = Math.abs(wide - 1) * scene.width < 1 && Math.abs(high - 1) * scene.height < 1;
  return `translate(${Math.round(at.x * dpr) / dpr}px, ${Math.round(at.y * dpr) / dpr}px)` + (asPainted ? "" : ` scale(${wide}, ${high})`);
}
