#!/usr/bin/env bash
# The benchmarks: the relay against nginx and HAProxy, the reader against other people's readers.
# Writes docs/benchmarks.md from the full run; raw figures go to .work/bench/.
#
#   scripts/bench.sh             everything, less than 20 minutes; docs/benchmarks.md
#   scripts/bench.sh --quick     for developers, less than 2 minutes once built; prints only
#   scripts/bench.sh --only portcullis,nginx --part calls,connections,idle,growth,floods,storm
#   scripts/bench.sh --part record          a day of ten million records alone
#   scripts/bench.sh --quick --before OLD_BUILD   two builds of ours take turns: what a change is worth
set -euo pipefail
cd "$(dirname "$0")/.."

work=.work/bench
mkdir -p "$work" docs

install_peers() {
  local missing=()
  command -v nginx >/dev/null || missing+=(nginx)
  command -v haproxy >/dev/null || missing+=(haproxy)
  command -v taskset >/dev/null || missing+=(util-linux)
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" -ne 0 ]; then
    echo "bench: ${missing[*]} missing; install them, or run this as root" >&2
    exit 1
  fi
  apt-get update -qq
  # Debian starts a service as soon as it is installed, unless a policy forbids it; ours run on
  # private ports instead.
  local policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' > $policy
    chmod +x $policy
    trap "rm -f $policy" EXIT
  fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

install_peers
# Station, CSMS and proxy hold up to two sockets for each of 9,000 stations.
ulimit -n "$(ulimit -Hn)"

cargo build --release --locked -p portcullis
cargo build --release --locked --manifest-path benches/Cargo.toml
# rust-ocpp in a build of its own: it slows serde_json for whatever is built with it.
cargo build --release --locked --manifest-path benches/Cargo.toml -p typed

arguments=(--work "$work" --portcullis target/release/portcullis)
case " $* " in
  *" --quick "* | *" --only "* | *" --part "* | *" --before "*) ;;
  *) arguments+=(--page docs/benchmarks.md) ;;
esac
# The official schemas, which the other readers judge by; the conformance run keeps them, too.
if ! compgen -G ".work/*/lib/python3*/site-packages/ocpp" > /dev/null; then
  python3 -m venv .work/venv-schemas
  .work/venv-schemas/bin/pip install --quiet --disable-pip-version-check --no-deps \
    --requirement tools/conformance/requirements.txt
fi
benches/target/release/reader --json "$work/reader.json"
arguments+=(--reader "$work/reader.json")
# The record: a day of ten million messages, or half a million.
record=()
case " $* " in *" --quick "*) record+=(--quick) ;; esac
case " $* " in *" --part record "*) exec benches/target/release/record --work "$work" "${record[@]}" ;; esac
case " $* " in
  *" --part "* | *" --only "* | *" --before "*) ;;
  *)
    benches/target/release/record --work "$work" --json "$work/record.json" "${record[@]}" >/dev/null
    arguments+=(--record "$work/record.json")
    ;;
esac
benches/target/release/relay run "${arguments[@]}" "$@"
