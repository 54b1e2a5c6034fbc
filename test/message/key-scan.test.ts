import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyScan } from '../../src/message/key-scan.js';
import { builtinProfile } from '../../src/message/profile.js';
import { embedded, octets } from '../support/octets.js';

const fresh = () => new KeyScan(builtinProfile.typeKeys, builtinProfile.idKeys);

function scan(text: string, by = fresh()): { type: string | null; id: string | null } {
  const { bytes, start, end } = embedded(octets(text), 3);
  const found = by.scan(bytes, start, end);
  const part = (from: number, to: number) => new TextDecoder().decode(bytes.subarray(from, to));
  return {
    type: found.typeEnd > found.typeStart ? part(found.typeStart, found.typeEnd) : null,
    id: found.idRank > 0 ? part(found.idStart, found.idEnd) : null,
  };
}

const ID = 'c-17';

describe('serde’s encodings of an enum', () => {
  const names = ['Command', 'command', 'CommandAck', 'command_ack', 'commandAck', 'command-ack', 'CommandResult'];
  const keys = ['id', 'command_id', 'commandId'];
  const cases = names.flatMap((name) => keys.map((key): [string, string] => [name, key]));

  it.each(cases)('%s with %s', (type, key) => {
    const found = { type, id: ID };
    const fields = { cmd: 'hostname', [key]: ID, args: ['-a'], timeout: 30 };
    for (const tag of ['type', 'kind', 'event', 'op', 'method', 'action', 'message_type', 'msgType'])
      expect(scan(JSON.stringify({ [tag]: type, ...fields }))).toEqual(found); // internally tagged
    for (const content of ['payload', 'data', 'content', 'body', 'params', 'c'])
      expect(scan(JSON.stringify({ type, [content]: fields }))).toEqual(found); // adjacently tagged
    expect(scan(JSON.stringify({ data: fields, type }))).toEqual(found);
    expect(scan(JSON.stringify({ [type]: fields }))).toEqual(found); // externally tagged
    expect(scan(JSON.stringify({ ...fields, type }))).toEqual(found);
  });

  it.each([
    ['a number', '{"type":"Command","id":4711}', '4711'],
    ['a number that ends the message', '{"type":"Command","payload":{"id":4711}}', '4711'],
    ['zero', '{"type":"Command","id":0}', '0'],
    ['a UUID', '{"Command":{"id":"6f1c2c1e-0b5a-4b5e-9c0e-0e8d5a1b2c3d"}}', '6f1c2c1e-0b5a-4b5e-9c0e-0e8d5a1b2c3d'],
  ])('the ID as %s', (_, text, id) => expect(scan(text)).toEqual({ type: 'Command', id }));

  it('a unit variant as a bare string', () => {
    expect(scan('"Heartbeat"')).toEqual({ type: 'Heartbeat', id: null });
    expect(scan(' "Heartbeat" ')).toEqual({ type: 'Heartbeat', id: null });
  });

  it('a variant that holds a plain value', () => {
    expect(scan('{"Heartbeat":1700000000}')).toEqual({ type: 'Heartbeat', id: null });
    expect(scan('{"Ping":null}')).toEqual({ type: 'Ping', id: null });
    expect(scan('{"Tags":["a","b"]}')).toEqual({ type: 'Tags', id: null });
  });

  it('nested once more', () => {
    expect(scan('{"type":"Command","payload":{"command":{"id":"c-17","cmd":"x"}}}').id).toBe(ID);
  });
});

describe('a message that was cut', () => {
  it('tells the type by the tag around what was cut, and only there', () => {
    const whole = JSON.stringify({ Command: { id: ID, script: 'x'.repeat(300) } });
    expect(scan(whole.slice(0, 120))).toEqual({ type: 'Command', id: ID });
    expect(scan('{"script":"xxxxxxxxxx')).toEqual({ type: null, id: null });
  });

  it('takes no ID of an argument for its own, which may follow', () => {
    const whole = '{"type":"Command","params":{"id":"svc-17","name":"Spooler"},"id":"c-17"}';
    expect(scan(whole).id).toBe(ID);
    expect(scan(whole.slice(0, 50))).toEqual({ type: 'Command', id: null });
  });

  it('takes no ID from further in than whole messages of its type have it', () => {
    const by = fresh();
    const whole = '{"type":"Command","payload":{"id":"svc-17","name":"Spooler"},"id":"c-17"}';
    // As serde's adjacent tagging has it, as far as anything is known.
    expect(scan(whole.slice(0, 50), by).id).toBe('svc-17');
    scan(whole, by);
    expect(scan(whole.slice(0, 50), by)).toEqual({ type: 'Command', id: null });
  });
});

