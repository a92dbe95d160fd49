// SPDX-License-Identifier: Apache-2.0
#include "base/files.h"
#include "base/status.h"
#include "sweep.h"
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATH_SIZE = 512 };

/// A path in the test's folder; a few of them may be in use at once.
static const char *place(const char *name) {
    static char paths[4][PATH_SIZE];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, PATH_SIZE, "%s/%s", test_folder(), name);
    return path;
}

static void expect_message(const char *part, const char *another) {
    ck_assert_msg(strstr(evn_error_message(), part) != NULL, "%s", evn_error_message());
    ck_assert_msg(strstr(evn_error_message(), another) != NULL, "%s", evn_error_message());
}

// Read --------------------------------------------------------------------------------------------

START_TEST(contents_come_back) {
    unsigned char *data;
    size_t bytes;
    TRY(evn__file_write(place("a"), "x\0y", 3));
    TRY(evn__file_read(place("a"), &data, &bytes));
    ck_assert_uint_eq(bytes, 3);
    ck_assert_mem_eq(data, "x\0y", 4); // the NUL byte behind them too
    free(data);
    TRY(evn__file_write(place("a"), NULL, 0));
    TRY(evn__file_read(place("a"), &data, &bytes));
    ck_assert_uint_eq(bytes, 0);
    ck_assert_uint_eq(data[0], 0);
    free(data);
}
END_TEST

START_TEST(large_contents_come_back) {
    unsigned char *data, *copy = malloc(3000001);
    size_t bytes;
    for (size_t i = 0; i < 3000001; ++i) {
        copy[i] = (unsigned char)(i * 2654435761u >> 13);
    }
    TRY(evn__file_write(place("large"), copy, 3000001));
    TRY(evn__file_read(place("large"), &data, &bytes));
    ck_assert_uint_eq(bytes, 3000001);
    ck_assert_mem_eq(data, copy, bytes);
    free(data);
    free(copy);
}
END_TEST

START_TEST(unreadable_says_why) {
    unsigned char *data;
    size_t bytes;
    ck_assert_int_eq(evn__file_read(place("absent"), &data, &bytes), EVN_ERR_FILE);
    expect_message("/absent", "No such file");
    ck_assert_int_eq(evn__file_read(test_folder(), &data, &bytes), EVN_ERR_FILE);
    expect_message(test_folder(), "not a folder");
    ck_assert_int_eq(mkfifo(place("pipe"), 0600), 0);
    ck_assert_int_eq(evn__file_read(place("pipe"), &data, &bytes), EVN_ERR_FILE);
    expect_message("/pipe", "is a pipe or a device");
    TRY(evn__file_write(place("a"), "x", 1));
    ck_assert_int_eq(evn__file_read(place("a/below"), &data, &bytes), EVN_ERR_FILE);
    expect_message("/a/below", "name a file");
    FILE *stream = fopen(place("a"), "a");
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_eq(evn__stream_read(stream, "what is written", 9, &data, &bytes), EVN_ERR_FILE);
    expect_message("what is written", "check what writes it");
    fclose(stream);
}
END_TEST

START_TEST(oversized_file_is_refused) {
    unsigned char *data;
    size_t bytes;
    TRY(evn__file_write(place("sparse"), "x", 1));
    ck_assert_int_eq(truncate(place("sparse"), (off_t)EVN__FILE_BYTES_MAX + 1), 0);
    ck_assert_int_eq(evn__file_read(place("sparse"), &data, &bytes), EVN_ERR_FILE);
    expect_message("/sparse", "4294967297");
}
END_TEST

// Write -------------------------------------------------------------------------------------------

static int count_entries(const char *path) {
    int count = 0;
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    while (readdir(folder)) {
        count++;
    }
    closedir(folder);
    return count - 2; // . and ..
}

START_TEST(replacing_is_a_rename) {
    char path[PATH_SIZE], contents[4] = {0};
    snprintf(path, sizeof(path), "%s", place("w/file"));
    TRY(evn__folder_make(place("w"), 0777));
    TRY(evn__file_write(path, "old", 3));
    FILE *reader = fopen(path, "rb"); // has the old file open: must go on seeing it whole
    ck_assert_ptr_nonnull(reader);
    TRY(evn__file_write(path, "new", 3));
    ck_assert_uint_eq(fread(contents, 1, 3, reader), 3);
    ck_assert_str_eq(contents, "old");
    fclose(reader);
    ck_assert_int_eq(count_entries(place("w")), 1);
}
END_TEST

