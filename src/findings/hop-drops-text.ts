/**
 * hop-drops-text: Pings and Pongs pass through a hop on a connection, and commands (or CommandAcks) do not, in the same time. A hop
 * that ends WebSocket on both sides passes no Pings: there its own on the leg to which it does not forward are the contrast.
 * In: facts. Out: one finding for each hop and direction.
 */

import { cite } from './cite.js';
import type { Facts } from './facts.js';
import { type Found, nameOf, namesOf } from './found.js';
import { byHopAndSender, type Dropping, droppings, firstRefs } from './hop-drops.js';
import { counted, listed } from './words.js';

export function hopDropsText(facts: Facts, found: Found): void {
  const all = droppings(facts).filter(
    (each) =>
      !found.has(each.path, 'hop-drops-frames') &&
      each.passages.text.lost.length > 0 &&
      each.passages.control.lost.length === 0 &&
      (each.passages.control.passed.length > 0 || endsControl(each)),
  );
  for (const group of byHopAndSender(all)) report(facts, found, group);
}

/** No Ping passes, since the hop answers them itself; the ones that it sends say that the leg behind it works. */
function endsControl({ passages: { control }, ownControl }: Dropping): boolean {
  return control.passed.length === 0 && control.ended.length > 0 && ownControl.length > 0;
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
  const ended = sum((each) => each.passages.control.ended.length);
  const own = sum((each) => (endsControl(each) ? each.ownControl.length : 0));
  const their = towardsAgent ? 'Ping' : 'Pong';
  const contrast =
    own === 0
      ? `${counted(passedControl, their)}${passedText > 0 ? ` and ${counted(passedText, 'other Text message')}` : ''} passed in the same time`
      : `it ${towardsAgent ? `answered ${counted(ended, their)} itself` : `took ${counted(ended, their)} to Pings of its own`}` +
        ` and sent ${counted(own, 'control frame')} of its own on its other leg`;
  const what = towardsAgent ? 'Text message' : 'Text message (CommandAck or result)';
  found.add({
    id: 'hop-drops-text',
    severity: 'error',
    paths,
    commands: group.flatMap(({ failed }) => failed.commands),
    summary:
      `${name} does not pass on ${passedText > 0 ? 'some Text messages' : 'Text messages'} ${towardsAgent ? 'to' : 'from'} ${listed(namesOf(paths))}: ` +
      `${lost} arrived and never left it, while ${contrast}.`,
    evidence: group.flatMap(({ path, ownControl, passages: { control, text } }) => [
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
        `${nameOf(path)}: ${their}s that passed in the same time`,
      ),
      ...cite(
        facts.views[far],
        control.passed.length > 0 ? [] : firstRefs(facts, far, ownControl),
        `${nameOf(path)}: control frames that ${name} itself sent in the same time`,
      ),
    ]),
    next: `Look for what filters WebSocket messages at ${name}: a module, WAF or inspection rule, a message size limit; try a path without it.`,
  });
}
