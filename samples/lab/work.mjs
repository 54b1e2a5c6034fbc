// What operators ask for: from 80 octets to 4 KB. Nothing here comes from a real system.

const script = (octets) => {
  const lines = ["$ErrorActionPreference = 'Stop'"];
  for (let i = 0; lines.join('\n').length < octets; i++) {
    lines.push(`Get-Service -Name 'Svc${i}' | Where-Object Status -ne 'Running' | Restart-Service -Verbose`);
  }
  return lines.join('\n').slice(0, octets);
};

export const HOSTNAME = { command: 'hostname' };
export const LARGE = { command: 'run_script', shell: 'powershell', script: script(3900), timeout_secs: 300 };

const WORK = [
  HOSTNAME,
  { command: 'ipconfig', args: ['/all'], timeout_secs: 30 },
  { command: 'restart_service', params: { id: 'svc-17', type: 'service', name: 'Spooler' }, timeout_secs: 60 },
  { command: 'run_script', shell: 'powershell', script: script(900), timeout_secs: 120 },
  { command: 'uptime', args: [] },
  LARGE,
  { command: 'collect_logs', params: { since: '2024-01-01T00:00:00Z', channels: ['System', 'Application'] } },
];

export const work = (i) => WORK[i % WORK.length];
