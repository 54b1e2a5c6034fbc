// Makes a program that uses OpenSSL as a shared library (nginx, say) write a key log where SSLKEYLOGFILE names one:
//
//     gcc -shared -fPIC -o keylog.so keylog.c -ldl
//     SSLKEYLOGFILE=/tmp/keys.log LD_PRELOAD=$PWD/keylog.so nginx        with `env SSLKEYLOGFILE;` in nginx.conf
//
// Both as server and as client of the next hop. The process must be started anew, and its user must be able to write the file.
// Tried with nginx 1.22 and OpenSSL 3.0.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void line(const void *ssl, const char *text) {
  const char *file = getenv("SSLKEYLOGFILE");
  int to = file ? open(file, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
  (void)ssl;
  if (to < 0) return;
  dprintf(to, "%s\n", text);
  close(to);
}

void *SSL_CTX_new(const void *method) {
  void *(*make)(const void *) = dlsym(RTLD_NEXT, "SSL_CTX_new");
  void (*listen)(void *, void (*)(const void *, const char *)) = dlsym(RTLD_NEXT, "SSL_CTX_set_keylog_callback");
  void *context = make(method);
  if (context && listen) listen(context, line);
  return context;
}
