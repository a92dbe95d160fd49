// SPDX-License-Identifier: Apache-2.0
// Documents for a browser on this machine, while something else goes on: a thread of its own, few
// connections, short time-outs, and nothing that a request could change.
#ifndef EVN_SERVE_SERVER_H
#define EVN_SERVE_SERVER_H

#include "base/memory.h"

/// A document by its path.
typedef struct evn__document {
    const char *path; ///< "/", "/main.html"
    const char *type; ///< "text/html; charset=utf-8"
    /// Append its contents. Called on the server's thread, one call at a time.
    evn_status (*write)(void *user, evn__text *contents);
} evn__document;

typedef struct evn__server evn__server;

/// Listen. At the loopback address a request must name it as its host, so that no page of another
/// site reaches the server by a name that it has made mean this machine.
/// @param[in] address    numeric, IPv4 or IPv6
/// @param[in] port       0: any free one
/// @param[in] documents  [count]; borrowed, as `user`, until the server is closed
/// @return EVN_ERR_USAGE for an address that is none, and where evonode was built without
///         libmicrohttpd; EVN_ERR_OUTPUT when the port is taken
evn_status evn__server_open(const char *address, int port, const evn__document *documents,
                            int count, void *user, evn__server **server);
int evn__server_port(const evn__server *server);
void evn__server_close(evn__server **server); ///< nulls; accepts NULL

#endif
