# SPDX-License-Identifier: Apache-2.0
"""What the compile gate reads and decides:  test_gate.py CASE SOURCE [BUILD]"""

import json
import os
import subprocess
import sys
import tempfile

SOURCE = sys.argv[2]
sys.path.insert(0, os.path.join(SOURCE, "tools", "compile_gate"))

import amd  # noqa: E402
import freshness  # noqa: E402
import intel  # noqa: E402
import isa  # noqa: E402
import mca  # noqa: E402
import nvidia  # noqa: E402
import page  # noqa: E402
import predict  # noqa: E402
import targets  # noqa: E402
import verdict  # noqa: E402
from compilers import Compilers, find_compilers  # noqa: E402
from figures import CLASSES, CompileError, Figures, Loop  # noqa: E402
from isa import Line  # noqa: E402
from programs import Unit, add_folder, split  # noqa: E402
from work import VENDORS, Cache, Result, compile_all, pairs_of  # noqa: E402

HEAD = '#line 1 "common.cl"\ntypedef float real;\n'
ONE = (
    '#line 1 "variant.cl"\n#line 1 "a.cl"\n'
    "__kernel void one(__global real *y) {\n    y[0] = 1;\n}\n"
    "GROUP __kernel void two(__global real *y) {\n    y[0] = 2;\n}\n"
)


def part(number: int, options: str, text: str, names: list[str]) -> str:
    """As host/part.c writes it."""
    renames = "".join(f"#define {n} {n}__{number}\n" for n in names)
    return options + renames + text + "\n#undef ROWS\n" + "".join(f"#undef {n}\n" for n in names)


def write(folder: str, name: str, text: str, options: str, kernels: str) -> None:
    for ending, content in ((".cl", text), (".options", options), (".kernels", kernels)):
        with open(os.path.join(folder, name + ending), "w", encoding="utf-8") as file:
            file.write(content)


def programs() -> None:
    """A source is the same whichever number it has; kernels that are not launched are no kernels."""
    first, second = part(1, "#define ROWS 4\n", ONE, ["one", "two"]), part(
        2, "#define ROWS 8\n", ONE, ["one", "two"]
    )
    third = part(1, "#define ROWS 8\n", ONE, ["one", "two"])
    assert split(HEAD + first + second)[1] == split(HEAD + third)[0]
    assert split("__kernel void k() {}") == ["__kernel void k() {}"]
    units: dict[str, Unit] = {}
    with tempfile.TemporaryDirectory() as folder:
        write(folder, "a", HEAD + first + second, "-cl-std=CL1.2", "one__1\none__1 64\ntwo__2 32\n")
        write(folder, "b", HEAD + third, "-cl-std=CL1.2", "one__1\none__1 8\none__1 16\n")
        assert add_folder(units, folder, ("amd",), True) == 2
    assert len(units) == 2, list(units)
    by_rows = {u.defines()["ROWS"]: u for u in units.values()}
    assert by_rows["4"].used == {"one"} and by_rows["8"].used == {"one", "two"}
    assert by_rows["4"].groups == {"one": 64}, by_rows["4"].groups
    assert by_rows["8"].groups == {"one": 16, "two": 32}, by_rows["8"].groups
    cut = by_rows["4"]
    assert "two(" not in cut.text and "__kernel void one(" in cut.text, cut.text
    assert cut.text.count("\n") == cut.source.count("\n")
    assert by_rows["8"].text.count("__kernel") == 2
    tile = Unit(HEAD + ONE, "-DROWS=4 -DVECTORS=1 -DWIDTH=4 -DGROUP_X=8 -DGROUP_Y=8 -DDEPTH=16")
    assert tile.label("one") == "one 4x1x4 in 8x8 depth 16", tile.label("one")
    assert tile.label("fused_" + "0f" * 16).startswith("fused 4x1x4")
    assert tile.label("samples_" + "0f" * 16 + "_32").startswith("samples_32 4x1x4")
    unit = Unit("", "", vendors={"amd": True, "intel": False, "": True})
    assert [unit.use_on(v) for v in VENDORS] == ["default", "other", "variant"]
    every = [targets.find_target(name) for name in ("gfx1030", "sm_86", "skl")]
    assert names_of(Unit("", "", vendors={"": True}), every) == ["gfx1030", "sm_86", "skl"]
    assert names_of(Unit("", "", vendors={"amd": True}), every) == ["gfx1030"]
    sums = "-cl-std=CL3.0 -DONE_BARRIER -DREDUCE_ADD=sub_group_reduce_add"
    assert names_of(Unit("", sums, vendors={"": False}), every) == ["gfx1030", "skl"]
    assert names_of(Unit("", "-DONE_BARRIER", vendors={"": False}), every) == ["gfx1030", "sm_86", "skl"]


