// One run of one scenario: network, proxies, server, agents, captures; and what the scenario's script can do with them.

import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apache } from './apache.mjs';
import { finishFiles, startCaptures } from './capture.mjs';
import { isoMicros } from './events.mjs';
import { haproxy, keyLines } from './haproxy.mjs';
import { impairments } from './impair.mjs';
import { Network } from './network.mjs';
import { literal, npmNginx, originNginx } from './nginx.mjs';
import { Processes, sh, sleep } from './processes.mjs';

const HOPS = {
  origin: { ns: 'origin', iface: 'lo', filter: 'tcp port 3001' },
  nginx: { ns: 'origin', iface: 'eth0', filter: 'tcp port 80 or icmp or icmp6' },
  npm: { ns: 'npm', iface: 'eth0', filter: 'tcp port 80 or tcp port 443 or icmp or icmp6' },
};

export class World {
  notes = { server: [], agents: [], lab: [] };
  /** NSS key log of the agents, line by line. */
  keyLog = [];
  /** The same of a proxy that ends TLS, by hop. */
  proxyKeyLogs = {};
  processes = new Processes();
  agents = new Map();
  proxies = new Map();
  #captures = [];
  /** Packets that the kernel dropped, by hop. */
  dropped = {};

  constructor(scenario) {
    this.scenario = scenario;
    this.dir = mkdtempSync(join(tmpdir(), 'lasthop-lab-'));
    this.hops = Object.entries(scenario.captures ?? { origin: {}, nginx: {}, npm: {} }).map(([name, options]) => ({
      hop: name,
      ...(HOPS[options.at ?? name] ?? { ...HOPS.npm, ns: name }),
      ...options,
      // The leg towards the agents alone: without the inner connection, which leaves by the same interface.
      ...(options.outerOnly ? { filter: '(tcp port 80 or tcp port 443) and not host 10.20.0.10' } : {}),
    }));
  }

