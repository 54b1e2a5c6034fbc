#!/usr/bin/env node
// The lab that makes the samples: `node samples/lab/lab.mjs [scenario…]` as root. See samples/README.md.
// Options: --out DIR (default: samples/), --list, --check-tools.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { expectedFrom } from './expected.mjs';
import { sweep } from './network.mjs';
import { World } from './world.mjs';

const SCENARIO_LIMIT_MS = 180_000;
const scenarioDir = fileURLToPath(new URL('scenarios', import.meta.url));
const names = readdirSync(scenarioDir).map((file) => file.replace('.mjs', ''));

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string', default: fileURLToPath(new URL('..', import.meta.url)) },
    list: { type: 'boolean' },
    'check-tools': { type: 'boolean' },
  },
});

function missingTools() {
  const missing = [];
  const tools = {
    openssl: 'version',
    tcpdump: '--version',
    nginx: '-v',
    haproxy: '-v',
    apache2: '-v',
    ip: '-V',
    iptables: '-V',
    tc: '-V',
    sysctl: '-V',
  };
  for (const [tool, flag] of Object.entries(tools)) {
    try {
      execFileSync(tool, [flag], { stdio: 'ignore' });
    } catch {
      missing.push(tool);
    }
  }
  try {
    createRequire(import.meta.url).resolve('ws');
  } catch {
    missing.push('node_modules/ws (npm ci)');
  }
  if (process.getuid?.() !== 0) missing.push('root');
  else if (!missing.includes('ip')) {
    try {
      execFileSync('ip', ['netns', 'add', `lasthop${process.pid}-probe`], { stdio: 'ignore' });
      execFileSync('ip', ['netns', 'del', `lasthop${process.pid}-probe`], { stdio: 'ignore' });
    } catch {
      missing.push('network namespaces');
    }
  }
  return missing;
}

const lines = (entries) => entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
const byTime = (a, b) => (a.at < b.at ? -1 : 1);
const json = (value) => `${JSON.stringify(value, null, 1)}\n`;

/** A scenario says which outcomes each of its faulty agents comes to, and means all others to be delivered. */
function checkOutcomes({ outcomes = {}, agents }, commands) {
  for (const { id } of agents) {
    const wanted = outcomes[id] ?? ['delivered'];
    const had = new Set(commands.filter((c) => c.agent === id).map((c) => c.outcome));
    const same = wanted.length === had.size && wanted.every((outcome) => had.has(outcome));
    if (!same) throw new Error(`${id}: meant to be ${wanted}, came out as ${[...had]}`);
  }
}

/** Where gateways wrote keys of their own: those of the legs further out, by hop. */
function ownKeys(key, lab) {
  const own = {};
  let inner = key;
  for (;;) {
    const found = lab.find((e) => e.event === 'own-key' && e.inner === inner);
    if (found === undefined) return Object.keys(own).length > 0 ? { ownKeys: own } : {};
    own[found.hop] = found.outer;
    inner = found.outer;
  }
}

/** The WebSockets that the server had. Where it was killed, that moment ended those which were open. */
function connectionsFrom({ server, lab }) {
  const of = (event, conn) => server.filter((e) => e.event === event && e.conn === conn);
  return server
    .filter((e) => e.event === 'open')
    .map(({ conn, key, at }) => {
      const killed = lab.find((e) => e.event === 'server-killed' && e.at > at);
      return {
        conn,
        agent: of('auth', conn)[0]?.agent ?? null,
        key,
        ...ownKeys(key, lab),
        openedAt: at,
        closedAt: of('close', conn)[0]?.at ?? killed?.at ?? null,
        pings: of('ping', conn).length,
        pongs: of('pong', conn).length,
      };
    });
}

