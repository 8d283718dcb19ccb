#!/usr/bin/env bash
# `make run`: builds the program and starts the demo. On a fresh Debian it needs Rust; a C compiler
# (for the TLS library and SQLite) is installed where it is missing and this user may.
# Arguments go to `portcullis demo`, for instance: scripts/run.sh --seconds 30
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

if ! command -v cargo >/dev/null && [ -r "$HOME/.cargo/env" ]; then
    # shellcheck source=/dev/null
    . "$HOME/.cargo/env"
fi
if ! command -v cargo >/dev/null; then
    say "Rust is missing. https://rustup.rs installs it; then run this again."
    exit 1
fi

if ! command -v cc >/dev/null; then
    as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        as_root=(sudo -n)
    fi
    if command -v apt-get >/dev/null && "${as_root[@]}" true 2>/dev/null; then
        say "A C compiler is missing: installing build-essential …"
        "${as_root[@]}" apt-get update -qq
        DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq \
            --no-install-recommends build-essential >&2
    else
        say "A C compiler is missing. Install one (Debian: apt-get install build-essential); then run this again."
        exit 1
    fi
fi

say "Building (the first time takes some minutes) …"
cargo build --release --locked -p portcullis
exec "${CARGO_TARGET_DIR:-target}/release/portcullis" demo "$@"
