/**
 * What the commands ask of the analysis. In: checked options. Out: Verdict, frames and connections.
 * Tests hand main an engine of their own; otherwise each part is loaded when it is first needed, so that --help is quick.
 */
import type { Story } from '../delivery/story.js';
import type { Verdict } from '../delivery/verdict.js';
import type { CaptureQuality } from '../hop/capture-quality.js';
import type { ConnectionSummary, FrameEvent } from '../hop/frame-event.js';

export interface HopInput {
  name: string;
  /** `-` is standard input. */
  files: string[];
}

export interface Progress {
  hop: string;
  file: string;
  octetsRead: number;
  /** Null where it cannot be known: a pipe. */
  octetsTotal: number | null;
}

export interface Listening {
  onProgress?: (progress: Progress) => void;
  warn?: (text: string) => void;
}

export interface KeyLogInput {
  /** Null: for every hop. */
  hop: string | null;
  content: Uint8Array;
}

export interface AnalyseOptions extends Listening {
  /** A hop was read: what it was read with is not needed any more. */
  onHopRead?: () => void;
  path?: string[];
  ackTimeoutMs?: number;
  /** `auto`, `builtin`, or the content of a profile's file. */
  profile?: unknown;
  keyLogs?: KeyLogInput[];
  commandIds?: string[];
  agents?: string[];
  since?: number | null;
  until?: number | null;
  /** Measure where the time of delivered commands goes. */
  latency?: boolean;
}

export interface ListOptions extends Listening {
  profile?: unknown;
  showPayloads?: boolean;
  keyLogs?: Uint8Array[];
}

export interface QualityOptions extends Listening {
  profile?: unknown;
  /** Read it with pcap-parser as well, and compare. */
  secondReader?: boolean;
}

export interface Engine {
  analyse(hops: HopInput[], options: AnalyseOptions): Promise<Verdict>;
  /** One command's story over all hops. */
  explain(hops: HopInput[], options: AnalyseOptions, id: string): Promise<Story>;
  /** The sink returns a promise where the output is to be waited for. */
  listFrames(
    files: string[],
    options: ListOptions,
    sink: (frame: FrameEvent) => undefined | Promise<void>,
  ): Promise<void>;
  listConnections(files: string[], options: ListOptions): Promise<ConnectionSummary[]>;
  captureQuality(file: string, options: QualityOptions): Promise<CaptureQuality>;
}

export const engine: Engine = {
  analyse: async (hops, options) => (await import('../findings/analyse.js')).analyse(hops, options),
  explain: async (hops, options, id) => (await import('../findings/story/tell.js')).explain(hops, options, id),
  listFrames: async (files, options, sink) => (await import('../hop/list.js')).listFrames(files, options, sink),
  listConnections: async (files, options) => (await import('../hop/list.js')).listConnections(files, options),
  captureQuality: async (file, options) => (await import('../hop/quality.js')).captureQuality(file, options),
};
