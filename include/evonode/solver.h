// SPDX-License-Identifier: Apache-2.0
/// @file
/// A solver: dynamics compiled for a device, a method, a step control and, if wanted, the gradient
/// through the solution.
///
/// Bits. The same calls of a solver, or of another with the same options on the same device, give
/// the same bits. With fixed steps a sample (a row of x, where f treats each for itself) has the
/// same bits whatever the other samples of its batch are; adaptive steps are chosen for the batch
/// as a whole, unless each sample has steps of its own (per_sample), which then have the same bits
/// in a batch of any size where samples are small (rows of up to 256 elements), and where weights
/// evolve all of them together begin and end at the same times. Otherwise, in a batch of another
/// size, and alone most of all, a sample is computed by other kernels, which add in another order:
/// it is then the same to rounding, not to the bit.
#ifndef EVONODE_SOLVER_H
#define EVONODE_SOLVER_H

#include "evonode/dynamics.h"
#include "evonode/plan.h"

EVN_API_BEGIN

/// A compiled solver with the memory of its states.
typedef struct evn_solver evn_solver;

/// How the gradient through a solution is computed.
typedef enum evn_gradient {
    EVN_GRADIENT_NONE,
    /// Backprop along the steps that were taken; intermediate values are kept: memory grows with
    /// the number of steps. Of adaptive steps it is the gradient with the lengths of the steps held
    /// constant, and the gradient goes them once more.
    EVN_GRADIENT_BACKPROP,
    /// The same gradient; only the states between steps are kept, or as many of them as there are
    /// `checkpoints`; the rest is recomputed.
    EVN_GRADIENT_CHECKPOINTED,
    /// Algorithm 1: x, θ and the cotangents are solved backwards; memory does not grow.
    EVN_GRADIENT_ADJOINT,
    /// An algebraically reversible method on top of `method` (McCallum and Foster 2024): undoing
    /// its fixed steps gives the states back to rounding, and with them the exact gradient of the
    /// steps; memory does not grow. Twice as many evaluations; what the solve gives is another
    /// approximation, of the same order, than that of `method`. Not for what decays: a second
    /// solution grows as fast, whatever the steps, until both of its states have nothing to do with
    /// the dynamics' (evn_solver_apart, docs/gradients.md)
    EVN_GRADIENT_REVERSIBLE,
    /// The adjoint along what the solve kept: x and θ come from the interpolants of its adaptive
    /// steps, which are gone once more for them, and the cotangents alone are solved backwards,
    /// step by step. Right also where dynamics cannot be solved backwards; memory grows with the
    /// steps.
    EVN_GRADIENT_ADJOINT_QUADRATURE,
} evn_gradient;

/// How the length of the next step follows from the error of this one and of those accepted before,
/// which count as 1 where there are none; q: order of the estimate + 1.
typedef enum evn_controller {
    EVN_CONTROLLER_I,   ///< error^(−1/q), the usual one
    EVN_CONTROLLER_PI,  ///< error^(−0.7/q) times the last one^(0.4/q): smoother where stability
                        ///< bounds the steps (Gustafsson 1991)
    EVN_CONTROLLER_PID, ///< the same with the last but one: 0.58, −0.21, 0.1 (Kennedy, Carpenter
                        ///< 2003)
} evn_controller;

/// The norm of a step's error, which has to be at most 1 for the step to be accepted. It is taken
/// over the ratios of error and tolerance: of all elements of x; where a gradient solves backwards,
/// of its cotangent too; of weights as each norm says. Mixed norms and the seminorm are those of
/// Kidger, Chen, Lyons 2021.
typedef enum evn_norm {
    EVN_NORM_STATE,    ///< the larger root mean square of x and its cotangent: weights have no say
    EVN_NORM_SEMINORM, ///< the largest root mean square of x, of each evolving weight, and of their
                       ///< cotangents: one's size hides no other
    EVN_NORM_MIXED,    ///< the same with the cotangents of constant weights, too: integrals, whose
                       ///< errors go into nothing else, so that they cost many steps for little.
                       ///< Those of an adjoint-quadrature have no say
    EVN_NORM_RMS,      ///< the root mean square of all elements that the seminorm looks at
    EVN_NORM_COMPONENT, ///< the largest ratio of any one of these elements
} evn_norm;

