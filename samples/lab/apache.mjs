// Apache's httpd in the place of a nginx: WebSocket through mod_proxy_wstunnel, or through mod_proxy_http as since 2.4.47.

const MODULES = '/usr/lib/apache2/modules';
const load = (name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`;

export const apache = (dir, { listen, upstream, tunnel }) => `
ServerName rmm.example.net
ServerRoot ${dir}
PidFile ${dir}/apache.pid
ErrorLog ${dir}/error.log
Listen ${listen}:80
${['mpm_event', 'authz_core', 'proxy', 'proxy_http', ...(tunnel ? ['proxy_wstunnel'] : [])].map(load).join('\n')}
Timeout 3600
ProxyPreserveHost On
ProxyPass / ${tunnel ? `ws://${upstream}/` : `http://${upstream}/ upgrade=websocket`}
`;
