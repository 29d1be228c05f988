/**
 * What the engine says of an opened stream; protocol.d.ts has it too.
 */

/** error: rows are lost or damaged; warning: looks wrong, cannot be proved; info: worth a look. */
export type Severity = "info" | "warning" | "error";

export interface ColumnInfo {
  index: number;
  /** full name in the file, `SpikeDataCh117` */
  name: string;
  /** what people say, `AP 117` */
  label: string;
  /** `AP`, `LFP`, `Analog`, ... ; columns of one group are channels of one signal */
  group: string;
  /** trailing number, or -1 */
  channel: number;
  /** Arrow type as text, `uint16`, `run_end_encoded<uint16>`, `utf8` */
  type: string;
  nullable: boolean;
  unit: string;
  /** physical = scale * (raw - offset); scale 0: unknown, show codes */
  scale: number;
  offset: number;
  /** the same as a line that is good for codes, too: physical = line[0] + raw * line[1] */
  line: number[];
  gain: number;
  rate_hz: number;
  /** `none`, `run-end`, `nulls`, `repeat` */
  subsample: string;
  /** rows between two real values, 1 for ordinary columns */
  stride: number;
  plottable: boolean;
  /** of a value in memory; 0: differs from row to row */
  bytes: number;
  /** names of the bits of a digital port, from the lowest, `` reserved; empty: the values are not bits */
  bits: string[];
}

/** A number, or, above 2^53, where numbers have not every integer, its digits as text. */
export type Ticks = number | string;

export interface Finding {
  offset: number; length: number; batch: number;
  severity: Severity;
  reason: string;
  /** of rows that never reached the file: link, fifo, queue, disk */
  cause?: string;
  before_row: number;
  /** -1: unknown */
  lost_rows: number;
  /** clocks on both sides in ticks, 0 if unknown */
  clock_before: Ticks; clock_after: Ticks;
  /** of how many places of one cause it speaks, and the byte of the last of them */
  count: number; last_offset: number;
}

/** Facts of an opened stream; the part that `info --json` has keeps its names. */
export interface StreamInfo {
  /** as open was asked to call it */
  id: string;
  path: string; size_bytes: number; format: "file" | "stream";
  /** open: being recorded, which only the page of its recorder knows */
  state: "complete" | "unfinished" | "damaged" | "open";
  rows: number;
  /** false after the first look: constant batches were taken for granted; true after `index` */
  rows_exact: boolean;
  batches: number; rows_per_batch: number; compression: string;
  /** first row: seconds by the clock, or ticks without a rate; null without rows */
  start: number | null;
  /** null without a rate */
  duration_s: number | null;
  /** of all segments; 0, and no segments, before index */
  duration_ticks: Ticks;
  segments: Segment[];
  columns: ColumnInfo[];
  metadata: Record<string, string>;
  findings: Finding[];
  /** device title for people, `Neuropixels 1.0`, from metadata or guessed from columns; `` if unknown */
  title: string;
  /** of the device, as on the wire; -1 if unknown */
  device_address: number;
  simulated: boolean;
  /** probe-interface JSON, `` if there is none */
  probe: string;
  /** groups in display order with rate in Hz of each (0 unknown) */
  groups: GroupInfo[];
  clock: ClockInfo;
  /** what is there: spans in ticks; `damaged` and `missing` are hatched */
  coverage: CoverageSpan[];
  /** Places on the time axis are ticks, as long as Clock rises and numbers have every tick of it; else this says which Clock a place is, stretch by stretch. */
  axis: Stretch[];
  /** the column of timestamps that takes the place of Clock; "" none */
  time_column: string;
  /** those that may do so; none where there is a Clock */
  time_columns: string[];
  limits: Limits;
  body_bytes_read: number; metadata_bytes_read: number;
}

/** Rows, half-open, whose Clock rises; where it begins anew another segment begins. */
export interface Segment { start: number; end: number; clock_first: Ticks; clock_last: Ticks; rate_hz: number }

/** What a request for an envelope may ask for: bins, columns, and bins x columns. */
export interface Limits { bins: number; columns: number; values: number }

/**
 * A part of the time axis: what is called ticks everywhere else are places on it. Where Clock begins anew its segments lie one after the other; ticks above
 * 2^53 are counted from another origin.
 */
export interface Stretch {
  /** rows, half-open */
  start: number; end: number;
  /** places of the first row and of the last one */
  from: number; to: number;
  /** their Clock, in digits */
  first: string; last: string;
}

/** The columns of one signal. */
export interface GroupInfo {
  name: string; columns: number[];
  /** 0: unknown */
  rate_hz: number;
  kind: SignalKind;
  /** channels count upwards along a probe: the highest is nearest to the surface, and on top */
  along_probe: boolean;
  /** the file does not state the gain of its amplifier, of which its unit follows */
  takes_gain: boolean;
}
export type SignalKind = "traces" | "lanes" | "slow" | "table";

export interface ClockInfo {
  /** acquisition clock rate in Hz, 0 if unknown */
  hz: number;
  /** first and last tick; of rows if the stream has no Clock column */
  first: number; last: number; column: boolean;
  /** ticks from row to row, as inside batches; about, where they are uneven; 0: unknown */
  period: number;
  start_utc: string;
  /** ticks at start_utc */
  start_clock: Ticks;
}

/** What there is in a span of ticks; `damaged` and `missing` are hatched. */
export interface CoverageSpan {
  from: number; to: number;
  kind: "data" | "gap" | "damaged" | "missing";
  /** there, or lost; -1 unknown */
  rows: number;
  reason: string;
}
