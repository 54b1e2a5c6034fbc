/**
 * What the parts of one hop's observation share: clock, tables, scan and roles. In: observer.ts makes it. Out: the stack's parts.
 */

import { ByteStringTable } from '../message/byte-string-table.js';
import { KeyScan } from '../message/key-scan.js';
import { type Profile, type RoleNumber, RoleTable } from '../message/profile.js';
import { PacketClock } from '../tcp/packet-clock.js';
import { KeyLog } from '../tls/key-log.js';
import { Frame } from '../websocket/frame.js';
import { CandidateLog } from './candidate-log.js';
import { MessageTable } from './message-table.js';
import type { ObservedDispatch } from './observation.js';
import { RecordTable } from './record-table.js';
import type { FrameListener } from './side.js';

/** Messages of unfamiliar types that are kept at most, all types together. */
const MAX_UNKNOWN = 200_000;

export class HopContext {
  readonly clock = new PacketClock();
  readonly messages = new MessageTable();
  readonly records = new RecordTable();
  readonly strings = new ByteStringTable();
  readonly candidates = new CandidateLog(this.strings);
  readonly scan: KeyScan;
  readonly roles: RoleTable;
  readonly scratch = new Scratch();
  readonly endFrame = new Frame();
  readonly dispatches: ObservedDispatch[] = [];
  frameListener: FrameListener | null = null;
  /** A listing looks at each message once: no rows are kept, and IDs are not interned but read. */
  listing = false;
  /** Listings may want the decoded text of each message. */
  keepText = false;
  /** One command's story is asked for: every message of its time is wanted, not a sample. */
  keepAll = false;
  private readonly roleByType: RoleNumber[] = [];
  /** Types that were looked up. */
  typesSeen = 0;
  private unknownKept = 0;
  /** Pings and Pongs kept beyond each direction's own share. */
  controlRows = 0;
  /** Rows kept of segments that could not be read. */
  unreadRows = 0;

  constructor(
    readonly profile: Profile,
    readonly keyLog = new KeyLog(),
  ) {
    this.scan = new KeyScan(profile.typeKeys, profile.idKeys);
    this.roles = new RoleTable(profile);
  }

  roleOf(type: number): RoleNumber {
    const known = this.roleByType[type];
    if (known !== undefined) return known;
    const role = this.roles.roleOf(this.strings.text(type));
    this.roleByType[type] = role;
    this.typesSeen++;
    return role;
  }

  /** Messages of unfamiliar type are kept where the profile learns. */
  wantsUnknown(): boolean {
    return this.profile.learn && this.unknownKept < MAX_UNKNOWN && this.unknownKept++ >= 0;
  }
}

/** One buffer that grows to what is asked, for unmasked payloads. */
class Scratch {
  private bytes = new Uint8Array(4096);

  atLeast(length: number): Uint8Array {
    if (this.bytes.length < length) this.bytes = new Uint8Array(Math.max(length, this.bytes.length * 2));
    return this.bytes;
  }
}