/// Set up with evn_solver_options_default, then change fields.
typedef struct evn_solver_options {
    /// evn_method_name: "euler", "rk4", "dopri5", "kennedy_carpenter5", …; kvaerno5 alone evaluates
    /// f behind the end of a step, at t + 1.23 dt, and so behind t1. The multi-step methods, abm4,
    /// abm5 and adams, keep 4, 5 and 13 times the state, and take no reversible
    /// gradient and no per_sample
    const char *method;
    int steps;         ///< > 0: that many equal steps, or more where observations have to be hit,
                       ///< not with adams; 0: adaptive, for methods with an estimate
    double rtol, atol; ///< adaptive: tolerances per element; atol in units of the state
    evn_controller controller; ///< adaptive: of the step size
    double safety;             ///< adaptive: factor of each step that is chosen; above 0, at most 1
    double min_factor; ///< adaptive: no step is shorter than so much of the one before; in (0, 1)
    double max_factor; ///< adaptive: nor longer; above 1
    evn_norm norm;     ///< adaptive: of the error
    double dt_first;   ///< adaptive: length of the first step (units of t); 0: chosen (Hairer,
                       ///< Nørsett, Wanner: Solving ODEs I, II.4)
    double dt_min;     ///< adaptive: smaller steps end the solve (units of t); >= 0
    double dt_max;     ///< adaptive: no step is longer (units of t); 0: the whole way
    int max_steps;     ///< adaptive: more attempts in all end the solve; >= 1
    /// Adaptive, where the gradient needs memory for each step: for so many there is some before
    /// the first solve, and more once one takes more. 0: for 16; per_sample none
    int expected_steps;
    /// 0: the solve gives x(t1). n > 0: it gives x at n times, and the gradient takes n cotangents.
    /// Each is hit by a step: from one to the next there are the fewest equal steps that are no
    /// longer than (t1 - t0) / steps.
    int observations;
    /// [observations], when that is: fractions of the way from t0 to t1, which increase, also where
    /// t1 is before t0; the first may be 0, the start itself. Where the last is less than 1 the
    /// solve ends with it. NULL: n equal parts, after t0. Not kept
    const double *times;
    /// Each solve has times of observations of its own, in units of t: evn_solve_times. Fixed steps
    /// are then laid out anew for each, so that backprop goes them by the plans of checkpoints. Not
    /// with `times`
    bool times_vary;
    /// Implicit: vectors of GMRES (Saad and Schultz 1986) in each of its systems, in place of a
    /// matrix, 1 to 64. 0: a matrix up to 32 unknowns, 12 vectors beyond. Those of gradients have
    /// four times as many, or 64; where that is too few, the gradient fails
    int krylov;
    evn_gradient gradient; ///< NONE: evn_solve_gradient is refused
    /// Checkpointed: states that are kept, at the places where the fewest steps are computed again
    /// (Griewank and Walther 2000): with c of them, each step r times more at most where
    /// (c + r)! / (c! r!) is no less than the number of steps. 0: the state before each step, as
    /// always with per_sample. Of what an adjoint falls back on, too
    int checkpoints;
    /// The same as memory of states, in bytes, in place of their number: as many as there is room
    /// for beside the three that steps are taken between. 0: none is said
    size_t checkpoint_bytes;
    /// Reversible: how strongly its two states are held together, 0 < λ <= 1. Small: stable for
    /// larger slopes; undoing n steps loses a factor λ⁻ⁿ. 0: 0.99, from 100 steps on 1 − 1/steps
    double coupling;
    /// Adjoint and reversible: how far the state that was found by solving backwards may be from
    /// the true one at t0, and across jumps where each part begins, relative to the smaller one of
    /// both norms (below 200 atol an element counts as that); beyond it, or where it is not finite,
    /// the gradient fails, with an outcome of its own. Reversible: it fails, too, where its two
    /// states end more than EVN_MOST_APART from each other. Waits for the device. 0: it is not
    /// looked at, and nothing is waited for, so that evn_solver_outcome alone knows of fixed steps
    /// whether the gradient is finite
    double reconstruction;
    /// Adjoint and reversible: evn_solver_watched tells later how far that was, for which nothing
    /// is waited
    bool watch;
    /// Adjoint: a gradient that fails so, or whose solve backwards stops, is taken again from
    /// checkpoints, after another solve; evn_solution says that it was
    bool fall_back;
    /// [jump_count], increasing, in units of t: where f and g may jump, of which they have the
    /// later value at the time itself. No step goes across one, f and g are evaluated nowhere
    /// between both sides of it, and each part of the way starts anew, with `steps` steps of its
    /// own where they are fixed, or more where observations have to be hit. Gradients but the
    /// adjoint solve all parts but the last once more. Not with kvaerno5. Copied
    const double *jumps;
    int jump_count; ///< 0: none
    /// The gradient is one with respect to times, too: evn_solver_time_gradient
    bool time_gradient;
    /// Dense output: evn_solver_at gives x and evolving weights at any time of a solve. A solve for
    /// the batch goes its steps once more when it is first asked for, and keeps their interpolants
    /// from then on, of 16 steps at first: (4 + places) states a step, of which most interpolants
    /// have one place, those of verner65, sdirk4 and kvaerno5 2, of verner76 and
    /// kennedy_carpenter5 3, of dop853 4, of abm4 and abm5 2, and of adams 10. With per_sample all
    /// is kept as the solve goes. Not with the reversible gradient, and across jumps neither with
    /// per_sample nor with weights that are solved by themselves
    bool dense;
    /// Evolving weights can be read at observations, too: evn_solver_weight. Needs memory for them;
    /// those that are solved by themselves are as x reads them there
    bool observe_weights;
    bool fp64; ///< real is double; the device must have it
    /// Adaptive: each sample, a row of x along its first axis, has steps of its own: its own error
    /// norm, accepted or rejected by itself. f must not mix samples, and g not read x. At
    /// observations x is interpolated within steps, which these do not cut short; max_steps is of
    /// the whole way of a sample. Weights that evolve are solved by themselves, once for all
    /// samples, from the first t0 to the last t1.
    bool per_sample;
    /// per_sample: steps, and x before each, are kept for evn_solver_sample_grid, as a gradient or
    /// dense has them kept anyway; memory grows with the attempts. Those of the batch always are
    bool keep_steps;
    /// Weights that evolve are solved by themselves, before x, which reads θ(t) as a Chebyshev
    /// series of so many terms, 4 to 64: on adaptive steps, ten times as tightly as rtol and atol,
    /// also where x takes fixed steps (by dopri5 where `method` has no estimate). A solve fails
    /// where the series is less exact than these. g must not read x; between jumps each part has
    /// a series of its own; evaluations of g alone are not counted. 0: together with x; with
    /// per_sample, where that cannot be, two for each digit of the tolerances, and two
    int weight_terms;
    /// The same on as many equal steps of `method`, 1 to 10000, with per_sample up to 63: x reads
    /// θ(t) linear between their ends (ANODEV2's second configuration: few steps of x, many of θ).
    /// Where f is evaluated at their ends alone, as by euler whose steps divide these, nothing is
    /// lost between. 0: as weight_terms says
    int weight_steps;
} evn_solver_options;

