#!/bin/sh
# Compiler for `cargo xtask fuzz`: counts edges and compares (libFuzzer's coverage) in our own crates, and sets `cfg(fuzzing)` there.
# Dependencies are built as in the product, so that primitives run at full speed and the fuzzer looks at our code.
# These are LLVM's own switches, which stable rustc passes on. No sanitizer: all of the code here forbids `unsafe`.
compares=-Cllvm-args=-sanitizer-coverage-trace-compares
# `cargo xtask fuzz --no-compares`
[ "${PVTCOMS_FUZZ_COMPARES-yes}" = no ] && compares=
case "${CARGO_PKG_NAME-}" in
# Tables of characters are hundreds of compares for each character: two thirds of an execution, and each has its edge as well.
pvtcoms-content) compares= ;;
esac
case "${CARGO_PKG_NAME-}" in
pvtcoms-*)
    exec "$@" --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
        ${compares:+"$compares"} -Cllvm-args=-simplifycfg-branch-fold-threshold=0
    ;;
*) exec "$@" ;;
esac
