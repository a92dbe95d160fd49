// SPDX-License-Identifier: Apache-2.0
#include "host/checked.h"

#include "base/json.h"
#include "base/status.h"
#include "evonode/version.h"
#include "host/device_file.h"
#include "host/tuning.h"

#include <stdlib.h>
#include <unistd.h>

static const char KIND[] = "selftest", MEMBER[] = "right";

struct evn__checked {
    evn__text path; ///< empty: nothing is kept
    json_t *key;    ///< what the file must agree with
    json_t *names;  ///< an object: a set
};

static evn_status make_key(const evn_device *device, json_t **key) {
    char tuning[33];
    EVN_TRY(evn__tuning_digest(device, tuning));
    *key = evn__device_file_key(evn_device_get_info(device));
    bool made = *key && json_object_set_new(*key, "version", json_string(evn_version())) == 0 &&
                json_object_set_new(*key, "tuning", json_string(tuning)) == 0;
    EVN_CHECK(made, EVN_ERR_MEMORY, "no memory for what is known of the device");
    return EVN_OK;
}

static evn_status open_file(const evn_device *device, evn__checked *checked) {
    char why[EVN__DEVICE_FILE_WHY];
    EVN_TRY(make_key(device, &checked->key));
    evn__device_file_path(&checked->path, KIND, evn_device_get_info(device));
    EVN_TRY(checked->path.status);
    json_t *root = checked->path.size > 0 && access(checked->path.data, F_OK) == 0
                       ? evn__device_file_read(checked->path.data, checked->key, why)
                       : NULL;
    json_t *names = json_object_get(root, MEMBER);
    checked->names = json_is_object(names) ? json_incref(names) : json_object();
    json_decref(root);
    EVN_CHECK(checked->names, EVN_ERR_MEMORY, "no memory for what is known of the device");
    return EVN_OK;
}

evn_status evn__checked_open(const evn_device *device, evn__checked **checked) {
    EVN_TRY(EVN_NEW(checked, 1));
    evn_status status = open_file(device, *checked);
    if (status != EVN_OK) {
        evn__checked_close(checked);
    }
    return status;
}

void evn__checked_close(evn__checked **checked) {
    if (*checked) {
        free((*checked)->path.data);
        json_decref((*checked)->key);
        json_decref((*checked)->names);
        free(*checked);
        *checked = NULL;
    }
}

bool evn__checked_has(const evn__checked *checked, const char *name) {
    return json_is_true(json_object_get(checked->names, name));
}

evn_status evn__checked_add(evn__checked *checked, const char *name) {
    EVN_CHECK(json_object_set_new(checked->names, name, json_true()) == 0, EVN_ERR_MEMORY,
              "no memory for what is known of the device");
    return EVN_OK;
}

void evn__checked_save(evn__checked *checked) {
    if (checked->path.size > 0) {
        evn__device_file_write(checked->path.data, checked->key, MEMBER, checked->names);
    }
}