  async open() {
    const { scenario } = this;
    const sites = [];
    for (const agent of scenario.agents) {
      sites[agent.site - 1] = (sites[agent.site - 1] ?? 0) + 1;
      agent.host = sites[agent.site - 1];
    }
    this.network = new Network({ sites, ...scenario.network });
    this.network.build();
    this.impair = impairments(this.network);
    if (!scenario.captureLater) await this.startCaptures();

    const { plan, ns } = this.network;
    const note = (kind) => (entry) => (entry.event === 'keylog' ? this.keyLog : this.notes[kind]).push(entry);
    this.startServer = async (more = {}) => {
      const config = { ...scenario.server, ...more };
      this.server = await this.processes.forkIn(ns('origin'), 'server.mjs', config, note('server'));
    };
    await this.startServer();
    const { host } = scenario.server ?? {};
    this.dispatcher = await this.processes.forkIn(ns('origin'), 'dispatcher.mjs', { host }, note('server'));

    const proxy = async (hop, netns, relayTo, config, host = plan[hop === 'npm' ? 'npm' : 'origin'].host) => {
      const place = { hop, host, port: 80, ...relayTo };
      const gateway = scenario.gateway?.[hop];
      if (gateway) return this.processes.forkIn(ns(netns), 'gateway.mjs', { ...place, ...gateway }, note('lab'));
      const tunnel = scenario.apache?.[hop];
      if (tunnel !== undefined) {
        const upstream = `${relayTo.upstreamHost}:${relayTo.upstreamPort}`;
        return this.#apache(hop, netns, { listen: place.host, upstream, tunnel: tunnel === 'wstunnel' });
      }
      const relay = scenario.relay?.[hop];
      if (!relay) return this.proxies.set(hop, await this.#nginx(hop, netns, config));
      const how = Array.isArray(relay) ? { rules: relay } : relay;
      return this.processes.forkIn(ns(netns), 'relay.mjs', { ...place, ...how }, note('lab'));
    };
    const { readTimeout, innerTls = false, shutdownTimeout } = scenario;
    const { host: server = '127.0.0.1' } = scenario.server ?? {};
    const certificate = scenario.agents.some((agent) => agent.tls) && !scenario.mute ? this.#certificate() : null;
    if (innerTls)
      await this.#haproxy('nginx', 'origin', { listen: plan.origin.host, certificate, upstream: '127.0.0.1:3001' });
    else
      await proxy('nginx', 'origin', { upstreamHost: server, upstreamPort: 3001 }, (dir) =>
        originNginx(dir, { listen: plan.origin.host, server, readTimeout: readTimeout?.nginx, shutdownTimeout }),
      );
    const [npmNs, listen] = scenario.network?.docker ? ['npmc', '172.17.0.2'] : ['npm', plan.npm.host];
    const upstream = `${plan.origin.host}:80`;
    if (scenario.haproxy) await this.#haproxy('npm', npmNs, { listen, certificate, upstream, realIp: true });
    else
      await proxy('npm', npmNs, { upstreamHost: plan.origin.host, upstreamPort: 80 }, (dir) =>
        npmNginx(dir, {
          listen,
          upstream: plan.origin.host,
          readTimeout: readTimeout?.npm,
          certificate,
          innerTls,
          shutdownTimeout,
        }),
      );

    let inward = plan.npm.host;
    for (const { name, at } of this.network.edges) {
      const to = inward;
      if (scenario.edges?.[name] === 'haproxy')
        await this.#haproxy(name, name, { listen: at.host, upstream: `${literal(to)}:80`, realIp: true });
      else
        await proxy(
          name,
          name,
          { upstreamHost: to, upstreamPort: 80 },
          (dir) => npmNginx(dir, { listen: at.host, upstream: to }),
          at.host,
        );
      inward = at.host;
    }

    for (const { ns, ...at } of scenario.mute ?? [])
      await this.processes.forkIn(this.network.ns(ns), 'mute.mjs', at, note('lab'));
    if (scenario.middlebox) await this.#middlebox(scenario.middlebox, note('lab'));

    for (const { site, host, ...agent } of scenario.agents) {
      const config = { ...agent, localAddress: plan.site(site).host(host), target: plan.service };
      const started = await this.processes.forkIn(ns(`site${site}`), 'agent.mjs', config, note('agents'));
      this.agents.set(agent.id, { ...started, address: config.localAddress, site });
    }
  }

  async #nginx(hop, netns, config) {
    const dir = join(this.dir, `nginx-${hop}`);
    mkdirSync(dir);
    writeFileSync(join(dir, 'nginx.conf'), config(dir));
    const child = this.processes.spawnIn(this.network.ns(netns), 'nginx', [
      ...['-p', dir, '-c', join(dir, 'nginx.conf'), '-e', join(dir, 'error.log')],
      ...['-g', 'daemon off;'],
    ]);
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    await sleep(250);
    if (child.exitCode !== null) throw new Error(`nginx at ${hop}: ${said}`);
    return { child };
  }

