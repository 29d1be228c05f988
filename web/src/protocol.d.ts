/**
 * The one description of what passes between the page and the engine
 * (Go compiled to WebAssembly, in a module worker).
 *
 * A request carries an id and gets exactly one reply: a result or an error. Between the two, progress messages with the same id may come.
 * `cancel` makes the pending request of that id reply with an error whose name is "AbortError". Buffers are transferred, not copied.
 * Times are acquisition-clock ticks as numbers (exact below 2^53, 417 days at 250 MHz); a stream without a Clock column counts rows as ticks.
 */

import type { Finding, StreamInfo, ClockInfo, CoverageSpan, Ticks } from "./facts.js";
export * from "./facts.js";

/** What the page asks: `{id, op, args}`. */
export type Request = { id: number } & (
  | { op: "open"; args: OpenArgs }
  | { op: "openKnown"; args: OpenKnownArgs }
  | { op: "openGrowing"; args: OpenGrowingArgs }
  | { op: "grow"; args: GrowArgs }
  | { op: "close"; args: StreamArgs }
  | { op: "index"; args: StreamArgs }
  | { op: "info"; args: StreamArgs }
  | { op: "envelope"; args: EnvelopeArgs }
  | { op: "overview"; args: OverviewArgs }
  | { op: "values"; args: ValuesArgs }
  | { op: "table"; args: TableArgs }
  | { op: "row"; args: RowArgs }
  | { op: "slice"; args: SliceArgs }
  | { op: "recover"; args: RecoverArgs }
  | { op: "verify"; args: VerifyArgs }
  | { op: "known"; args: StreamArgs }
  | { op: "tiles"; args: TilesArgs }
  | { op: "proved"; args: ProvedArgs }
  | { op: "setClock"; args: ClockArgs }
  | { op: "setGain"; args: GainArgs }
  | { op: "startTime"; args: StartTimeArgs }
  | { op: "chooseStartTime"; args: ChooseArgs }
  | { op: "engine"; args: {} }
  | { op: "cancel"; args: { target: number } }
);

export type Reply =
  | { id: number; result: unknown }
  | { id: number; error: EngineError }
  | { id: number; progress: unknown };

/** Errors cross as name and message; next says what the person can do. Errors of the browser keep their DOM names, of which NotReadableError is the usual one. */
export interface EngineError {
  name: ErrorName | string;
  message: string;
  offset?: number;
  next?: string;
}

export type ErrorName =
  | "AbortError" | "ClockError" | "ColumnError" | "CorruptError" | "DataCloneError" | "EmptyFileError" | "EngineError" | "FormatError"
  | "NetworkError" | "NotArrowError" | "NotReadableError" | "RangeError" | "TypeError";

export interface StreamArgs { stream: string }
/** tiles: tell what the whole run looks like, too: `progress` of them has them as an ArrayBuffer, for `tiles` of the engine that draws */
export interface VerifyArgs { stream: string; tiles: boolean }
/** tiles: as an ArrayBuffer */
export interface TilesArgs { stream: string }

/** source: a dropped File, or the absolute URL of a file whose server answers range requests. */
export interface OpenArgs {
  /** the id of the stream from now on; the page chooses it, and not that of an open stream */
  stream: string;
  source: File | string;
  /** of the file */
  name: string;
}

/** The answer to `known`: what an engine knows of a stream that it has indexed; null before that, and of a damaged one. */
export interface Known { known: ArrayBuffer }
/** To open a file of which another engine has given what it knows: that is not read again, and proves nothing. */
export interface OpenKnownArgs { stream: string; source: File | string; name: string; known: ArrayBuffer }

/** A file that is being written. blocks: where its batches are, as its recorder says: offset, length, bytes of the header, rows, first and last Clock of each; they cross as one Float64Array, since thousands of them take long as JSON */
export interface OpenGrowingArgs { stream: string; source: string; name: string; blocks: number[][] }

/** What came to such a file. size: of the file, up to its last whole batch */
export interface GrowArgs { stream: string; size: number; blocks: number[][] }
/** The facts of a stream that change when its file grows. */
export interface Grown {
  size_bytes: number; rows: number; rows_exact: boolean; batches: number;
  start: number | null; duration_s: number | null;
  clock: ClockInfo;
  coverage: CoverageSpan[];
}

/** Progress of open and index: batches whose header was read, of so many (0: unknown); bytes read; the place in the file, where it is walked from its beginning. */
export interface OpenProgress { batches: number; of: number; bytes: number; at: number; size: number }

export interface EnvelopeArgs {
  stream: string;
  columns: number[];
  /** half-open span in ticks */
  from: number; to: number;
  /** pixel columns */
  bins: number;
  /** coarse: a subset of the data, at once; exact: every sample, progress messages of the same shape as it goes. Of long spans a bin's edges are good to a quarter of it */
  quality: "coarse" | "exact";
}

