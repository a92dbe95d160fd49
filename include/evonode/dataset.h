// SPDX-License-Identifier: Apache-2.0
/// @file
/// Labelled images, and the batches that training and evaluation draw from them. Host memory only.
///
/// Shape letters: N samples, B batch, H height, W width, C channels (channels last).
#ifndef EVONODE_DATASET_H
#define EVONODE_DATASET_H

#include "evonode/status.h"
#include <stdbool.h>
#include <stdint.h>

EVN_API_BEGIN

/// Both parts of a data set, in host memory.
typedef struct evn_dataset evn_dataset;

/// The two parts of a data set.
typedef enum evn_part { EVN_TRAIN, EVN_TEST } evn_part;

/// What a data set holds.
typedef struct evn_dataset_info {
    const char *name;                ///< "digits", "mnist" or "images"; static storage
    int64_t count[2];                ///< samples of EVN_TRAIN and EVN_TEST
    int64_t height, width, channels; ///< of every image
    int classes;                     ///< labels are 0 … classes − 1
    int64_t left_out;                ///< files that could not be decoded (skip_bad)
} evn_dataset_info;

/// Read both parts of a data set into memory and check that they fit together.
/// @param[in] name    "digits" (built in) or "mnist"
/// @param[in] folder  where its IDX files are, gzipped or not; NULL: for digits the built-in ones,
///                    for mnist datasets/mnist, then $EVONODE_DATA/mnist
/// @return EVN_ERR_ARGUMENT for an unknown name; EVN_ERR_FILE when a file is missing or cannot be
///         read; EVN_ERR_FORMAT when one is malformed; EVN_ERR_DATA when counts or shapes of the
///         files differ or a label is out of range
evn_status evn_dataset_open(const char *name, const char *folder, evn_dataset **dataset);

/// How an image of another shape comes to the size that was asked for.
typedef enum evn_fit {
    EVN_FIT_CROP,    ///< scaled until it fills the size; what is too long is cut off on both sides
    EVN_FIT_PAD,     ///< scaled until it fits in; black on both sides of what is too short
    EVN_FIT_STRETCH, ///< distorted
} evn_fit;

/// How a folder of images is read. Set up with evn_folder_options_default, then change fields.
typedef struct evn_folder_options {
    int64_t height, width; ///< to which all images are brought; 0: they have one size already
    evn_fit fit;           ///< how those of another shape come to that size
    double holdout; ///< fraction of each class that becomes the test part where the folder has
                    ///< none, in (0, 1); 0: a tenth
    uint64_t seed;  ///< of which images these are
    int64_t limit;  ///< leave so many images of the training part, spread over the classes; 0: all
    int64_t skip_bad; ///< so many files that are no good images may be left out
    /// How many files have been decoded so far, ten times a second; NULL: not told. Called on the
    /// thread of the call.
    void (*progress)(void *user, int64_t done, int64_t total);
    /// A line about what was left out, or where images were taken from; NULL: not told.
    void (*note)(void *user, const char *text);
    void *user; ///< first argument of both
} evn_folder_options;

/// Own size, crop, a tenth held out, seed 1, all images, no bad file.
evn_folder_options evn_folder_options_default(void);

/// Read a folder of images, told by its content:
/// - a sub-folder for each class, below train/ and test/ (or val/) or, with some held out, without
///   them; PNG, JPEG, BMP, TGA and binary PNM files, 8 or 16 bits. The data set is grey when all
///   are, and else has three colours; alpha is laid on white. Files are decoded by a thread for
///   each processor and kept in the cache folder (EVONODE_CACHE_DIR; docs/guide.md), from where
///   later calls take them until names, sizes or times of the files change. Symbolic links are not
///   followed, hidden files not read. Images stand in the order of their names;
/// - four IDX files of any prefix (MNIST, EMNIST, Fashion-MNIST, KMNIST), gzipped or not; where
///   there are several sets, `folder` is FOLDER/PREFIX. Labels may begin at any number;
/// - binary batches of CIFAR-10 or CIFAR-100 (fine labels).
/// @param[in] options  NULL: the default
/// @return EVN_ERR_FILE when something cannot be read, changed meanwhile, or is missing;
///         EVN_ERR_FORMAT for a file that is no good image, with its path and the reason;
///         EVN_ERR_DATA for sizes that differ, fewer than two classes or more than 4,096, a class
///         too small to hold out from; EVN_ERR_ARGUMENT for options out of their ranges
evn_status evn_dataset_open_folder(const char *folder, const evn_folder_options *options,
                                   evn_dataset **dataset);
