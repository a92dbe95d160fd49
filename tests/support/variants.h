// SPDX-License-Identifier: Apache-2.0
// Kernel variants of a product, one after the other, as on a GPU.
#ifndef EVN_TEST_VARIANTS_H
#define EVN_TEST_VARIANTS_H

#include "ops/variant.h"
#include "tune/samples.h"

typedef int64_t product_sizes[EVN__PRODUCT_SIZES];

/// Choose a variant for the node, in both precisions; NULL takes the choice back.
void choose_variant(const evn_graph *graph, evn_value node, const char *name);

/// What is done with a graph whose product is computed by a variant.
/// @param index  of the variant in its family's table
typedef void variant_check(const evn_graph *graph, int index);

/// Check the graph with the variants of the algorithm that the device is not unfit for, one in
/// three where not all of a case runs (test_is_whole); it acts as a GPU, with guard zones around
/// buffers, which must not be written.
/// @return how many variants there were
int check_variants(const evn_graph *graph, evn_value node, evn__algorithm algorithm,
                   variant_check *check);

#endif
