/* Says when a pulse of the simulator is on the screen: looks at the picture of the traces after every frame, in its pixels. */
(async () => {
  const dpr = devicePixelRatio, wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  /** Pixels so far above the middle are those of a pulse: it is 120 high at 200 uV a bar, and a spike of this channel is less than 50. */
  const tall = 80 * dpr;
  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const { port1, port2 } = new MessageChannel(), seen = [], pulses = new Map();
  let was = true, frames = 0, strange = 0, over = false;

  /** Columns of pixels with a pulse, in the part of the picture that is in its window. */
  const look = () => {
    const picture = document.querySelector("#traces .picture");
    if (!picture || picture.hidden) return [];
    const at = picture.getBoundingClientRect(), box = picture.parentElement.getBoundingClientRect();
    const x0 = Math.max(0, Math.round((box.left - at.left) * dpr)), width = Math.min(picture.width, Math.round((box.right - at.left) * dpr)) - x0;
    if (width <= 0) return []; // it is of an earlier time altogether
    const height = Math.floor(picture.height / 2 - tall);
    Object.assign(context.canvas, { width, height });
    context.drawImage(picture, x0, 0, width, height, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height), bars = [];
    for (let x = 0; x < width; x++) {
      for (let y = 0; y < height; y++) {
        const i = 4 * (y * width + x);
        if (data[i] + data[i + 1] + data[i + 2] < 330) continue;
        bars.push(x);
        break;
      }
    }
    return bars;
  };
  port1.onmessage = () => {
    const bars = look();
    if (bars.length > 0 && !was) seen.push(Date.now());
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
  return { late, seen: seen.length, pulses: begun.length, strange, fps: (frames * 1000) / (performance.now() - begin) };
})()