/** Raw units. In progress there may be fewer columns than were asked for, those that are there first. */
export interface Envelope {
  /** `envelope`: data[(c*bins + b)*2] = min, +1 = max, NaN NaN where nothing is. `samples` (at most about one sample a pixel): x and data per sample. */
  kind: "envelope" | "samples";
  quality: "coarse" | "exact";
  from: number; to: number; bins: number;
  /** bins before this one are exact */
  done: number;
  columns: number[];
  data: Float32Array;
  /** envelope only: mean[c*bins + b] of the values in a bin, and their standard deviation about it; NaN where nothing is */
  mean?: Float32Array;
  sd?: Float32Array;
  /**
   * samples only: ticks relative to `from`, the same for all columns; data[c*x.length + i], NaN where null. One row before and one after the span are
   * included, so that lines reach the borders; where rows are missing there is a row of NaN. If all columns hold a slower signal (LFP), only the rows
   * with values of their own are there; next to faster columns a slower signal repeats its value.
   */
  x?: Float64Array;
  /** rows of the span, and how many of them were read */
  rows: number; rows_used: number;
  samples_per_pixel: number;
}

/** The whole run, from its first tick to its last, in so many bins; a run of few rows gets fewer. */
export interface OverviewArgs {
  stream: string; columns: number[]; bins: number;
  /** coarse: what is known at once, and nothing after it */
  quality?: "coarse" | "exact";
}
/** Raw units. What is known at once comes as progress, quality coarse, then more and more of the exact answer: up to bin `done`. */
export interface Overview {
  quality: "coarse" | "exact";
  from: number; to: number; bins: number;
  /** bins before this one are exact */
  done: number;
  columns: number[];
  /** of each bin: root of the mean, over the columns, of the squared RMS about each column's mean over the run; NaN where nothing is */
  rms: Float32Array;
  /** of a single column, as in an Envelope: minimum and maximum of each bin, mean, standard deviation */
  data?: Float32Array;
  mean?: Float32Array;
  sd?: Float32Array;
}

export interface ValuesArgs { stream: string; column: string | number; start: number; end: number }
export interface Values {
  values: Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | BigInt64Array | BigUint64Array | Float32Array | Float64Array | string[];
  valid: Uint8Array | null;
}

export interface TableArgs { stream: string; columns: number[]; start: number; end: number }
/** Rows of any columns as text; rows after the last are left out. */
export interface Table {
  start: number; end: number;
  /** of the stream, exact */
  rows: number;
  /** of each row; null in a damaged batch */
  ticks: (number | null)[];
  /** by column, then by row; null: no value; long text is cut off */
  cells: (string | null)[][];
  broken: BrokenRows[];
}
/** Rows of which something could not be read. */
export interface BrokenRows { start: number; end: number; reason: string }
export interface RowArgs { stream: string; ticks: number }

export interface SliceArgs {
  stream: string;
  /** rows, half-open; or from/to in seconds by the clock; what is left out is the beginning or the end */
  start?: number; end?: number; from?: number; to?: number;
  /** from and to count from the first row, or from that of the segment */
  from_start?: boolean;
  /** of this segment alone, from 1 on; without from and to all of it */
  segment?: number;
  /** or ticks by the clock, half-open */
  ticks?: [number, number];
  /** or batches a:b, half-open; either may be left out */
  batches?: string;
  /** names, globs or indices, in the order wanted; of several columns with one name, name#1 is the first; absent: all; of bin the 16-bit channels of one signal */
  columns?: (string | number)[];
  /** arrow if absent */
  format?: SliceFormat;
  /** arrow and stream; keep if absent */
  compression?: Compression;
  /** one row for each value of a slower signal */
  unique?: boolean;
  /** csv and npy: physical units where the scale is known */
  physical?: boolean;
  /** as of VerifyArgs */
  tiles?: boolean;
}
/** bin: flat int16 or uint16, row by row; its layout is in the report */
export type SliceFormat = "arrow" | "stream" | "csv" | "npy" | "bin";
/** keep: each batch as it is in the file */
export type Compression = "keep" | "none" | "zstd" | "lz4";
export interface SliceResult { blob: Blob; report: SliceReport }
/** Damaged batches are left out and counted. */
export interface SliceReport {
  start: number; end: number; rows: number; batches: number; columns: string[]; bytes: number;
  /** of rows, where the times asked for come more than once */
  ranges?: Range[];
  /** for people: which segments have the times asked for, where several have */
  note?: string;
  lost_rows: number;
  findings: Finding[];
  /** rows between those that were written that never reached the recording */
  gaps: Finding[];
  /** of rows that were written, whose Clock rises; none without a Clock */
  segments: WrittenSegment[];
  /** of bin: how to read it, see README */
  layout?: object;
}
/** Rows of what was written, half-open, and the ticks of the first and the last. */
export interface WrittenSegment { start: number; end: number; start_clock: Ticks; last_clock: Ticks; rate_hz: number }
/** Rows, half-open. */
export interface Range { start: number; end: number }
export interface SliceProgress { done: number; total: number }

