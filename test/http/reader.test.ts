import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MessageHead } from '../../src/http/message-head.js';
import { type BodyRule, HttpReader } from '../../src/http/reader.js';
import { cut, embedded, octets } from '../support/octets.js';

type Rules = (head: MessageHead) => BodyRule;

interface Heard {
  events: string[];
  state: string;
  readTo: number;
}

const lines = (...all: string[]) => all.join('\r\n');

/** What a reader says of octets that come in these pieces; the bodies' pieces are put together. */
function hear(
  kind: 'request' | 'response',
  text: string,
  lengths = [1 << 20],
  rules: Rules = () => 'by-fields',
): Heard {
  const events: string[] = [];
  let body = '';
  const reader = new HttpReader(kind, {
    head(head, from, to) {
      events.push(`head ${from}-${to} ${head.kind === 'request' ? `${head.method} ${head.target}` : head.status}`);
      return rules(head);
    },
    body(bytes, start, end) {
      body += new TextDecoder().decode(bytes.subarray(start, end));
    },
    end(to) {
      events.push(`end ${to} ${body}`);
      body = '';
    },
  });
  let offset = 0;
  for (const [i, piece] of cut(octets(text), lengths).entries()) {
    const { bytes, start, end } = embedded(piece, i % 7);
    const readTo = reader.read(bytes, start, end, offset);
    if (readTo < end) return { events, state: reader.state, readTo: offset + readTo - start };
    offset += piece.length;
  }
  if (body !== '') events.push(`rest ${body}`);
  return { events, state: reader.state, readTo: offset };
}

const RESPONSES = lines(
  'HTTP/1.1 100 Continue',
  '',
  'HTTP/1.1 200 OK',
  'Content-Length: 5',
  '',
  'helloHTTP/1.1 200 OK',
  'Transfer-Encoding: chunked',
  '',
  '4;name=value',
  'Wiki',
  'A',
  'pedia in c',
  '0',
  'Expires: never',
  'X-More: x',
  '',
  'HTTP/1.1 204 No Content',
  '',
  'HTTP/1.1 304 Not Modified',
  'Content-Length: 77',
  '',
  'HTTP/1.1 200 OK',
  'Content-Length: 0',
  '',
  'HTTP/1.1 502 Bad Gateway',
  '',
  'until the end',
);

/** RFC 9112 section 6.3, cases 1 and 2. */
const noBody: Rules = ({ status }) => (status < 200 || status === 204 || status === 304 ? 'none' : 'by-fields');

function where(text: string, part: string, from = 0): number {
  return text.indexOf(part, from) + part.length;
}

describe('responses', () => {
  const whole = hear('response', RESPONSES, undefined, noBody);

  it('are read one after the other, each with its own kind of body', () => {
    expect(whole.events.map((event) => event.replace(/ \d+(-\d+)?/, ''))).toEqual([
      'head 100',
      'end ',
      'head 200',
      'end hello',
      'head 200',
      'end Wikipedia in c',
      'head 204',
      'end ',
      'head 304',
      'end ',
      'head 200',
      'end ',
      'head 502',
      'rest until the end',
    ]);
  });

  it('carry the offsets of their heads and ends', () => {
    const second = where(RESPONSES, '100 Continue\r\n\r\n');
    const body = where(RESPONSES, 'Content-Length: 5\r\n\r\n');
    expect(whole.events.slice(2, 4)).toEqual([`head ${second}-${body} 200`, `end ${body + 5} hello`]);
    expect(whole.events[5]).toBe(`end ${where(RESPONSES, 'X-More: x\r\n\r\n')} Wikipedia in c`);
  });

  it('are the same octet by octet', () => expect(hear('response', RESPONSES, [1], noBody)).toEqual(whole));

  it('are the same however they are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 9 }), (lengths) => {
        expect(hear('response', RESPONSES, lengths, noBody)).toEqual(whole);
      }),
    );
  });

  it('to HEAD have no body, whatever they say', () => {
    const text = lines('HTTP/1.1 200 OK', 'Content-Length: 5', '', 'HTTP/1.1 404 Not Found', '', '');
    expect(hear('response', text, [3], () => 'none').events.map((event) => event.split(' ')[0])).toEqual([
      'head',
      'end',
      'head',
      'end',
    ]);
  });
});