/// What a killed writer left goes with the next one's, and not what a living one is writing.
START_TEST(leftovers_are_swept) {
    TRY(evn__folder_make(place("s"), 0777));
    TRY(evn__file_write(place("s/a.tmp-1-0"), "half", 4)); // as if its writer had been killed
    TRY(evn__file_write(place("s/b.tmp-1-0"), "half", 4));
    TRY(evn__file_write(place("s/a.tmp-1-x"), "mine", 4));
    int living = open(place("s/a.tmp-2-0"), O_RDWR | O_CREAT, 0600);
    ck_assert_int_eq(flock(living, LOCK_EX), 0);
    TRY(evn__file_write(place("s/a"), "whole", 5));
    ck_assert_int_ne(access(place("s/a.tmp-1-0"), F_OK), 0);
    ck_assert_int_eq(access(place("s/b.tmp-1-0"), F_OK), 0); // of another file
    ck_assert_int_eq(access(place("s/a.tmp-2-0"), F_OK), 0);
    evn__folder_sweep(place("s"), NULL);
    ck_assert_int_ne(access(place("s/b.tmp-1-0"), F_OK), 0);
    close(living);
    evn__folder_sweep(place("s"), NULL);
    ck_assert_int_eq(count_entries(place("s")), 2); // a and what only looks like one
}
END_TEST

START_TEST(new_files_follow_the_umask) {
    struct stat info;
    mode_t before = umask(027);
    TRY(evn__file_write(place("masked"), "x", 1));
    umask(before);
    ck_assert_int_eq(stat(place("masked"), &info), 0);
    ck_assert_int_eq(info.st_mode & 0777, 0640);
}
END_TEST

START_TEST(failure_leaves_nothing_behind) {
    TRY(evn__folder_make(place("f/taken/inner"), 0777));
    ck_assert_int_eq(evn__file_write(place("f/taken"), "x", 1), EVN_ERR_OUTPUT); // is a folder
    expect_message("/f/taken", "choose");
    ck_assert_int_eq(count_entries(place("f")), 1);
    ck_assert_int_eq(evn__file_write(place("f/none/file"), "x", 1), EVN_ERR_OUTPUT);
    expect_message("/f/none/file", "make the folder");
    TRY(evn__file_write(place("f/file"), "x", 1));
    ck_assert_int_eq(evn__file_write(place("f/file/below"), "x", 1), EVN_ERR_OUTPUT);
    expect_message("/f/file/below", "choose another name");
    ck_assert_int_eq(symlink("ring", place("f/ring")), 0);
    ck_assert_int_eq(evn__file_write(place("f/ring"), "x", 1), EVN_ERR_OUTPUT);
    expect_message("/f/ring", "choose another name");
}
END_TEST

/// Where a disk is full, and where nothing can be put onto a disk.
START_TEST(what_the_system_says) {
    int full = open("/dev/full", O_WRONLY), ends[2];
    if (full >= 0) {
        ck_assert_int_eq(evn__file_append(full, "a", "x", 1), EVN_ERR_OUTPUT);
        expect_message("cannot write a", "free some disk space");
        close(full);
    }
    ck_assert_int_eq(pipe(ends), 0);
    TRY(evn__file_sync(ends[1], "pipe"));
    close(ends[0]);
    close(ends[1]);
    ck_assert_int_eq(evn__file_sync(ends[1], "closed"), EVN_ERR_OUTPUT);
    expect_message("cannot write closed", "check the disk");
}
END_TEST

