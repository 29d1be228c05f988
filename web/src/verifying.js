/**
 * Verifying a stream, and going to what it found.
 * @typedef {import("./recording.js").Recording} Recording
 * @typedef {import("./protocol.js").Finding} Finding
 */
import { ticksOf } from "./health.js";

/**
 * Verifies a stream in the background; how far it is and what it found stand in the recording. A verification that runs already goes on.
 * @param {Recording} recording
 * @param {string} id
 */
export async function verify(recording, id) {
  if (recording.entry(id).verification?.state === "running") return;
  const abort = new AbortController(), cancel = () => abort.abort();
  recording.setVerification(id, { state: "running", done: 0, total: 0, cancel });
  try {
    const report = await recording.client.verify(id, { signal: abort.signal, onProgress: ({ done, total }) => recording.setVerification(id, { state: "running", done, total, cancel }) });
    recording.setVerification(id, { state: "done", report });
  } catch (error) {
    recording.setVerification(id, { state: "failed", error });
  }
}

/**
 * Brings a finding to the middle of the screen, with the cursor on it.
 * @param {Recording} recording
 * @param {string} id
 * @param {Finding} finding
 */
export function jump(recording, id, finding) {
  const { info } = recording.entry(id), ticks = ticksOf(finding, info);
  if (ticks === null) return;
  if (recording.info?.id !== id) {
    const row = recording.rows.find((r) => r.id === id);
    if (row) recording.select(row.key);
  }
  const half = (recording.view.to - recording.view.from) / 2;
  recording.setView({ from: ticks - half, to: ticks + half });
  recording.setCursor(ticks);
}