describe('requests', () => {
  const text = lines(
    'GET /one HTTP/1.1',
    'Host: a',
    '',
    'POST /two HTTP/1.1',
    'content-length: 3',
    '',
    'abcPUT /three HTTP/1.0',
    'Transfer-Encoding: CHUNKED',
    '',
    '1',
    'x',
    '0',
    '',
    'GET /four HTTP/1.1',
    '',
    '',
  );

  it('may follow each other without waiting (pipelining)', () => {
    const { events } = hear('request', text);
    expect(events.map((event) => event.replace(/ \d+(-\d+)?/, ''))).toEqual([
      'head GET /one',
      'end ',
      'head POST /two',
      'end abc',
      'head PUT /three',
      'end x',
      'head GET /four',
      'end ',
    ]);
    expect(hear('request', text, [1]).events).toEqual(events);
  });

  it('may stand behind empty lines (RFC 9112 section 2.2)', () => {
    const { events } = hear('request', '\r\n\r\nGET / HTTP/1.1\r\n\r\n', [1]);
    expect(events).toEqual(['head 4-22 GET /', 'end 22 ']);
  });

  it('may end their lines with LF alone', () => {
    expect(hear('request', 'GET / HTTP/1.1\nHost: a\n\n').events).toEqual(['head 0-24 GET /', 'end 24 ']);
  });
});

describe('after an Upgrade', () => {
  it.each(['upgraded', 'hold'] as const)('%s: the rest is handed back', (rule) => {
    const text = 'GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x81\x05hello';
    const head = text.indexOf('\x81');
    for (const lengths of [[1 << 20], [1], [7], [head]]) {
      const { events, state, readTo } = hear('request', text, lengths, () => rule);
      expect([events, state, readTo]).toEqual([[`head 0-${head} GET /ws`], 'stopped', head]);
    }
  });
});

describe('octets that are no HTTP', () => {
  it.each([
    ['a WebSocket frame', 'response', '\x81\x05hello\n\n'],
    ['a request where a response is due', 'response', 'GET / HTTP/1.1\r\n\r\n'],
    ['a chunk without a size', 'response', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
    ['a line that never ends', 'request', 'x'.repeat(70_000)],
    ['HTTP/2', 'request', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ] as const)('%s', (_, kind, text) => {
    expect(hear(kind, text).state).toBe('failed');
    expect(hear(kind, text, [1]).state).toBe('failed');
  });

  it('never make it throw', () => {
    fc.assert(fc.property(fc.string({ maxLength: 300 }), (text) => void hear('response', text, [11])));
  });
});

describe('a gap', () => {
  function reader() {
    const events: string[] = [];
    const http = new HttpReader('response', {
      head: (_, __, to) => {
        events.push(`head ${to}`);
        return 'by-fields';
      },
      body: (_, start, end) => void events.push(`body ${end - start}`),
      end: (to) => void events.push(`end ${to}`),
    });
    let offset = 0;
    const feed = (text: string) => {
      http.read(octets(text), 0, text.length, offset);
      offset += text.length;
    };
    const gap = (length: number) => {
      offset += length;
      return http.gap(length, offset);
    };
    return { events, http, feed, gap };
  }

  it('inside a body of known length leaves the framing as it is', () => {
    const { events, feed, gap } = reader();
    feed('HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nabc');
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n'.length;
    expect(gap(10)).toBe(true);
    feed('1234567HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    expect(events).toEqual([`head ${head}`, 'body 3', 'body 7', `end ${head + 20}`, 'head 97', 'end 97']);
  });

  it('may take the body’s end', () => {
    const { events, feed, gap } = reader();
    feed('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n');
    expect(gap(5)).toBe(true);
    expect(events).toEqual(['head 38', 'end 43']);
  });

  it('inside a chunk leaves the framing as it is', () => {
    const { events, feed, gap } = reader();
    feed('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nab');
    expect(gap(6)).toBe(true);
    feed('\r\n0\r\n\r\n');
    expect(events.at(-1)).toMatch(/^end/);
  });

  it('in a body without an end changes nothing', () => {
    const { http, feed, gap } = reader();
    feed('HTTP/1.1 200 OK\r\n\r\nabc');
    expect(gap(1000)).toBe(true);
    expect(http.state).toBe('until-close');
  });

  it.each([
    ['in a head', 'HTTP/1.1 200'],
    ['between messages', ''],
    ['beyond the body', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab'],
    ['in a chunk’s size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ])('%s loses the framing', (_, before) => {
    const { http, feed, gap } = reader();
    feed(before);
    expect(gap(100)).toBe(false);
    expect(http.state).toBe('failed');
  });
});
