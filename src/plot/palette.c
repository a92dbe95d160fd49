// SPDX-License-Identifier: Apache-2.0
#include "plot/palette.h"

#include <plplot/plplot.h>

void evn__palette_set(evn__palette palette) {
    static const PLFLT ends[] = {0, 1}, black_white[] = {0, 1};
    static const PLFLT heat[] = {0, 0.5, 1}, heat_red[] = {1, 0.35, 0.03};
    static const PLFLT heat_green[] = {1, 0.66, 0.15}, heat_blue[] = {1, 0.85, 0.35};
    static const PLFLT signed_red[] = {0, 1, 0.84}, signed_green[] = {0.45, 1, 0.37};
    static const PLFLT signed_blue[] = {0.7, 1, 0};
    plscmap1n(256);
    if (palette == EVN__PALETTE_GREY) {
        plscmap1l(1, 2, ends, black_white, black_white, black_white, NULL);
    } else if (palette == EVN__PALETTE_HEAT) {
        plscmap1l(1, 3, heat, heat_red, heat_green, heat_blue, NULL);
    } else {
        plscmap1l(1, 3, heat, signed_red, signed_green, signed_blue, NULL);
    }
}
