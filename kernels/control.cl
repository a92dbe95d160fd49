// SPDX-License-Identifier: Apache-2.0
// control.cl — the step control of an adaptive solve (src/integrator/control.c): error norms decide
// here what becomes of a step and how long the next one is.
// Twin: src/integrator/step_control.c.   Relaxed math: none.
// Time must not lose digits where real is float: times and lengths are pairs, x + y with y beyond
// the last digit of x. What is written here is right whether or not a compiler contracts it.

static inline real2 evn_pair(__global const real *x) {
    return (real2)(x[0], x[1]);
}

static inline real2 evn_two_sum(const real a, const real b) {
    const real sum = a + b, rest = sum - a;
    return (real2)(sum, (a - (sum - rest)) + (b - rest));
}

static inline real2 evn_add(const real2 a, const real2 b) {
    const real2 high = evn_two_sum(a.x, b.x), low = evn_two_sum(a.y, b.y);
    const real2 sum = evn_two_sum(high.x, high.y + low.x);
    return evn_two_sum(sum.x, sum.y + low.y);
}

static inline real2 evn_times(const real2 a, const real2 b) {
    const real product = a.x * b.x;
    return evn_two_sum(product, fma(a.x, b.x, -product) + (a.x * b.y + a.y * b.x));
}

static inline bool evn_is_finite(const real x) {
    return x - x == 0;
}

// |a| >= |b|; NaN reaches nothing
static inline bool evn_reaches(const real2 a, const real2 b) {
    const real2 u = a.x < 0 ? -a : a, v = b.x < 0 ? -b : b;
    return u.x > v.x || (u.x == v.x && u.y >= v.y);
}

// What a record of a solve says: what has been done, and what the next attempt is.
typedef struct {
    real2 t, dt, wanted; // wanted: before it was cut short to land
    real seen;           // t as the stages see it
    real2 errors;        // of the last accepted step, and of the one before
    int status, lands, accepted, rejected, interval, starts, took;
} evn_record;

#define RECORDS(x)    __global real *x##_buffer, const ulong x##_offset
#define RECORD_OF(x)  __global real *x = x##_buffer + x##_offset
#define NUMBERS_OF(x) ((__global int *)((x) + EVN_CONTROL_NUMBERS))
#define RUNS(x)       __global long *x##_buffer, const ulong x##_offset

static inline evn_record evn_load(__global real *from) {
    __global const int *n = NUMBERS_OF(from);
    evn_record r;
    r.t = evn_pair(from + EVN_CONTROL_T);
    r.dt = evn_pair(from + EVN_CONTROL_DT);
    r.wanted = evn_pair(from + EVN_CONTROL_WANTED);
    r.seen = from[EVN_CONTROL_SEEN];
    r.errors = evn_pair(from + EVN_CONTROL_ERRORS);
    r.status = n[EVN_CONTROL_STATUS];
    r.lands = n[EVN_CONTROL_LANDS];
    r.accepted = n[EVN_CONTROL_ACCEPTED];
    r.rejected = n[EVN_CONTROL_REJECTED];
    r.interval = n[EVN_CONTROL_INTERVAL];
    r.starts = n[EVN_CONTROL_STARTS];
    r.took = n[EVN_CONTROL_TOOK];
    return r;
}

static inline void evn_store_pair(const real2 value, __global real *to) {
    to[0] = value.x;
    to[1] = value.y;
}

static inline void evn_store(const evn_record r, __global real *to) {
    __global int *n = NUMBERS_OF(to);
    evn_store_pair(r.t, to + EVN_CONTROL_T);
    evn_store_pair(r.dt, to + EVN_CONTROL_DT);
    evn_store_pair(r.wanted, to + EVN_CONTROL_WANTED);
    to[EVN_CONTROL_SEEN] = r.seen;
    evn_store_pair(r.errors, to + EVN_CONTROL_ERRORS);
    n[EVN_CONTROL_STATUS] = r.status;
    n[EVN_CONTROL_LANDS] = r.lands;
    n[EVN_CONTROL_ACCEPTED] = r.accepted;
    n[EVN_CONTROL_REJECTED] = r.rejected;
    n[EVN_CONTROL_INTERVAL] = r.interval;
    n[EVN_CONTROL_STARTS] = r.starts;
    n[EVN_CONTROL_TOOK] = r.took;
}

