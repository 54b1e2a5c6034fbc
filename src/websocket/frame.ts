/**
 * One WebSocket frame as read from a stream: a mutable struct, reused. In: frame-reader.ts fills it. Out: whoever follows the stream,
 * within the call. RFC 6455 section 5.2.
 */

export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

const NOTHING = new Uint8Array(0);

export class Frame {
  fin = false;
  rsv1 = false;
  opcode = 0;
  masked = false;
  /** The four octets of the masking key, first one lowest. 0 where not masked. */
  maskingKey = 0;
  /** Payload octets, still masked, at `bytes[payloadStart..payloadEnd)`: fewer than `payloadLength` where damaged, partial or too long to keep. */
  bytes: Uint8Array = NOTHING;
  payloadStart = 0;
  payloadEnd = 0;
  /** As the header says. */
  payloadLength = 0;
  /** Stream offsets of the whole frame, header included. */
  startOffset = 0;
  endOffset = 0;
  /** Octets of the payload lie in a gap of the capture: what is there is only what stood before the gap. */
  damaged = false;
  /** The stream ended inside the frame; `endOffset` is then where it would have ended. */
  partial = false;
}

/** Why octets cannot start a frame of this stream; null where they can. `second` is the header's second octet. */
export function headerFault(first: number, second: number, rsv1Allowed: boolean): string | null {
  const opcode = first & 0x0f;
  if ((first & 0x30) !== 0) return 'reserved bits are set (RSV2 or RSV3)';
  if ((first & 0x40) !== 0 && (!rsv1Allowed || (opcode !== Opcode.text && opcode !== Opcode.binary)))
    return 'RSV1 is set where no extension allows it';
  if (opcode > 10 || (opcode > 2 && opcode < 8)) return `opcode ${opcode} is reserved`;
  if (opcode >= 8 && (first & 0x80) === 0) return 'a control frame is fragmented';
  if (opcode >= 8 && (second & 0x7f) > 125) return 'a control frame claims more than 125 octets';
  return null;
}