/// dopri5, adaptive at 1e-3 by the norm of the state, no gradient, reconstruction within 0.05,
/// single precision.
evn_solver_options evn_solver_options_default(void);

/// The same options with a gradient of evn_gradient; those that only other gradients have are left
/// out.
evn_solver_options evn_solver_options_with(const evn_solver_options *options,
                                           evn_gradient gradient);

/// The options of the same solves without a gradient, as far as they do not depend on it: those of
/// the reversible method stay as they are. Of NULL, the default ones.
evn_solver_options evn_solver_options_forward(const evn_solver_options *options);

/// Where the two states of the reversible method end further from each other, ‖difference‖/‖x‖, its
/// second solution is a quarter of x or more (evn_solver_apart): then 2 before long.
#define EVN_MOST_APART 0.5

/// How a solve, or a gradient, ended; every value but DONE and EVENT comes with EVN_ERR_SOLVER or
/// EVN_ERR_NOT_FINITE. What equal steps did that evn_solve only enqueues is known to
/// evn_solver_outcome.
typedef enum evn_outcome {
    EVN_OUTCOME_DONE,
    EVN_OUTCOME_STEP_TOO_SMALL,
    EVN_OUTCOME_TOO_MANY_STEPS,
    EVN_OUTCOME_NOT_FINITE,
    EVN_OUTCOME_NEWTON_FAILED,     ///< implicit: the equations of a step were not solved; adaptive:
                                   ///< however short it became
    EVN_OUTCOME_NOT_RECONSTRUCTED, ///< of a gradient: solving backwards leads elsewhere
    EVN_OUTCOME_EVENT,             ///< at a terminal event (evonode/event.h), which is no failure
    EVN_OUTCOME_WEIGHTS_NOT_RESOLVED, ///< weight_terms are too few for what evolves
    EVN_OUTCOME_STATES_APART, ///< reversible: its two states have come apart, and x1 is wrong
} evn_outcome;

