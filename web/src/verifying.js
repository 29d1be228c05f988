/**
 * Verifying a stream, and going to what it found.
 * @typedef {import("./state.js").State} State
 * @typedef {import("./protocol.js").Finding} Finding
 */
import { ticksOf } from "./health.js";

/**
 * Verifies a stream in the background; how far it is and what it found are in the state. A verification that runs already goes on.
 * @param {State} state
 * @param {string} id
 */
export async function verify(state, id) {
  if (state.entry(id).verification?.state === "running") return;
  const abort = new AbortController(), cancel = () => abort.abort();
  state.setVerification(id, { state: "running", done: 0, total: 0, cancel });
  try {
    const report = await state.client.verify(id, { signal: abort.signal, onProgress: ({ done, total }) => state.setVerification(id, { state: "running", done, total, cancel }) });
    state.setVerification(id, { state: "done", report });
  } catch (error) {
    state.setVerification(id, { state: "failed", error });
  }
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