// Plans whose kernels look at their number of runs do nothing while they are not due.
static inline void evn_set_runs(const evn_record r, const bool starts_again, __global long *steps,
                         __global long *starts) {
    steps[0] = r.status == EVN_CONTROL_RUNNING;
    starts[0] = starts_again;
}

// Controllers (src/integrator/controller.c): the factor from this step to the next, of its error
// and of those before. An option, CONTROLLER, names the one that is used.
// ------------------------------------------------------------------------------------------------

// safety · error^(−1/q), between least and most; q: order of the error estimate + 1. One step of
// Newton's method gives the root to the digits of a pair.
static inline real2 evn_elementary(const real error, const real2 errors, const int q, __global const real *limits) {
    const real2 safety = evn_pair(limits + EVN_CONTROL_SAFETY);
    const real2 least = evn_pair(limits + EVN_CONTROL_LEAST);
    const real2 most = evn_pair(limits + EVN_CONTROL_MOST);
    if (!evn_is_finite(error)) {
        return least;
    }
    const real root = exp(log(error) * (R(-1.0) / q));
    if (!(error > 0) || safety.x * root > R(1.01) * most.x) {
        return most;
    }
    if (safety.x * root < R(0.99) * least.x) {
        return least;
    }
    real2 power = (real2)(error, 0);
    for (int i = 0; i < q; i++) {
        power = evn_times(power, (real2)(root, 0));
    }
    const real rest = (1 - power.x) - power.y;
    const real2 factor = evn_times(safety, evn_two_sum(root, root * rest / q));
    return evn_reaches(factor, most) ? most : evn_reaches(factor, least) ? factor : least;
}

// safety · error^(−a/q) · errors.x^(−b/q) · errors.y^(−c/q), between least and most; what was
// rejected says nothing about the steps before it.
static inline real2 evn_with_history(const real error, const real2 errors, const int q,
                              __global const real *limits) {
    if (!(error > 0 && error <= 1)) {
        return evn_elementary(error, errors, q, limits);
    }
    __global const real *exponents = limits + EVN_CONTROL_EXPONENTS;
    const real sum = exponents[0] * log(error) + exponents[1] * log(errors.x) +
                     exponents[2] * log(errors.y);
    const real factor = limits[EVN_CONTROL_SAFETY] * exp(-sum / q);
    const real least = limits[EVN_CONTROL_LEAST], most = limits[EVN_CONTROL_MOST];
    return (real2)(factor > most ? most : factor > least ? factor : least, 0);
}

static inline void evn_remember(evn_record *r, const real error, __global const real *limits) {
    const real least = limits[EVN_CONTROL_REMEMBERED];
    r->errors = (real2)(error > least ? error : least, r->errors.x);
}

// The state machine
// ------------------------------------------------------------------------------------------------

#define LAST_DIGIT (sizeof(real) == sizeof(int) ? R(0x1p-23) : R(0x1p-52))

// By how much t + dt, rounded, is beyond the end of the solve; 0 where it is not, and without a dt.
static inline real evn_over(const real t, const real dt, __global const real *limits) {
    const real over = (t + dt) - limits[EVN_CONTROL_T1];
    return (over > 0 && dt > 0) || (over < 0 && dt < 0) ? over : 0;
}

// dt, shorter by what rounding needs.
static inline real2 evn_shorter(const real t, const real2 dt, __global const real *limits) {
    const real shorter = dt.x - evn_over(t, dt.x, limits);
    const bool still = evn_over(t, shorter, limits) != 0; // by less than a digit of dt
    return (real2)(still ? dt.x - dt.x * LAST_DIGIT : shorter, 0);
}

// t, earlier by what rounding needs.
static inline real evn_earlier(const real t, const real dt, __global const real *limits) {
    const real earlier = t - evn_over(t, dt, limits);
    const bool still = evn_over(earlier, dt, limits) != 0; // by less than a digit of t
    return still ? nextafter(earlier, dt > 0 ? -(real)INFINITY : (real)INFINITY) : earlier;
}

