// SPDX-License-Identifier: Apache-2.0
// The devices of this machine, found without risk: drivers are loaded in child processes, and one
// that crashes or hangs there is named and left out.
#ifndef EVN_HOST_SURVEY_H
#define EVN_HOST_SURVEY_H

#include "host/diagnosis.h"

typedef struct evn__survey {
    evn_device_info *infos;
    evn__platform *platforms;
    int count, platform_count;
    evn__findings findings;
    int left_out; ///< drivers without which this list was made: numbers are those without them
    bool unsafe;  ///< a program that loads all drivers crashes or hangs; the first finding says why
} evn__survey;

/// @param[in] seconds  that the drivers have to answer, each time that they are asked
/// @return EVN_ERR_DEVICE where the loader itself fails; a list without devices is EVN_OK;
///         EVN_ERR_MEMORY and EVN_ERR_FILE as evn__child_run
evn_status evn__survey_make(double seconds, evn__survey *survey);
void evn__survey_free(evn__survey *survey);

#endif