/// What a solve did.
typedef struct evn_solution {
    evn_outcome outcome;    ///< how it ended
    double t, dt;           ///< where the solve stood, and the last step that it made or tried; 0
                            ///< when it tried none
    int accepted, rejected; ///< steps
    int nfe;                ///< evaluations of the right-hand side
    int surplus;            ///< adaptive: steps that were enqueued before the host knew that the
                            ///< solve had ended; they change nothing, and count nowhere else
    double decay; ///< where an explicit method looks wrong, the rate of what decays so fast that
                  ///< it, no tolerance, bounds the steps; else 0. Looked for after too many steps,
                  ///< one too small, and a solve of the batch that came to its end in 1,000 or more
    int waits;    ///< adaptive: times that the host waited to see how far the solve is
    bool fell_back; ///< of a gradient: it is that of checkpoints (fall_back)
    int most_steps; ///< of several solves, one after the other: the most that one of them took,
                    ///< with per_sample or rejected, since these are kept, too; of one 0
} evn_solution;

/// Whether a solver can be made with these options, as far as dynamics do not matter; fast.
/// @return EVN_ERR_ARGUMENT as evn_solver_create
evn_status evn_solver_options_check(const evn_solver_options *options);

/// Compile. The dynamics may be destroyed afterwards.
/// @return EVN_ERR_ARGUMENT for an unknown method or gradient, a number out of its range, times
///         that do not increase within 0 to 1, an adaptive solve without an error estimate or with
///         the reversible method; checkpoints, a coupling or fall_back of another gradient, or a
///         time_gradient of none; jumps that do not increase, or with what does not go with them;
///         EVN_ERR_DEVICE_MEMORY
evn_status evn_solver_create(evn_device *device, const evn_dynamics *dynamics,
                             const evn_solver_options *options, evn_solver **solver);
void evn_solver_destroy(evn_solver **solver); ///< nulls; accepts NULL

/// Solve from t0 to t1 (either direction).
/// @param[in]  x0       memory of x at t0, in the dynamics' shape; unchanged. May be what the last
///                      solve or gradient of the solver gave
/// @param[in]  weights  one binding per weight of the dynamics; must stay until the gradient is
///                      taken
/// @param[out] x1       where x(t1) is, [observations, state] where there are some; memory of the
///                      solver, valid until its next solve
/// @param[out] solution may be NULL
/// With fixed steps the call only enqueues, but for methods that iterate, or solve without a
/// matrix: for their end it waits, to see whether all equations were solved. With adaptive ones it
/// waits for the end: once, where the solve takes as many steps as the last ones took and these are
/// at most 16, otherwise after every 1 to 16 steps.
/// @return EVN_ERR_ARGUMENT, naming the binding, when one has no room for its shape; where the
///         interval is not finite, or fixed steps are shorter than the precision has times there
evn_status evn_solve(evn_solver *solver, double t0, double t1, evn_binding x0,
                     const evn_binding *weights, evn_binding *x1, evn_solution *solution);

