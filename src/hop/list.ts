/**
 * Listings of one capture: every WebSocket frame, every TCP connection. In: cli/ with files. Out: FrameEvents one by one,
 * ConnectionSummaries at the end. The same stack as the observer's, with a listener on its frames.
 */

import { inWords } from '../evidence/issue.js';
import { loadProfile } from '../message/load-profile.js';
import { formatEndpoint } from '../packet/address.js';
import { type Frame, Opcode } from '../websocket/frame.js';
import type { ConnectionStack } from './connection-stack.js';
import type { ConnectionSummary, FrameEvent } from './frame-event.js';
import type { ObservedConnection, ObservedFile, ObservedHalf } from './observation.js';
import { keyLogOf, readFiles } from './observe.js';
import { Observer } from './observer.js';
import type { Side } from './side.js';
import { asStamped } from './steady-clock.js';
import { isoTime } from './timestamp.js';

export interface ListOptions {
  profile?: unknown;
  showPayloads?: boolean;
  /** TLS key logs as their files hold them. */
  keyLogs?: Uint8Array[];
  onProgress?: (progress: { hop: string; file: string; octetsRead: number; octetsTotal: number | null }) => void;
  warn?: (text: string) => void;
}

const OPCODES = ['continuation', 'text', 'binary', '', '', '', '', '', 'close', 'ping', 'pong'];
const decoder = new TextDecoder();

export async function listFrames(
  files: string[],
  options: ListOptions,
  sink: (frame: FrameEvent) => unknown,
): Promise<void> {
  const pending: Promise<unknown>[] = [];
  for (const file of files) {
    const observer = new Observer(await loadProfile(options.profile), keyLogOf(options.keyLogs ?? []));
    const lister = new FrameLister(observer, file, options.showPayloads === true, (event) => {
      const result = sink(event);
      if (result instanceof Promise) pending.push(result);
    });
    observer.context.frameListener = (stack, side, frame) => lister.frame(stack, side, frame);
    observer.context.listing = true;
    observer.context.keepText = options.showPayloads === true;
    const { observed } = await readFiles([file], observer, progressOf(options));
    observer.finish();
    lister.release();
    await Promise.all(pending);
    warnOf(observer, observed, options);
  }
}

export async function listConnections(files: string[], options: ListOptions): Promise<ConnectionSummary[]> {
  const observer = new Observer(await loadProfile(options.profile), keyLogOf(options.keyLogs ?? []));
  const { observed, epochSeconds } = await readFiles(files, observer, progressOf(options));
  const connections = observer.finish();
  warnOf(observer, observed, options);
  const digits = observed.some(({ summary }) => summary.timeDigits === 9) ? 9 : 6;
  return connections.map((connection) =>
    summaryOf(connection, (timeNs) => isoTime(asStamped(timeNs, observer.steady.setBacks), epochSeconds, digits)),
  );
}

function progressOf(options: ListOptions) {
  return (file: string, octetsRead: number, octetsTotal: number | null) =>
    options.onProgress?.({ hop: '', file, octetsRead, octetsTotal });
}

/** What was wrong with the files themselves, and with packets in them. */
function warnOf(observer: Observer, observed: readonly ObservedFile[], options: ListOptions): void {
  for (const { file, summary } of observed)
    for (const text of inWords(summary.issues, summary.issueCounts)) options.warn?.(`${file}: ${text}`);
  const [{ file }] = observed;
  const { issues, counts } = observer.decoder.issues;
  for (const text of inWords(issues, counts, observed.length === 1)) options.warn?.(`${file}: ${text}`);
}

/** Makes a FrameEvent of each frame; the time base is known once the first packet was read. */
class FrameLister {
  private readonly names = new Map<ConnectionStack, [string, string]>();
  private readonly types: string[] = [];

  constructor(
    private readonly observer: Observer,
    private readonly file: string,
    private readonly showPayloads: boolean,
    private readonly sink: (event: FrameEvent) => void,
  ) {}

