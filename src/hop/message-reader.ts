/**
 * Turns the frames of one direction into messages, reads type and ID, and keeps what later stages need. In: connection-stack.ts
 * with frames in stream order. Out: rows of the message table, completed when the other side's TCP ACK covers them.
 * RFC 6455 section 5.4, RFC 7692. Most messages are looked at and not kept: memory follows the commands, not the capture.
 */

import { hashOctets } from '../bytes/hash.js';
import { anotherFollows, objectsIn } from '../message/batch.js';
import { Role, type RoleNumber } from '../message/profile.js';
import type { HalfStream } from '../tcp/half-stream.js';
import { type Frame, Opcode } from '../websocket/frame.js';
import { MessageInflater } from '../websocket/inflate.js';
import { unmask } from '../websocket/unmask.js';
import type { HopContext } from './hop-context.js';
import { DIGEST_TAIL, digestOf } from './message-digest.js';
import { MessageFlag } from './message-table.js';
import { SentRows } from './sent-rows.js';

const MAX_MESSAGE = 8 << 20;
/**
 * Every Ping and Pong is kept until a hop has many; from then on the first ones of each direction, and those sent while a command
 * waits for its answer: it is with them that the command is compared.
 */
const FIRST_CONTROL_ROWS = 64;
const MANY_CONTROL_ROWS = 65_536;
const MAX_WAITING_ROWS = 8192;
/** Of the messages without a command ID so many of each direction are kept, and of the later ones a sample by digest: every hop picks the same. */
const FIRST_KEPT = 24;
const SAMPLE_MASK = 0x1f;
const MAX_SAMPLED = 512;
const MAX_PARTS_KEPT = 64;
/** Of a longer masked message only the beginning is unmasked at first: most say there what they are, and the rest is not looked at. */
const LAZY_FROM = 512;
const LAZY_HEAD = 256;
const OPENING_BRACE = 0x7b;
const OPENING_BRACKET = 0x5b;
const QUOTE = 0x22;
const SPACE = 0x20;
/** What most streams never have takes no memory: replaced by the first one. */
const NO_PARTS: Uint8Array[] = [];

export interface MessageOwner {
  connection: number;
  /** Commands sent on the connection that were not answered yet. */
  readonly waitingCommands: number;
  /** A message with an ID went by. */
  spoken(role: RoleNumber): void;
  /** Whether `text` looks into the message. */
  wantsText(reader: MessageReader): boolean;
  /** A whole text message: for the agent's name, as long as it is wanted. */
  text(reader: MessageReader, bytes: Uint8Array, start: number, end: number, role: RoleNumber): void;
  control(reader: MessageReader, opcode: number, digest: number, row: number): void;
}

export class MessageReader {
  readonly counts = { text: 0, binary: 0, ping: 0, pong: 0, close: 0 };
  closeCode: number | null = null;
  /** When the last whole Text or Binary message was complete. */
  lastMessageNs = Number.NaN;
  /** From when to when whole messages went by that are no JSON text: a command could stand in them unseen. */
  opaque: { fromNs: number; toNs: number } | null = null;
  inflater: MessageInflater | null = null;
  readonly sent: SentRows;
  /** What the last Text message said: for listings, valid until the next message. */
  lastType = -1;
  lastId = -1;
  /** The ID as text, in listings only. */
  lastIdText: string | null = null;
  lastText: Uint8Array | null = null;
  private parts: Uint8Array[] = NO_PARTS;
  private partsLength = 0;
  private assembling = -1;
  private compressed = false;
  private damaged = false;
  /** Octets of a frame of this message are missing. */
  private holed = false;
  private fragments = 0;
  private maskingKey = 0;
  /** The frame of the message at hand while only its head is unmasked. */
  private stillMasked: Frame | null = null;
  private sampled = 0;
  private plainMessages = 0;
  private waitingRows = 0;

  constructor(
    readonly half: HalfStream,
    private readonly context: HopContext,
    private readonly owner: MessageOwner,
  ) {
    this.sent = new SentRows(half, context, owner);
  }