def names_of(unit: Unit, every: list[targets.Target]) -> list[str]:
    return [target.name for _, target in pairs_of([unit], every)]


def lines(text: str, read) -> list[Line]:
    return read(text)


def loops() -> None:
    """The loop with the most multiply-adds, and what its instructions are, of each vendor."""
    code = """
.LBB0_1:
\tv_fma_f32 v0, v1, v2, v3
.LBB0_2:
\tv_fmac_f32_e32 v0, v1, v2
\tv_fmac_f32_e32 v0, v1, v2
\tds_read_b128 v[0:3], v9
\tv_add_nc_u32_e32 v1, 1, v1
\ts_add_i32 s0, s0, 1
.LBB0_3:
\tv_add_nc_u32_e32 v1, 1, v1
\ts_cbranch_vccnz .LBB0_3
\ts_cbranch_scc1 .LBB0_2
\ts_cbranch_scc1 .LBB0_1
"""
    loop, body = isa.busiest(amd._lines(code), amd.classify)
    assert (loop.fma, loop.slots, loop.local_bytes) == (2, 4, 16), loop
    assert (loop.multiply_add, loop.address, loop.control, loop.local_memory) == (2, 3, 2, 1), loop
    assert len(body) == 10, body
    mixed = isa.count([Line("v_dual_mov_b32 v0, v1 :: v_dual_fmac_f32 v3, v4, v5")], amd.classify)
    assert (mixed.fma, mixed.slots, mixed.multiply_add) == (1, 1, 1), mixed
    for text in ("v_dual_fmac_f32 v0, v1, v2 :: v_dual_fmac_f32 v3, v4, v5", "v_pk_fma_f32 v[0:1], v[2:3], v[4:5]"):
        pair = isa.count([Line(text)], amd.classify)
        assert (pair.fma, pair.slots, pair.multiply_add) == (2, 1, 1), pair

    code = """
.L_x_1:
        /*0010*/                   FFMA R1, R2, R3, R1 ;
        /*0020*/                   LDS.128 R4, [R8] ;
        /*0030*/               @P0 IADD3 R1, R2, R3, RZ ;
        /*0040*/               @P6 BRA `(.L_x_1) ;
"""
    loop, _ = isa.busiest(nvidia._lines(code), nvidia.classify)
    assert (loop.fma, loop.local_memory, loop.address, loop.control) == (1, 1, 1, 1), loop
    assert loop.local_bytes == 16

    code = """_main:
L1:
        mad (16|M0)              r12.0<1>:f    r12.0<1;0>:f      r14.0<1;0>:f      r16.0<0>:f       // $1
        send.dc1 (8|M0)          r27      r100    null    0x0            0x024060FE           {@1,$14} // $2
        send.dc1 (8|M0)          r27      r100    null    0x0            0x02406002           {@1,$14} // $2
(W)     add (1|M0)               r4.0<1>:d     r4.0<0;1,0>:d     4:w                                // $3
(f1.0)  while (8|M0)                         L1                                                      // $4
"""
    loop, _ = isa.busiest(intel._lines(code), intel.classify)
    assert (loop.fma, loop.local_memory, loop.global_memory, loop.address) == (2, 1, 1, 1), loop
    assert (loop.control, loop.slots) == (1, 6), loop
    code = """_main:
_0_010:
        mad (8|M0)               r12.0<1>:f    r12.0<1;0>:f      r14.0<1;0>:f      r16.0<0>:f       // $1
(f0.1)  goto (8|M0)                          _0_012            _0_012                                // $2
(f1.1)  goto.b (8|M0)                        _0_012            _0_010                                // $3
_0_012:
        goto.b (8|M0)                        _0_012            _0_012                                // $4
"""
    loop, body = isa.busiest(intel._lines(code), intel.classify)
    assert loop.fma == 1 and len(body) == 4, (loop, body)


