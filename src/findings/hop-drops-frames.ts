/**
 * hop-drops-frames: a hop takes frames in on a connection and forwards none of them, Pings and Pongs included.
 * In: facts. Out: one finding for each such hop.
 */

import { cite } from './cite.js';
import type { Facts } from './facts.js';
import { type Found, nameOf, namesOf } from './found.js';
import { byHopAndSender, type Dropping, droppings, firstRefs } from './hop-drops.js';
import { counted, listed } from './words.js';

export function hopDropsFrames(facts: Facts, found: Found): void {
  const all = droppings(facts).filter(isDroppingAll);
  for (const group of byHopAndSender(all)) report(facts, found, group);
}

function isDroppingAll({ passages: { control, text } }: Dropping): boolean {
  // A hop that answers Pings itself is not deaf: it lives, and what it passes on is Text alone.
  return (
    control.lost.length > 0 &&
    text.lost.length > 0 &&
    control.passed.length + control.ended.length === 0 &&
    text.passed.length === 0
  );
}

function report(facts: Facts, found: Found, group: Dropping[]): void {
  const { hop, near, far, sender } = group[0];
  const name = facts.views[hop].name;
  const paths = group.map(({ path }) => path);
  const text = group.reduce((sum, each) => sum + each.passages.text.lost.length, 0);
  const control = group.reduce((sum, each) => sum + each.passages.control.lost.length, 0);
  const towards = sender === 'fromServer' ? 'agent' : 'server';
  found.add({
    id: 'hop-drops-frames',
    severity: 'error',
    paths,
    commands: group.flatMap(({ failed }) => failed.commands),
    summary:
      `${name} takes in every frame for ${listed(namesOf(paths))} and forwards none towards the ${towards}: ` +
      `${counted(text, 'Text message')} and ${counted(control, sender === 'fromServer' ? 'Ping' : 'Pong')} arrived and never left it.`,
    evidence: group.flatMap(({ path, passages: { control: pings, text: texts } }) => [
      ...cite(
        facts.views[near],
        firstRefs(facts, near, [...texts.lost.slice(0, 3), ...pings.lost.slice(0, 3)]),
        `${nameOf(path)}: frames that arrived at ${name}, TCP-ACKed, and are not in ${facts.views[far].name}'s own leg`,
      ),
    ]),
    next: `Look at ${name}: is its process for this connection hung, or its write to the next hop blocked? Its log and open sockets at that time.`,
  });
}