// The next attempt is a step of dt, none of whose stages may be seen beyond the ends of the solve, as
// rounding could have it. Far from 0 times have fewer digits than lengths: there a shorter step would
// lose what t + dt loses, so that t is seen earlier instead; or, where the solve begins with this
// step, it becomes two.
static inline void evn_set_step(evn_record *r, const real2 dt, __global const real *limits) {
    const real t = r->t.x, over = evn_over(t, dt.x, limits), begin = limits[EVN_CONTROL_T0];
    const real earlier = evn_earlier(t, dt.x, limits);
    const bool coarse = fabs(over) > fabs(limits[EVN_CONTROL_T1] - begin) * LAST_DIGIT;
    const bool outside = dt.x > 0 ? earlier < begin : earlier > begin;
    r->dt = dt;
    r->seen = t;
    if (coarse && !outside) {
        r->seen = earlier;
    } else if (coarse && fabs(dt.x) > 4 * fabs(over)) {
        r->dt = dt * R(0.5);
        r->lands = false;
    } else if (over != 0) {
        r->dt = evn_shorter(t, dt, limits);
    }
}

// The next attempt is a step of `wanted`, or the end of the interval, or there is none.
static inline void evn_prepare(evn_record *r, const real2 wanted, __global const real *limits,
                        const int max_steps) {
    const real2 end = evn_pair(limits + EVN_CONTROL_ENDS + 2 * r->interval);
    const real2 left = evn_add(end, -r->t);
    r->wanted = wanted;
    r->lands = evn_reaches(wanted, left);
    r->status = EVN_CONTROL_RUNNING;
    if (!evn_is_finite(wanted.x)) {
        r->status = EVN_CONTROL_NOT_FINITE;
    } else if (!r->lands && (!evn_reaches(wanted, evn_pair(limits + EVN_CONTROL_DT_MIN)) ||
                             evn_add(r->t, wanted).x == r->t.x)) {
        r->status = EVN_CONTROL_TOO_SMALL;
    } else if (r->accepted + r->rejected >= max_steps) {
        r->status = EVN_CONTROL_TOO_MANY;
    } else {
        evn_set_step(r, r->lands ? left : wanted, limits);
    }
}

// The interval's end is reached; a step that was cut short there says little about the one after
// it.
static inline void evn_land(evn_record *r, const real2 next, __global const real *limits,
                     const int max_steps, const int intervals, const int jumps) {
    const real2 proposed = evn_reaches(r->wanted, next) ? r->wanted : next;
    if (r->interval + 1 == intervals) {
        r->status = EVN_CONTROL_DONE;
    } else {
        r->interval++;
        r->starts += jumps;
        evn_prepare(r, proposed, limits, max_steps);
    }
}

// An attempt had this error; there was none unless the solve is running.
static inline evn_record evn_judge(evn_record r, const real error, __global const real *limits,
                            const int max_steps, const int intervals, const int jumps,
                            const int q) {
    const bool accepted = error <= 1, again = r.took == EVN_CONTROL_REJECT;
    r.took = r.status != EVN_CONTROL_RUNNING ? EVN_CONTROL_NOTHING
             : accepted                      ? EVN_CONTROL_ACCEPT
                                             : EVN_CONTROL_REJECT;
    if (r.took == EVN_CONTROL_NOTHING) {
        return r;
    }
    const real2 factor = CONTROLLER(error, r.errors, q, limits);
    // Neither behind a step that is rejected nor behind the one that is accepted in its place is the
    // next one longer (Hairer, Nørsett, Wanner: Solving ODEs I, II.4).
    real2 next = factor.x < 1 || (accepted && !again) ? evn_times(r.dt, factor) : r.dt;
    // No step is longer than the longest, and no product too large for a real.
    const real longest = limits[EVN_CONTROL_LONGEST];
    next = fabs(next.x) < fabs(longest) ? next : (real2)(longest, 0);
    r.accepted += accepted;
    r.rejected += !accepted;
    if (accepted) {
        r.t = r.lands ? evn_pair(limits + EVN_CONTROL_ENDS + 2 * r.interval) : evn_add(r.t, r.dt);
    }
    if (accepted && r.lands) {
        evn_land(&r, next, limits, max_steps, intervals, jumps);
    } else {
        if (accepted) {
            evn_remember(&r, error, limits);
        }
        evn_prepare(&r, next, limits, max_steps);
    }
    return r;
}

