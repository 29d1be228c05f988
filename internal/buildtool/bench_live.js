/* Says when a pulse of the simulator is on the screen: looks at the picture of the traces after every frame, in its pixels. */
(async () => {
  const dpr = devicePixelRatio, wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const { columns } = await oniscope.view(), rowPixels = (document.getElementById("traces").clientHeight / columns.length) * dpr;
  /** A bar as high as this, in device pixels, is a pulse: it is cut at three heights of a row, and nothing else that is bright reaches so far. */
  const tall = Math.max(6, Math.round(2.3 * rowPixels));
  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const { port1, port2 } = new MessageChannel(), seen = [], pulses = new Map();
  let was = true, frames = 0, strange = 0, band = null, over = false;

  /** Where bars are that reach so far, in the part of the picture that is in its window. */
  const look = () => {
    const picture = document.querySelector("#traces .picture");
    if (!picture || picture.hidden) return { bars: [], y: 0 };
    const at = picture.getBoundingClientRect(), box = picture.parentElement.getBoundingClientRect();
    const x0 = Math.max(0, Math.round((box.left - at.left) * dpr)), width = Math.min(picture.width, Math.round((box.right - at.left) * dpr)) - x0;
    const { y, height } = band ?? { y: 0, height: picture.height };
    Object.assign(context.canvas, { width, height });
    context.drawImage(picture, x0, y, width, height, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height), bars = [];
    let top = 0;
    for (let x = 0; x < width; x++) {
      for (let k = 0, run = 0; k < height; k++) {
        const i = 4 * (k * width + x);
        run = data[i] + data[i + 1] + data[i + 2] > 330 ? run + 1 : 0;
        if (run < tall) continue;
        top = y + k - run + 1;
        bars.push(x);
        break;
      }
    }
    return { bars, y: top };
  };
  port1.onmessage = () => {
    const { bars, y } = look();
    if (bars.length > 0 && !was) {
      seen.push(Date.now());
      band ??= { y: Math.max(0, y - Math.ceil(rowPixels)), height: Math.ceil(5 * rowPixels) };
    }
    if (bars.length > 0 && bars[bars.length - 1] - bars[0] > 24 * dpr) strange++; // two bars: not a pulse alone
    was = bars.length > 0;
    frames++;
  };
  const frame = () => {
    port2.postMessage(0); // is heard when the frame is done
    if (!over) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  const begin = performance.now();
  while (seen.length < PULSES + 1 && performance.now() - begin < 2000 * (PULSES + 5)) {
    const { status } = await oniscope.live();
    if (status?.pulse) pulses.set(status.pulse.clock, Date.parse(status.pulse.utc));
    await wait(50);
  }
  await wait(400);
  over = true;
  const { status } = await oniscope.live();
  if (status?.pulse) pulses.set(status.pulse.clock, Date.parse(status.pulse.utc));
  const begun = [...pulses.values()].sort((a, b) => a - b);
  const late = seen.slice(1).flatMap((at) => {
    const from = begun.filter((t) => t <= at).at(-1);
    return from === undefined ? [] : [at - from];
  });
  return { late, seen: seen.length, pulses: begun.length, strange, channels: columns.length, fps: (frames * 1000) / (performance.now() - begin) };
})()
