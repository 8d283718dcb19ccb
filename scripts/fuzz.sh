#!/usr/bin/env bash
# Coverage-guided fuzzing on the stable toolchain: builds the targets in fuzz/ with LLVM's coverage
# instrumentation, links them with libFuzzer (crate libfuzzer-sys), and runs each for
# SECONDS_EACH seconds (60) or, if RUNS_EACH is set, for that many executions. BYTES_MAX bounds the
# inputs: short ones make more executions, long ones reach further.
#
#   scripts/fuzz.sh                      every target
#   scripts/fuzz.sh reader ws_frames     only these
#
# The corpus grows in fuzz/corpus, what crashes lies in fuzz/artifacts; neither is committed.
set -euo pipefail

main() {
  cd "$(dirname "$0")/../fuzz"

  targets=("$@")
  [ ${#targets[@]} -gt 0 ] || targets=(reader ws_frames handshake client_hello config rules)

  if ! command -v g++ >/dev/null; then
    echo "fuzz: libFuzzer is C++; installing g++"
    apt-get update -q && apt-get install -qy g++
  fi

  # The flags that cargo-fuzz sets, and nothing that only a nightly compiler knows. Naming the target
  # keeps build scripts and macros out of it.
  triple=$(rustc -vV | sed -n 's/^host: //p')
  export RUSTFLAGS="-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Cllvm-args=-simplifycfg-branch-fold-threshold=0"
  # A target builds no more than it leans on, so that the reader need not wait for TLS and SQLite.
  declare -A leans_on=([reader]='' [ws_frames]=gateway [handshake]=gateway
    [client_hello]=gateway [config]=portcullis [rules]=portcullis)
  build() {
    # Not --locked: the lock follows what the workspace's own manifests ask for.
    cargo build --release --target "$triple" --bin "$1" \
      --no-default-features --features "${leans_on[$1]}"
  }

  declare -A longest=([reader]=4096 [ws_frames]=768 [handshake]=1024 [client_hello]=1024
    [config]=4096 [rules]=256)
  status=0
  for target in "${targets[@]}"; do
    build "$target"
    binary=target/$triple/release/$target
    corpus=corpus/$target
    mkdir -p "$corpus" "artifacts/$target"
    FUZZ_SEEDS=$corpus "./$binary" >/dev/null 2>&1
    log=artifacts/$target/last.log
    bound=(-max_total_time="${SECONDS_EACH:-60}")
    [ -z "${RUNS_EACH:-}" ] || bound=(-runs="$RUNS_EACH")
    if "./$binary" "${bound[@]}" -max_len="${BYTES_MAX:-${longest[$target]}}" -timeout=10 -print_final_stats=1 \
      -artifact_prefix="artifacts/$target/" "$corpus" >"$log" 2>&1; then
      outcome=clean
    else
      outcome="FOUND SOMETHING: see fuzz/$log"
      status=1
    fi
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    coverage=$(grep -o 'cov: [0-9]*' "$log" | tail -1 || true)
    echo "$target: ${executions:-?} executions, ${coverage:-cov: ?}, $outcome"
  done
  return $status
}

main "$@"
