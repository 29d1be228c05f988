/**
 * What passes between the page and a recorder: texts are JSON with a type, binary messages a header and an Arrow IPC record batch.
 * Clocks are ticks of the acquisition clock.
 */

/** What the page says. */
export type Ask =
  /** all that is to be shown from now on; bin: ticks, 0: every row */
  | { type: "show"; streams: { stream: string; columns: number[]; bin: number }[] }
  /** binary messages that were dealt with */
  | { type: "ack"; count: number }
  /** clock 0: now */
  | { type: "note"; text: string; author: string; clock: number }
  /** run: as hello names it */
  | { type: "stop"; run: string };

/** What the recorder says. */
export type Told =
  | Hello
  | { type: "stream"; stream: About }
  | Batch
  | ({ type: "status"; clients: number } & Status)
  | { type: "gap"; stream: string; first_clock: number; last_clock: number; rows: number; cause: string }
  | { type: "show"; streams: { show: number; stream: string; schema: string }[] }
  | { type: "note"; text: string; clock: number }
  | { type: "stop"; text: string }
  | { type: "refused"; text: string }
  | { type: "end"; summary: { state: string; elapsed_s: number } };

export interface Hello {
  type: "hello";
  version: string; run: string; folder: string; suffix: string; start_utc: string; acq_clock_hz: number; simulated: boolean;
  /** this client may take notes and stop */
  control: boolean;
  streams: About[];
  /** binary messages that may be unacknowledged */
  credits: number;
}

/** schema: Arrow IPC message in base64; file: in which it begins */
export interface About { name: string; title: string; rate_hz: number; schema: string; file: string }

/** Where batches of a file are: offset, length, bytes of the header, rows, first and last Clock. */
export interface Batch { type: "batch"; stream: string; file: string; blocks: number[][] }

/** The recorder's state, as --status-json has it. */
export interface Status {
  state: "starting" | "recording" | "completing" | "ended";
  utc: string; elapsed_s: number; lag_s: number; bytes_per_s: number; wait_s: number; left_s: number;
  fifo: { percent: number; bytes: number; known: boolean; level: "" | "note" | "warning" | "alarm" };
  disk: { free_bytes: number; lasts_s: number };
  streams: StreamStatus[];
}

export interface StreamStatus {
  name: string; rate_hz: number; expected_hz: number; rows: number; bytes: number; durable_bytes: number; queue_s: number; age_s: number;
  lost_rows: number; cause: string; word: string;
}

/** What comes before the batch of a binary message; bin 0: the batch has Clock and the columns, else a row for each column and bin, column after column. */
export interface Header { show: number; stream: string; bin: number; from: number; to: number; skipped: number }
