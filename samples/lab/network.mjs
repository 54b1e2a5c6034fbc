// The lab's network: namespaces joined by veth pairs through one firewall namespace.
//
//   agents (one namespace per site) ── fw ── npm      203.0.113.10:80 is DNATed to npm,
//                                      └─── origin    each site is SNATed to one address of its own
//
// Further hops (`edges`, from npm outward) hang on the firewall as npm does; the service is then DNATed to the outermost of them.
//
// Loss and black holes are made in `fw`, never on a hop's own host: tcpdump sees egress packets after OUTPUT
// and ingress packets before INPUT, and would otherwise show what the wire never carried.

import { isLab, sh } from './processes.mjs';

const V4 = {
  service: '203.0.113.10',
  origin: { host: '10.20.0.10', gateway: '10.20.0.1', bits: 24 },
  npm: { host: '10.30.0.20', gateway: '10.30.0.1', bits: 24 },
  edge: (i) => ({ host: `10.4${i}.0.30`, gateway: `10.4${i}.0.1`, bits: 24 }),
  site: (i) => ({
    net: `192.168.${10 + i}.0/24`,
    gateway: `192.168.${10 + i}.1`,
    host: (h) => `192.168.${10 + i}.${20 + h}`,
    public: `198.51.100.${10 + i}`,
    bits: 24,
  }),
};

const V6 = {
  service: null, // the outermost hop's own address: no NAT
  origin: { host: '2001:db8:20::10', gateway: '2001:db8:20::1', bits: 64 },
  npm: { host: '2001:db8:30::20', gateway: '2001:db8:30::1', bits: 64 },
  edge: (i) => ({ host: `2001:db8:4${i}::30`, gateway: `2001:db8:4${i}::1`, bits: 64 }),
  site: (i) => ({
    net: `2001:db8:1${i}::/64`,
    gateway: `2001:db8:1${i}::1`,
    host: (h) => `2001:db8:1${i}::${20 + h}`,
    public: null,
    bits: 64,
  }),
};

const PREFIX = 'lasthop';

/** Removes what a lab that was killed has left behind. */
export function sweep() {
  for (const line of sh('ip netns list').split('\n')) {
    const name = line.split(' ')[0];
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid && Number(pid) !== process.pid && !isLab(pid)) removeNamespace(name);
  }
}

function removeNamespace(name) {
  for (const pid of sh(`ip netns pids ${name}`, { tolerate: true }).split('\n').filter(Boolean)) {
    sh(`kill -9 ${pid}`, { tolerate: true });
  }
  sh(`ip netns del ${name}`, { tolerate: true });
}

export class Network {
  #made = [];

  constructor({ sites, family = 4, docker = false, mirror = false, vxlan = false, sysctl = {}, edges = [] }) {
    const plan = family === 6 ? V6 : V4;
    this.edges = edges.map((name, i) => ({ name, at: plan.edge(i + 1) }));
    this.outermost = this.edges.at(-1)?.at.host ?? plan.npm.host;
    this.plan = { ...plan, service: plan.service ?? this.outermost };
    this.family = family;
    this.iptables = family === 6 ? 'ip6tables' : 'iptables';
    this.docker = docker;
    this.mirror = mirror;
    this.vxlan = vxlan;
    this.ns = (name) => `${PREFIX}${process.pid}-${name}`;
    this.sites = sites;
    this.sysctl = sysctl;
  }