  /** Octets from here on are still needed from the ledger. */
  needFrom(streamNeedsFrom: number): number {
    const oldest = this.sent.neededFrom(streamNeedsFrom);
    return Math.min(oldest, this.assembling >= 0 ? this.sent.messageFrom : streamNeedsFrom);
  }

  frame(frame: Frame): void {
    if (frame.opcode >= Opcode.close) {
      this.control(frame);
      return;
    }
    if (frame.opcode !== Opcode.continuation) {
      this.assembling = frame.opcode;
      this.compressed = frame.rsv1;
      this.sent.begin(frame.startOffset);
      this.maskingKey = frame.maskingKey;
      if (this.partsLength > 0) this.parts = NO_PARTS;
      this.partsLength = 0;
      this.damaged = this.holed = false;
      this.fragments = 0;
    } else if (this.assembling < 0) {
      this.assembling = Opcode.continuation; // its beginning was not seen
      this.sent.begin(frame.startOffset);
      this.damaged = true;
      this.holed = false;
    }
    this.fragments++;
    // What stands behind a hole of unknown content is no part of the text before it.
    const readable = !this.holed;
    if (frame.damaged) this.damaged = this.holed = true;
    if (!frame.fin || this.fragments > 1) this.sent.addSpan(frame);
    const whole = frame.fin && !frame.partial;
    const { scratch } = this.context;
    const count = frame.payloadEnd - frame.payloadStart;
    if (whole && this.fragments === 1) {
      if (!frame.masked) this.message(frame.bytes, frame.payloadStart, frame.payloadEnd, frame, 0);
      else {
        const bytes = scratch.atLeast(count);
        if (count > LAZY_FROM && !this.compressed && frame.opcode === Opcode.text && !this.context.keepText) {
          unmask(frame.bytes, frame.payloadStart, frame.payloadStart + LAZY_HEAD, frame.maskingKey, 0, bytes, 0);
          this.stillMasked = frame;
        } else unmask(frame.bytes, frame.payloadStart, frame.payloadEnd, frame.maskingKey, 0, bytes, 0);
        this.message(bytes, 0, count, frame, 0);
        this.stillMasked = null;
      }
      this.assembling = -1;
      return;
    }
    if (readable && this.partsLength + count <= MAX_MESSAGE) {
      const part = frame.masked ? new Uint8Array(count) : frame.bytes.slice(frame.payloadStart, frame.payloadEnd);
      if (frame.masked) unmask(frame.bytes, frame.payloadStart, frame.payloadEnd, frame.maskingKey, 0, part, 0);
      if (this.parts === NO_PARTS) this.parts = [];
      this.parts.push(part);
      this.partsLength += count;
      if (this.parts.length > MAX_PARTS_KEPT) this.parts = [joined(this.parts, this.partsLength)];
    } else this.damaged = true;
    if (!frame.fin && !frame.partial) return;
    const bytes = joined(this.parts, this.partsLength);
    this.message(bytes, 0, bytes.length, frame, frame.partial ? MessageFlag.partial : 0);
    this.assembling = -1;
    this.parts = NO_PARTS;
    this.partsLength = 0;
  }

  /** Framing was lost in the middle of a fragmented message. */
  abandon(): void {
    this.assembling = -1;
    this.parts = NO_PARTS;
    this.inflater?.forget();
  }

  /** The stream is over: a fragmented message without its end is partial too, and what waits for its TCP ACK waits in vain. */
  finish(): void {
    if (this.assembling >= 0) {
      const bytes = joined(this.parts, this.partsLength);
      this.context.endFrame.startOffset = this.sent.messageFrom;
      this.context.endFrame.endOffset = this.sent.next;
      this.context.endFrame.masked = false;
      this.message(bytes, 0, bytes.length, this.context.endFrame, MessageFlag.partial);
    }
    this.sent.finish();
  }

