/**
 * `lasthop capture-plan`: the tcpdump commands to run on each hop's machine, so that the captures can settle the question.
 * In: hop=PORT arguments. Out: text to paste into terminals.
 */
import { UsageError } from '../evidence/usage-error.js';
import { wholeNumber } from './values.js';

interface Place {
  hop: string;
  port: number;
}

const DEFAULT_PLACES = ['origin=3001', 'nginx=80', 'npm=443'];
const SHELL_SAFE = /^[A-Za-z0-9_.-]+$/;

export interface PlanOptions {
  interface?: string;
  fileSize?: string;
  files?: string;
}

export function capturePlan(words: string[], options: PlanOptions): string {
  const places = (words.length > 0 ? words : DEFAULT_PLACES).map(place);
  const device = options.interface ?? 'any';
  if (!/^[A-Za-z0-9_.:@-]+$/.test(device)) throw new UsageError(`--interface '${device}': no name of an interface`);
  const size = wholeNumber(options.fileSize ?? '200', '--file-size', 1, 100_000);
  const files = wholeNumber(options.files ?? '20', '--files', 1, 1000);
  const digits = String(files - 1).length;
  const lines: string[] = [
    '# Capture at every hop at the same time: what is missing at one cannot be made up at another.',
    '# PORT is where the hop itself listens. Its filter also takes the next inner hop, which shows both of its sides:',
    '# behind the hop that ends TLS the messages can be read even where no keys are at hand.',
    ...(words.length > 0
      ? []
      : ['# The ports below are examples. Yours: lasthop capture-plan origin=3001 nginx=8080 npm=443']),
    '',
    '# 1. Clocks: on each machine, before and after. Offsets are worked out from the captures, but a clock that is',
    '#    being stepped while they run spoils them.',
    'chronyc tracking || ntpq -p || timedatectl timesync-status',
    '',
    '# 2. Start the outermost hop first, so that nothing that an inner one sees is missing further out.',
  ];
  for (const [index, { hop, port }] of [...places.entries()].reverse()) {
    const ports = [...new Set([port, ...(index > 0 ? [places[index - 1].port] : [])])];
    const filter = `${ports.map((one) => `tcp port ${one}`).join(' or ')} or icmp or icmp6`;
    lines.push(
      '',
      `# on the machine of ${hop}`,
      `sudo tcpdump -i ${device} -n -s 0 -B 32768 -U --time-stamp-precision=nano -Z root \\`,
      `  -C ${size} -W ${files} -w ${hop}.pcap '${filter}'`,
    );
  }
  const inputs = places.map(({ hop }) => `$(printf '${hop}=%s ' ${hop}.pcap*)`).join(' ');
  lines.push(
    '',
    `# -i any sees Docker's bridges and the loopback too; packets that it shows several times are folded into one.`,
    '#     Where one interface is known to carry all (origin: lo), naming it costs less.',
    '# -s 0 whole packets: a cut one makes its command `unobserved`.  -B buffer in KiB: without it bursts are dropped.',
    '# -U each packet is written at once, so that stopping loses none of them half way.',
    `# -C/-W at most ${files} files of ${size} MB, the oldest overwritten: ${hopFile(places[0].hop, 0, digits)} ... Make sure the disk has room.`,
    '# -Z root: tcpdump may otherwise not be allowed to open the second file.',
    '# icmp: "fragmentation needed" is what tells a path MTU fault.',
    '',
    '# 3. With all of them running: let the agent reconnect once, so that the opening handshake is captured. Then send',
    '#    the commands in question, one to an agent that works as well. Wait longer than --ack-timeout (10 s) after the last.',
    '',
    '# 4. Wait two more seconds, then stop each tcpdump with Ctrl-C (SIGINT, never SIGKILL). It says how many packets',
    '#    were dropped by the kernel: that must be 0.',
    '',
    "# 5. Bring the files together. They hold customers' commands: treat them so.",
    `lasthop verdict ${inputs}`,
  );
  return `${lines.join('\n')}\n`;
}

function hopFile(hop: string, index: number, digits: number): string {
  return `${hop}.pcap${String(index).padStart(digits, '0')}`;
}

function place(word: string): Place {
  const at = word.indexOf('=');
  if (at < 1) throw new UsageError(`'${word}': expected hop=PORT, such as origin=3001`);
  const hop = word.slice(0, at);
  // It becomes part of a shell command that someone pastes as root.
  if (!SHELL_SAFE.test(hop) || hop.startsWith('-')) throw new UsageError(`'${word}': '${hop}' is no name for a hop`);
  return { hop, port: wholeNumber(word.slice(at + 1), `port of ${hop}`, 1, 65_535) };
}