  #namespace(name, sysctl = {}) {
    const ns = this.ns(name);
    sh(`ip netns add ${ns}`);
    this.#made.push(ns);
    sh(`ip -n ${ns} link set lo up`);
    const settings = {
      'net.ipv4.ip_forward': 1,
      'net.ipv4.conf.all.rp_filter': 0,
      'net.ipv6.conf.all.disable_ipv6': this.family === 6 ? 0 : 1,
      'net.ipv6.conf.all.forwarding': 1,
      ...sysctl,
    };
    for (const [key, value] of Object.entries(settings)) {
      sh(['ip', 'netns', 'exec', ns, 'sysctl', '-qw', `${key}=${value}`]);
    }
  }

  #address(name, dev, address, bits) {
    sh(`ip -n ${this.ns(name)} addr add ${address}/${bits} dev ${dev}${this.family === 6 ? ' nodad' : ''}`);
  }

  /** A veth pair between `name`'s eth0 and the firewall's interface of that name. */
  #cable(name, { gateway, bits }, addresses) {
    const [ns, fw] = [this.ns(name), this.ns('fw')];
    sh(`ip -n ${fw} link add ${name} type veth peer name eth0 netns ${ns}`);
    this.#address('fw', name, gateway, bits);
    sh(`ip -n ${fw} link set ${name} up`);
    for (const address of addresses) this.#address(name, 'eth0', address, bits);
    sh(`ip -n ${ns} link set eth0 up`);
    sh(`ip -n ${ns} route add default via ${gateway}`);
  }

  /** The same through VXLAN: eth0 carries nothing but UDP to port 4789. */
  #tunnel(name, { gateway, bits, host }) {
    const [ns, fw] = [this.ns(name), this.ns('fw')];
    sh(`ip -n ${fw} link add ${name}-outer type veth peer name eth0 netns ${ns}`);
    for (const [at, dev, local, remote, address] of [
      [name, 'eth0', '10.99.0.2', '10.99.0.1', host],
      ['fw', `${name}-outer`, '10.99.0.1', '10.99.0.2', gateway],
    ]) {
      this.#address(at, dev, local, 24);
      sh(`ip -n ${this.ns(at)} link set ${dev} up`);
      const vx = at === 'fw' ? name : 'vx0';
      sh(`ip -n ${this.ns(at)} link add ${vx} type vxlan id 42 local ${local} remote ${remote} dstport 4789`);
      // Else the outer packets are fragmented, and a filter by port shows the first fragments only.
      sh(`ip -n ${this.ns(at)} link set ${vx} mtu 1450`);
      this.#address(at, vx, address, bits);
      sh(`ip -n ${this.ns(at)} link set ${vx} up`);
    }
    sh(`ip -n ${ns} route add default via ${gateway}`);
  }

  /** Apart from the constructor, so that what was made can be removed where making the rest fails. */
  build() {
    const { sites, sysctl } = this;
    const { origin, npm, service, site } = this.plan;
    const { outermost } = this;
    this.#namespace('fw', sysctl.fw);
    for (const [name, at] of [['origin', origin], ['npm', npm], ...this.edges.map((edge) => [edge.name, edge.at])]) {
      this.#namespace(name, sysctl[name]);
      if (name === 'npm' && this.vxlan) this.#tunnel(name, at);
      else this.#cable(name, at, [at.host]);
    }
    for (const [index, hosts] of sites.entries()) {
      if (!hosts) continue; // a number that the scenario does not use
      const at = site(index + 1);
      this.#namespace(`site${index + 1}`, sysctl.site);
      this.#cable(
        `site${index + 1}`,
        at,
        Array.from({ length: hosts }, (_, h) => at.host(h + 1)),
      );
      if (at.public) this.fw(`-t nat -A POSTROUTING -s ${at.net} -j SNAT --to ${at.public}`);
    }
    if (service !== outermost) {
      for (const port of [80, 443])
        this.fw(`-t nat -A PREROUTING -d ${service} -p tcp --dport ${port} -j DNAT --to ${outermost}`);
    }
    if (this.docker) this.#container();
    if (this.mirror) this.#mirrorPort();
  }

  /** A monitor behind the firewall that gets a copy of each packet to and from npm's service, as it comes in and as it goes out. */
  #mirrorPort() {
    const at = { host: '10.99.0.2', gateway: '10.99.0.1', bits: 24 };
    this.#namespace('mon', { 'net.ipv4.ip_forward': 0 });
    this.#cable('mon', at, [at.host]);
    for (const chain of ['PREROUTING', 'POSTROUTING'])
      for (const port of ['--dport', '--sport'])
        this.fw(
          `-t mangle -A ${chain} -p tcp ${port} 80 ! -s ${this.plan.origin.host} ! -d ${this.plan.origin.host} -j TEE --gateway ${at.host}`,
        );
  }

  /** NPM as it usually runs: in a container behind the host's bridge, published by DNAT. */
  #container() {
    const [host, inner] = [this.ns('npm'), this.ns('npmc')];
    this.#namespace('npmc');
    sh(`ip -n ${host} link add docker0 type bridge`);
    sh(`ip -n ${host} addr add 172.17.0.1/16 dev docker0`);
    sh(`ip -n ${host} link set docker0 up`);
    sh(`ip -n ${host} link add veth1a2b3c4 type veth peer name eth0 netns ${inner}`);
    sh(`ip -n ${host} link set veth1a2b3c4 master docker0 up`);
    sh(`ip -n ${inner} addr add 172.17.0.2/16 dev eth0`);
    sh(`ip -n ${inner} link set eth0 up`);
    sh(`ip -n ${inner} route add default via 172.17.0.1`);
    const rule = (line) => sh(`ip netns exec ${host} iptables -t nat ${line}`);
    rule(`-A PREROUTING -d ${this.plan.npm.host} -p tcp --dport 80 -j DNAT --to 172.17.0.2:80`);
    rule('-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE');
  }

  /** An iptables command in the firewall. Words that hold spaces go in as an array. */
  fw(line) {
    const words = Array.isArray(line) ? line : line.split(' ').filter(Boolean);
    sh(['ip', 'netns', 'exec', this.ns('fw'), this.iptables, ...words]);
  }

  tc(line) {
    sh(`ip netns exec ${this.ns('fw')} tc ${line}`);
  }

  remove() {
    for (const ns of this.#made.reverse()) removeNamespace(ns);
  }
}
