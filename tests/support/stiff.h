// SPDX-License-Identifier: Apache-2.0
// Stiff reference problems (Mazzia, Magherini: Test Set for IVP Solvers, 2008; Hairer, Wanner:
// Solving ODEs II). `batch` rows begin alike.
#ifndef EVN_TEST_STIFF_H
#define EVN_TEST_STIFF_H

#include "problem.h"

problem stiff_prothero_robinson(int batch, double lambda); ///< x' = −λ (x − cos t), x0 = 0
problem stiff_cubes(double lambda);   ///< x' = −λ (x³ − cos³ t) − sin t, x0 = 1: x = cos t
problem stiff_van_der_pol(int batch); ///< time scaled by its period, μ = 1000
problem stiff_robertson(int batch);
problem stiff_hires(void);

#endif
