// SPDX-License-Identifier: Apache-2.0
/// @file
/// What stands around all declarations of a public header: C linkage for C++, and visibility.
///
/// The library is compiled with -fvisibility=hidden, so that it exports what is declared between
/// EVN_API_BEGIN and EVN_API_END and nothing else, in ELF and in Mach-O alike. A pragma around all
/// of them, since an attribute on each could be forgotten on one. For a DLL CMake exports all.
#ifndef EVONODE_API_H
#define EVONODE_API_H

#ifdef __cplusplus
#define EVN_C_BEGIN_ extern "C" {
#define EVN_C_END_   }
#else
#define EVN_C_BEGIN_
#define EVN_C_END_
#endif

#if defined(__GNUC__)
#define EVN_API_BEGIN _Pragma("GCC visibility push(default)") EVN_C_BEGIN_
#define EVN_API_END   EVN_C_END_ _Pragma("GCC visibility pop")
#else
#define EVN_API_BEGIN EVN_C_BEGIN_
#define EVN_API_END   EVN_C_END_
#endif

#endif
