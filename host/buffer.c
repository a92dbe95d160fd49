// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"
#include "host/guard.h"
#include "host/runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct evn_buffer {
    evn_device *device;
    cl_mem mem;
    size_t bytes;
    evn__use use;
    bool shared;     ///< with the host, which maps it
    uint64_t serial; ///< unique among all buffers the device ever had
    cl_mem guarded;  ///< zone, contents, zone: mem is a part of it; NULL without guards
    uint64_t poison; ///< eight bytes, repeated over both zones
};

// Guard zones -------------------------------------------------------------------------------------

/// No two buffers share a pattern, so that copying one zone over another is seen. The low half is a
/// signalling NaN as float, the whole one as double: arithmetic on them makes them quiet, so that
/// x[i] += 1 past the end is seen as well.
static uint64_t next_poison(evn_device *device) {
    uint64_t serial = ++device->guard_serial;
    return 0x7ff4000000000000u | (serial & 0xffff) << 32 | 0x7fa00000u | (serial & 0xfffff);
}

static void fill_zone(uint64_t poison, unsigned char zone[EVN__GUARD_BYTES]) {
    for (size_t i = 0; i < EVN__GUARD_BYTES; i += sizeof(poison)) {
        memcpy(zone + i, &poison, sizeof(poison));
    }
}

static evn_status poison_buffer(const evn_buffer *buffer) {
    unsigned char zone[EVN__GUARD_BYTES];
    const cl_uchar nan_byte = 0xff;
    cl_command_queue queue = buffer->device->queue;
    fill_zone(buffer->poison, zone);
    EVN_CL_TIMED(
        buffer->device, "poisoning a buffer (clEnqueueFillBuffer)",
        clEnqueueFillBuffer(queue, buffer->mem, &nan_byte, 1, 0, buffer->bytes, 0, NULL, NULL));
    const size_t starts[] = {0, EVN__GUARD_BYTES + buffer->bytes};
    for (int i = 0; i < 2; ++i) {
        EVN_CL_TIMED(buffer->device, "writing a guard zone (clEnqueueWriteBuffer)",
                     clEnqueueWriteBuffer(queue, buffer->guarded, CL_TRUE, starts[i], sizeof(zone),
                                          zone, 0, NULL, NULL));
    }
    return EVN_OK;
}

/// The contents are a sub-buffer, so that nothing else has to know of the zones. Zones are a
/// multiple of every alignment that OpenCL 1.2 devices ask for (128 bytes at most in use).
static evn_status create_guarded(evn_buffer *buffer) {
    cl_int code;
    cl_buffer_region region = {.origin = EVN__GUARD_BYTES, .size = buffer->bytes};
    buffer->poison = next_poison(buffer->device);
    EVN__TIMED(buffer->device, "making a buffer (clCreateBuffer)",
               buffer->guarded = clCreateBuffer(buffer->device->context, CL_MEM_READ_WRITE,
                                                buffer->bytes + 2 * EVN__GUARD_BYTES, NULL, &code));
    EVN_CL_CHECK(code, "clCreateBuffer");
    EVN__TIMED(buffer->device, "making a buffer (clCreateSubBuffer)",
               buffer->mem = clCreateSubBuffer(buffer->guarded, CL_MEM_READ_WRITE,
                                               CL_BUFFER_CREATE_TYPE_REGION, &region, &code));
    EVN_CL_CHECK(code, "clCreateSubBuffer");
    return poison_buffer(buffer);
}

static evn_status check_zone(const evn_buffer *buffer, bool after) {
    unsigned char zone[EVN__GUARD_BYTES], expected[EVN__GUARD_BYTES];
    size_t start = after ? EVN__GUARD_BYTES + buffer->bytes : 0;
    fill_zone(buffer->poison, expected);
    EVN_CL_TIMED(buffer->device, "reading a guard zone (clEnqueueReadBuffer)",
                 clEnqueueReadBuffer(buffer->device->queue, buffer->guarded, CL_TRUE, start,
                                     sizeof(zone), zone, 0, NULL, NULL));
    for (int i = 0; i < EVN__GUARD_BYTES; ++i) {
        EVN_CHECK(zone[i] == expected[i], EVN_ERR_DEVICE,
                  "a kernel stored outside a buffer of %zu bytes: byte %d %s was changed; check "
                  "the bounds of the kernels that write to it",
                  buffer->bytes, after ? i : EVN__GUARD_BYTES - i,
                  after ? "after its end" : "before its start");
    }
    return EVN_OK;
}

