// What can be done to packets in the firewall namespace. Everything here works with iptables and htb alone: small
// kernels come without netem. Rules sit in mangle FORWARD, where a site's own addresses are seen in both directions
// (after the DNAT and un-SNAT of PREROUTING, before the SNAT of POSTROUTING).

import { sh } from './processes.mjs';

const FORWARD = '-t mangle -I FORWARD';

export function impairments(network) {
  const fw = (line) => network.fw(line);
  const siteNet = (site) => network.plan.site(site).net;

  return {
    /** Nothing passes to or from this address any more. */
    blackHole(address) {
      fw(`${FORWARD} -d ${address} -j DROP`);
      fw(`${FORWARD} -s ${address} -j DROP`);
    },

    /** The same for one TCP connection, named by its port at the agent. */
    blackHoleFlow(address, port) {
      fw(`${FORWARD} -d ${address} -p tcp --dport ${port} -j DROP`);
      fw(`${FORWARD} -s ${address} -p tcp --sport ${port} -j DROP`);
    },

    /** Random loss of TCP data on the way to and from a site. SYNs pass: retrying those takes whole seconds. */
    lose(site, probability) {
      for (const way of ['-d', '-s']) {
        fw(
          `${FORWARD} ${way} ${siteNet(site)} -p tcp ! --syn -m length --length 60: ` +
            `-m statistic --mode random --probability ${probability} -j DROP`,
        );
      }
    },

    /** Random packets to one host pass twice, the copy through TEE. `-i`: the interface that they come in by. */
    duplicate(host, from, probability) {
      fw(
        `-t mangle -A FORWARD -i ${from} -d ${host} -p tcp -m statistic --mode random --probability ${probability} ` +
          `-j TEE --gateway ${host}`,
      );
    },

    /** Packets out of an interface pass a queue; random ones pass a slow one, are overtaken and come late. */
    reorder(dev, probability, slowRate) {
      network.tc(`qdisc add dev ${dev} root handle 1: htb default 10`);
      network.tc(`class add dev ${dev} parent 1: classid 1:10 htb rate 50mbit`);
      network.tc(`class add dev ${dev} parent 1: classid 1:20 htb rate ${slowRate} ceil ${slowRate} burst 1 cburst 1`);
      fw(
        `-t mangle -A POSTROUTING -o ${dev} -p tcp -m length --length 100: ` +
          `-m statistic --mode random --probability ${probability} -j CLASSIFY --set-class 1:20`,
      );
    },

    /**
     * Prepares the drop of one TCP connection between the proxies: the one whose Upgrade request names this client.
     * To be called before the agent connects; the returned function lets the drop begin.
     */
    markFlow(forwardedFor, mark = 7) {
      const { origin, npm } = network.plan;
      fw([
        ...'-t mangle -A FORWARD -p tcp'.split(' '),
        ...[
          '-s',
          npm.host,
          '-d',
          origin.host,
          '-m',
          'string',
          '--algo',
          'bm',
          '--string',
          `X-Real-IP: ${forwardedFor}\r`,
        ],
        ...['-j', 'CONNMARK', '--set-mark', String(mark)],
      ]);
      return (also = []) =>
        fw([...'-t mangle -A FORWARD -p tcp -m connmark --mark'.split(' '), String(mark), ...also, '-j', 'DROP']);
    },

    /**
     * The link to a site takes no packets over `mtu` octets: the firewall answers with ICMP "fragmentation needed", which the host at
     * npm drops (its capture has it: tcpdump sees packets before INPUT).
     */
    smallLink(site, mtu) {
      sh(`ip -n ${network.ns('fw')} link set site${site} mtu ${mtu}`);
      sh(`ip netns exec ${network.ns('npm')} iptables -A INPUT -p icmp --icmp-type fragmentation-needed -j DROP`);
    },

    /** What npm answers to this address is not translated back: it leaves with npm's own address. The site's are not translated at all. */
    wrongReplyAddress(site, address) {
      const { net, public: outside } = network.plan.site(site);
      fw(`-t nat -D POSTROUTING -s ${net} -j SNAT --to ${outside}`);
      fw(`-t raw -A PREROUTING -s ${network.plan.npm.host} -d ${address} -p tcp --sport 80 -j CT --notrack`);
    },

    /** Packets longer than the path's MTU vanish without an ICMP message, in the direction of the site. */
    mtuBlackHole(address, longest) {
      fw(`${FORWARD} -d ${address} -p tcp -m length --length ${longest + 1}: -j DROP`);
    },
  };
}
