// SPDX-License-Identifier: Apache-2.0
/// @file
/// The whole library but the OpenCL interop (cl.h).
#ifndef EVONODE_EVONODE_H
#define EVONODE_EVONODE_H

#include "evonode/dataset.h"
#include "evonode/diff.h"
#include "evonode/event.h"
#include "evonode/optimizer.h"
#include "evonode/tasks.h"
#include "evonode/trainer.h"
#include "evonode/version.h"

#endif