/// The same as evn_solve from t0 by way of the times of observations, with the last of which it
/// ends; the options must have times_vary.
/// @param[in]  times  [observations], in units of t: all of them increase from t0 on, or all
///                    decrease; the first may be t0, the start itself. Read only now
/// @param[out] x1     where x at these times is, [observations, state]
/// @return EVN_ERR_ARGUMENT, naming the observation, also where a time is not finite or not beyond
///         the one before
evn_status evn_solve_times(evn_solver *solver, double t0, const double *times, evn_binding x0,
                           const evn_binding *weights, evn_binding *x1, evn_solution *solution);

/// Times of a solve in which each sample has its own. [B]: as many as x has rows.
typedef struct evn_sample_times {
    const double *t0;    ///< [B], where each begins
    const double *t1;    ///< [B], where it ends, in either direction
    const double *times; ///< [B, observations] within [t0, t1] of the sample, in any order; NULL:
                         ///< at the options' fractions of its way
} evn_sample_times;

/// The same as evn_solve with times of each sample's own; the options must have per_sample.
/// @param[in] times  read only now
/// @return EVN_ERR_ARGUMENT, naming the sample, where a time is not finite or not on the way, and
///         where weights evolve and samples do not all cross the same jumps, a start at the
///         last time before a jump being behind it;
///         EVN_ERR_SOLVER or EVN_ERR_NOT_FINITE, naming the first sample that came to a stop: x1 is
///         right for the others, and of those that stopped the last x, at observations behind it
///         NaN
evn_status evn_solve_samples(evn_solver *solver, const evn_sample_times *times, evn_binding x0,
                             const evn_binding *weights, evn_binding *x1, evn_solution *solution);

/// How the last solve ended, of which evn_solve or its like gave EVN_OK. By equal steps of an
/// explicit method, or of a Rosenbrock method with a matrix, these do not wait, and cannot know
/// whether the state stayed finite, nor whether those of the reversible method came apart; all
/// others have said so at once. Waits for the device, and looks at the state at the end, and after
/// a gradient of the solve at its cotangents of the start.
/// @param[out] solution  what the solve said, but for the outcome; may be NULL
/// @return EVN_ERR_NOT_FINITE; EVN_ERR_SOLVER with EVN_OUTCOME_STATES_APART, where
///         evn_solver_apart is more than EVN_MOST_APART; EVN_ERR_ARGUMENT where there is no such
///         solve
evn_status evn_solver_outcome(const evn_solver *solver, evn_solution *solution);

/// What sample `index` did in the last solve, which may have failed. The solution of the solve
/// itself has the counts of the sample that needed the most attempts.
/// @return EVN_ERR_ARGUMENT without per_sample, without such a sample, before a solve, or where the
///         device failed in the last one
evn_status evn_solver_sample_solution(const evn_solver *solver, int64_t index,
                                      evn_solution *solution);

/// Where weight `index` of the dynamics is after the last solve, which must have ended with EVN_OK:
/// of one that evolves θ at an observation, with observe_weights, or with `observation` −1 θ(t1),
/// with per_sample at the last of all t1; of a constant one what the solve was given. Memory of the
/// solver, valid until the next solve, or the caller's.
/// @return EVN_ERR_ARGUMENT without such a weight, observation or solve, and for an observation of
///         evn_solve_samples, which each sample has at a time of its own: evn_solver_at
evn_status evn_solver_weight(const evn_solver *solver, int index, int observation,
                             evn_binding *weight);