  private control(frame: Frame): void {
    const count = frame.payloadEnd - frame.payloadStart;
    let { bytes, payloadStart: start } = frame;
    if (frame.masked) {
      bytes = this.context.scratch.atLeast(count);
      unmask(frame.bytes, start, frame.payloadEnd, frame.maskingKey, 0, bytes, 0);
      start = 0;
    }
    // A Pong echoes its Ping's payload: both get the digest of a Ping.
    const digest = digestOf(frame.opcode === Opcode.close ? Opcode.close : Opcode.ping, bytes, start, start + count);
    this.lastType = this.lastId = -1;
    this.lastIdText = null;
    let row = -1;
    if (frame.opcode === Opcode.close) {
      this.counts.close++;
      if (count >= 2) this.closeCode ??= (bytes[start] << 8) | bytes[start + 1];
      if (!this.context.listing) row = this.sent.keep(frame, frame.opcode, count, digest, flagsOf(frame));
    } else {
      const seen = frame.opcode === Opcode.ping ? this.counts.ping++ : this.counts.pong++;
      if (this.context.listing) row = -1;
      else if (this.keepsControl(seen)) row = this.sent.keep(frame, frame.opcode, count, digest, flagsOf(frame));
    }
    if (row >= 0) this.context.messages.maskingKey[row] = frame.maskingKey;
    this.owner.control(this, frame.opcode, digest, row);
  }

  private keepsControl(seen: number): boolean {
    if (this.context.keepAll) return true;
    if (this.context.controlRows < MANY_CONTROL_ROWS) this.context.controlRows++;
    else if (seen >= FIRST_CONTROL_ROWS) return this.owner.waitingCommands > 0 && this.waitingRows++ < MAX_WAITING_ROWS;
    return true;
  }

  private message(bytes: Uint8Array, start: number, end: number, frame: Frame, extraFlags: number): void {
    let flags = flagsOf(frame) | extraFlags;
    if (this.damaged) flags |= MessageFlag.damaged;
    if (this.fragments > 1) flags |= MessageFlag.fragmented;
    if (this.compressed) {
      flags |= MessageFlag.compressed;
      const plain =
        (flags & (MessageFlag.damaged | MessageFlag.partial)) !== 0
          ? this.forgotten()
          : this.inflated(bytes, start, end);
      if (plain === null) flags |= MessageFlag.unreadable;
      bytes = plain ?? bytes;
      start = 0;
      end = plain?.length ?? 0;
    }
    const text = this.assembling === Opcode.text;
    // Senders that only know octets put their JSON into Binary messages: what reads as JSON is read.
    const isJson = end > start && (text || (this.assembling === Opcode.binary && beginsLikeJson(bytes[start])));
    if ((flags & MessageFlag.partial) === 0) {
      this.lastMessageNs = this.context.clock.timeNs;
      if (text) this.counts.text++;
      else this.counts.binary++;
    }
    this.lastText = null;
    const whole = (flags & (MessageFlag.partial | MessageFlag.damaged | MessageFlag.unreadable)) === 0;
    if (!isJson || (bytes[start] !== OPENING_BRACKET && bytes[start] > SPACE)) {
      const next = this.one(bytes, start, end, frame, flags, isJson, whole);
      if (next < end) this.others(bytes, next, end, frame, flags, whole);
      else if (!whole && isJson && this.context.scan.readsWhole) this.rest(frame, flags);
    } else if (!this.others(bytes, start, end, frame, flags, whole)) {
      this.one(bytes, start, end, frame, flags, true, whole);
      if (whole && this.lastType < 0) this.noteOpaque();
    }
  }

  /** Several messages in one frame: a row for each, of the same octets. False where it is one message in fact. */
  private others(bytes: Uint8Array, start: number, end: number, frame: Frame, flags: number, whole: boolean): boolean {
    if (this.stillMasked !== null) this.unmaskRest(bytes);
    const found = objectsIn(bytes, start, end);
    for (let i = 0; i < found.length; i += 2) this.one(bytes, found[i], found[i + 1], frame, flags, true, whole);
    if (this.context.keepText && found.length > 0) this.lastText = bytes.slice(start, end);
    if (!whole && found.length > 0) this.rest(frame, flags);
    return found.length > 0;
  }

