// SPDX-License-Identifier: Apache-2.0
/// @file
/// The learnt numbers of a model: named tensors in one device buffer, their gradients in another of
/// the same layout, so that one launch updates all and one call reduces all.
#ifndef EVONODE_PARAMETERS_H
#define EVONODE_PARAMETERS_H

#include "evonode/plan.h"

EVN_API_BEGIN

/// All parameters of a model, with their gradients.
typedef struct evn_parameters evn_parameters;

/// Initial values of a tensor.
typedef enum evn_initial {
    EVN_INITIAL_CONSTANT, ///< every element is `value`
    EVN_INITIAL_UNIFORM,  ///< in [−value, value)
    EVN_INITIAL_NORMAL,   ///< mean 0, standard deviation `value`
} evn_initial;

/// Without tensors, and without memory on a device.
evn_status evn_parameters_create(evn_parameters **parameters);
void evn_parameters_destroy(evn_parameters **parameters); ///< nulls; accepts NULL

/// Declare a tensor; the name must be new, and is copied. Only before evn_parameters_allocate.
/// @return EVN_ERR_ARGUMENT for a name that is taken, or after evn_parameters_allocate;
///         EVN_ERR_SHAPE
evn_status evn_parameters_add(evn_parameters *parameters, const char *name, evn_shape shape,
                              evn_initial initial, double value);

/// Create the device buffers and draw the initial values. A tensor's values depend on `seed` and on
/// its name alone: models that share layers start alike. Gradients are zero.
/// @return EVN_ERR_ARGUMENT without a tensor, and the second time; EVN_ERR_DEVICE_MEMORY
evn_status evn_parameters_allocate(evn_parameters *parameters, evn_device *device, bool fp64,
                                   uint64_t seed);

/// Number of tensors.
int evn_parameters_count(const evn_parameters *parameters);
int evn_parameters_find(const evn_parameters *parameters, const char *name); ///< −1: none
/// Name of tensor number `index`; borrowed.
const char *evn_parameters_name(const evn_parameters *parameters, int index);
/// Shape of tensor number `index`.
evn_shape evn_parameters_shape(const evn_parameters *parameters, int index);
int64_t evn_parameters_scalar_count(const evn_parameters *parameters); ///< numbers in all tensors

/// Where tensor number `index` is on the device.
evn_binding evn_parameters_value(const evn_parameters *parameters, int index);
/// Where its gradient is.
evn_binding evn_parameters_gradient(const evn_parameters *parameters, int index);

/// The whole buffers, with the padding between tensors (zero in both): for an optimiser.
evn_binding evn_parameters_values(const evn_parameters *parameters);
/// The whole buffer of gradients, as evn_parameters_values.
evn_binding evn_parameters_gradients(const evn_parameters *parameters);
/// Elements of either buffer, with the padding.
size_t evn_parameters_element_count(const evn_parameters *parameters);

/// Copy one tensor to the host, [its shape]; waits.
evn_status evn_parameters_read(const evn_parameters *parameters, int index, double *data);
/// Copy one tensor's gradient to the host, [its shape]; waits.
evn_status evn_parameters_read_gradient(const evn_parameters *parameters, int index, double *data);
/// Copy one tensor from the host, [its shape]; waits.
evn_status evn_parameters_write(evn_parameters *parameters, int index, const double *data);

EVN_API_END

#endif
