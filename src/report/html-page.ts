/**
 * The frame of the HTML report: one file that loads nothing, reads on a phone, in the dark and on paper.
 * In: nothing. Out: html.ts. The policy in its head forbids scripts and requests, whatever a capture smuggled in.
 */
export const PAGE_HEAD = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>lasthop: delivery of commands</title>
<style>
:root { --ink: #1c2126; --quiet: #5b6670; --paper: #fff; --raised: #f4f6f8; --line: #d5dbe1; --good: #14713c; --bad: #b3211f; --unknown: #8a5a00; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ec; --quiet: #9aa6b2; --paper: #14181c; --raised: #1e242a; --line: #38424c; --good: #58c98a; --bad: #ff8078; --unknown: #e6b34a; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 76rem; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0 0 .25rem; font-size: 1.5rem; }
h2 { margin: 2.25rem 0 .75rem; font-size: 1.15rem; }
h3 { margin: 0 0 .25rem; font-size: 1rem; }
p { margin: .35rem 0; max-width: 80ch; }
code, .id { font: .92em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.quiet { color: var(--quiet); }
.good { color: var(--good); } .bad { color: var(--bad); } .unknown { color: var(--unknown); }
.lead { font-size: 1.1rem; font-weight: 600; }
.card { margin: 0 0 1rem; padding: .9rem 1.1rem; background: var(--raised); border-left: 4px solid var(--line); border-radius: 4px; break-inside: avoid; }
.card.bad { border-left-color: var(--bad); color: inherit; } .card.unknown { border-left-color: var(--unknown); color: inherit; } .card.good { border-left-color: var(--good); color: inherit; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--quiet); font-weight: 600; white-space: nowrap; }
td { white-space: nowrap; }
td.wrap { white-space: normal; overflow-wrap: anywhere; min-width: 12rem; }
summary { cursor: pointer; }
details table { margin: .5rem 0 .75rem; }
@media print { body { max-width: none; padding: 0; font-size: 11px; } .scroll { overflow: visible; } td { white-space: normal; overflow-wrap: anywhere; } tr { break-inside: avoid; } }
</style>
</head>
<body>
`;

export const PAGE_FOOT = '</body>\n</html>\n';
