/**
 * The parts of --help that commander does not make: examples, formats and exit statuses. In: nothing. Out: program.ts.
 */
const STATUS_70 = '  70  a fault of lasthop itself (--debug shows where)';
const STATUS_2_3 = `  2   usage error
  3   an input cannot be read or is no capture, or the output cannot be written`;

export const ROOT_HELP = `
Examples:
  lasthop verdict origin=origin.pcap nginx=nginx.pcap npm=npm.pcap
  lasthop verify origin=origin.pcap npm=npm.pcap --command 3f2b1c9e && echo delivered
  lasthop frames npm.pcap | less
  lasthop capture-plan origin=3001 nginx=8080 npm=443

Exit status:
  0   the analysis ran (verify: every command was delivered)
  1   verify: at least one command was not delivered
${STATUS_2_3}
  4   verify: nothing failed, but something is inconclusive, or there were no commands
${STATUS_70}
`;

const VERDICT_FORMATS = `
Formats:
  table     for people: failures first, what they mean, and the packets that prove it
  json      schema lasthop/verdict@1, one command on a line
  ndjson    one command's verdict on each line
  csv       one row for each attempt; a command that was never sent has one row without an attempt
  markdown  for an incident report
  html      one self-contained file
  junit     one test case for each command: not delivered is a failure, inconclusive an error

None of them shows payloads.
`;

export const VERDICT_HELP = `
Examples:
  lasthop verdict origin=origin.pcap nginx=nginx.pcap npm=npm.pcap
  lasthop verdict origin=origin.pcap0 origin=origin.pcap1 npm=npm.pcap     rotated files
  ssh npm cat npm.pcap.zst | lasthop verdict origin=origin.pcap npm=-      from a pipe
  lasthop verdict origin=o.pcap npm=n.pcap --path origin,nginx,npm         nginx was not captured
  lasthop verdict origin=o.pcap npm=n.pcap --format markdown -o report.md
  lasthop verdict origin=o.pcap npm=n.pcap --explain 3f2b1c9e               one command's whole story
${VERDICT_FORMATS}
Exit status:
  0   the analysis ran, whatever it found
${STATUS_2_3}
${STATUS_70}
`;

export const VERIFY_HELP = `
Example:
  lasthop verify origin=origin.pcap npm=npm.pcap --since 2025-11-03T09:00:00Z --format junit -o delivery.xml
${VERDICT_FORMATS}
Exit status:
  0   every command in question was delivered (at least one, unless --allow-empty)
  1   at least one was not delivered
${STATUS_2_3}
  4   nothing failed, but at least one is inconclusive, or there were none
${STATUS_70}
`;

export const LIST_HELP = `
Flags: F FIN, Z RSV1 (compressed with permessage-deflate), M masked. Octets are those of the payload on the wire.

Exit status:
  0   the list is complete
${STATUS_2_3}
${STATUS_70}
`;

export const QUALITY_HELP = `
Trust: full where nothing is missing that could be known of; limited with the reasons; none where nothing can be concluded.

Exit status:
  0   the captures were read, whatever they are good for
${STATUS_2_3}
${STATUS_70}
`;

export const PLAN_HELP = `
Examples:
  lasthop capture-plan
  lasthop capture-plan origin=3001 nginx=8080 npm=443 --interface eth0
`;
