// SPDX-License-Identifier: Apache-2.0
// TEST: label=mnist timeout=300
// On the real MNIST in $EVONODE_DATA/mnist.
#include "data/dataset.h"
#include "study/paper.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *mnist_folder(void) {
    static char folder[4096];
    ck_assert_msg(getenv("EVONODE_DATA"), "EVONODE_DATA is not set");
    snprintf(folder, sizeof(folder), "%s/mnist", getenv("EVONODE_DATA"));
    return folder;
}

static void check_mnist(const evn_dataset *dataset) {
    evn_dataset_info info = evn_dataset_get_info(dataset);
    ck_assert_int_eq(info.count[EVN_TRAIN], 60000);
    ck_assert_int_eq(info.count[EVN_TEST], 10000);
    ck_assert(info.height == 28 && info.width == 28 && info.channels == 1 && info.classes == 10);
    const uint16_t first[] = {5, 0, 4, 1, 9};
    ck_assert_mem_eq(evn_dataset_labels(dataset, EVN_TRAIN), first, sizeof(first));
}

/// The paper's figures stand beside runs on these data alone.
static void check_digest(evn_dataset *dataset) {
    char digest[EVN__HASH_TEXT];
    evn__dataset_digest(dataset, digest);
    ck_assert_msg(evn__paper_is_on("mnist", digest), "MNIST has the digest %s", digest);
    ck_assert(evn__paper_is_on("curve", ""));
    TRY(evn_dataset_limit(dataset, EVN_TRAIN, 59999));
    evn__dataset_digest(dataset, digest);
    ck_assert(!evn__paper_is_on("mnist", digest));
}

START_TEST(reads_mnist) {
    evn_dataset *named, *found;
    TRY(evn_dataset_open("mnist", mnist_folder(), &named));
    check_mnist(named);
    check_digest(named);
    ck_assert_int_eq(chdir(test_folder()), 0); // no datasets/mnist here: EVONODE_DATA decides
    TRY(evn_dataset_open("mnist", NULL, &found));
    check_mnist(found);
    evn_dataset_destroy(&named);
    evn_dataset_destroy(&found);
}
END_TEST

/// Exit code of fetch_mnist.sh into `target`, taking `source` for MNIST's home.
static int fetch(const char *source, const char *target) {
    char command[20000];
    snprintf(command, sizeof(command),
             "EVONODE_MNIST_URL='file://%s' sh '%s/datasets/fetch_mnist.sh' '%s' >&2", source,
             getenv("EVONODE_SOURCE"), target);
    return system(command);
}

START_TEST(fetches) {
    char folder[4096];
    snprintf(folder, sizeof(folder), "%s/fetched", test_folder());
    ck_assert_int_ne(fetch("/nowhere", folder), 0);
    ck_assert_int_eq(rmdir(folder), 0); // it is empty: nothing half-fetched is left
    ck_assert_int_eq(fetch(mnist_folder(), folder), 0);
    ck_assert_int_eq(fetch("/nowhere", folder), 0); // what is there and right is kept
    evn_dataset *dataset;
    TRY(evn_dataset_open("mnist", folder, &dataset));
    check_mnist(dataset);
    evn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(refuses_wrong_content) {
    char command[20000], source[4096], target[4096];
    snprintf(source, sizeof(source), "%s/wrong", test_folder());
    snprintf(target, sizeof(target), "%s/target", test_folder());
    snprintf(command, sizeof(command),
             "mkdir '%s' && cd '%s' && cp -f '%s'/*.gz . && "
             "cp -f t10k-labels-idx1-ubyte.gz train-labels-idx1-ubyte.gz",
             source, source, mnist_folder());
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_ne(fetch(source, target), 0);
    snprintf(command, sizeof(command), "%s/train-labels-idx1-ubyte.gz", target);
    ck_assert_int_ne(access(command, F_OK), 0);
}
END_TEST

static Suite *suite(void) {
    Suite *all = suite_create("mnist");
    TCase *files = tcase_create("files");
    tcase_add_test(files, reads_mnist);
    suite_add_tcase(all, files);
    TCase *script = tcase_create("fetch");
    tcase_add_test(script, fetches);
    suite_add_tcase(all, script);
    TCase *wrong = tcase_create("fetch_wrong");
    tcase_add_test(wrong, refuses_wrong_content);
    suite_add_tcase(all, wrong);
    return all;
}

int main(void) {
    return test_run(suite());
}
