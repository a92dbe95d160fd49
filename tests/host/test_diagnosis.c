// SPDX-License-Identifier: Apache-2.0
// What is said to be missing, of surroundings that are made up.
#include "base/files.h"
#include "host/diagnosis.h"
#include "program.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/// As a user that may open no device node: tests may run as root, who may open everything.
static int reach_none(const char *path, int mode) {
    return strstr(path, "/dri/") || strstr(path, "/kfd") ? (mode == F_OK ? 0 : -1)
                                                         : access(path, mode);
}

/// Empty folders, and a system of that name.
static evn__surroundings nowhere(const char *release) {
    static char devices[TEST_PATH], vendors[TEST_PATH], file[TEST_PATH];
    TRY(evn__folder_make(test_path(vendors, "none"), 0700));
    TRY(evn__folder_make(test_path(devices, "dev"), 0700));
    test_write("os-release", release, strlen(release));
    test_path(file, "os-release");
    return (evn__surroundings){
        .devices = devices, .vendors = vendors, .release = file, .reach = access};
}

static evn__findings diagnose(const evn__surroundings *here, const evn__platform *platforms,
                              int count) {
    evn__findings findings = {0};
    TRY(evn__diagnose(here, platforms, count, &findings));
    return findings;
}

static void expect_one(const evn__surroundings *here, const evn__platform *platforms, int count,
                       evn__cause cause, const char *what, const char *command) {
    evn__findings findings = diagnose(here, platforms, count);
    ck_assert_int_eq(findings.count, 1);
    ck_assert_str_eq(evn__cause_word(findings.rows[0].cause), evn__cause_word(cause));
    ck_assert_msg(strstr(findings.rows[0].what, what) != NULL, "%s", findings.rows[0].what);
    evn__findings_free(&findings);
    evn__text text = {0};
    evn__diagnosis_text(here, platforms, count, &text);
    ck_assert_msg(strstr(text.data, command) != NULL, "%s", text.data);
    free(text.data);
}

static const char DEBIAN[] = "NAME=x\nID=debian\n";

START_TEST(drivers) {
    static const struct {
        const char *release, *has, *lacks;
    } systems[] = {
        {DEBIAN, "apt install pocl-opencl-icd", "dnf"},
        {"ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", "apt install", "pacman"},
        {"ID=\"fedora\"", "dnf install pocl", "apt"},
        {"ID=manjaro\nID_LIKE=arch\n", "pacman -S pocl", "dnf"},
        {"ID=archive\nNAME=debian\n", "Fedora: sudo dnf", NULL}, // not known: of all
    };
    for (size_t i = 0; i < sizeof(systems) / sizeof(systems[0]); ++i) {
        evn__surroundings here = nowhere(systems[i].release);
        expect_one(&here, NULL, 0, EVN__CAUSE_NO_DRIVER, "no OpenCL driver", systems[i].has);
        evn__text text = {0};
        evn__diagnosis_text(&here, NULL, 0, &text);
        ck_assert(!systems[i].lacks || !strstr(text.data, systems[i].lacks));
        free(text.data);
    }
}
END_TEST

START_TEST(vendor_files) {
    evn__surroundings here = nowhere(DEBIAN);
    here.chosen = true;
    expect_one(&here, NULL, 0, EVN__CAUSE_VENDORS_VARIABLE, "no .icd file", "unset");
    test_write("none/gone.icd", "libgone.so", 10);
    expect_one(&here, NULL, 0, EVN__CAUSE_LIBRARY_MISSING, "can be loaded", "remove the file");
}
END_TEST

/// A driver that is damaged is installed again, by each system's own command.
START_TEST(drivers_again) {
    static const evn__cause causes[] = {EVN__CAUSE_LIBRARY_MISSING, EVN__CAUSE_LIBRARY_CRASHES,
                                        EVN__CAUSE_LIBRARY_HANGS, EVN__CAUSE_PLATFORM_FAILS};
    static const char *const commands[][2] = {{DEBIAN, "sudo apt install --reinstall"},
                                              {"ID=fedora\n", "sudo dnf reinstall"},
                                              {"ID=arch\n", "sudo pacman -S"}};
    for (int i = 0; i < 12; ++i) {
        evn__text text = {0};
        evn__surroundings here = nowhere(commands[i % 3][0]);
        evn__advice_text(&here, causes[i / 3], &text);
        ck_assert_msg(strstr(text.data, commands[i % 3][1]) != NULL, "%s", text.data);
        ck_assert_msg(!strstr(text.data, commands[(i + 1) % 3][1]), "%s", text.data);
        free(text.data);
    }
}
END_TEST