START_TEST(names) {
    static const char *const temporary[] = {"a" EVN__TEMPORARY "1-0", EVN__TEMPORARY "12-34",
                                            "a" EVN__TEMPORARY "x" EVN__TEMPORARY "1-2"};
    static const char *const others[] = {
        "a",
        "a" EVN__TEMPORARY,
        "a" EVN__TEMPORARY "1",
        "a" EVN__TEMPORARY "-1",
        "a" EVN__TEMPORARY "1-",
        "a" EVN__TEMPORARY "1-2x",
        "a" EVN__TEMPORARY "1-2" EVN__TEMPORARY,
    };
    for (size_t i = 0; i < sizeof(temporary) / sizeof(temporary[0]); ++i) {
        ck_assert_msg(evn__file_is_temporary(temporary[i]), "%s", temporary[i]);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); ++i) {
        ck_assert_msg(!evn__file_is_temporary(others[i]), "%s", others[i]);
    }
    TRY(evn__file_write(place("one"), "x", 1));
    TRY(evn__file_write(place("other"), "x", 1));
    ck_assert_int_eq(symlink("one", place("another")), 0);
    ck_assert(evn__is_same_file(place("one"), place("another")));
    ck_assert(!evn__is_same_file(place("one"), place("other")));
    ck_assert(!evn__is_same_file(place("one"), place("none")));
    ck_assert(!evn__is_same_file(place("none"), place("one")));
    ck_assert(!evn__is_same_file(place("one"), "/dev/null"));
}
END_TEST

static void expect_contents(const char *path, const char *contents) {
    unsigned char *data;
    size_t bytes;
    TRY(evn__file_read(path, &data, &bytes));
    ck_assert_str_eq((char *)data, contents);
    free(data);
}

static void expect_kind(const char *path, mode_t kind) {
    struct stat info;
    ck_assert_int_eq(lstat(path, &info), 0);
    ck_assert_uint_eq(info.st_mode & S_IFMT, kind);
}

START_TEST(links_stay) {
    TRY(evn__folder_make(place("l/inner"), 0777));
    TRY(evn__file_write(place("l/inner/file"), "old", 3));
    ck_assert_int_eq(symlink("inner/file", place("l/link")), 0);
    ck_assert_int_eq(symlink("link", place("l/second")), 0);
    TRY(evn__file_write(place("l/second"), "new", 3));
    expect_kind(place("l/second"), S_IFLNK);
    expect_kind(place("l/link"), S_IFLNK);
    expect_contents(place("l/inner/file"), "new");
    ck_assert_int_eq(unlink(place("l/inner/file")), 0); // leads to a file that is still to come
    TRY(evn__file_write(place("l/second"), "first", 5));
    expect_contents(place("l/inner/file"), "first");
    ck_assert_int_eq(symlink(place("l/loop"), place("l/loop")), 0);
    ck_assert_int_eq(evn__file_write(place("l/loop"), "x", 1), EVN_ERR_OUTPUT);
    expect_message("/l/loop", "choose another name");
    ck_assert_int_eq(count_entries(place("l")), 4);
    ck_assert_int_eq(count_entries(place("l/inner")), 1);
}
END_TEST

START_TEST(pipes_are_written_into) {
    char contents[8] = {0};
    ck_assert_int_eq(mkfifo(place("fifo"), 0600), 0);
    ck_assert_int_eq(symlink("fifo", place("to-fifo")), 0);
    int reader = open(place("fifo"), O_RDONLY | O_NONBLOCK);
    ck_assert_int_ge(reader, 0);
    TRY(evn__file_write(place("fifo"), "one", 3));
    TRY(evn__file_write(place("to-fifo"), "two", 3));
    ck_assert_int_eq(read(reader, contents, sizeof(contents)), 6);
    ck_assert_str_eq(contents, "onetwo");
    expect_kind(place("fifo"), S_IFIFO);
    expect_kind(place("to-fifo"), S_IFLNK);
    close(reader);
    ck_assert_int_eq(evn__file_write_own(place("fifo"), "x", 1), EVN_ERR_OUTPUT); // nor waited for
    expect_message("/fifo", "a pipe or a device has that name");
    TRY(evn__file_write_own(place("own"), "x", 1));
    expect_contents(place("own"), "x");
}
END_TEST

static void *read_a_little(void *user) {
    char byte;
    int reader = open(user, O_RDONLY);
    ck_assert_int_eq(read(reader, &byte, 1), 1);
    close(reader);
    return NULL;
}