export interface RecoverArgs {
  stream: string;
  compression?: Compression;
  /** columns of which rows are wanted of a last batch that the end of the file cuts: names, globs, or "all" */
  salvage?: string[];
  /** as of VerifyArgs */
  tiles?: boolean;
}
export interface RecoverReport {
  input: string; output: string; outcome: "lossless" | "suspect" | "lossy" | "failed";
  batches_recovered: number; batches_lost: number; rows_recovered: number; bytes_skipped: number;
  /** of the ticks in findings; absent: the file does not state it */
  acq_clock_hz?: number;
  /** by a salvage: the output has the others */
  columns_left_out?: string[];
  findings: Finding[];
}
export interface RecoverResult { blob: Blob; report: RecoverReport }

/** As `verify --json`. ok: no finding is a warning or an error. */
export interface VerifyReport { path: string; ok: boolean; findings: Finding[] }
/** What another engine found when it verified the same file; info and coverage have it from then on. */
export interface ProvedArgs { stream: string; findings: Finding[] }

/** column: of timestamps, which takes the place of Clock; hz is then not asked for */
export interface ClockArgs { stream: string; hz: number; start_utc?: string; column?: string }

export interface GainArgs { stream: string; group: string; gain: number }

/** data: the bytes of the CSV, in base64 */
export interface StartTimeArgs { data: string }
export interface ChooseArgs { name: string; csvs: string[] }
/** csv: "" none; words: what is to be said of it */
export interface Chosen { csv: string; words: string }

/** What a start-time CSV says: hz of the acquisition clock, 0 if unknown, and when acquisition began, RFC 3339 in UTC. */
export interface StartTime { hz: number; start_utc: string; note: string }

/** wasm memory and file bytes read since start; of memory, what is kept of the files (a second look at a span reads nothing), and how much that may become. */
export interface EngineState { bytes: number; read: number; version: string; cache_bytes: number; cache_limit: number }

/** Of what takes long. tiles is given what is read looks like, for the engine that draws, where this one is asked by another */
export interface Working { signal?: AbortSignal; onProgress?: (p: SliceProgress) => void; tiles?: (buffer: ArrayBuffer) => void }

/** The main thread's client, web/src/engine.js: `startEngine()` gives one in a worker of its own. */
export interface EngineClient {
  open(args: OpenArgs, opts?: { signal?: AbortSignal; onProgress?: (p: OpenProgress) => void }): Promise<StreamInfo>;
  openGrowing(args: OpenGrowingArgs): Promise<StreamInfo>;
  grow(args: GrowArgs): Promise<Grown>;
  close(stream: string): Promise<void>;
  /** reads every batch header; the info afterwards is exact */
  index(stream: string, opts?: { signal?: AbortSignal; onProgress?: (p: OpenProgress) => void }): Promise<StreamInfo>;
  info(stream: string): Promise<StreamInfo>;
  /** written: of a file that grows, what is in it is enough */
  envelope(args: EnvelopeArgs, opts?: { signal?: AbortSignal; onProgress?: (e: Envelope) => void; written?: boolean }): Promise<Envelope>;
  /** the whole run; progress has the same shape */
  overview(args: OverviewArgs, opts?: { signal?: AbortSignal; onProgress?: (o: Overview) => void }): Promise<Overview>;
  values(stream: string, column: string | number, start: number, end: number): Promise<Values>;
  /** a part of a stream as text */
  table(args: TableArgs): Promise<Table>;
  /** the first row at or after a moment, or the number of rows */
  row(stream: string, ticks: number): Promise<number>;
  slice(args: SliceArgs, opts?: Working): Promise<SliceResult>;
  recover(args: RecoverArgs, opts?: Working): Promise<RecoverResult>;
  /** reads the whole file; progress in bytes */
  verify(stream: string, opts?: Working): Promise<VerifyReport>;
  /** hz and, if given, the wall time (RFC 3339, UTC) go into the stream's info; the file is not touched */
  /** the gain of AP or LFP, where the file does not state it; 0: unknown again; the file is not touched */
  setGain(stream: string, group: string, gain: number): Promise<StreamInfo>;
  setClock(stream: string, hz: number, startUTC?: string): Promise<StreamInfo>;
  /** a column of timestamps takes the place of Clock */
  setTimeColumn(stream: string, column: string): Promise<StreamInfo>;
  /** reads a start-time CSV, in whatever shape a spreadsheet left it */
  startTime(data: Uint8Array): Promise<StartTime>;
  /** which of the CSVs that were given is that of a recording, by their names */
  chooseStartTime(name: string, csvs: string[]): Promise<Chosen>;
  engine(): Promise<EngineState>;
  /** called once when the engine has ended; pending calls are rejected first */
  onCrash: (message: string) => void;
}
