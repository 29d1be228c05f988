/** Facts of a stream of AP traces on the run's clock, 100 ticks from row to row. */
export function streamInfo(id, more = {}) {
  const columns = ["SpikeData0", "SpikeData1", "Clock"].map((name, index) => ({ index, name, label: ["AP 0", "AP 1", "Clock"][index], group: index < 2 ? "AP" : "Clock", channel: index < 2 ? index : -1, type: "uint16", unit: "uV", scale: 1, offset: 0, line: [0, 1], stride: 1, plottable: true, bits: [] }));
  return {
    id, path: id + ".arrow", size_bytes: 1000, state: "complete", rows: 1000, rows_exact: true, batches: 1, columns, findings: [], title: "",
    groups: [{ name: "AP", columns: [0, 1], rate_hz: 100, kind: "traces", along_probe: true }, { name: "Clock", columns: [2], rate_hz: 100, kind: "table", along_probe: false }],
    clock: { hz: 10000, first: 0, last: 99900, column: true, start_utc: "", start_clock: 0 }, coverage: [{ from: 0, to: 99900, kind: "data", rows: 1000, reason: "" }], axis: [], time_column: "", time_columns: [], limits: { bins: 65536, columns: 4096, values: 2 ** 25 }, ...more,
  };
}
