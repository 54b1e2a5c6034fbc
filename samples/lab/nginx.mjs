// Configurations of the two nginx: the origin's own, and one as Nginx Proxy Manager writes it.

const frame = (dir, http, shutdownTimeout) => `
user root;
${shutdownTimeout ? `worker_shutdown_timeout ${shutdownTimeout};\n` : ''}
worker_processes 1;
pid ${dir}/nginx.pid;
error_log ${dir}/error.log warn;
events { worker_connections 512; }
http {
  access_log off;
  server_tokens off;
  client_body_temp_path ${dir}/body;
  proxy_temp_path ${dir}/proxy;
  fastcgi_temp_path ${dir}/fastcgi;
  uwsgi_temp_path ${dir}/uwsgi;
  scgi_temp_path ${dir}/scgi;
${http}
}
`;

/** An address as it stands before a port. */
export const literal = (address) => (address.includes(':') ? `[${address}]` : address);

export const originNginx = (dir, { listen, server = '127.0.0.1', readTimeout = '3600s', shutdownTimeout }) =>
  frame(
    dir,
    `
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  server {
    listen ${literal(listen)}:80;
    location / {
      proxy_pass http://${literal(server)}:3001;
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Real-IP $http_x_real_ip;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_read_timeout ${readTimeout};
      proxy_send_timeout 3600s;
    }
  }`,
    shutdownTimeout,
  );

const ssl = (listen, { cert, key }) => `
    listen ${listen}:443 ssl;
    ssl_certificate ${cert};
    ssl_certificate_key ${key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_ciphers ALL:@SECLEVEL=0;
`;

// The proxy host's block and its include/proxy.conf; with TLS where the scenario has it.
export const npmNginx = (
  dir,
  { listen, upstream, readTimeout = '3600s', certificate = null, innerTls = false, shutdownTimeout },
) =>
  frame(
    dir,
    `
  server {
    set $forward_scheme ${innerTls ? 'https' : 'http'};
    set $server "${literal(upstream)}";
    set $port ${innerTls ? 443 : 80};
    listen ${literal(listen)}:80;
${certificate ? ssl(literal(listen), certificate) : ''}    server_name rmm.example.net;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
    proxy_http_version 1.1;
    proxy_read_timeout ${readTimeout};
    location / {
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $http_connection;
      proxy_http_version 1.1;
      add_header X-Served-By $host;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-Scheme $scheme;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Real-IP $remote_addr;
${innerTls ? '      proxy_ssl_protocols TLSv1.2 TLSv1.3;\n' : ''}      proxy_pass $forward_scheme://$server:$port$request_uri;
    }
  }`,
    shutdownTimeout,
  );
