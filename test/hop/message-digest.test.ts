import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/hop/message-digest.js';
import { octets } from '../support/octets.js';

const digest = (text: string) => digestOf(1, octets(text), 0, octets(text).length);

describe('digestOf', () => {
  it('tells apart short messages that differ in the middle only: Heartbeats of two agents', () => {
    const beat = (agent: string) => `{"sequence":17,"agent_id":"${agent}","type":"Heartbeat","uptime_secs":86400}`;
    expect(digest(beat('PST-SERVER-1'))).not.toBe(digest(beat('PST-SERVER-2')));
    expect(digest(beat('PST-SERVER-1'))).toBe(digest(beat('PST-SERVER-1')));
  });

  it('looks at the ends and the length of long ones', () => {
    const long = (middle: string) => `{"type":"Metrics","a":"${'x'.repeat(100)}${middle}${'y'.repeat(100)}"}`;
    expect(digest(long('1'))).toBe(digest(long('2')));
    expect(digest(long('1'))).not.toBe(digest(long('11')));
    expect(digest(`${long('1')} `)).not.toBe(digest(`${long('1')}\n`));
  });
});
