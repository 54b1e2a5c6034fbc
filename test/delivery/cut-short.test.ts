import { describe, expect, it } from 'vitest';
import { command, frame } from '../support/frames.js';
import { hear } from '../support/verdict.js';
import { Scene } from './scene.js';

const CUT = /no ID of a command is in the captures: at origin, nginx, npm packets were cut/;

describe('captures of which all are cut before any ID', () => {
  it('say what left and was TCP-ACKed', async () => {
    const { origin, nginx, npm } = new Scene().goOn(3000).captures;
    const cut = await hear({ origin: origin.cut(58), nginx: nginx.cut(58), npm: npm.cut(58) });
    expect(cut.commands).toEqual([]);
    const warning = cut.warnings.find((each) => CUT.test(each));
    expect(warning).toContain('capture with tcpdump -s 0');
    expect(warning).toContain('all that left npm on 1 connection was TCP-ACKed');
  });

  it('say on how many connections it was not', async () => {
    const scene = new Scene();
    const npm = scene.chain.legs[2];
    const data = frame(command('c-1'));
    const at = npm.sent('server');
    for (const ms of [2000, 2200, 2600, 3400, 5000]) npm.segment(ms, 'server', { data, at });
    const { origin, nginx, npm: outer } = scene.captures;
    const { warnings } = await hear({ origin: origin.cut(58), nginx: nginx.cut(58), npm: outer.cut(58) });
    expect(warnings.find((each) => CUT.test(each))).toContain(
      'of what left npm on 1 connection all was TCP-ACKed but the last octets on 1 of them',
    );
  });

  it('say nothing of the kind where an ID was read, or nothing was cut', async () => {
    const { origin, nginx, npm } = new Scene().goOn(3000).captures;
    const read = await hear({ origin, nginx: nginx.cut(58), npm: npm.cut(58) });
    expect(read.warnings.join()).not.toMatch(/no ID of a command/);
    const quiet = new Scene().captures.origin.between(0, 900);
    expect((await hear({ origin: quiet })).warnings.join()).not.toMatch(/no ID of a command/);
  });
});