  async #apache(hop, netns, config) {
    const dir = join(this.dir, `apache-${hop}`);
    mkdirSync(dir);
    writeFileSync(join(dir, 'apache.conf'), apache(dir, config));
    const args = ['-f', join(dir, 'apache.conf'), '-DFOREGROUND'];
    const child = this.processes.spawnIn(this.network.ns(netns), 'apache2', args);
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    await sleep(500);
    if (child.exitCode !== null) throw new Error(`apache2 at ${hop}: ${said}`);
    return { child };
  }

  /** With TLS where a certificate is given. */
  async #haproxy(hop, netns, { certificate, ...config }) {
    const file = join(this.dir, `haproxy-${hop}.cfg`);
    const pem = certificate ? join(this.dir, `haproxy-${hop}.pem`) : null;
    if (pem) writeFileSync(pem, readFileSync(certificate.cert, 'utf8') + readFileSync(certificate.key, 'utf8'));
    writeFileSync(file, haproxy({ ...config, certificate: pem }));
    const child = this.processes.spawnIn(this.network.ns(netns), 'haproxy', ['-db', '-f', file]);
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    let written = '';
    child.stdout.on('data', (chunk) => {
      written += chunk;
      if (pem) this.proxyKeyLogs[hop] = keyLines(written);
    });
    await sleep(400);
    if (child.exitCode !== null) throw new Error(`haproxy at ${hop}: ${said}`);
    return { child };
  }

  /** Made for this run, and gone with it. */
  #certificate() {
    const [cert, key] = [join(this.dir, 'cert.pem'), join(this.dir, 'key.pem')];
    const words = 'req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=rmm.example.net'.split(' ');
    sh(['openssl', ...words, '-keyout', key, '-out', cert]);
    return { cert, key };
  }

  /** A box on the path of one site that ends TCP itself, past the last hop: a relay in the firewall. */
  async #middlebox({ site, ...config }, onNote) {
    const { plan } = this.network;
    const at = { hop: 'middlebox', transparent: true, host: '0.0.0.0', port: 8081 };
    const to = { upstreamHost: plan.npm.host, upstreamPort: 80 };
    this.network.fw(`-t nat -I PREROUTING -s ${plan.site(site).net} -p tcp --dport 80 -j REDIRECT --to-ports 8081`);
    await this.processes.forkIn(this.network.ns('fw'), 'relay.mjs', { ...at, ...to, ...config }, onNote);
  }

  async startCaptures() {
    for (const hop of this.hops) {
      this.#captures.push(...(await startCaptures(this.processes, this.network.ns(hop.ns), hop, this.dir)));
    }
    this.capturedFrom = isoMicros();
  }

  // ---- for the scenarios' scripts ----

  sleep = sleep;

  /** Starts agents (all, unless named) and waits until the server knows them. */
  async connect(...ids) {
    const names = ids.length > 0 ? ids : [...this.agents.keys()];
    for (const id of names) {
      await this.agents.get(id).call('start');
      await sleep(40);
    }
    await this.online(...names);
    await sleep(400);
  }

  async online(...ids) {
    for (let i = 0; i < 150; i++) {
      const online = await this.server.call('online');
      if (ids.every((id) => online.includes(id))) return;
      await sleep(100);
    }
    throw new Error(`not online after 15 s: ${ids}`);
  }

  /** Waits until the server has this agent's connection no more. */
  async gone(id) {
    for (let i = 0; i < 100; i++) {
      if (!(await this.server.call('online')).includes(id)) return;
      await sleep(50);
    }
    throw new Error(`still online after 5 s: ${id}`);
  }

  /** Asks for a command over HTTP; resolves to its ID, or null where the server did not answer. */
  async dispatch(agent, body = { command: 'hostname' }, { reuse = false, timeoutMs } = {}) {
    const path = `/api/agents/${agent}/command`;
    const answer = await this.dispatcher.call('post', { path, body, reuse, timeoutMs });
    return answer.body?.command_id ?? null;
  }

  /** From now on, what is sent to this agent ends so. Words as in the specification. */
  fault(agent, verdict) {
    this.endFault(agent);
    this.notes.lab.push({ at: isoMicros(), event: 'fault', agent, ...verdict });
  }

  endFault(agent) {
    const open = this.notes.lab.filter((f) => f.event === 'fault' && f.agent === agent && !f.until);
    for (const fault of open) fault.until = isoMicros();
  }

  /** `how`: reconnect, reset (by RST), or abandon (the old connection stays open). */
  async reconnect(agent, how = 'reconnect', settleMs = 400) {
    const before = this.notes.server.filter((e) => e.event === 'auth' && e.agent === agent).length;
    await this.agents.get(agent).call(how);
    for (let i = 0; i < 500; i++) {
      if (this.notes.server.filter((e) => e.event === 'auth' && e.agent === agent).length > before)
        return sleep(settleMs);
      await sleep(20);
    }
    throw new Error(`${agent} did not reconnect`);
  }

  /** Waits for the agent's next Pong and a moment more: then nothing of its connection is in flight. */
  async afterPong(agent) {
    const { conn } = this.notes.server.filter((e) => e.event === 'auth' && e.agent === agent).at(-1);
    const pongs = () => this.notes.server.filter((e) => e.event === 'pong' && e.conn === conn).length;
    const before = pongs();
    for (let i = 0; pongs() === before && i < 1000; i++) await sleep(10);
    await sleep(120);
  }

  async killServer() {
    const { child } = this.server;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    await this.server.call('online'); // its notes up to here have then arrived
    child.kill('SIGKILL');
    await gone;
    this.notes.lab.push({ at: isoMicros(), event: 'server-killed' });
  }

  async restartServer() {
    await this.startServer({ connectionsBefore: this.notes.server.filter((e) => e.event === 'open').length });
  }

  /** A client of another protocol in the namespace of a hop: it greets, and waits for an answer. */
  async greet(ns, { host, port, greeting }) {
    await this.processes.forkIn(this.network.ns(ns), 'mute.mjs', { connectTo: host, port, greeting }, (entry) =>
      this.notes.lab.push(entry),
    );
  }

  /** nginx at a hop takes up a new configuration: new workers, and the old ones end after worker_shutdown_timeout. */
  reload(hop) {
    this.notes.lab.push({ at: isoMicros(), event: 'reload', hop });
    this.proxies.get(hop).child.kill('SIGHUP');
  }

  stop(agent) {
    this.agents.get(agent).child.kill('SIGSTOP');
  }

  continue(agent) {
    this.agents.get(agent).child.kill('SIGCONT');
  }

  /** tcpdump gets no processor: what its buffer does not hold, the kernel drops. */
  pauseCapture(hop) {
    this.#signalCapture(hop, 'SIGSTOP');
    this.notes.lab.push({ at: isoMicros(), event: 'capture-paused', hop });
  }

  resumeCapture(hop) {
    this.notes.lab.push({ at: isoMicros(), event: 'capture-resumed', hop });
    this.#signalCapture(hop, 'SIGCONT');
  }

  #signalCapture(hop, name) {
    for (const capture of this.#captures) if (capture.hop === hop) capture.signal(name);
  }

  /** Octets that mean nothing, read or sent in the namespace of a hop. */
  async bulk(ns, config) {
    await this.processes.forkIn(this.network.ns(ns), 'bulk.mjs', config, (entry) => this.notes.lab.push(entry));
  }

  /** Ends the offers, lets every deadline pass with Pings and Heartbeats going on, and ends the captures. */
  async finish(extraMs = 2500) {
    await this.server.call('freeze');
    await sleep(this.scenario.deadlineMs + extraMs);
    await this.stopCaptures();
  }

  async stopCaptures() {
    // tcpdump may lose what its last ring block holds: what counts has to be older than that.
    this.capturedUntil = isoMicros();
    this.packets = {};
    for (const { hop, stop } of this.#captures.splice(0)) {
      const { packets, dropped } = await stop();
      this.packets[hop] = (this.packets[hop] ?? 0) + packets;
      if (dropped > 0) this.dropped[hop] = dropped;
    }
  }

  files() {
    return this.hops.flatMap((hop) => {
      const { clockOffsetMs, clockSteps, lateMs, oneWay, snap } = hop;
      const made = Object.entries({ clockOffsetMs, clockSteps, lateMs, oneWay, snap }).filter(([, value]) => value);
      return finishFiles(this.dir, hop).map((file) => ({ name: hop.hop, file, ...Object.fromEntries(made) }));
    });
  }

  async close() {
    await this.processes.endAll();
    this.network?.remove();
  }
}