  /** Behind the octets that are missing more messages may stand. */
  private rest(frame: Frame, flags: number): void {
    if (!this.context.listing) this.sent.keep(frame, this.assembling, 0, 0, flags | MessageFlag.rest);
  }

  /** One message; returns where the next one in the same frame begins, `end` if there is none. */
  private one(
    bytes: Uint8Array,
    start: number,
    end: number,
    frame: Frame,
    frameFlags: number,
    isJson: boolean,
    whole: boolean,
  ): number {
    let flags = frameFlags;
    let next = end;
    this.lastType = this.lastId = -1;
    this.lastIdText = null;
    const role = isJson ? this.read(bytes, start, end) : Role.other;
    if (isJson) {
      const { textEnd } = this.context.scan.result;
      // The rest is still masked, or seen to be another message.
      if (textEnd > 0 && textEnd < end && this.isFollowed(bytes, textEnd, end)) [next, end] = [textEnd, textEnd];
      // A line's end is no part of what it says.
      if (whole) while (end > start && bytes[end - 1] <= SPACE) end--;
    }
    const text = this.assembling === Opcode.text;
    if (this.lastType < 0 && this.lastId < 0 && end > start && whole && !(text && beginsLikeJson(bytes[start])))
      this.noteOpaque();
    // Some hop puts Text into Binary messages, or the other way: JSON is the same in both.
    let digest = digestOf(whole ? (isJson ? Opcode.text : this.assembling) : 0, bytes, start, end);
    // The ID may lie between the two ends that the digest covers.
    if (this.lastId >= 0) digest ^= Math.imul(this.context.strings.hashOf(this.lastId), 0x9e3779b1);
    // So may the agent's name, and there is hardly another message that tells a connection from all others.
    if (role === Role.authentication && whole) {
      if (this.stillMasked !== null) this.unmaskRest(bytes);
      digest = hashOctets(bytes, start, end, digest);
    }
    if (this.context.listing) return next;
    if (!whole && (role === Role.quiet || role === Role.authentication)) flags |= MessageFlag.named;
    if (this.lastId >= 0) this.owner.spoken(role);
    if (whole && this.assembling !== Opcode.continuation && !this.isWanted(role, digest)) return next;
    const row = this.sent.keep(frame, this.assembling, end - start, digest, flags);
    const { messages } = this.context;
    messages.maskingKey[row] = this.maskingKey;
    messages.type[row] = this.lastType;
    messages.id[row] = this.lastId;
    if (role === Role.unknown && whole && this.stillMasked !== null) this.unmaskRest(bytes);
    if (role === Role.unknown && whole) this.context.candidates.offer(row, this.lastType, bytes, start, end);
    return next;
  }

  private isFollowed(bytes: Uint8Array, textEnd: number, end: number): boolean {
    if (this.stillMasked !== null) this.unmaskRest(bytes);
    if (!anotherFollows(bytes, textEnd, end)) return false;
    this.context.scan.readsWhole = true;
    return true;
  }