void evn_dataset_destroy(evn_dataset **dataset); ///< nulls; accepts NULL

/// Name of the class with label `index` (0 … classes − 1): of its folder, or what the files say.
/// Borrowed from the data set; UTF-8 without control characters. NULL for any other index.
const char *evn_dataset_class_name(const evn_dataset *dataset, int index);

/// Shapes and counts; after evn_dataset_limit those that are left.
evn_dataset_info evn_dataset_get_info(const evn_dataset *dataset);

/// Keep only the first `count` (>= 1) samples of a part, in the order of its files; a count beyond
/// the part's size keeps them all.
evn_status evn_dataset_limit(evn_dataset *dataset, evn_part part, int64_t count);

/// [N, H, W, C] bytes, 0 … 255; borrowed from the data set.
const uint8_t *evn_dataset_pixels(const evn_dataset *dataset, evn_part part);
/// [N]; borrowed from the data set.
const uint16_t *evn_dataset_labels(const evn_dataset *dataset, evn_part part);

/// Augmentation: how much an image differs, at random, each time it is drawn. Labels stay.
typedef struct evn_augmentation {
    int crop; ///< it is put into a border of this many pixels of 0, and a window of its own size
              ///< is cut out; 0 … min(H, W) − 1
    double rotate; ///< it is turned about its centre by up to so many degrees either way; 0 … 180
    double scale;  ///< it is enlarged or shrunk by a factor of up to 1 + scale; 0 … 1
    double elastic; ///< its pixels are displaced, down and to the right, by a smooth random field
                    ///< of this standard deviation in pixels (Simard et al. 2003); 0 … min(H, W)/4
    bool flip;     ///< it is mirrored, left and right, half of the time
    double jitter; ///< images of three colours: brightness, contrast and saturation are each
                   ///< multiplied by 1 − jitter … 1 + jitter; 0 … 1
} evn_augmentation;

/// Cuts a part into batches. Which samples a batch has, and how they are augmented, depends on the
/// options, epoch and index alone, so a run that is resumed sees the same ones.
typedef struct evn_batches evn_batches;

/// How a part is cut into batches.
typedef struct evn_batches_options {
    evn_part part;  ///< which part is cut
    int size;       ///< B, samples in a batch, >= 1
    bool shuffle;   ///< a new order each epoch, and a short last batch is left out; otherwise the
                    ///< order of the files, and the last batch is filled up with weight 0
    bool normalize; ///< subtract the training part's mean and divide by its standard deviation,
                    ///< channel by channel; otherwise pixels are byte/255, in [0, 1]
    evn_augmentation augmentation; ///< drawn anew in each epoch
    uint64_t seed;                 ///< of the orders and the augmentation
} evn_batches_options;

/// @param[in] dataset  borrowed; must outlive the batches, and not be limited meanwhile
/// @return EVN_ERR_DATA when shuffle is set and the part has fewer than `size` samples;
///         EVN_ERR_ARGUMENT for an augmentation out of its range
evn_status evn_batches_create(const evn_dataset *dataset, const evn_batches_options *options,
                              evn_batches **batches);
void evn_batches_destroy(evn_batches **batches); ///< nulls; accepts NULL

/// Batches in an epoch, >= 1.
int64_t evn_batches_batch_count(const evn_batches *batches);

/// Choose the order and the augmentation of an epoch (0, 1, …). A new object is at epoch 0.
void evn_batches_set_epoch(evn_batches *batches, int64_t epoch);

/// Write batch `index` (0 … count − 1) of the epoch.
/// @param[out] images   [B, H, W, C]
/// @param[out] labels   [B, classes], one-hot; zeros for a sample of weight 0
/// @param[out] weights  [B], 1 for a sample, 0 for what fills up the batch; may be NULL
/// @return number of samples with weight 1; 0, and nothing is written, without such a batch
int evn_batches_fill(const evn_batches *batches, int64_t index, float *images, float *labels,
                     float *weights);

EVN_API_END

#endif