// Work-items that copy are GROUP_ITEMS a group (an option): with 1 a compiler for CPUs writes no loop over
// the items of a group around all this, which takes PoCL 17 s of work instead of 1.
#define GROUP __attribute__((reqd_work_group_size(GROUP_ITEMS, 1, 1)))
#define ONE   __attribute__((reqd_work_group_size(1, 1, 1)))

// One work-item: the record of a solve that begins with a step of first[0].
__kernel ONE void control_begin(INPUT(limits), INPUT(first), RECORDS(record), RUNS(steps), RUNS(starts),
                            const int max_steps) {
    INPUT_OF(limits);
    INPUT_OF(first);
    RECORD_OF(record);
    evn_record r;
    r.t = evn_pair(limits + EVN_CONTROL_T0);
    r.dt = r.wanted = (real2)(0, 0);
    r.errors = (real2)(1, 1);
    r.seen = r.t.x;
    r.status = r.lands = r.accepted = r.rejected = r.interval = r.took = 0;
    r.starts = 1;
    evn_prepare(&r, (real2)(first[0], 0), limits, max_steps);
    evn_store(r, record);
    evn_set_runs(r, false, steps_buffer + steps_offset, starts_buffer + starts_offset);
}

#if GROUP_ITEMS == 1 // on a CPU an item walks along memory; on a GPU neighbours read neighbours
#define RUN_OF(count) ((count + get_global_size(0) - 1) / get_global_size(0))
#define FOR_EACH_OF(count)                                                                         \
    for (ulong i = get_global_id(0) * RUN_OF(count), end = min((ulong)count, i + RUN_OF(count));   \
         i < end; i++)
#else
#define FOR_EACH_OF(count) for (ulong i = get_global_id(0); i < count; i += get_global_size(0))
#endif

// After an attempt from x [x_count] and slopes to x_next and slopes_next, which the next one goes on
// from: where it was not accepted they become what they were. Where it lands, the first `observed`
// elements of x_next are copied to series[interval] (0: none). With jumps, those from `jump` on get
// their share at the end of all intervals but the last one, in which a solve backward is at the
// first of the course; then a new start is due.
// All work-items decide alike, from what only the first writes, and elsewhere.
__kernel GROUP void control_settle(INPUT(limits), INPUT(error), RECORDS(before), RECORDS(after), INPUT(x),
                             OUTPUT(x_next), const ulong x_count, INPUT(slopes),
                             OUTPUT(slopes_next), const ulong slopes_count, OUTPUT(series),
                             const ulong observed, const ulong jump, RUNS(steps), RUNS(starts), const int max_steps,
                             const int intervals, const int jumps, const int q) {
    INPUT_OF(limits);
    INPUT_OF(error);
    RECORD_OF(before);
    RECORD_OF(after);
    INPUT_OF(x);
    OUTPUT_OF(x_next);
    INPUT_OF(slopes);
    OUTPUT_OF(slopes_next);
    OUTPUT_OF(series);
    __global const int *numbers = NUMBERS_OF(before);
    const bool accepted = numbers[EVN_CONTROL_STATUS] == EVN_CONTROL_RUNNING && error[0] <= 1;
    if (!accepted) {
        FOR_EACH_OF(x_count) {
            x_next[i] = x[i];
        }
        FOR_EACH_OF(slopes_count) {
            slopes_next[i] = slopes[i];
        }
    } else if (numbers[EVN_CONTROL_LANDS] && !jumps) {
        FOR_EACH_OF(observed) {
            series[numbers[EVN_CONTROL_INTERVAL] * observed + i] = x_next[i];
        }
    } else if (numbers[EVN_CONTROL_LANDS] && numbers[EVN_CONTROL_INTERVAL] + 1 < intervals) {
        FOR_EACH_OF(observed) {
            x_next[jump + i] +=
                series[(intervals - 2 - numbers[EVN_CONTROL_INTERVAL]) * observed + i];
        }
    }
    if (get_global_id(0) == 0) {
        const evn_record r =
            evn_judge(evn_load(before), error[0], limits, max_steps, intervals, jumps, q);
        evn_store(r, after);
        evn_set_runs(r, r.starts > numbers[EVN_CONTROL_STARTS], steps_buffer + steps_offset, starts_buffer + starts_offset);
    }
}
