// SPDX-License-Identifier: Apache-2.0
// Scales of colours, as PLplot's map 1.
#ifndef EVN_PLOT_PALETTE_H
#define EVN_PLOT_PALETTE_H

typedef enum evn__palette {
    EVN__PALETTE_GREY,   ///< black to white
    EVN__PALETTE_HEAT,   ///< white to dark blue
    EVN__PALETTE_SIGNED, ///< blue, white in the middle, red
} evn__palette;

/// To be called while a page is drawn.
void evn__palette_set(evn__palette palette);

#endif
