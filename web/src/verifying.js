/**
 * Verifying a stream, and going to what it found.
 * @typedef {import("./state.js").State} State
 * @typedef {import("./protocol.js").Finding} Finding
 */
import { ticksOf } from "./health.js";
import { bytes, duration, percent } from "./words.js";

/** Nothing is said of speed before so many milliseconds. */
const EARLY = 1500;

/**
 * How far a verification is, how fast it reads, and how long it will take.
 * @param {{ done: number, total: number, began: number }} running
 * @param {number} now  milliseconds, on the clock of began
 */
export function verifyingWords({ done, total, began }, now) {
  if (!(total > 0)) return "verifying…";
  const words = `verified ${percent(done / total)}`, seconds = (now - began) / 1000;
  if (seconds * 1000 < EARLY || done <= 0 || done >= total) return words;
  const perSecond = done / seconds;
  return `${words}, ${bytes(perSecond)}/s, ${duration(Math.max(1, Math.ceil((total - done) / perSecond)))} left`;
}

/**
 * Verifies a stream in the background; how far it is and what it found are in the state. A verification that runs already goes on.
 * @param {State} state
 * @param {string} id
 */
export async function verify(state, id) {
  if (state.entry(id).verification?.state === "running") return;
  const abort = new AbortController(), cancel = () => abort.abort(), began = performance.now();
  state.setVerification(id, { state: "running", done: 0, total: 0, began, cancel });
  try {
    const onProgress = (/** @type {import("./protocol.js").SliceProgress} */ { done, total }) => {
      if (!abort.signal.aborted) state.setVerification(id, { state: "running", done, total, began, cancel });
    };
    const report = await Promise.race([state.client.verify(id, { signal: abort.signal, onProgress }), ends(abort.signal)]);
    await noteVerified(state, id, report);
  } catch (error) {
    state.setVerification(id, { state: "failed", error });
  }
}

/**
 * Rejects as soon as a signal says so: who cancels need not wait for a step of the engine, nor be told that it was ready just before.
 * @param {AbortSignal} signal @returns {Promise<never>}
 */
function ends(signal) {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
}

/**
 * What was verified is known everywhere at once: pill, strip, hatches, Health, rate.
 * @param {State} state
 * @param {string} id
 * @param {import("./protocol.js").VerifyReport} report
 */
export async function noteVerified(state, id, report) {
  const info = await state.client.info(id);
  if (!state.entries.has(id)) return; // closed meanwhile
  state.setVerification(id, { state: "done", report });
  state.update(info);
}

/**
 * Brings a finding to the middle of the screen, with the cursor on it.
 * @param {State} state
 * @param {string} id
 * @param {Finding} finding
 */
export function jump(state, id, finding) {
  const { info } = state.entry(id), ticks = ticksOf(finding, info);
  if (ticks === null) return;
  if (state.info?.id !== id) {
    const row = state.rows.find((r) => r.id === id);
    if (row) state.select(row.key);
  }
  state.centre(ticks);
}
