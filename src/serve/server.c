// SPDX-License-Identifier: Apache-2.0
#include "serve/server.h"

#ifdef EVN_MICROHTTPD

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CONNECTIONS = 16, TIMEOUT = 10, REQUEST_BYTES = 16384 }; // TIMEOUT in seconds

struct evn__server {
    struct MHD_Daemon *daemon;
    const evn__document *documents;
    int count;
    void *user;
    bool local; ///< the address is this machine's alone
};

// Addresses ---------------------------------------------------------------------------------------

typedef union socket_address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
} socket_address;

static evn_status read_address(const char *text, int port, socket_address *address, bool *local) {
    static const unsigned char loopback[16] = {[15] = 1};
    *address = (socket_address){0};
    if (inet_pton(AF_INET, text, &address->four.sin_addr) == 1) {
        address->four.sin_family = AF_INET;
        address->four.sin_port = htons((uint16_t)port);
        *local = ntohl(address->four.sin_addr.s_addr) >> 24 == 127;
        return EVN_OK;
    }
    EVN_CHECK(inet_pton(AF_INET6, text, &address->six.sin6_addr) == 1, EVN_ERR_USAGE,
              "'%s' is no address to serve at; give one in numbers, such as 127.0.0.1", text);
    address->six.sin6_family = AF_INET6;
    address->six.sin6_port = htons((uint16_t)port);
    *local = memcmp(&address->six.sin6_addr, loopback, sizeof(loopback)) == 0;
    return EVN_OK;
}

/// Whether a request names this machine.
static bool is_own_host(const char *host) {
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};
    bool own = false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && host; ++i) {
        size_t length = strlen(names[i]);
        bool same = strncasecmp(host, names[i], length) == 0;
        own = own || (same && (host[length] == 0 || host[length] == ':'));
    }
    return own;
}

// Answers -----------------------------------------------------------------------------------------

static const evn__document *find(const evn__server *s, const char *path) {
    for (int i = 0; i < s->count; ++i) {
        if (strcmp(s->documents[i].path, path) == 0) {
            return &s->documents[i];
        }
    }
    return NULL;
}

/// Takes the contents.
static enum MHD_Result answer(struct MHD_Connection *connection, unsigned code, const char *type,
                              evn__text *contents) {
    static const char *const headers[][2] = {{"Cache-Control", "no-store"},
                                             {"X-Content-Type-Options", "nosniff"},
                                             {"X-Frame-Options", "DENY"},
                                             {"Referrer-Policy", "no-referrer"}};
    struct MHD_Response *response =
        MHD_create_response_from_buffer(contents->size, contents->data, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(contents->data);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", type);
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); ++i) {
        MHD_add_response_header(response, headers[i][0], headers[i][1]);
    }
    enum MHD_Result queued = MHD_queue_response(connection, code, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned code, const char *why) {
    evn__text contents = {0};
    evn__text_append(&contents, "%s\n", why);
    return answer(connection, code, "text/plain; charset=utf-8", &contents);
}

/// Called when the head of a request has come, and again at its end.
static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *body,
                                  size_t *body_size, void **request) {
    const evn__server *s = user;
    (void)version, (void)body;
    const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
    const evn__document *document = find(s, path);
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET is answered");
    }
    if (*body_size > 0) {
        return MHD_NO; // nothing is taken
    }
    if (!*request) {
        *request = (void *)s; // the head alone: wait for its end
        return MHD_YES;
    }
    if (s->local && !is_own_host(host)) {
        return refuse(connection, MHD_HTTP_FORBIDDEN, "ask for 127.0.0.1 or localhost");
    }
    if (!document) {
        return refuse(connection, MHD_HTTP_NOT_FOUND, "there is no such page");
    }
    evn__text contents = {0};
    evn_status status = document->write(s->user, &contents);
    if (status != EVN_OK || contents.status != EVN_OK) {
        free(contents.data);
        return refuse(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, evn_error_message());
    }
    return answer(connection, MHD_HTTP_OK, document->type, &contents);
}

// The server --------------------------------------------------------------------------------------

static evn_status start(evn__server *s, const char *address, int port) {
    socket_address at;
    EVN_TRY(read_address(address, port, &at, &s->local));
    unsigned flags =
        MHD_USE_INTERNAL_POLLING_THREAD | (at.any.sa_family == AF_INET6 ? MHD_USE_IPv6 : 0);
    s->daemon =
        MHD_start_daemon(flags, (uint16_t)port, NULL, NULL, on_request, s, MHD_OPTION_SOCK_ADDR,
                         &at.any, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
                         MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_BYTES, MHD_OPTION_END);
    EVN_CHECK(s->daemon, EVN_ERR_OUTPUT,
              "cannot serve at %s, port %d: %s; choose another port, or none for any that is free",
              address, port, errno ? strerror(errno) : "the port may be taken");
    return EVN_OK;
}

evn_status evn__server_open(const char *address, int port, const evn__document *documents,
                            int count, void *user, evn__server **server) {
    EVN_TRY(EVN_NEW(server, 1));
    **server = (evn__server){.documents = documents, .count = count, .user = user};
    evn_status status = start(*server, address, port);
    if (status != EVN_OK) {
        evn__server_close(server);
    }
    return status;
}

int evn__server_port(const evn__server *server) {
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

void evn__server_close(evn__server **server) {
    evn__server *s = *server;
    if (!s) {
        return;
    }
    if (s->daemon) {
        MHD_stop_daemon(s->daemon);
    }
    free(s);
    *server = NULL;
}

#else

evn_status evn__server_open(const char *address, int port, const evn__document *documents,
                            int count, void *user, evn__server **server) {
    (void)address, (void)port, (void)documents, (void)count, (void)user, (void)server;
    EVN_FAIL(EVN_ERR_USAGE, "this evonode was built without libmicrohttpd and cannot serve a page; "
                            "leave --watch out, or install it and build again (tools/setup.sh)");
}

int evn__server_port(const evn__server *server) {
    (void)server;
    return 0;
}

void evn__server_close(evn__server **server) {
    (void)server;
}

#endif