evn_status evn__buffer_check_guard(const evn_buffer *buffer) {
    if (!buffer->guarded) {
        return EVN_OK;
    }
    EVN_TRY(check_zone(buffer, false));
    return check_zone(buffer, true);
}

void evn__device_guard(evn_device *device, bool on) {
    device->guard = on;
}

uint64_t evn__device_guard_failures(const evn_device *device) {
    return device->guard_failures;
}

// Life --------------------------------------------------------------------------------------------

static evn_status create(evn_buffer *buffer) {
    if (buffer->device->counting.on) {
        return EVN_OK;
    }
    if (buffer->device->guard) {
        return create_guarded(buffer);
    }
    cl_int code;
    // What the host writes and reads again and again is where it need not be copied.
    buffer->shared = buffer->use == EVN__USE_BATCHES && buffer->device->info.unified;
    cl_mem_flags flags = CL_MEM_READ_WRITE | (buffer->shared ? CL_MEM_ALLOC_HOST_PTR : 0);
    EVN__TIMED(buffer->device, "making a buffer (clCreateBuffer)",
               buffer->mem =
                   clCreateBuffer(buffer->device->context, flags, buffer->bytes, NULL, &code));
    EVN_CL_CHECK(code, "clCreateBuffer");
    return EVN_OK;
}

static evn_status fail_to_fit(const evn_device *device, size_t bytes, const char *reason) {
    EVN_FAIL(EVN_ERR_DEVICE_MEMORY,
             "no room for a buffer of %zu bytes on %s: %s; %llu bytes are held, the device has "
             "%llu, at most %llu in one buffer; take a smaller batch or a smaller model",
             bytes, device->info.name, reason, (unsigned long long)device->stats.bytes_now,
             (unsigned long long)device->info.global_bytes,
             (unsigned long long)device->info.max_allocation_bytes);
}

static void release(evn_buffer *buffer) {
    const cl_mem held[] = {buffer->mem, buffer->guarded};
    for (int i = 0; i < 2; ++i) {
        if (held[i]) {
            EVN__TIMED(buffer->device, "releasing a buffer (clReleaseMemObject)",
                       clReleaseMemObject(held[i]));
        }
    }
    free(buffer);
}

evn_status evn_buffer_create(evn_device *device, size_t bytes, evn_buffer **buffer) {
    return evn__buffer_create_for(device, EVN__USE_PLANS, bytes, buffer);
}

evn_status evn__buffer_create_for(evn_device *device, evn__use use, size_t bytes,
                                  evn_buffer **buffer) {
    EVN_REQUIRE(buffer);
    *buffer = NULL;
    EVN_REQUIRE(device);
    EVN_CHECK(bytes > 0, EVN_ERR_ARGUMENT, "a buffer of 0 bytes: ask for one byte at least");
    if (bytes > device->info.max_allocation_bytes && !device->counting.on) {
        return fail_to_fit(device, bytes, "larger than one buffer may be");
    }
    if (device->limit > 0 && device->stats.bytes_now + bytes > device->limit &&
        !device->counting.on) {
        char reason[64];
        snprintf(reason, sizeof(reason), "more than the limit of %llu bytes",
                 (unsigned long long)device->limit);
        return fail_to_fit(device, bytes, reason);
    }
    evn_buffer *fresh;
    EVN_TRY(EVN_NEW(&fresh, 1));
    fresh->device = device;
    fresh->bytes = bytes;
    fresh->use = use;
    evn_status status = create(fresh);
    if (status != EVN_OK) {
        release(fresh);
        return status == EVN_ERR_DEVICE_MEMORY ? fail_to_fit(device, bytes, evn_error_message())
                                               : status;
    }
    evn__account_add(device, use, bytes);
    fresh->serial = device->stats.allocations;
    *buffer = fresh;
    return EVN_OK;
}

