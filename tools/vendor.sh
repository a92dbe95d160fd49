# SPDX-License-Identifier: Apache-2.0
# To be sourced. Two OpenCL implementations that bring an LLVM each cannot always live in one
# process, so tests load one at a time.

# use_vendor NAME: from here on programs see NAME.icd alone. False when it is not installed: neither
# among the system's vendors nor in build/NAME, where "sh tools/setup.sh intel" puts Intel's.
use_vendor() {
    icd=/etc/OpenCL/vendors/$1.icd
    [ -f "$icd" ] || icd=$PWD/build/$1/$1.icd
    [ -f "$icd" ] || return 1
    OCL_ICD_VENDORS=$PWD/build/vendors/$1
    mkdir -p "$OCL_ICD_VENDORS"
    cp "$icd" "$OCL_ICD_VENDORS"
    export OCL_ICD_VENDORS
}

# prefer_pocl: PoCL alone, where several are installed and the user has not chosen.
prefer_pocl() {
    if [ -z "${OCL_ICD_VENDORS:-}" ] && [ "$(ls /etc/OpenCL/vendors 2>/dev/null | wc -l)" -gt 1 ]; then
        use_vendor pocl || true
    fi
}
