/**
 * Finds commands among messages with unfamiliar names: the server sends a value that nobody said before, and the agent sends it back.
 * In: the candidates that the observers kept. Out: keys (type and path) with their roles. A guess about names, never about delivery:
 * it is said in the verdict's reasons that it was made.
 */

import type { HopObservation } from '../hop/observation.js';
import { Role, type RoleNumber } from '../message/profile.js';

export interface LearnedKeys {
  /** By candidate key, as text: of what the server sends, and of what the agent does. */
  fromServer: Map<string, RoleNumber>;
  fromClient: Map<string, RoleNumber>;
  /** "exec.req answered by ok.req, done.req". */
  words: string;
}

interface Use {
  fromServer: boolean;
  key: string;
  timeNs: number;
}

/** A value that comes back this often on average is a name or a counter, no ID of one command. */
const MAX_REPLIES_PER_VALUE = 6;
const MAX_SENT_PER_VALUE = 12;

export function learn(observations: readonly (HopObservation | null)[]): LearnedKeys | null {
  let best: HopObservation | null = null;
  for (const each of observations)
    if (each !== null && each.candidates.count > (best?.candidates.count ?? 0)) best = each;
  if (best === null) return null;
  const byValue = usesByValue(best);
  const asked = new Map<string, { values: number; sent: number; echoed: number; replies: number }>();
  const answers = new Map<string, Map<string, { count: number; place: number }>>();
  for (const uses of byValue.values()) {
    const first = uses[0];
    if (!first.fromServer) continue;
    const tally = asked.get(first.key) ?? { values: 0, sent: 0, echoed: 0, replies: 0 };
    asked.set(first.key, tally);
    tally.values++;
    tally.sent += uses.filter((use) => use.fromServer).length;
    const replies = uses.filter((use) => !use.fromServer);
    tally.replies += replies.length;
    if (replies.length === 0) continue;
    tally.echoed++;
    const byKey = answers.get(first.key) ?? new Map<string, { count: number; place: number }>();
    answers.set(first.key, byKey);
    const distinct = [...new Set(replies.map((reply) => reply.key))];
    distinct.forEach((key, place) => {
      const answer = byKey.get(key) ?? { count: 0, place: 0 };
      answer.count++;
      answer.place += place;
      byKey.set(key, answer);
    });
  }
  return chosen(asked, answers, best);
}

function chosen(
  asked: Map<string, { values: number; sent: number; echoed: number; replies: number }>,
  answers: Map<string, Map<string, { count: number; place: number }>>,
  observation: HopObservation,
): LearnedKeys | null {
  const perType = new Map<string, { key: string; echoed: number }>();
  for (const [key, { values, sent, echoed, replies }] of asked) {
    if (echoed === 0 || sent > values * MAX_SENT_PER_VALUE || replies > echoed * MAX_REPLIES_PER_VALUE) continue;
    const type = key.slice(0, key.indexOf(':'));
    if (echoed > (perType.get(type)?.echoed ?? 0)) perType.set(type, { key, echoed });
  }
  const fromServer = new Map<string, RoleNumber>();
  const fromClient = new Map<string, RoleNumber>();
  const words: string[] = [];
  for (const { key } of perType.values()) {
    fromServer.set(key, Role.command);
    const replies = [...(answers.get(key) ?? [])].sort((a, b) => a[1].place / a[1].count - b[1].place / b[1].count);
    replies.forEach(([reply], i) => {
      fromClient.set(reply, replyRole(nameOf(reply, observation), i, replies.length));
    });
    words.push(
      `${nameOf(key, observation)} answered by ${replies.map(([reply]) => nameOf(reply, observation)).join(', ')}`,
    );
  }
  return fromServer.size === 0 ? null : { fromServer, fromClient, words: words.join('; ') };
}

function replyRole(name: string, place: number, of: number): RoleNumber {
  if (/ack|accept|receiv|receipt/i.test(name)) return Role.commandAck;
  if (/result|done|output|complet|finish|fail|error|respon|repl/i.test(name)) return Role.result;
  return place === 0 && of > 1 ? Role.commandAck : Role.result;
}

/** `type:path` with the type's number put into its name. */
function nameOf(key: string, observation: HopObservation): string {
  const colon = key.indexOf(':');
  const type = Number(key.slice(0, colon));
  return `${type < 0 ? 'untyped' : observation.strings.text(type)}.${key.slice(colon + 1)}`;
}

/** 1 for each row of the message table that a server sent. */
export function rowsFromServer({ messages, connections }: HopObservation): Uint8Array {
  const fromServer = new Uint8Array(messages.count);
  for (const connection of connections) for (const row of connection?.fromServer.rows ?? []) fromServer[row] = 1;
  return fromServer;
}

function usesByValue(observation: HopObservation): Map<number, Use[]> {
  const { candidates, messages, strings } = observation;
  const fromServer = rowsFromServer(observation);
  const byValue = new Map<number, Use[]>();
  for (let i = 0; i < candidates.count; i++) {
    const row = candidates.row[i];
    const use = {
      fromServer: fromServer[row] === 1,
      key: strings.text(candidates.key[i]),
      timeNs: messages.sentNs[row],
    };
    const uses = byValue.get(candidates.value[i]);
    if (uses === undefined) byValue.set(candidates.value[i], [use]);
    else uses.push(use);
  }
  for (const uses of byValue.values()) uses.sort((a, b) => a.timeNs - b.timeNs);
  return byValue;
}
