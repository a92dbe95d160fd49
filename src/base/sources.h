// SPDX-License-Identifier: Apache-2.0
// What the library was built from (cmake/sources.cmake): a version stays while its sources change.
#ifndef EVN_BASE_SOURCES_H
#define EVN_BASE_SOURCES_H

/// Hash of the sources, the kernels and the options of the compiler: 32 hexadecimal digits.
extern const char evn__sources[];

#endif