/// x(t), and θ(t) of weights that evolve, at any times of the last solve, which must have ended
/// with EVN_OK; the options must have dense. From the interpolant of the step in which a time is,
/// whose error is of the order of the method's own, by implicit methods on stiff problems, too; but
/// where all that is fast has decayed, steps may be too long for any interpolant: dt_max bounds
/// them (docs/solvers.md has figures). At t0 and t1 from the states there. x goes on smoothly, by
/// implicit methods nearly so, but at jumps of f, where its slope has the later value from the jump
/// on. Weights that are solved by themselves are as x reads them: the series of weight_terms, or
/// linear between weight_steps. Waits for what it writes. What evaluates f again counts in no
/// evn_solution.
/// @param[in]  times    [count], from t0 to t1 of the solve, in any order; after evn_solve_samples
///                      [B, count], of each sample its own
/// @param[in]  count    >= 1
/// @param[out] x        [count, state], memory of the caller, none of the solver's; without a
///                      buffer x is not wanted, but with per_sample
/// @param[out] weights  NULL, or one binding per weight: memory for [count, weight], after
///                      evn_solve_samples [count, B, weight], of those that evolve; those without a
///                      buffer, and of constant weights, are left out
/// Weights that the solve was given must still be there.
/// @return EVN_ERR_ARGUMENT without dense or such a solve, or for a time that is not on its way;
///         EVN_ERR_DEVICE_MEMORY where the interpolants do not fit
evn_status evn_solver_at(evn_solver *solver, const double *times, int count, evn_binding x,
                         const evn_binding *weights);

/// The gradient through the last solve, which must have ended with EVN_OK; again, with other
/// cotangents, as often as wanted, also after one that failed.
/// @param[in]  x1_bar       cotangent of what the solve gave, in its shape: at each observation the
///                          cotangent of x jumps by its share. May be what the last solve or
///                          gradient of the solver gave
/// @param[out] x0_bar       where the cotangent of x(t0) is; memory of the solver, valid until its
///                          next gradient
/// @param[out] weights_bar  one binding per weight; overwritten with its cotangent. Not memory of
///                          the solver, of weights or of each other
/// @param[out] solution     of the backward solve, with per_sample of the sample that took the most
///                          steps; may be NULL
/// With an implicit method it waits, and looks whether the cotangents of the state at t0 are
/// finite.
/// @return EVN_ERR_ARGUMENT, naming the binding, when one has no room for its shape, and when there
///         is no such solve; EVN_ERR_SOLVER or EVN_ERR_NOT_FINITE, with the outcome, where a solve
///         backwards failed or led elsewhere; EVN_ERR_SOLVER with EVN_OUTCOME_NEWTON_FAILED where
///         transposed equations of an implicit step were not solved, or derivatives of f are not
///         finite though x1_bar is
evn_status evn_solve_gradient(evn_solver *solver, evn_binding x1_bar, evn_binding *x0_bar,
                              const evn_binding *weights_bar, evn_solution *solution);

/// After a gradient of the last solve, with time_gradient: the gradient with respect to its times,
/// per unit of t. Waits for the device.
/// @param[out] t0_bar, t1_bar  of what the solve was given: after evn_solve [1], with per_sample
///                             too, after evn_solve_samples [B]; observations at fractions of the
///                             way move with both ends. After evn_solve_times t1_bar is 0. May be
///                             NULL
/// @param[out] times_bar       [observations], after evn_solve_samples [B, observations]: of the
///                             time of each observation by itself; 0 of an observed start, which t0
///                             is. May be NULL
/// With fixed steps of backprop, checkpointed and reversible it is exactly that of the steps, with
/// as many of them; with adaptive ones that of the steps that were taken, whose places within the
/// way from one observation to the next count as constant; so it is after an adjoint that has
/// fallen back on checkpoints. Otherwise, and where a way has no length, it is that of the
/// solution, x̄·f(t, x, θ) at the time of an observation, up to the error of the solve. Weights that
/// are solved by themselves have theirs, along their steps, beside that of x along them; several
/// samples that begin first, or end last, have equal shares in that.
/// @return EVN_ERR_ARGUMENT without time_gradient, or where there is no such gradient
evn_status evn_solver_time_gradient(evn_solver *solver, double *t0_bar, double *t1_bar,
                                    double *times_bar);