START_TEST(reader_that_goes_is_an_error) {
    enum { MORE_THAN_A_PIPE = 1 << 21 };
    static char data[MORE_THAN_A_PIPE];
    char path[PATH_SIZE];
    pthread_t thread;
    snprintf(path, sizeof(path), "%s", place("left"));
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, read_a_little, path), 0);
    ck_assert_int_eq(evn__file_write(path, data, sizeof(data)), EVN_ERR_OUTPUT);
    expect_message("/left: Broken pipe", "check what reads it");
    pthread_join(thread, NULL);
    expect_kind(path, S_IFIFO);
}
END_TEST

START_TEST(standard_output_goes_on) {
    int before = dup(STDOUT_FILENO);
    int file = open(place("log"), O_RDWR | O_CREAT, 0600);
    ck_assert_int_eq(symlink("log", place("stdout")), 0); // as /dev/stdout
    ck_assert_int_eq(dup2(file, STDOUT_FILENO), STDOUT_FILENO);
    bool written = write(STDOUT_FILENO, "a", 1) == 1;
    evn_status status = evn__file_write(place("stdout"), "b", 1);
    written = written && write(STDOUT_FILENO, "c", 1) == 1;
    dup2(before, STDOUT_FILENO);
    close(before);
    close(file);
    ck_assert_int_eq(status, EVN_OK);
    ck_assert(written);
    expect_contents(place("log"), "abc");
}
END_TEST

static void note_signal(int number) {
    (void)number;
}

/// A signal while a stream is waited for ends no read.
START_TEST(stream_under_signals) {
    int ends[2];
    unsigned char *data;
    size_t bytes;
    const struct timespec pause = {0, 100000000};
    const struct sigaction action = {.sa_handler = note_signal}; // without SA_RESTART
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 5; ++i) {
            nanosleep(&pause, NULL);
            kill(getppid(), SIGUSR1);
        }
        _exit(write(ends[1], "data", 4) == 4 ? 0 : 1);
    }
    close(ends[1]);
    FILE *stream = fdopen(ends[0], "r");
    evn_status status = evn__stream_read(stream, "a pipe", 100, &data, &bytes);
    waitpid(child, NULL, 0);
    fclose(stream);
    ck_assert_msg(status == EVN_OK, "%s", evn_error_message());
    ck_assert_mem_eq(data, "data", 5);
    ck_assert_uint_eq(bytes, 4);
    free(data);
}
END_TEST

// Folders -----------------------------------------------------------------------------------------

START_TEST(folders_are_made_with_those_above) {
    struct stat info;
    TRY(evn__folder_make(place("one/two//three/"), 0700));
    ck_assert_int_eq(stat(place("one/two/three"), &info), 0);
    ck_assert(S_ISDIR(info.st_mode));
    ck_assert_int_eq(info.st_mode & 0777, 0700);
    TRY(evn__folder_make(place("one/two/three"), 0700)); // again
    TRY(evn__folder_make("/", 0700));
}
END_TEST

START_TEST(folder_in_the_way_of_a_file) {
    TRY(evn__file_write(place("plain"), "x", 1));
    ck_assert_int_eq(evn__folder_make(place("plain"), 0700), EVN_ERR_OUTPUT);
    expect_message("/plain", "choose another name");
    ck_assert_int_eq(evn__folder_make(place("plain/below"), 0700), EVN_ERR_OUTPUT);
    ck_assert_int_eq(evn__folder_make("", 0700), EVN_ERR_OUTPUT);
    // The reason is mkdir's, not that of looking whether there is a folder already.
    ck_assert_int_eq(symlink("nowhere", place("dangling")), 0);
    ck_assert_int_eq(evn__folder_make(place("dangling"), 0700), EVN_ERR_OUTPUT);
    expect_message("/dangling: File exists", "choose another name");
    char name[400] = "";
    memset(name, 'x', sizeof(name) - 1);
    ck_assert_int_eq(evn__folder_make(place(name), 0700), EVN_ERR_OUTPUT);
    ck_assert_msg(strstr(evn_error_message(), strerror(ENAMETOOLONG)), "%s", evn_error_message());
}
END_TEST

