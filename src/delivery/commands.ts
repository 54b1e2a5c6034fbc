/**
 * Gathers what belongs to each command: attempts, CommandAcks, results and the HTTP dispatch, over all paths. In: paths with threads.
 * Out: commands in order of time, as ranges of flat columns: a capture may hold hundreds of thousands.
 */

import type { HopObservation, ObservedDispatch } from '../hop/observation.js';
import { ByteStringTable } from '../message/byte-string-table.js';
import { Role, type RoleNumber } from '../message/profile.js';
import { commonNs, type HopView, type Path } from '../path/path.js';
import type { ThreadTable } from '../path/thread-table.js';
import type { Meanings } from './roles.js';

export interface Entry {
  path: Path;
  thread: number;
  role: RoleNumber;
  /** Common clock, at the innermost hop that saw it: attempt and reply are timed by one capture where that is possible. */
  timeNs: number;
}

export interface SeenDispatch {
  hop: number;
  dispatch: ObservedDispatch;
  askedNs: number;
}

export class CommandLog {
  /** IDs by command number: the first observed hop's own strings, with what the others add. */
  readonly ids: ByteStringTable;
  private readonly paths: Path[];
  private entryPath = new Int32Array(256);
  private entryThread = new Int32Array(256);
  private entryRole = new Uint8Array(256);
  private entryId = new Int32Array(256);
  private entryNs = new Float64Array(256);
  private count = 0;
  /** By hop and number of a string there: command number, -1 where not looked up yet. */
  private known: Int32Array[] = [];
  /** By command number: first entry in `order`. */
  private order = new Int32Array(0);
  private firstOf = new Int32Array(0);
  /** Command numbers in order of time. */
  inTime: Int32Array = new Int32Array(0);
  readonly dispatches = new Map<number, SeenDispatch>();

  constructor(
    paths: Path[],
    private readonly views: readonly HopView[],
    private readonly meanings: Meanings,
  ) {
    this.paths = paths;
    this.ids = views.find((view) => view.observation !== null)?.observation?.strings ?? new ByteStringTable();
    paths.forEach((path, index) => {
      this.collect(index, path.fromServer, true);
      this.collect(index, path.fromClient, false);
    });
    this.index();
    this.known = [];
  }

  get commands(): number {
    return this.ids.count;
  }

  /** When the last attempt of all was sent; NaN for none. */
  get lastAttemptNs(): number {
    let lastNs = Number.NaN;
    for (let i = 0; i < this.count; i++)
      if (this.entryRole[i] === Role.command && !(this.entryNs[i] <= lastNs)) lastNs = this.entryNs[i];
    return lastNs;
  }

  /** Entries of a command in order of time. */
  entries(command: number): Entry[] {
    const entries: Entry[] = [];
    for (let i = this.firstOf[command]; i < this.endOf(command); i++) {
      const at = this.order[i];
      entries.push({
        path: this.paths[this.entryPath[at]],
        thread: this.entryThread[at],
        role: this.entryRole[at] as RoleNumber,
        timeNs: this.entryNs[at],
      });
    }
    return entries;
  }

  /** Time of a command's first attempt; NaN where it has none. */
  firstSentNs(command: number): number {
    const at = this.firstAttempt(command);
    return at < 0 ? Number.NaN : this.entryNs[at];
  }

  /** The path of its first attempt. */
  firstPath(command: number): Path | null {
    const at = this.firstAttempt(command);
    return at < 0 ? null : this.paths[this.entryPath[at]];
  }

  private firstAttempt(command: number): number {
    for (let i = this.firstOf[command]; i < this.endOf(command); i++)
      if (this.entryRole[this.order[i]] === Role.command) return this.order[i];
    return -1;
  }

  /**
   * The plain case, which most commands are: sent once, and a CommandAck on the same path that the first hop saw whole. True if it
   * is one; `plain` then says which. It is delivered whatever else there is to say, and nothing needs to be built to know it.
   */
  isPlainDelivery(command: number, slackNs: number): boolean {
    let attempt = -1;
    let ack = -1;
    for (let i = this.firstOf[command]; i < this.endOf(command); i++) {
      const at = this.order[i];
      if (this.entryRole[at] === Role.command) {
        if (attempt >= 0) return false;
        attempt = at;
      } else if (this.entryRole[at] === Role.commandAck && ack < 0) ack = at;
    }
    if (attempt < 0 || ack < 0 || this.entryPath[attempt] !== this.entryPath[ack]) return false;
    if (this.entryNs[ack] < this.entryNs[attempt] - slackNs) return false;
    const path = this.paths[this.entryPath[ack]];
    const row = path.fromClient.row(this.entryThread[ack], 0);
    const messages = this.views[0].observation?.messages;
    if (row < 0 || messages === undefined) return false;
    if (Number.isNaN(messages.tcpAckNs[row]) || messages.octetsSeen[row] < messages.octets(row)) return false;
    const { plain } = this;
    plain.path = path;
    plain.thread = this.entryThread[attempt];
    plain.timeNs = this.entryNs[attempt];
    plain.ackNs = commonNs(this.views[0], messages.sentNs[row]);
    return true;
  }