void evn_buffer_destroy(evn_buffer **buffer) {
    evn_buffer *old = buffer ? *buffer : NULL;
    if (!old) {
        return;
    }
    if (evn__buffer_check_guard(old) != EVN_OK) {
        old->device->guard_failures++;
    }
    evn__account_remove(old->device, old->use, old->bytes);
    release(old); // OpenCL keeps the memory until the commands that use it are done
    *buffer = NULL;
}

size_t evn_buffer_bytes(const evn_buffer *buffer) {
    return buffer ? buffer->bytes : 0;
}

cl_mem evn_buffer_mem(const evn_buffer *buffer) {
    return buffer ? buffer->mem : NULL;
}

uint64_t evn__buffer_serial(const evn_buffer *buffer) {
    return buffer->serial;
}

// Copies ------------------------------------------------------------------------------------------

static evn_status check_range(const evn_buffer *buffer, size_t offset, size_t bytes,
                              const char *what) {
    EVN_CHECK(buffer, EVN_ERR_ARGUMENT, "%s: the buffer is NULL", what);
    EVN_CHECK(offset <= buffer->bytes && bytes <= buffer->bytes - offset, EVN_ERR_ARGUMENT,
              "%s: %zu bytes from byte %zu of a buffer of %zu bytes; stay inside the buffer", what,
              bytes, offset, buffer->bytes);
    return EVN_OK;
}

/// Whether a copy can be a fill with one repetition: its pattern is copied at once, so that the
/// host need not wait for the device.
static bool is_pattern(size_t offset, size_t bytes) {
    enum { MAX_COUNT = 128 };
    return bytes <= MAX_COUNT && (bytes & (bytes - 1)) == 0 && offset % bytes == 0;
}

evn_status evn_buffer_write(evn_buffer *buffer, size_t offset, size_t bytes, const void *data) {
    EVN_TRY(check_range(buffer, offset, bytes, "evn_buffer_write"));
    if (bytes == 0 || buffer->device->counting.on) {
        return EVN_OK;
    }
    EVN_REQUIRE(data);
    buffer->device->stats.writes++;
    if (is_pattern(offset, bytes)) {
        EVN_CL_TIMED(buffer->device, "copying to the device (clEnqueueFillBuffer)",
                     clEnqueueFillBuffer(buffer->device->queue, buffer->mem, data, bytes, offset,
                                         bytes, 0, NULL, NULL));
        return EVN_OK;
    }
    if (bytes <= EVN__MAX_STAGED) {
        return evn__staging_write(buffer->device, buffer->mem, offset, bytes, data);
    }
    buffer->device->stats.waits++; // the queue is in order: a blocking copy waits for all before it
    EVN_TRY(evn__queue_sleep(buffer->device));
    // Not measured as a wait: where a driver copies in this thread, it burns no time in vain.
    EVN_CL_TIMED(buffer->device, "copying to the device (clEnqueueWriteBuffer)",
                 clEnqueueWriteBuffer(buffer->device->queue, buffer->mem, CL_TRUE, offset, bytes,
                                      data, 0, NULL, NULL));
    return EVN_OK;
}

/// What a read gives where nothing was computed (host/counting.h).
static evn_status fill_with_ones(size_t bytes, void *data) {
    const float one = 1;
    for (size_t i = 0; i + sizeof(one) <= bytes; i += sizeof(one)) {
        memcpy((char *)data + i, &one, sizeof(one));
    }
    return EVN_OK;
}

