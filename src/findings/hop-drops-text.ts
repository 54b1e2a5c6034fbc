/**
 * hop-drops-text: Pings and Pongs pass through a hop on a connection, and commands (or CommandAcks) do not, in the same time.
 * In: facts. Out: one finding for each hop and direction.
 */

import { cite } from './cite.js';
import type { Facts } from './facts.js';
import { type Found, nameOf, namesOf } from './found.js';
import { byHopAndSender, type Dropping, droppings, firstRefs } from './hop-drops.js';
import { counted, listed } from './words.js';

export function hopDropsText(facts: Facts, found: Found): void {
  const all = droppings(facts).filter(
    ({ path, passages: { control, text } }) =>
      !found.has(path, 'hop-drops-frames') &&
      text.lost.length > 0 &&
      control.passed.length > 0 &&
      control.lost.length === 0,
  );
  for (const group of byHopAndSender(all)) report(facts, found, group);
}

function report(facts: Facts, found: Found, group: Dropping[]): void {
  const { hop, near, far, sender } = group[0];
  const name = facts.views[hop].name;
  const paths = group.map(({ path }) => path);
  const towardsAgent = sender === 'fromServer';
  const sum = (count: (each: Dropping) => number) => group.reduce((total, each) => total + count(each), 0);
  const lost = sum((each) => each.passages.text.lost.length);
  const passedText = sum((each) => each.passages.text.passed.length);
  const passedControl = sum((each) => each.passages.control.passed.length);
  const what = towardsAgent ? 'Text message' : 'Text message (CommandAck or result)';
  found.add({
    id: 'hop-drops-text',
    severity: 'error',
    paths,
    commands: group.flatMap(({ failed }) => failed.commands),
    summary:
      `${name} does not pass on ${passedText > 0 ? 'some Text messages' : 'Text messages'} ${towardsAgent ? 'to' : 'from'} ${listed(namesOf(paths))}: ` +
      `${lost} arrived and never left it, while ${counted(passedControl, towardsAgent ? 'Ping' : 'Pong')}` +
      `${passedText > 0 ? ` and ${counted(passedText, 'other Text message')}` : ''} passed in the same time.`,
    evidence: group.flatMap(({ path, passages: { control, text } }) => [
      ...cite(
        facts.views[near],
        firstRefs(facts, near, text.lost),
        `${nameOf(path)}: ${what} arrived at ${name}, TCP-ACKed, and never left it`,
      ),
      ...cite(
        facts.views[far],
        firstRefs(
          facts,
          far,
          control.passed.map((each) => each.far),
        ),
        `${nameOf(path)}: ${towardsAgent ? 'Pings' : 'Pongs'} that passed in the same time`,
      ),
    ]),
    next: `Look for what filters WebSocket messages at ${name}: a module, WAF or inspection rule, a message size limit; try a path without it.`,
  });
}
