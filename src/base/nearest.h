// SPDX-License-Identifier: Apache-2.0
#ifndef EVN_BASE_NEAREST_H
#define EVN_BASE_NEAREST_H

/// The one of `names` (up to NULL) that `word` was probably meant to be, whatever the case of its
/// letters; NULL when none is near.
const char *evn__nearest(const char *word, const char *const *names);
/// The same of names that a function lists, up to NULL.
const char *evn__nearest_choice(const char *word, const char *(*choice)(int index));

#endif