/// A Linux within Windows has its own package manager, and Windows' GPUs by one node.
START_TEST(within_windows) {
    evn__text text = {0};
    evn__surroundings here = nowhere(DEBIAN);
    evn__platform fine = {.name = "Portable Computing Language", .devices = 1};
    evn__advice_text(&here, EVN__CAUSE_NO_DRIVER, &text);
    ck_assert(!strstr(text.data, "WSL"));
    free(text.data);
    text = (evn__text){0};
    here.wsl = true;
    evn__advice_text(&here, EVN__CAUSE_NO_DRIVER, &text);
    ck_assert_ptr_nonnull(strstr(text.data, "apt install pocl-opencl-icd"));
    ck_assert_ptr_nonnull(strstr(text.data, "in WSL 2"));
    free(text.data);
    expect_one(&here, &fine, 1, EVN__CAUSE_NO_GPU_IN_WSL, "dev/dxg is not there", "wsl --update");
    test_write("dev/dxg", "", 0);
    evn__findings findings = diagnose(&here, &fine, 1);
    ck_assert_int_eq(findings.count, 0);
}
END_TEST

START_TEST(platforms) {
    evn__surroundings here = nowhere(DEBIAN);
    evn__platform all[] = {
        {.name = "Portable Computing Language"},
        {.name = "rusticl"},
        {.name = "Clover"},
        {.name = "Other", .failure = "its platform fails: clGetDeviceIDs: CL_X (-6)"},
    };
    expect_one(&here, &all[0], 1, EVN__CAUSE_POCL_CACHE, "gives no device", "POCL_CACHE_DIR=");
    expect_one(&here, &all[1], 1, EVN__CAUSE_RUSTICL_ENABLE, "rusticl is there", "iris (Intel)");
    expect_one(&here, &all[2], 1, EVN__CAUSE_DEVICE_ABSENT, "absent", "dmesg");
    expect_one(&here, &all[3], 1, EVN__CAUSE_PLATFORM_FAILS, "CL_X (-6)", "clinfo -l");
    here.rusticl = "wrong";
    expect_one(&here, &all[1], 1, EVN__CAUSE_RUSTICL_ENABLE, "(now \"wrong\")", "export");
    all[0].devices = 1;
    evn__findings findings = diagnose(&here, all, 1);
    ck_assert_int_eq(findings.count, 0);
}
END_TEST

START_TEST(nodes) {
    char path[TEST_PATH];
    evn__surroundings here = nowhere(DEBIAN);
    evn__platform fine = {.name = "Portable Computing Language", .devices = 1};
    TRY(evn__folder_make(test_path(path, "dev/dri"), 0700));
    test_write("dev/dri/renderD128", "", 0);
    test_write("dev/dri/card0", "", 0);
    evn__findings findings = diagnose(&here, &fine, 1);
    ck_assert_int_eq(findings.count, 0);
    here.reach = reach_none;
    findings = diagnose(&here, &fine, 1);
    ck_assert_int_eq(findings.count, 2); // and kfd
    ck_assert_ptr_nonnull(strstr(findings.rows[1].what, "/dri/renderD128"));
    evn__findings_free(&findings);
    evn__text text = {0};
    evn__diagnosis_text(&here, &fine, 1, &text);
    ck_assert_ptr_nonnull(strstr(text.data, "usermod -aG render"));
    free(text.data);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("diagnosis");
    test_add(s, tcase_create("drivers"), drivers);
    test_add(s, tcase_create("vendor_files"), vendor_files);
    test_add(s, tcase_create("drivers_again"), drivers_again);
    test_add(s, tcase_create("within_windows"), within_windows);
    test_add(s, tcase_create("platforms"), platforms);
    test_add(s, tcase_create("nodes"), nodes);
    return s;
}

int main(void) {
    return test_run(suite());
}