/// The same with respect to the options' jumps, at which f and g pass from what they are before to
/// what they are behind, on the way: λ·(f before − f behind), λ the cotangents of x and evolving
/// weights there; along steps exactly that of these, each part's as above. Across jumps a gradient
/// with time_gradient waits for each part.
/// @param[out] jumps_bar  [jump_count], of all samples together; 0 of a jump that was not crossed.
///                        What is observed at a jump itself moves with it, and has none of its own
/// @return EVN_ERR_ARGUMENT as evn_solver_time_gradient, and without jumps
evn_status evn_solver_jump_gradient(evn_solver *solver, double *jumps_bar);

/// The grid of the last solve, also of one that failed: t0, where its steps began after that, and
/// where the last one ended.
/// @param[out] times  [count]
/// @param[in]  count  evn_solution.accepted + 1
/// @return EVN_ERR_ARGUMENT when that is another number, when there was no solve, where each sample
///         has steps of its own, and where weights that are solved by themselves came to a stop
///         before x
evn_status evn_solver_grid(const evn_solver *solver, double *times, int count);

/// The same of sample `index` with per_sample, where a gradient, dense or keep_steps has its steps
/// kept. Across jumps of f the parts are solved once more, all but one, with the weights that the
/// solve was given. Waits. In single precision its t0 is the one that kernels see.
/// @param[in]  count  evn_solution.accepted + 1 of that sample
/// @return EVN_ERR_ARGUMENT as evn_solver_sample_solution, when `count` is another number, where no
///         steps are kept, where weights that are solved by themselves came to a stop before x, and
///         of a sample that came to a stop across jumps
evn_status evn_solver_sample_grid(const evn_solver *solver, int64_t index, double *times,
                                  int count);

/// After an adjoint or reversible gradient of the last solve (else EVN_ERR_ARGUMENT): how far the
/// reconstructed x(t0) and evolving weights θ(t0), or those behind a jump, whichever are farther,
/// are from the true ones, ‖difference‖/‖true‖ (0 where nothing evolves; infinite where they are
/// not finite). Waits for the device. Large values mean that the dynamics cannot be solved
/// backwards and the gradient is wrong.
evn_status evn_solver_reconstruction(evn_solver *solver, double *x_error, double *theta_error);

/// Of the reversible method, after a solve (else EVN_ERR_ARGUMENT): how far its two states are from
/// each other at the end, ‖difference‖/‖x‖, and the same of evolving weights that it solves;
/// infinite where they are not finite. Both are x where the way is solved well; x1 is off by half
/// of it where the method's second solution has grown in it, which it does as fast as x decays.
/// Across jumps of f at the end of the last part, after a gradient of the first. Waits for the
/// device.
evn_status evn_solver_apart(evn_solver *solver, double *x_apart, double *theta_apart);

/// With `watch` (else EVN_ERR_ARGUMENT): the worst that solving backwards has ended away from the
/// true start in the gradients since this was last asked, measured as for the option
/// `reconstruction`, infinite where it was not finite; 0 where there was none. Waits only where the
/// device has not come to the end of the last of these.
evn_status evn_solver_watched(evn_solver *solver, double *worst);

/// After such a gradient: where the reconstructed x(t0) is; memory of the solver, valid until
/// its next solve. With cotangents of 0 the gradient is this reconstruction alone.
evn_status evn_solver_reconstructed(const evn_solver *solver, evn_binding *x0);

/// Gradients: name of number `index` of evn_gradient, NULL past the last.
const char *evn_gradient_name(int index);

/// Name of controller number `index`, NULL past the last.
const char *evn_controller_name(int index);
/// Name of norm number `index`, NULL past the last.
const char *evn_norm_name(int index);

/// Methods known to evn_solver_create: name of number `index`, NULL past the last.
const char *evn_method_name(int index);
/// Order of convergence of method number `index`; of those that choose it, the highest.
int evn_method_order(int index);
bool evn_method_is_adaptive(int index); ///< has an error estimate
bool evn_method_takes_steps(int index); ///< takes a given number of equal ones; all but adams

EVN_API_END

#endif