/** Turns what one run has left behind into the sample's folder. */
function write(world, to) {
  const { scenario, notes } = world;
  for (const [kind, entries] of Object.entries(notes)) {
    // What came after the captures is no part of what they can show.
    notes[kind] = entries.filter((entry) => entry.at <= world.capturedUntil).sort(byTime);
  }
  const hops = world.hops.map(({ hop }) => hop);
  const { deadlineMs, name, description } = scenario;
  const oneWay = world.hops.filter((each) => each.oneWay).map(({ hop }) => hop);
  const all = expectedFrom(notes, { hops, deadlineMs, capturedUntil: world.capturedUntil, oneWay });
  checkOutcomes(scenario, all);
  // Asked for without an ID and never answered: nothing on the wire names these.
  const commands = all.filter((command) => command.idIn !== 'nowhere');
  const unnamed = all.filter((command) => command.idIn === 'nowhere').map(({ agent, why }) => ({ agent, why }));

  const files = world.files();
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  for (const { file } of files) cpSync(join(world.dir, file), join(to, file));
  writeFileSync(join(to, 'server.log.jsonl'), lines(notes.server));
  writeFileSync(join(to, 'agents.log.jsonl'), lines(notes.agents));
  writeFileSync(join(to, 'lab.log.jsonl'), lines(notes.lab));
  const keyLog = world.keyLog.length > 0 ? 'keys.log' : undefined;
  if (keyLog) writeFileSync(join(to, keyLog), world.keyLog.map(({ line }) => line).join(''));
  const proxyKeyLogs = {};
  for (const [hop, secrets] of Object.entries(world.proxyKeyLogs)) {
    proxyKeyLogs[hop] = `keys-${hop}.log`;
    writeFileSync(join(to, proxyKeyLogs[hop]), secrets.map((line) => `${line}\n`).join(''));
  }
  const { ackTimeout, options: flags = [] } = scenario;
  const { capturedFrom, capturedUntil, packets } = world;
  const dropped = Object.keys(world.dropped).length > 0 ? { dropped: world.dropped } : {};
  writeFileSync(
    join(to, 'scenario.json'),
    json({
      ...{ name, description, hops: files, keyLog },
      ...(Object.keys(proxyKeyLogs).length > 0 ? { proxyKeyLogs } : {}),
      ...{ ackTimeout, options: flags, capturedFrom, capturedUntil, packets, ...dropped },
    }),
  );
  const connections = connectionsFrom(notes);
  const byOutcome = {};
  for (const { outcome } of commands) byOutcome[outcome] = (byOutcome[outcome] ?? 0) + 1;
  const { findings = {}, hypotheses = {} } = scenario;
  writeFileSync(
    join(to, 'expected.json'),
    json({
      scenario: name,
      summary: { commands: commands.length, byOutcome },
      findings,
      hypotheses,
      connections,
      commands,
      unnamed,
    }),
  );
  return { byOutcome, files, to };
}

let current = null;

async function runScenario(name) {
  const { default: scenario } = await import(`./scenarios/${name}.mjs`);
  scenario.name = name;
  scenario.ackTimeout ??= '3s';
  scenario.deadlineMs = Number.parseFloat(scenario.ackTimeout) * 1000;
  const world = new World(scenario);
  current = world;
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${SCENARIO_LIMIT_MS} ms`)), SCENARIO_LIMIT_MS);
  });
  try {
    const play = async () => {
      await world.open();
      await scenario.play(world);
    };
    await Promise.race([play(), limit]);
    const { byOutcome, files, to } = write(world, join(options.out, name));
    const sizes = files.map(({ file }) => `${file} ${statSync(join(to, file)).size}`);
    process.stderr.write(`${name}: ${JSON.stringify(byOutcome)}  ${sizes.join('  ')}\n`);
  } catch (error) {
    // The logs of a failed run are the only way to see why it failed.
    for (const [kind, entries] of Object.entries(world.notes)) {
      writeFileSync(join(world.dir, `${kind}.log.jsonl`), lines(entries));
    }
    error.message += ` (left for inspection: ${world.dir})`;
    world.keep = true;
    throw error;
  } finally {
    clearTimeout(timer);
    await world.close();
    if (!world.keep) rmSync(world.dir, { recursive: true, force: true });
    current = null;
  }
}

async function main() {
  if (options.list) {
    process.stdout.write(`${names.join('\n')}\n`);
    return 0;
  }
  const missing = missingTools();
  if (missing.length > 0) {
    process.stderr.write(`missing: ${missing.join(', ')}\n`);
    return 1;
  }
  if (options['check-tools']) return 0;
  const unknown = positionals.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    process.stderr.write(`no such scenario: ${unknown.join(', ')} (there are: ${names.join(', ')})\n`);
    return 2;
  }
  sweep();
  let failed = 0;
  for (const name of positionals.length > 0 ? positionals : names) {
    try {
      await runScenario(name);
    } catch (error) {
      failed++;
      process.stderr.write(`${name}: FAILED: ${error.stack}\n`);
    }
  }
  return failed > 0 ? 1 : 0;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, async () => {
    await current?.close();
    if (current) rmSync(current.dir, { recursive: true, force: true });
    process.exit(130);
  });
}
process.exitCode = await main();
process.exit();