def classes() -> None:
    """Each class of each vendor's instructions, and which of AMD's cost no slot."""
    kinds = {
        amd.classify: {
            "multiply_add": "v_fmac_f32_e32 v_mad_f32 v_pk_fma_f32",
            "arithmetic": "v_add_f32_e32 v_rcp_f32_e32 v_dual_mul_f32",
            "local_memory": "ds_read_b128 ds_store_b32",
            "global_memory": "global_load_dword s_load_dwordx2 scratch_store_b32",
            "address": "v_add_nc_u32_e32 v_lshlrev_b64 s_addk_i32 s_and_b64",
            "control": "s_cbranch_scc1 s_waitcnt v_cmp_gt_u32_e64 s_barrier s_and_saveexec_b32",
            "move": "v_mov_b32_e32 v_cndmask_b32_e64 ds_bpermute_b32 v_cvt_f32_u32_e32 s_mov_b32",
        },
        nvidia.classify: {
            "multiply_add": "FFMA FFMA2",
            "arithmetic": "FADD FMUL.FTZ MUFU.RCP FMNMX",
            "local_memory": "LDS.128 STS",
            "global_memory": "LDG.E STG.E ULDC.64 RED.E.ADD",
            "address": "IMAD.WIDE IADD3 LOP3.LUT SHF.R LEA.HI UIADD3",
            "control": "ISETP.GT BRA BAR.SYNC FSETP.NAN UPLOP3.LUT",
            "move": "IMAD.MOV.U32 MOV SHFL.BFLY SEL P2R I2F.RP PRMT S2R",
        },
    }  # fmt: skip
    for classify, by_class in kinds.items():
        assert sorted(by_class) == sorted(CLASSES)
        for kind, names in by_class.items():
            for name in names.split():
                assert classify(name).kind == kind, (name, classify(name))
    free = {n for n in ("ds_read_b128", "s_add_i32", "v_add_f32") if amd.classify(n).is_beside}
    assert free == {"ds_read_b128", "s_add_i32"}, free
    assert amd.classify(".LBB0_1:") is None and nvidia.classify(".L_x_1:") is None
    for code, kind in (("cmp", "control"), ("mov", "move"), ("shl", "address"), ("mul", "arithmetic")):
        operands = ":f" if kind == "arithmetic" else ":d"
        found = intel.classify(f"{code} (16|M0)  r12.0<1>{operands}  r12.0<1;1,0>{operands}")
        assert (found.kind, found.width) == (kind, 2), (code, found)


def limits() -> None:
    """Targets by the longest name that they begin with; work-groups of a unit."""
    assert targets.find_target("gfx1032").threads == 32  # as gfx103
    assert targets.find_target("gfx1010").threads == 40
    assert targets.find_target("gfx942").vendor == "amd"
    assert targets.find_target("sm_89").local_bytes == 102400
    assert targets.find_target("adl-s").vendor == "intel"
    try:
        targets.find_target("voodoo")
        raise AssertionError("an unknown target was taken")
    except targets.UnknownTarget as error:
        assert "voodoo" in str(error)
    skl = targets.find_target("skl")
    assert targets.groups_of_unit(skl, 56, 256, 8, 0) == 1
    assert targets.groups_of_unit(skl, 56, 128, 8, 0) == 3
    assert targets.groups_of_unit(skl, 56, 64, 8, 40000) == 1
    assert amd._waves(targets.find_target("gfx906"), 128, 64) == 2
    assert amd._waves(targets.find_target("gfx1030"), 128, 32) == 8
    half = isa.fraction_of_peak(Loop(fma=16, slots=16, local_bytes=32), 4, 32, 128, 1)
    assert half == 0.5, half  # local memory's width
    assert isa.fraction_of_peak(Loop(fma=16, slots=64), 4, 32, 128, 1) == 0.25


def row(**changes) -> verdict.Row:
    values = dict(kernel="k", target="skl", use="default", registers=100, spills=0, local=0, simd=8,
                  groups=2, fma=16.0, slots=32.0, peak=0.5)  # fmt: skip
    return verdict.Row(**{**values, **changes})


