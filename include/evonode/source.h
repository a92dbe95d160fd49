// SPDX-License-Identifier: Apache-2.0
/// @file
/// Data sources: where a task's batches come from. A source says what a sample and its target look
/// like, how many there are, and fills batches with them; images with labels, points of a density
/// and observed series are sources, and a program can bring one of its own.
///
/// Shape letters: B batch; a sample and a target have shapes of their own behind it.
#ifndef EVONODE_SOURCE_H
#define EVONODE_SOURCE_H

#include "evonode/dataset.h"
#include "evonode/graph.h"

EVN_API_BEGIN

/// Which batch is wanted. The same values give the same numbers, so that a resumed run sees what a
/// run that was not stopped would have seen.
typedef struct evn_batch {
    evn_part part;  ///< of the source
    bool training;  ///< as training draws it, augmented; else as it is measured
    int64_t epoch;  ///< of all phases, from 0: the order of a shuffled part depends on it
    int64_t index;  ///< within the epoch
    int64_t number; ///< of the batches that training has drawn in all epochs: an endless source
                    ///< depends on it alone
} evn_batch;

/// What a sample and its target look like, and how many batches there are.
typedef struct evn_source_info {
    evn_shape sample;   ///< of one
    evn_shape target;   ///< of one, where has_target
    bool has_target;    ///< whether samples have targets
    int64_t batch;      ///< B
    int64_t batches[2]; ///< in an epoch of each evn_part; 0: there is no such part, or training
                        ///< draws fresh samples without end
} evn_source_info;

/// What a source can do. All functions get `self` of the source.
typedef struct evn_source_methods {
    /// Shapes and counts; the same in all its life.
    evn_source_info (*info)(const void *self);
    /// Write a batch.
    /// @param[out] samples  [B, sample], what fills up the batch too: it may be any memory before
    /// @param[out] targets  [B, target]; NULL, or not written, where there are none
    /// @param[out] weights  [B], 1 for a sample, 0 for what fills up the batch
    /// @param[out] filled   samples of weight 1, which come first: 1 to B; B where a flow is
    ///                      trained
    evn_status (*fill)(void *self, const evn_batch *batch, float *samples, float *targets,
                       float *weights, int64_t *filled);
    /// Release `self`; may be NULL.
    void (*destroy)(void *self);
} evn_source_methods;

/// A source by value: copies of it are the same source, which one evn_source_destroy ends.
typedef struct evn_source {
    const evn_source_methods *methods; ///< borrowed; outlives the source
    void *self;                        ///< handed to the methods; theirs
} evn_source;

void evn_source_destroy(evn_source *source); ///< nulls; accepts an empty one

/// Labelled images: samples [H, W, C], targets [classes] one-hot. Training draws batches in a new
/// order each epoch, augmented, and leaves a short last batch out; otherwise images are as they
/// are, the training part in the order of the epoch, the test part in that of its files with its
/// last batch filled up.
/// @param[in] dataset  borrowed; outlives the source
/// @return EVN_ERR_DATA when the training part has fewer than `batch` images; EVN_ERR_ARGUMENT for
///         an augmentation out of its range
evn_status evn_source_images(const evn_dataset *dataset, int64_t batch,
                             const evn_augmentation *augmentation, uint64_t seed,
                             evn_source *source);

/// Fresh points [2] of a known density in the plane, endless. The test part has 10,000 points that
/// are the same for every seed.
/// @param[in] name  evn_density_name
/// @return EVN_ERR_ARGUMENT for an unknown name or a batch below 1
evn_status evn_source_density(const char *name, int64_t batch, uint64_t seed, evn_source *source);

/// Known densities: name of number `index`, NULL past the last.
const char *evn_density_name(int index);
/// Entropy of a density in nats, which no model's mean negative log-likelihood is below; NaN for an
/// unknown name.
double evn_density_entropy(const char *name);

/// Rows of numbers as points [D]. Training goes through the rows without end, each time in a new
/// order; otherwise the parts are as long as they are, with the last batch filled up.
/// @param[in] rows     [count, D]; copied
/// @param[in] count, dimensions  1 or more each
/// @param[in] holdout  fraction of the rows that becomes the test part, chosen by the seed; 0: none
/// @return EVN_ERR_ARGUMENT; EVN_ERR_NOT_FINITE with the number that is not
evn_status evn_source_points(const float *rows, int64_t count, int64_t dimensions, int64_t batch,
                             double holdout, uint64_t seed, evn_source *source);

/// The curve s(t) = [sin t cos t, sin² t + cosh² t, eᵗ] of the paper's first experiment: one sample
/// [3], s(0), and its target [100, 3], s at the times i/100.
evn_status evn_source_curve(evn_source *source);

EVN_API_END

#endif