  /** Type and ID of a text message; what is wanted of it besides goes to the owner. */
  private read(bytes: Uint8Array, start: number, end: number): RoleNumber {
    const { context } = this;
    let found = context.scan.scan(bytes, start, this.stillMasked === null ? end : start + LAZY_HEAD);
    if (this.stillMasked !== null && !found.settled) {
      this.unmaskRest(bytes);
      found = context.scan.scan(bytes, start, end);
    } else if (this.stillMasked !== null) this.unmaskTail(bytes, end);
    if (context.keepText) this.lastText = bytes.slice(start, end);
    let role: RoleNumber = Role.unknown;
    if (found.typeEnd > found.typeStart && found.typeEnd - found.typeStart <= 256) {
      this.lastType = found.escaped
        ? context.strings.internText(unescaped(bytes, found.typeStart, found.typeEnd))
        : context.strings.intern(bytes, found.typeStart, found.typeEnd);
      const typesBefore = context.typesSeen;
      role = context.roleOf(this.lastType);
      if (context.typesSeen > typesBefore && role !== Role.unknown && !found.escaped)
        context.scan.familiar(bytes, found.typeStart, found.typeEnd, role === Role.quiet && !context.listing);
    }
    // A number that ends where the octets end may have gone on.
    const isComplete = found.idRank > 0 && found.idEnd < end;
    if (isComplete && found.idEnd - found.idStart <= 256 && (role !== Role.quiet || context.listing)) {
      if (context.listing)
        this.lastIdText = found.escaped
          ? unescaped(bytes, found.idStart, found.idEnd)
          : shortText(bytes, found.idStart, found.idEnd);
      else
        this.lastId = found.escaped
          ? context.strings.internText(unescaped(bytes, found.idStart, found.idEnd))
          : context.strings.intern(bytes, found.idStart, found.idEnd);
    }
    if (this.stillMasked !== null && this.owner.wantsText(this)) this.unmaskRest(bytes);
    this.owner.text(this, bytes, start, end, role);
    return role;
  }

  private unmaskRest(bytes: Uint8Array): void {
    const { payloadStart, payloadEnd, maskingKey, bytes: masked } = this.stillMasked as Frame;
    unmask(masked, payloadStart + LAZY_HEAD, payloadEnd, maskingKey, LAZY_HEAD, bytes, LAZY_HEAD);
    this.stillMasked = null;
  }

  /** What the digest covers. */
  private unmaskTail(bytes: Uint8Array, end: number): void {
    const { payloadStart, payloadEnd, maskingKey, bytes: masked } = this.stillMasked as Frame;
    const from = end - DIGEST_TAIL;
    unmask(masked, payloadStart + from, payloadEnd, maskingKey, from, bytes, from);
  }

  private noteOpaque(): void {
    const { timeNs } = this.context.clock;
    if (this.opaque === null) this.opaque = { fromNs: timeNs, toNs: timeNs };
    else this.opaque.toNs = timeNs;
  }

  private isWanted(role: RoleNumber, digest: number): boolean {
    if (this.lastId >= 0 && (role === Role.command || role === Role.commandAck || role === Role.result)) return true;
    if (role === Role.authentication || this.context.keepAll) return true;
    if (role === Role.unknown && this.context.wantsUnknown()) return true;
    if (this.plainMessages++ < FIRST_KEPT) return true;
    return (digest & SAMPLE_MASK) === 0 && this.sampled++ < MAX_SAMPLED;
  }

  private inflated(bytes: Uint8Array, start: number, end: number): Uint8Array | null {
    this.inflater ??= new MessageInflater(false);
    return this.inflater.inflate(bytes.subarray(start, end));
  }

  private forgotten(): null {
    this.inflater?.forget();
    return null;
  }
}

function beginsLikeJson(octet: number): boolean {
  return octet === OPENING_BRACE || octet === OPENING_BRACKET || octet === QUOTE || octet <= SPACE;
}

function flagsOf(frame: Frame): number {
  return (
    (frame.masked ? MessageFlag.masked : 0) |
    (frame.damaged ? MessageFlag.damaged : 0) |
    (frame.partial ? MessageFlag.partial : 0)
  );
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  if (parts.length === 1) return parts[0];
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Text of few octets, quicker than a decoder where they are ASCII. */
function shortText(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; i++) {
    if (bytes[i] > 0x7e) return new TextDecoder().decode(bytes.subarray(start, end));
    text += String.fromCharCode(bytes[i]);
  }
  return text;
}

function unescaped(bytes: Uint8Array, start: number, end: number): string {
  const text = new TextDecoder().decode(bytes.subarray(start, end));
  try {
    return JSON.parse(`"${text}"`);
  } catch {
    return text;
  }
}