def verdict_case() -> None:
    """Spills and few work-groups of a default are faults; a tenth more is shown. Work-groups are as
    large as the kernel says, or its launch, or what every costume allows."""
    skl = targets.find_target("skl")
    for fixed, launched, groups in ((0, 0, 1), (0, 64, 7), (128, 64, 3)):
        unit = Unit(HEAD + ONE, "", groups={"one": launched}, vendors={"intel": True})
        kernel = Figures("one", simd=8, group=fixed, threads=56)
        (found,) = verdict.make_rows([Result(unit, skl, [kernel])])
        assert (found.groups, found.use) == (groups, "default"), found
    assert verdict.faults([row()], {}) == []
    assert len(verdict.faults([row(spills=4), row(groups=1)], {})) == 2
    assert verdict.faults([row(spills=4, use="variant"), row(spills=4, use="other")], {}) == []
    better, worse = Figures("one", simd=8, spills=4), Figures("one", simd=8, spills=8)
    own = Unit(HEAD + ONE, "", vendors={"intel": True}), Unit(HEAD + ONE, "", vendors={"intel": True})
    foreign = Unit(HEAD + ONE, "", vendors={"": True})
    for unit, spills in ((own[1], 8), (foreign, 4)):
        (found,) = verdict.make_rows([Result(own[0], skl, [better]), Result(unit, skl, [worse])])
        assert (found.spills, found.use) == (spills, "default"), found
    assert verdict.faults([row(spills=4)], {("k", "skl"): "why"}) == []
    assert verdict.growth([row(registers=110)], [row()]) == []
    assert len(verdict.growth([row(registers=111)], [row()])) == 2
    assert len(verdict.growth([row(slots=40.0)], [row()])) == 2
    assert len(verdict.growth([row(groups=1)], [row()])) == 2
    assert verdict.growth([row(kernel="new")], [row()]) == []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "sub", "figures.tsv")
        assert verdict.read_rows(path) == []
        verdict.write_rows(path, [row()], {"kernels": "0123456789abcdef"})
        assert verdict.read_rows(path) == [row()]
        assert freshness.read_stamps(path) == {"kernels": "0123456789abcdef"}


def sources(folder: str, text: str) -> dict[str, str]:
    for name in freshness.FOLDERS:
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    with open(os.path.join(folder, "kernels", "a.cl"), "w", encoding="utf-8") as file:
        file.write(text)
    return freshness.stamps_of(folder)