START_TEST(streams_are_read_to_their_end) {
    enum { SIZE = 200000 };
    static unsigned char bytes[SIZE];
    unsigned char *data;
    size_t size;
    FILE *stream = tmpfile();
    for (int i = 0; i < SIZE; ++i) {
        bytes[i] = (unsigned char)(i * 7);
    }
    ck_assert_uint_eq(fwrite(bytes, 1, SIZE, stream), SIZE);
    rewind(stream);
    TRY(evn__stream_read(stream, "it", SIZE, &data, &size));
    ck_assert_uint_eq(size, SIZE);
    ck_assert_mem_eq(data, bytes, SIZE);
    ck_assert_int_eq(data[SIZE], 0);
    free(data);
    TRY(evn__stream_read(stream, "it", SIZE, &data, &size)); // at its end
    ck_assert_uint_eq(size, 0);
    free(data);
    rewind(stream);
    ck_assert_int_eq(evn__stream_read(stream, "it", SIZE - 1, &data, &size), EVN_ERR_FILE);
    expect_message("cannot read it", "more than");
    fclose(stream);
}
END_TEST

/// Whatever the system does not say of a link: it stays one, as what /dev/stdout is does.
static void check_link(void) {
    expect_kind(place("link"), S_IFLNK);
    expect_kind(place("behind"), S_IFLNK);
}

static evn_status write_link(void) {
    return evn__file_write("link", "contents", 8);
}

static evn_status write_behind(void) {
    return evn__file_write("behind", "contents", 8);
}

static void leave(void) {
    FILE *file = fopen("l/a.tmp-1-0", "w");
    ck_assert(file && fclose(file) == 0);
}

/// What cannot be swept stays for the next writer; no signal is a reason for it.
static evn_status sweep(void) {
    errno = 0;
    evn__folder_sweep("l", NULL);
    int error = errno;
    EVN_CHECK(access("l/a.tmp-1-0", F_OK) != 0, evn__file_status(error, EVN_ERR_FILE), "it stays");
    return EVN_OK;
}

START_TEST(faults) {
    static const test_deed deeds[] = {
        {.name = "link to a file", .prepare = check_link, .run = write_link},
        {.name = "link to nothing yet", .prepare = check_link, .run = write_behind},
        {.name = "leftovers", .prepare = leave, .run = sweep}};
    test_sweep_begin();
    ck_assert_int_eq(chdir(test_folder()), 0);
    ck_assert_int_eq(symlink("file", "link"), 0);
    ck_assert_int_eq(symlink("link", "behind"), 0);
    ck_assert_int_eq(mkdir("l", 0700), 0);
    for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); ++i) {
        test_sweep(&deeds[i]);
        check_link();
        expect_contents(place("file"), "contents");
    }
}
END_TEST

static Suite *suite(void) {
    Suite *all = suite_create("files");
    TCase *reading = tcase_create("reading");
    tcase_add_test(reading, stream_under_signals);
    tcase_add_test(reading, streams_are_read_to_their_end);
    tcase_add_test(reading, contents_come_back);
    tcase_add_test(reading, large_contents_come_back);
    tcase_add_test(reading, unreadable_says_why);
    tcase_add_test(reading, oversized_file_is_refused);
    suite_add_tcase(all, reading);
    TCase *writing = tcase_create("writing");
    tcase_add_test(writing, replacing_is_a_rename);
    tcase_add_test(writing, leftovers_are_swept);
    tcase_add_test(writing, new_files_follow_the_umask);
    tcase_add_test(writing, failure_leaves_nothing_behind);
    tcase_add_test(writing, what_the_system_says);
    tcase_add_test(writing, names);
    tcase_add_test(writing, links_stay);
    tcase_add_test(writing, pipes_are_written_into);
    tcase_add_test(writing, reader_that_goes_is_an_error);
    tcase_add_test(writing, standard_output_goes_on);
    suite_add_tcase(all, writing);
    TCase *folders = tcase_create("folders");
    tcase_add_test(folders, folders_are_made_with_those_above);
    tcase_add_test(folders, folder_in_the_way_of_a_file);
    suite_add_tcase(all, folders);
    test_add(all, tcase_create("faults"), faults);
    return all;
}

int main(void) {
    return test_run(suite());
}
