// SPDX-License-Identifier: Apache-2.0
// Files built into the library (cmake/embed.cmake).
#ifndef EVN_BASE_EMBEDDED_H
#define EVN_BASE_EMBEDDED_H

#include <stddef.h>

/// One file; a NUL byte follows its data, not counted in size. Tables end with a NULL name.
typedef struct evn__embedded {
    const char *name; ///< without folder: "conv2d.cl"
    const unsigned char *data;
    size_t size;
} evn__embedded;

extern const evn__embedded evn__embedded_kernels[];
extern const evn__embedded evn__embedded_digits[];
extern const evn__embedded evn__embedded_page[];
extern const evn__embedded evn__embedded_networks[];

/// The entry of that name, NULL when there is none.
const evn__embedded *evn__embedded_find(const evn__embedded *table, const char *name);

#endif