  frame(stack: ConnectionStack, side: Side, frame: Frame): void {
    const { context } = this.observer;
    const { direction } = side.half;
    const message = frame.fin && !frame.partial && frame.opcode <= Opcode.binary;
    const { lastType, lastIdText, lastText } = side.messages;
    const { half } = side;
    const { messages } = side;
    const seen = messages.sent.isFresh(frame.startOffset)
      ? null
      : half.ledger.range(
          messages.sent.wireStart(frame.startOffset),
          Math.min(messages.sent.wireEnd(frame.endOffset), half.highest),
        );
    const known = stack.tcp.clientDirection ?? stack.clientByContent;
    const [a, b] = this.namesOf(stack);
    this.sink({
      file: this.file,
      packet: seen?.lastRef || context.clock.ref,
      firstPacket: seen?.refs[0] ?? context.clock.ref,
      at:
        isoTime(
          asStamped(
            seen === null || Number.isNaN(seen.lastSentNs) ? context.clock.timeNs : seen.lastSentNs,
            this.observer.steady.setBacks,
          ),
          this.observer.epochSeconds,
          this.observer.timeDigits,
        ) ?? '',
      connection: stack.tcp.index,
      source: direction === 0 ? a : b,
      destination: direction === 0 ? b : a,
      from:
        known === null && stack.clientDirection() === direction && !frame.masked
          ? 'unknown'
          : stack.clientDirection() === direction
            ? 'client'
            : 'server',
      opcode: OPCODES[frame.opcode] || `opcode-${frame.opcode}`,
      fin: frame.fin,
      rsv1: frame.rsv1,
      masked: frame.masked,
      length: frame.payloadLength,
      partial: frame.partial,
      startOffset: frame.startOffset,
      endOffset: frame.endOffset,
      type: message && lastType >= 0 ? this.typeText(lastType) : null,
      id: message ? lastIdText : null,
      closeCode: frame.opcode === Opcode.close ? side.messages.closeCode : null,
      payload: this.showPayloads && message && lastText !== null ? decoder.decode(lastText) : null,
    });
  }

  private typeText(type: number): string {
    this.types[type] ??= this.observer.context.strings.text(type);
    return this.types[type];
  }

  release(): void {
    this.names.clear();
  }

  private namesOf(stack: ConnectionStack): [string, string] {
    let names = this.names.get(stack);
    if (names === undefined) {
      const { tcp } = stack;
      names = [formatEndpoint(tcp.addressA, tcp.portA), formatEndpoint(tcp.addressB, tcp.portB)];
      this.names.set(stack, names);
    }
    return names;
  }
}

export function endpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function summaryOf(connection: ObservedConnection, iso: (timeNs: number) => string | null): ConnectionSummary {
  const { handshake, fromServer, fromClient, tls } = connection;
  return {
    connection: connection.index,
    client: endpoint(connection.clientAddress, connection.clientPort),
    server: endpoint(connection.serverAddress, connection.serverPort),
    protocol: connection.protocol,
    tlsVersion: tls?.version ?? null,
    cipherSuite: tls?.cipherSuite ?? null,
    serverName: tls?.serverName ?? null,
    alpn: tls?.alpn ?? null,
    decrypted: tls?.decrypted ?? null,
    unreadable: tls?.unreadable ?? null,
    resumed: tls?.resumed ?? null,
    renegotiations: tls?.renegotiations ?? null,
    clientRandom: tls?.clientRandom ?? null,
    agent: connection.agentNames[0] ?? null,
    openedAt: iso(connection.openedNs),
    closedAt: iso(connection.closedNs),
    closedBy: connection.closedBy,
    handshake: handshake?.accepted ? 'seen' : 'missing',
    path: handshake?.path ?? null,
    extensions: handshake?.extensions ?? null,
    firstAt: iso(connection.firstNs) ?? '',
    lastAt: iso(connection.lastNs) ?? '',
    packets: connection.packets,
    fromServer: countsOf(fromServer),
    fromClient: countsOf(fromClient),
    pingsAnswered: connection.pings.answered,
    retransmissions: fromServer.retransmissions + fromClient.retransmissions,
    closeCode: fromServer.closeCode ?? fromClient.closeCode,
  };
}

function countsOf(half: ObservedHalf): ConnectionSummary['fromServer'] {
  const { counts, next: octets, missedOctets, foundByBits } = half;
  return { ...counts, octets, missedOctets, foundByBits: Number.isNaN(foundByBits) ? null : foundByBits };
}