  /** The last plain delivery found: reused. */
  readonly plain = { path: null as Path | null, thread: 0, timeNs: 0, ackNs: 0 };

  /** After its last entry in `order`; of one that was only named, there is none. */
  private endOf(command: number): number {
    return command + 1 < this.firstOf.length ? this.firstOf[command + 1] : 0;
  }

  private collect(pathIndex: number, threads: ThreadTable, fromServer: boolean): void {
    for (let thread = 0; thread < threads.count; thread++) {
      for (let hop = 0; hop < threads.hops; hop++) {
        const row = threads.row(thread, hop);
        if (row < 0) continue;
        const observation = this.views[hop].observation as HopObservation;
        if (!this.meanings.mayHave(hop, observation, row)) continue;
        const meaning = this.meanings.of(hop, observation, row);
        if (meaning === null || (meaning.role === Role.command) !== fromServer) continue;
        this.add(pathIndex, thread, meaning.role, this.commandOf(hop, observation, meaning.id));
        this.entryNs[this.count - 1] = this.seenNs(threads, thread);
        break;
      }
    }
  }

  /** Common time at the innermost hop that tells one. */
  private seenNs(threads: ThreadTable, thread: number): number {
    for (let hop = 0; hop < threads.hops; hop++) {
      const row = threads.row(thread, hop);
      const messages = this.views[hop].observation?.messages;
      if (row < 0 || messages === undefined) continue;
      const timeNs = commonNs(this.views[hop], messages.sentNs[row]);
      if (!Number.isNaN(timeNs)) return timeNs;
    }
    return Number.NaN;
  }

  /** Each ID is looked up once for every hop, however often it occurs. */
  private commandOf(hop: number, { strings }: HopObservation, id: number): number {
    if (strings === this.ids) return id;
    this.known[hop] ??= new Int32Array(strings.count).fill(-1);
    const known = this.known[hop];
    if (known[id] < 0) known[id] = this.ids.internFrom(strings, id);
    return known[id];
  }

  private add(path: number, thread: number, role: RoleNumber, id: number): void {
    if (this.count === this.entryPath.length) {
      const size = this.count * 2;
      const grown = <T extends Int32Array | Uint8Array | Float64Array>(from: T, into: T): T => {
        into.set(from);
        return into;
      };
      this.entryPath = grown(this.entryPath, new Int32Array(size));
      this.entryThread = grown(this.entryThread, new Int32Array(size));
      this.entryRole = grown(this.entryRole, new Uint8Array(size));
      this.entryId = grown(this.entryId, new Int32Array(size));
      this.entryNs = grown(this.entryNs, new Float64Array(size));
    }
    this.entryPath[this.count] = path;
    this.entryThread[this.count] = thread;
    this.entryRole[this.count] = role;
    this.entryId[this.count++] = id;
  }

  /** IDs of commands that were sent, by their beginning. */
  idsStartingWith(beginning: string, most: number): string[] {
    const found: string[] = [];
    if (beginning === '') return found;
    for (let command = 0; command < this.ids.count && found.length < most; command++) {
      if (this.firstAttempt(command) < 0 && !this.dispatches.has(command)) continue;
      const id = this.ids.text(command);
      if (id === beginning) return [id];
      if (id.startsWith(beginning)) found.push(id);
    }
    return found;
  }

  /** A command that no frame tells of: asked for by dispatch or by the user. */
  name(id: string): number {
    return this.ids.internText(id);
  }

  /** Counting sort by command, then each command's few entries by time. */
  private index(): void {
    const commands = this.ids.count;
    this.firstOf = new Int32Array(commands + 1);
    for (let i = 0; i < this.count; i++) this.firstOf[this.entryId[i] + 1]++;
    for (let c = 0; c < commands; c++) this.firstOf[c + 1] += this.firstOf[c];
    const next = this.firstOf.slice();
    this.order = new Int32Array(this.count);
    for (let i = 0; i < this.count; i++) {
      const command = this.entryId[i];
      let at = next[command]++;
      for (; at > this.firstOf[command] && this.entryNs[this.order[at - 1]] > this.entryNs[i]; at--)
        this.order[at] = this.order[at - 1];
      this.order[at] = i;
    }
  }

  /** Only IDs that a server sent or somebody asked for are commands; a CommandAck alone proves that one was sent before the capture. */
  settleOrder(times: (command: number) => number): void {
    const all = new Int32Array(this.commands);
    const at = new Float64Array(this.commands);
    let count = 0;
    for (let c = 0; c < all.length; c++) {
      const timeNs = times(c);
      if (Number.isNaN(timeNs)) continue;
      at[c] = timeNs;
      all[count++] = c;
    }
    const commands = all.subarray(0, count);
    this.inTime = commands;
    for (let i = 1; i < count; i++)
      if (at[commands[i]] < at[commands[i - 1]]) {
        commands.sort((a, b) => at[a] - at[b] || a - b);
        return;
      }
  }
}