describe('decoys', () => {
  it.each([
    ['an agent’s ID before the payload', '{"agent":{"id":"a-1"},"type":"Command","payload":{"id":"c-17"}}'],
    ['an agent’s ID after it', '{"type":"Command","payload":{"id":"c-17"},"agent":{"id":"a-1"}}'],
    ['an agent’s ID inside it', '{"type":"Command","payload":{"agent":{"id":"a-1"},"id":"c-17"}}'],
    ['an array of objects with IDs', '{"type":"Command","items":[{"id":"a-1"}],"id":"c-17"}'],
    ['an array within arrays', '{"type":"Command","m":[[{"id":"x"}],["]","{"]],"id":"c-17"}'],
    ['a value that looks like a key', '{"type":"Command","note":"\\"id\\":\\"x\\"","id":"c-17"}'],
    ['a value that is called id', '{"type":"Command","note":"id","id":"c-17"}'],
    ['braces and quotes in strings', '{"type":"Command","note":"}}]{\\"","id":"c-17"}'],
    ['a backslash at a string’s end', '{"type":"Command","dir":"C:\\\\","id":"c-17"}'],
    ['a deeper one', '{"type":"Command","env":{"a":{"b":{"c":{"id":"x"}}}},"id":"c-17"}'],
    ['keys that only begin or end alike', '{"type":"Command","idx":"x","uid":"y","ID":"z","id":"c-17"}'],
    ['an empty ID', '{"type":"Command","payload":{"id":""},"id":"c-17"}'],
    ['null as ID', '{"type":"Command","payload":{"id":null},"id":"c-17"}'],
    ['another type further in', '{"type":"Command","payload":{"type":"shell","id":"c-17"}}'],
    ['a lesser type key before the better one', '{"action":"run","type":"Command","id":"c-17"}'],
    ['a result’s own ID beside the command’s', '{"type":"Command","id":"r-9","command_id":"c-17"}'],
    ['the same, the other way round', '{"type":"Command","commandId":"c-17","id":"r-9"}'],
    ['the command’s ID further in', '{"type":"Command","id":"r-9","payload":{"command_id":"c-17"}}'],
    ['whitespace everywhere', '\r\n{ "type" :\t"Command" ,\n "payload" : { "id"\n:\n"c-17" } }\n'],
  ])('%s', (_, text) => expect(scan(text)).toEqual({ type: 'Command', id: ID }));

  it.each([
    ['an ID in an array only', '{"type":"Batch","items":[{"id":"x"}]}', 'Batch'],
    ['true and null', '{"type":"Pulse","id":null,"command_id":true}', 'Pulse'],
    ['no object', '[{"type":"Command","id":"x"}]', null],
    ['a number', '42', null],
    ['nothing', '', null],
    ['whitespace', ' \n', null],
  ])('%s: no ID', (_, text, type) => expect(scan(text)).toEqual({ type, id: null }));
});

describe('large messages', () => {
  const filler = JSON.stringify(Array.from({ length: 5000 }, (_, i) => ({ id: `x-${i}`, name: 'n"\\{}[]', v: [i] })));

  it('have their ID found behind 200 KB', () => {
    const text = `{"type":"CommandResult","output":${filler},"log":"${'y'.repeat(20_000)}","command_id":"c-17"}`;
    expect(text.length).toBeGreaterThan(200_000);
    expect(scan(text)).toEqual({ type: 'CommandResult', id: ID });
    expect(scan(`{"output":${filler},"id":"c-17","type":"CommandResult"}`)).toEqual({ type: 'CommandResult', id: ID });
  });
});

describe('escapes', () => {
  it('in what was found are reported', () => {
    const scanOf = (text: string) => fresh().scan(octets(text), 0, text.length).escaped;
    expect(scanOf('{"type":"Command","id":"a\\/b"}')).toBe(true);
    expect(scanOf('{"type":"Command","id":"ab","note":"\\n"}')).toBe(false);
  });
});

