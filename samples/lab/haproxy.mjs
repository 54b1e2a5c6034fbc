// haproxy in the place of a nginx, with TLS or without. Where it ends TLS its log is a key log: one line for each secret of a connection,
// written when the Upgrade request comes, by the log format that README.md recommends.

import { literal } from './nginx.mjs';

const RANDOM = '%[ssl_fc_client_random,hex]';
const SECRETS = [
  `CLIENT_HANDSHAKE_TRAFFIC_SECRET ${RANDOM} %[ssl_fc_client_handshake_traffic_secret]`,
  `SERVER_HANDSHAKE_TRAFFIC_SECRET ${RANDOM} %[ssl_fc_server_handshake_traffic_secret]`,
  `CLIENT_TRAFFIC_SECRET_0 ${RANDOM} %[ssl_fc_client_traffic_secret_0]`,
  `SERVER_TRAFFIC_SECRET_0 ${RANDOM} %[ssl_fc_server_traffic_secret_0]`,
  `CLIENT_RANDOM ${RANDOM} %[ssl_fc_session_key,hex]`,
];

const withTls = (certificate) => `:443 ssl crt ${certificate} ssl-min-ver TLSv1.2 ciphers ALL:@SECLEVEL=0 alpn http/1.1
  log global
  log-format "${SECRETS.join('\\n')}"`;

/** `certificate`: one PEM file with certificate and key, or null. */
export const haproxy = ({ listen, certificate, upstream, realIp }) => `
global
  tune.ssl.keylog on
  log stdout format raw local0
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
frontend agents
  bind ${literal(listen)}${certificate ? withTls(certificate) : ':80'}
  option forwardfor
${realIp ? '  http-request set-header X-Real-IP %[src]\n' : ''}  default_backend next
backend next
  server next ${upstream}
`;

/** The key log's lines among what it writes; `-` stands where there is no such secret. */
export const keyLines = (text) =>
  text.split('\n').filter((line) => /^(CLIENT|SERVER)_[A-Z_0-9]+ [0-9A-Fa-f]{64} [0-9A-Fa-f]{64,96}$/.test(line));
