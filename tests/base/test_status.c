// SPDX-License-Identifier: Apache-2.0
#include "base/status.h"
#include "test.h"

#include <pthread.h>
#include <string.h>

static evn_status give_up(int number) {
    EVN_FAIL(EVN_ERR_DATA, "number %d", number);
}

static evn_status pass_on(int number, int *reached) {
    EVN_TRY(give_up(number));
    *reached = 1;
    return EVN_OK;
}

static evn_status check(int number) {
    EVN_CHECK(number > 0, EVN_ERR_ARGUMENT, "%d is not positive", number);
    return EVN_OK;
}

static evn_status clean_up(int *cleaned) {
    evn_status status = EVN_OK;
    EVN_TRY_GOTO(status, check(1), done);
    EVN_TRY_GOTO(status, check(0), done);
    return EVN_OK;
done:
    *cleaned = 1;
    return status;
}

START_TEST(failure_keeps_message_and_place) {
    int reached = 0, cleaned = 0;
    ck_assert_int_eq(pass_on(7, &reached), EVN_ERR_DATA);
    ck_assert_int_eq(reached, 0);
    ck_assert_str_eq(evn_error_message(), "number 7");
    ck_assert_ptr_nonnull(strstr(evn_error_place(), "test_status.c:"));
    ck_assert_int_eq(check(1), EVN_OK);
    ck_assert_str_eq(evn_error_message(), "number 7"); // success does not clear it
    ck_assert_int_eq(clean_up(&cleaned), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(cleaned, 1);
    ck_assert_str_eq(evn_error_message(), "0 is not positive");
}
END_TEST

START_TEST(context_goes_before) {
    ck_assert_int_eq(evn__prepend(give_up(1), "file %s", "x"), EVN_ERR_DATA);
    ck_assert_str_eq(evn_error_message(), "file x: number 1");
    give_up(2);
    evn__fail("a.c", 3, EVN_ERR_FILE, "again: %s", evn_error_message()); // reads what it replaces
    ck_assert_str_eq(evn_error_message(), "again: number 2");
    ck_assert_str_eq(evn_error_place(), "a.c:3");
}
END_TEST

START_TEST(long_messages_are_cut) {
    char text[10000];
    memset(text, 'm', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    evn__fail("a.c", 1, EVN_ERR_DATA, "%s", text);
    size_t length = strlen(evn_error_message());
    ck_assert(length > 1000 && length < sizeof(text) - 1);
    evn__prepend(EVN_ERR_DATA, "%s", "before");
    ck_assert_int_eq(strncmp(evn_error_message(), "before: mmm", 11), 0);
    evn__prepend(EVN_ERR_DATA, "%s", text);
    ck_assert_uint_eq(strlen(evn_error_message()), length);
}
END_TEST

static void *message_of_thread(void *result) {
    *(int *)result = evn_error_message()[0] == 0;
    give_up(5);
    return NULL;
}

START_TEST(threads_keep_their_own) {
    pthread_t thread;
    int empty = 0;
    give_up(4);
    ck_assert_int_eq(pthread_create(&thread, NULL, message_of_thread, &empty), 0);
    pthread_join(thread, NULL);
    ck_assert_int_eq(empty, 1);
    ck_assert_str_eq(evn_error_message(), "number 4");
}
END_TEST

START_TEST(every_status_has_name_and_text) {
    for (int i = EVN_OK; i <= EVN_ERR_DEADLINE; ++i) {
        ck_assert_str_ne(evn_status_name((evn_status)i), "unknown");
        ck_assert_str_ne(evn_status_text((evn_status)i), "unknown status");
    }
    ck_assert_str_eq(evn_status_name(EVN_ERR_FILE), "ERR_FILE");
    ck_assert_str_eq(evn_status_name((evn_status)(EVN_ERR_DEADLINE + 1)), "unknown");
    ck_assert_str_eq(evn_status_text((evn_status)-1), "unknown status");
}
END_TEST

static Suite *suite(void) {
    Suite *all = suite_create("status");
    TCase *messages = tcase_create("messages");
    tcase_add_test(messages, failure_keeps_message_and_place);
    tcase_add_test(messages, context_goes_before);
    tcase_add_test(messages, long_messages_are_cut);
    tcase_add_test(messages, threads_keep_their_own);
    suite_add_tcase(all, messages);
    TCase *names = tcase_create("names");
    tcase_add_test(names, every_status_has_name_and_text);
    suite_add_tcase(all, names);
    return all;
}

int main(void) {
    return test_run(suite());
}