static evn_status read_copied(evn_buffer *buffer, size_t offset, size_t bytes, void *data) {
    static const char what[] = "copying from the device (clEnqueueReadBuffer)";
    evn__wait begun = evn__wait_begin(buffer->device, what);
    cl_int code = clEnqueueReadBuffer(buffer->device->queue, buffer->mem, CL_TRUE, offset, bytes,
                                      data, 0, NULL, NULL);
    evn__wait_end(buffer->device, begun);
    EVN_CL_CHECK(code, what);
    return EVN_OK;
}

static evn_status read_mapped(evn_buffer *buffer, size_t offset, size_t bytes, void *data) {
    cl_int code;
    cl_command_queue queue = buffer->device->queue;
    static const char what[] = "mapping memory of the device (clEnqueueMapBuffer)";
    evn__wait begun = evn__wait_begin(buffer->device, what);
    void *memory = clEnqueueMapBuffer(queue, buffer->mem, CL_TRUE, CL_MAP_READ, offset, bytes, 0,
                                      NULL, NULL, &code);
    evn__wait_end(buffer->device, begun);
    EVN_CL_CHECK(code, what);
    memcpy(data, memory, bytes);
    buffer->device->stats.maps++;
    EVN_CL_TIMED(buffer->device, "unmapping memory of the device (clEnqueueUnmapMemObject)",
                 clEnqueueUnmapMemObject(queue, buffer->mem, memory, 0, NULL, NULL));
    return EVN_OK;
}

evn_status evn_buffer_read(evn_buffer *buffer, size_t offset, size_t bytes, void *data) {
    EVN_TRY(check_range(buffer, offset, bytes, "evn_buffer_read"));
    if (bytes == 0) {
        return EVN_OK;
    }
    EVN_REQUIRE(data);
    if (buffer->device->counting.on) {
        return fill_with_ones(bytes, data);
    }
    buffer->device->stats.reads++;
    buffer->device->stats.waits++;
    EVN_TRY(evn__queue_sleep(buffer->device));
    return buffer->shared ? read_mapped(buffer, offset, bytes, data)
                          : read_copied(buffer, offset, bytes, data);
}

evn_status evn_buffer_copy(evn_buffer *target, size_t target_offset, const evn_buffer *source,
                           size_t source_offset, size_t bytes) {
    EVN_TRY(check_range(target, target_offset, bytes, "evn_buffer_copy, target"));
    EVN_TRY(check_range(source, source_offset, bytes, "evn_buffer_copy, source"));
    EVN_CHECK(target->device == source->device, EVN_ERR_ARGUMENT,
              "evn_buffer_copy: the buffers belong to two devices; copy through the host");
    bool apart = target != source || target_offset >= source_offset + bytes ||
                 source_offset >= target_offset + bytes;
    if (bytes == 0 || target->device->counting.on) {
        return EVN_OK;
    }
    EVN_CHECK(apart, EVN_ERR_ARGUMENT,
              "evn_buffer_copy: %zu bytes from %zu to %zu of one buffer overlap; copy through "
              "another buffer",
              bytes, source_offset, target_offset);
    EVN_CL_TIMED(target->device, "copying on the device (clEnqueueCopyBuffer)",
                 clEnqueueCopyBuffer(target->device->queue, source->mem, target->mem, source_offset,
                                     target_offset, bytes, 0, NULL, NULL));
    return EVN_OK;
}

evn_status evn_buffer_zero(evn_buffer *buffer, size_t offset, size_t bytes) {
    EVN_TRY(check_range(buffer, offset, bytes, "evn_buffer_zero"));
    EVN_CHECK(offset % 4 == 0 && bytes % 4 == 0, EVN_ERR_ARGUMENT,
              "evn_buffer_zero: %zu bytes from %zu: both must be multiples of 4", bytes, offset);
    if (bytes == 0 || buffer->device->counting.on) {
        return EVN_OK;
    }
    const cl_uint zero = 0;
    EVN_CL_TIMED(buffer->device, "zeroing on the device (clEnqueueFillBuffer)",
                 clEnqueueFillBuffer(buffer->device->queue, buffer->mem, &zero, sizeof(zero),
                                     offset, bytes, 0, NULL, NULL));
    return EVN_OK;
}