describe('habits', () => {
  const many = (by: KeyScan, text: (i: number) => string) => {
    for (let i = 0; i < 300; i++) scan(text(i), by);
  };

  it('do not change what is found in messages that are built alike', () => {
    const by = fresh();
    many(by, (i) => `{"type":"Command","agent":{"id":"a"},"payload":{"cmd":"x","id":"c-${i}"},"id":"late-${i}"}`);
    expect(scan('{"type":"Command","agent":{"id":"a"},"payload":{"cmd":"x","id":"c-1"},"id":"late-1"}', by).id).toBe(
      'late-1',
    );
  });

  it('of one type say nothing about another', () => {
    const by = fresh();
    many(by, () => '{"type":"Heartbeat","load":0.1}');
    expect(scan('{"type":"Command","load":0.1,"id":"c-17"}', by)).toEqual({ type: 'Command', id: ID });
  });

  const familiar = (by: KeyScan, type: string, quiet: boolean) =>
    by.familiar(octets(type), 0, octets(type).length, quiet);

  it('of unfamiliar types do not hide an ID that hundreds of messages did not have', () => {
    const by = fresh();
    many(by, () => '{"type":"msg","kind":"beat"}');
    expect(scan('{"type":"msg","kind":"cmd","id":"c-17"}', by).id).toBe(ID);
  });

  it('of familiar types do not hide one either', () => {
    const by = fresh();
    familiar(by, 'Command', false);
    many(by, () => '{"type":"Command","load":1}');
    expect(scan('{"type":"Command","load":1,"id":"c-17"}', by).id).toBe(ID);
  });

  it('stop at the ID of familiar types, and at the type of quiet ones', () => {
    const by = fresh();
    familiar(by, 'Command', false);
    familiar(by, 'Heartbeat', true);
    many(by, (i) => `{"type":"Command","id":"c-${i}"}`);
    const cut = (text: string) => by.scan(octets(text), 0, text.length);
    expect(cut('{"type":"Command","id":"c-17","args":[').settled).toBe(true);
    expect(cut('{"type":"Heartbeat","load":[').settled).toBe(true);
    expect(cut('{"type":"Other","id":"c-17","args":[').settled).toBe(false);
  });

  it('learn a better key further back within 64 messages', () => {
    const by = fresh();
    familiar(by, 'CommandResult', false);
    many(by, (i) => `{"type":"CommandResult","id":"r-${i}"}`);
    const text = '{"type":"CommandResult","id":"r-1","command_id":"c-17"}';
    for (let i = 0; i < 64; i++) scan(text, by);
    expect(scan(text, by).id).toBe(ID);
  });
});

describe('any octets', () => {
  it('are scanned without a throw, and within their bounds', () => {
    const by = fresh();
    const soup = fc.array(fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '\\', 'id', 'type', '1', ' '), {
      maxLength: 60,
    });
    const any = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      soup.map((parts) => octets(parts.join(''))),
      fc.json().chain((json) => fc.nat(json.length).map((n) => octets(json.slice(0, n)))),
    );
    fc.assert(
      fc.property(any, (text) => {
        const { bytes, start, end } = embedded(text, 4);
        const found = by.scan(bytes, start, end);
        for (const at of [found.typeStart, found.typeEnd, found.idStart, found.idEnd])
          expect(at === 0 || (at >= start && at <= end)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('agree with JSON.parse on messages of all encodings', () => {
    const word = fc.stringMatching(/^[A-Za-z_][\w-]{0,11}$/);
    const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.string());
    const noise = fc.dictionary(
      word
        .filter((key) => ![...builtinProfile.typeKeys, ...builtinProfile.idKeys].includes(key))
        .map((key) => `x${key}`),
      value.filter((v) => !/"(id|command_id|commandId)":/.test(JSON.stringify(v))),
      { maxKeys: 4 },
    );
    const id = fc.oneof(word, fc.nat(), fc.uuid());
    const spaces = fc.constantFrom(0, 1, '\t');
    fc.assert(
      fc.property(
        word,
        id,
        noise,
        noise,
        fc.constantFrom('id', 'command_id', 'commandId'),
        spaces,
        (type, id, a, b, key, space) => {
          const expected = { type, id: String(id) };
          for (const message of [
            { ...a, type, ...b, [key]: id },
            { [key]: id, ...a, type },
            { ...a, type, payload: { ...b, [key]: id } },
            { payload: { [key]: id, ...b }, ...a, type },
          ])
            expect(scan(JSON.stringify(message, null, space))).toEqual(expected);
          expect(scan(JSON.stringify({ [type]: { ...a, [key]: id } }, null, space))).toEqual(expected);
        },
      ),
      { numRuns: 200 },
    );
  });
});