def stamps() -> None:
    """What is compiled makes figures stale; comments and line breaks do not."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "figures.tsv")
        assert freshness.stale(SOURCE, path) == list(freshness.FOLDERS)
        verdict.write_rows(path, [row()], sources(folder, "int a; // one\n"))
        assert freshness.stale(folder, path) == []
        sources(folder, "/* two\nlines */ int\n    a;\n")
        assert freshness.stale(folder, path) == []
        sources(folder, "int b;\n")
        assert freshness.stale(folder, path) == ["kernels"]


def fresh() -> None:
    """The kept figures are of the kernels as they are."""
    stale = freshness.stale(SOURCE, os.path.join(SOURCE, "docs", "devices", "figures.tsv"))
    if stale:
        sys.exit(f"docs/devices/figures.tsv is older than {', '.join(stale)}: sh tools/setup.sh gate; "
                 "python3 tools/compile_gate --variants --write")


PROFILE = {"name": "A device", "fp32_gflops": "1000", "fp32_lanes": "1024", "bandwidth_gb_s": "30"}


def predicted(rows: list[verdict.Row], compiler: str, launches: int) -> list[predict.Prediction]:
    profile = PROFILE | ({"compiler": compiler} if compiler else {})
    counts = {work.key: launches for work in predict.WORKS}
    return predict.predictions(rows, {"u.profile": profile}, {"u.profile": counts})


def page_case() -> None:
    """The worst kernel first; classes, and waves where there are too few of them."""
    rows = [row(kernel="good", groups=4), row(kernel="spills", spills=8), row(kernel="few", groups=1)]
    text = page.render(rows, [], [], {})
    assert text.index("`spills`") < text.index("`few`") < text.index("`good`")
    assert "**8 B spilt**" in text and "Predicted" not in text
    assert "### By class" not in text and "llvm-mca" not in text
    own = row(target="gfx1030", multiply_add=16.0, address=7.0, move=5.0, cycles=96.0, threads=8)
    text = page.render([own], [], [], {})
    assert "| `k` | 16 · 0 · 0 · 0 · 7 · 0 · 5 |" in text, text
    assert "| `k` | 96 · 3.0 of 4 |" in text, text
    own.threads = 4
    assert "| `k` | **96 · 3.0 of 2** |" in page.render([own], [], [], {})


def predictions() -> None:
    """The longest of arithmetic, memory and launches; marked where it is a bound."""
    mnist, flow = predict.WORKS
    tile = row(kernel="conv2d_tiled 4x1x4", target="gfx1030")
    (first, second) = predicted([tile], "amd gfx1032", 1)
    assert [p.work for p in (first, second)] == [mnist, flow]
    assert first.arithmetic == 2 * (mnist.direct + mnist.winograd) / (1e9 * 1000 * 0.5), first
    assert (first.is_bound(), second.is_bound()) == (False, True)
    quick = row(kernel="winograd_tiled 4x2x4", target="gfx1030")
    faster, _ = predicted([tile, quick], "amd gfx1032", 1)
    assert mnist.direct < faster.arithmetic * 1e12 * 0.25 < mnist.direct + mnist.winograd
    quick.peak = 0.1  # slower than the direct method, which is then the tuner's choice
    assert predicted([tile, quick], "amd gfx1032", 1)[0].arithmetic == first.arithmetic
    # gfx90a has as many registers, but another unit: its figures say nothing of gfx1100.
    other = row(kernel="conv2d_tiled 4x1x4", target="gfx90a")
    for rows, compiler in (([other], "amd gfx1100"), ([tile], ""), ([tile], "apple m1")):
        assert all(p.is_bound() and p.direct == 0 for p in predicted(rows, compiler, 1)), compiler
    # Half of the lanes have a point; the peak is of all.
    assert second.arithmetic == 2 * flow.direct / (1e9 * 1000 * 0.5), second
    assert second.limit() == "arithmetic" and predicted([], "", 10**6)[1].limit() == "launches"
    assert predicted([], "", 10**6)[0].seconds() == predict.LAUNCH * 10**6
    text = page.render([tile], [first, second], [], {})
    assert "Predicted, not measured" in text and f"| {1e3 * first.seconds():.3g} (arithmetic) |" in text, text
    assert f"| ≥ {1e3 * second.seconds():.3g} (arithmetic) |" in text, text
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "predicted.tsv")
        predict.write(path, [first, second])
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    assert lines[-1].split("\t") == ["u", "A device", "flow_512", f"{1e3 * second.seconds():.3g}", "arithmetic", "1"]


def trials() -> None:
    """Bounds by measured limits; what was not measured is left out."""
    mnist = predict.WORKS[0]
    rows = [{"key": "limit_launch", "median": 1e-5}, {"key": mnist.key, "median": 2.0, "launches": 10.0},
            {"key": "flow_512", "lacking": "why"}]  # fmt: skip
    data = {"device": {"name": "A device", "platform": "P"}, "limits": {"flops": 1e11, "bytes": 1e12}, "rows": rows}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(data, file)
        (found,) = predict.trials([path])
    assert found.bound == 2 * (mnist.direct + 4 / 9 * mnist.winograd) / 1e11 and found.measured == 2.0, found
    text = page.render([], predicted([], "", 1), [found], {})
    assert f"| A device | P | `{mnist.key}` | {1e3 * found.bound:.3g} | 2e+03 | {found.bound / 2:.2f} |" in text, text


def launches() -> None:
    """As many as the device makes: a repetition that is counted, and one that is computed."""
    program = os.path.join(sys.argv[3], "tests", "gate", "gate_write")
    counted, computed = (
        subprocess.run([program, word, "flow_100"], capture_output=True, text=True, check=True).stdout
        for word in ("launches", "computed")
    )
    assert counted == computed and counted.startswith("flow_100 "), (counted, computed)


def sums() -> None:
    """The part on sub-groups is made of the rows, each way of a sum by itself."""
    name = "norm items 256"
    rows = [row(kernel=f"{name} lanes 1"), row(kernel=f"{name} one_barrier  lanes 1", groups=3)]
    rows.append(row(kernel=f"{name} one_barrier  shuffle_xor f lanes 1", groups=5, target="dg2"))
    text = page.render(rows, [], [], {})
    assert "None of these kernels spills." in text, text
    assert f"| `{name}` | default | skl |  | 0 | 2 |" in text, text
    assert f"| `{name}` | one barrier | skl |  | 0 | 3 |" in text, text
    assert f"| `{name}` | sub-groups | dg2 |  | 0 | 5 |" in text, text
    rows[2].spills = 8
    assert f"Of these `{rows[2].kernel}` on dg2 spill." in page.render(rows, [], [], {})
    assert "of these kernels" not in page.render([row()], [], [], {}).lower()


def product(step: int) -> list[Line]:
    """16 multiply-adds, each to the register that is `step` behind that of the one before."""
    return [Line(".LBB0_1:"), *(Line(f"v_fmac_f32_e32 v{step * i}, v40, v41") for i in range(16))]


def compilers() -> None:
    """Each compiler that is here: registers of a small kernel, the spills of a large one, an error."""
    found = find_compilers(os.path.join(sys.argv[3], "gate"))
    small = "__kernel void k(__global float *y) { y[get_global_id(0)] *= 2.0f; }"
    small += "\n__attribute__((reqd_work_group_size(8, 4, 1))) __kernel void g(__global float *y)"
    small += "{ __local float t[64]; t[get_local_id(0)] = y[0]; barrier(1); y[1] = t[3]; }"
    wide = "__kernel void k(__global float16 *y) { float16 v[40];"
    wide += " _Pragma(\"unroll\") for (int i = 0; i < 40; i++) v[i] = y[i * 7]; for (int t = 0; t < y[3].s0; t++)"
    wide += " _Pragma(\"unroll\") for (int i = 0; i < 40; i++) v[i] = v[i] * v[(i + 1) % 40] + y[t];"
    wide += " _Pragma(\"unroll\") for (int i = 0; i < 40; i++) y[i] = v[i]; }"
    names = [n for n in ("gfx1030", "sm_86", "tgllp") if not found.missing(targets.find_target(n).vendor)]
    if not names:
        sys.exit(77)
    if found.mca:  # multiply-adds that wait for each other take longer than those that do not
        far, near = (product(step) for step in (1, 0))
        cycles = [mca.cycles(found, "gfx1030", Loop(fma=16), lines) for lines in (far, near)]
        assert 16 <= cycles[0] < cycles[1], cycles
        assert mca.cycles(found, "voodoo", Loop(fma=16), far) == 0
    assert mca.cycles(Compilers(), "gfx1030", Loop(fma=16), []) == 0
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            pairs = [(Unit(t, "-cl-std=CL1.2"), targets.find_target(name)) for t in (small, wide, "wrong")]
            results = compile_all(found, Cache(folder, found), pairs, 2, lambda *_: None)
            kernels = {f.kernel: f for f in results[0].figures}
            assert not results[0].error and set(kernels) == {"k", "g"}, (name, results[0])
            assert kernels["g"].local_bytes == 256 and kernels["g"].group == 32, (name, kernels)
            assert kernels["k"].registers > 0 and kernels["k"].spills == 0, (name, kernels)
            # IGC keeps this array in private memory from the start, which is no spill.
            assert results[1].figures[0].spills > 0 or name == "tgllp", (name, results[1])
            assert results[2].error, name
            again = compile_all(found, Cache(folder, found), pairs, 2, lambda *_: None)
            assert all(r.is_kept for r in again)


CASES = {
    "programs": programs,
    "loops": loops,
    "classes": classes,
    "limits": limits,
    "verdict": verdict_case,
    "stamps": stamps,
    "fresh": fresh,
    "page": page_case,
    "predictions": predictions,
    "trials": trials,
    "launches": launches,
    "sums": sums,
    "compilers": compilers,
}
CASES[sys.argv[1]]()
