// SPDX-License-Identifier: Apache-2.0
#include "ops/lower.h"
#include "ops/variant.h"

evn__lower *const evn__lower_table[EVN__OP_COUNT] = {
    [EVN__OP_PAD] = evn__lower_pad,
    [EVN__OP_CONCAT] = evn__lower_concat,
    [EVN__OP_SUM] = evn__lower_sum,
    [EVN__OP_MATMUL] = evn__lower_matmul,
    [EVN__OP_SOLVE] = evn__lower_solve,
    [EVN__OP_KRYLOV_EXTEND] = evn__lower_krylov_extend,
    [EVN__OP_KRYLOV_COMBINE] = evn__lower_krylov_combine,
    [EVN__OP_CONV2D] = evn__lower_conv2d,
    [EVN__OP_CONV2D_INPUT_GRAD] = evn__lower_conv2d_input_grad,
    [EVN__OP_CONV2D_WEIGHT_GRAD] = evn__lower_conv2d_weight_grad,
    [EVN__OP_NORMALIZE] = evn__lower_normalize,
    [EVN__OP_NORMALIZE_GRAD] = evn__lower_normalize_grad,
    [EVN__OP_LOG_SOFTMAX] = evn__lower_log_softmax,
    [EVN__OP_MEAN_POOL2D] = evn__lower_mean_pool2d,
    [EVN__OP_MEAN_POOL2D_GRAD] = evn__lower_mean_pool2d_grad,
    [EVN__OP_MAX_POOL2D_SELECT] = evn__lower_max_pool2d_select,
    [EVN__OP_MAX_POOL2D_SCATTER] = evn__lower_max_pool2d_scatter,
};

const evn__space *const evn__space_table[EVN__OP_COUNT] = {
    [EVN__OP_MATMUL] = &evn__space_matmul,
    [EVN__OP_CONV2D] = &evn__space_conv2d,
    [EVN__OP_CONV2D_INPUT_GRAD] = &evn__space_conv2d,
    [EVN__OP_CONV2D_WEIGHT_GRAD] = &evn__space_conv2d,
    [EVN__OP_NORMALIZE] = &evn__space_normalize,
    [EVN__OP_NORMALIZE_GRAD] = &evn__space_normalize,
    [EVN__OP_KRYLOV_EXTEND] = &evn__space_krylov,
};
