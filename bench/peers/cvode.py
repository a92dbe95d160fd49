# SPDX-License-Identifier: Apache-2.0
"""SUNDIALS' CVODE, Adams and BDF, by ctypes: libsundials-dev of Debian, version 6."""
import ctypes
import ctypes.util

import numpy

ADAMS, BDF = 1, 2
NORMAL = 1
MOST_STEPS = 1000000
RHS = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_double, ctypes.c_void_p, ctypes.c_void_p,
                       ctypes.c_void_p)


def library(name):
    path = ctypes.util.find_library(name)
    if not path:
        raise OSError(f"there is no lib{name}: install libsundials-dev")
    return ctypes.CDLL(path)


class Cvode:
    """One solve is one integrator, made and freed."""

    def __init__(self):
        self.core = library("sundials_cvode")
        self.vectors = library("sundials_nvecserial")
        self.matrices = library("sundials_sunmatrixdense")
        self.linear = library("sundials_sunlinsoldense")
        self.fixed_point = library("sundials_sunnonlinsolfixedpoint")
        for lib, names in ((self.core, "CVodeCreate"), (self.vectors, "N_VMake_Serial "
                           "N_VGetArrayPointer_Serial"), (self.matrices, "SUNDenseMatrix"),
                           (self.linear, "SUNLinSol_Dense"),
                           (self.fixed_point, "SUNNonlinSol_FixedPoint")):
            for name in names.split():
                getattr(lib, name).restype = ctypes.c_void_p
        self.context = ctypes.c_void_p()
        self.check(self.core.SUNContext_Create(None, ctypes.byref(self.context)))

    @staticmethod
    def check(flag):
        if flag < 0:
            raise RuntimeError(f"CVODE: {flag}")

    def array(self, vector, size):
        data = self.vectors.N_VGetArrayPointer_Serial(ctypes.c_void_p(vector))
        return numpy.ctypeslib.as_array(ctypes.cast(data, ctypes.POINTER(ctypes.c_double)), (size,))

    def attach_solver(self, memory, method, vector, size):
        """Adams with a fixed-point iteration, BDF with Newton's and differences."""
        if method == ADAMS:
            solver = self.fixed_point.SUNNonlinSol_FixedPoint(vector, 0, self.context)
            self.check(self.core.CVodeSetNonlinearSolver(memory, ctypes.c_void_p(solver)))
            return
        matrix = ctypes.c_void_p(self.matrices.SUNDenseMatrix(
            ctypes.c_int64(size), ctypes.c_int64(size), self.context))
        solver = self.linear.SUNLinSol_Dense(vector, matrix, self.context)
        self.check(self.core.CVodeSetLinearSolver(memory, ctypes.c_void_p(solver), matrix))

    def evaluations(self, memory, method):
        count, rest = ctypes.c_long(), ctypes.c_long(0)
        self.check(self.core.CVodeGetNumRhsEvals(memory, ctypes.byref(count)))
        if method == BDF:
            self.check(self.core.CVodeGetNumLinRhsEvals(memory, ctypes.byref(rest)))
        return count.value + rest.value

    def solve(self, f, end, start, method, tolerance):
        """y(end) from y(0) = start, and evaluations of f, those of differences among them."""
        size = len(start)
        y = numpy.array(start, float)
        vector = ctypes.c_void_p(self.vectors.N_VMake_Serial(
            ctypes.c_int64(size), y.ctypes.data_as(ctypes.c_void_p), self.context))

        def slope(t, at, to, _):
            self.array(to, size)[:] = f(t, self.array(at, size))
            return 0

        rhs, t = RHS(slope), ctypes.c_double()
        memory = ctypes.c_void_p(self.core.CVodeCreate(method, self.context))
        self.check(self.core.CVodeInit(memory, rhs, ctypes.c_double(0), vector))
        self.check(self.core.CVodeSStolerances(memory, ctypes.c_double(tolerance),
                                               ctypes.c_double(tolerance)))
        self.attach_solver(memory, method, vector, size)
        self.check(self.core.CVodeSetMaxNumSteps(memory, ctypes.c_long(MOST_STEPS)))
        self.check(self.core.CVodeSetStopTime(memory, ctypes.c_double(end)))
        self.check(self.core.CVode(memory, ctypes.c_double(end), vector, ctypes.byref(t), NORMAL))
        count = self.evaluations(memory, method)
        self.core.CVodeFree(ctypes.byref(memory))
        return y, count
