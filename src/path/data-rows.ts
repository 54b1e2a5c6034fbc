/**
 * What was said on each connection, as far as it can be told again on another leg: data messages by type and ID, others by their content, with
 * their times. In: connections with their message tables. Out: rows by connection, and an index of them by what they say, for in-time.ts.
 */

import { MessageFlag } from '../hop/message-table.js';
import type { HopObservation } from '../hop/observation.js';
import type { KeyedConnection } from './own-key.js';

export interface DataRow {
  end: number;
  /** The same for the same message on every leg, whatever a hop made of it. */
  key: number;
  timeNs: number;
  /** 0 from the server, 1 from the client. */
  way: number;
  /** It has an ID. */
  named: boolean;
}

export interface Life {
  /** NaN where its opening was not captured. */
  openedNs: number;
  fromNs: number;
  toNs: number;
}

const UNSOUND = MessageFlag.partial | MessageFlag.damaged | MessageFlag.unreadable;

export class DataRows {
  private readonly rows: (readonly DataRow[] | undefined)[];

  constructor(private readonly keyed: readonly (KeyedConnection & { observation: HopObservation })[]) {
    this.rows = keyed.map(() => undefined);
  }

  of(end: number): readonly DataRow[] {
    let rows = this.rows[end];
    if (rows === undefined) {
      rows = this.read(end);
      this.rows[end] = rows;
    }
    return rows;
  }

  lifeOf(end: number): Life {
    const { openedNs, firstNs, lastNs } = this.keyed[end].connection;
    return { openedNs: this.common(end, openedNs), fromNs: this.common(end, firstNs), toNs: this.common(end, lastNs) };
  }

  indexOf(ends: readonly number[]): RowIndex {
    return new RowIndex(ends.flatMap((end) => this.of(end)));
  }

  /** Only what has one of these keys: of many connections the rest is not worth its memory. */
  indexOfKeys(ends: readonly number[], keys: ReadonlySet<number>): RowIndex {
    return new RowIndex(
      ends.flatMap((end) => this.rows[end]?.filter(({ key }) => keys.has(key)) ?? this.read(end, keys)),
    );
  }

  private read(end: number, keys: ReadonlySet<number> | null = null): DataRow[] {
    const { connection, messages, observation } = this.keyed[end];
    const { strings } = observation;
    const rows: DataRow[] = [];
    for (const way of [0, 1])
      for (const row of connection[way === 0 ? 'fromServer' : 'fromClient'].rows) {
        if (messages.opcode[row] >= 8 || messages.opcode[row] === 0) continue;
        const timeNs = this.common(end, messages.sentNs[row]);
        if (Number.isNaN(timeNs)) continue;
        const named = messages.id[row] >= 0;
        if (!named && (messages.flags[row] & UNSOUND) !== 0) continue;
        const type = messages.type[row];
        const said = named
          ? strings.hashOf(messages.id[row]) ^ Math.imul(type < 0 ? 0 : strings.hashOf(type), 0x85ebca6b)
          : Math.imul(messages.digest[row], 0x27d4eb2f);
        const key = (said ^ (way * 0x5bd1e995)) | 0;
        if (keys === null || keys.has(key)) rows.push({ end, key, timeNs, way, named });
      }
    return rows;
  }

  private common(end: number, timeNs: number): number {
    const { clock } = this.keyed[end];
    return clock === null ? timeNs : clock.toCommon(timeNs);
  }
}

/** Rows of several connections by what they say, in order of time. */
export class RowIndex {
  private readonly byKey = new Map<number, DataRow[]>();

  constructor(rows: readonly DataRow[]) {
    for (const row of rows) {
      const same = this.byKey.get(row.key);
      if (same === undefined) this.byKey.set(row.key, [row]);
      else same.push(row);
    }
    for (const same of this.byKey.values()) same.sort((a, b) => a.timeNs - b.timeNs);
  }

  /** Connections that said it at about that time, each as often as it did. */
  near(key: number, timeNs: number, withinNs: number): number[] {
    return this.between(key, timeNs - withinNs, timeNs + withinNs).map(({ end }) => end);
  }

  /** No more than one connection said it at about that time. */
  isAlone(key: number, timeNs: number, withinNs: number): boolean {
    const near = this.near(key, timeNs, withinNs);
    return near.every((end) => end === near[0]);
  }

  entries(): Iterable<[number, readonly DataRow[]]> {
    return this.byKey;
  }

  get(key: number): readonly DataRow[] {
    return this.byKey.get(key) ?? [];
  }

  private between(key: number, fromNs: number, toNs: number): DataRow[] {
    const rows = this.byKey.get(key) ?? [];
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rows[middle].timeNs < fromNs) low = middle + 1;
      else high = middle;
    }
    let end = low;
    while (end < rows.length && rows[end].timeNs <= toNs) end++;
    return rows.slice(low, end);
  }
}
