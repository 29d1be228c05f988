/**
 * Where the channels of a probe lie: from the probe-interface JSON of a recording, else as the device is when nobody chose other electrodes. Pure.
 * @typedef {import("./protocol.js").StreamInfo} StreamInfo
 * @typedef {{ x: number, y: number, shank: number }} Contact  um from the left and from the tip up; shank from 0
 * @typedef {{ contacts: Map<number, Contact>, shanks: number, assumed: boolean }} Probe  by channel; assumed: the file does not say it
 */

/** Blocks of 48 channels that the first 384 electrodes of shank 0 are connected to, on a 2.0 probe with four shanks. */
const FOUR_SHANKS = [0, 2, 4, 6, 5, 7, 1, 3];

/**
 * Devices as they are when nobody chose electrodes: bank A, of four shanks the first; from the tip up, as the recorder writes them. A test holds this to files of probeinterface.
 * @type {{ title: RegExp, channels: number, contact: (channel: number) => Contact }[]}
 */
const DEFAULTS = [
  { title: /^Neuropixels 1\.0/, channels: 384, contact: (channel) => ({ x: [27, 59, 11, 43][channel % 4], y: 20 * (channel >> 1) + 170, shank: 0 }) },
  { title: /^Neuropixels 2\.0/, channels: 384, contact: (channel) => {
    const electrode = 48 * FOUR_SHANKS.indexOf(Math.floor(channel / 48)) + (channel % 48);
    return { x: 211 + (electrode % 2 ? 40 : 8), y: 15 * (electrode >> 1) + 170, shank: 0 };
  } },
];

/** @type {WeakMap<StreamInfo, Probe | null>} */
const known = new WeakMap();

/** The probe of a stream; null where its channels have no places. @param {StreamInfo} info @returns {Probe | null} */
export function probeOf(info) {
  let probe = known.get(info);
  if (probe === undefined) known.set(info, (probe = stated(info.probe) ?? assumed(info)));
  return probe;
}

/** @param {string} json @returns {Probe | null} */
function stated(json) {
  if (!json) return null;
  try {
    const { contact_positions: places, device_channel_indices: channels, shank_ids: shanks } = JSON.parse(json)?.probes?.[0] ?? {};
    if (!Array.isArray(places)) return null;
    const names = [...new Set(Array.isArray(shanks) ? shanks.map(String) : [""])].sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1));
    /** @type {Map<number, Contact>} */
    const contacts = new Map();
    places.forEach((place, i) => {
      const channel = Number(channels?.[i] ?? i), x = Number(place?.[0]), y = Number(place?.[1]);
      if (channel >= 0 && Number.isFinite(x) && Number.isFinite(y)) contacts.set(channel, { x, y, shank: Math.max(0, names.indexOf(String(shanks?.[i] ?? ""))) });
    });
    const used = new Set([...contacts.values()].map((c) => c.shank));
    return contacts.size > 0 ? { contacts, shanks: used.size, assumed: false } : null;
  } catch {
    return null; // not JSON: a probe that we know nothing of
  }
}

/** @param {StreamInfo} info @returns {Probe | null} */
function assumed({ title, groups }) {
  const found = DEFAULTS.find((d) => d.title.test(title));
  if (!found || !groups.some((g) => g.along_probe && g.columns.length === found.channels)) return null;
  return { contacts: new Map(Array.from({ length: found.channels }, (_, channel) => [channel, found.contact(channel)])), shanks: 1, assumed: true };
}
