#!/usr/bin/env bash
# Stations and CSMSs that others wrote converse directly and through the gate; both ends must see the
# same. Ends with "N passed, N failed" and fails on any failure. A word limits the scenes to those
# that have it in their name: scripts/counterparts.sh ocpp-rpc
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
cargo build --quiet --locked -p portcullis
# Its own package and lock file, but the product's target folder, to build what they share once.
cargo build --quiet --locked --manifest-path counterparts/rust/Cargo.toml --target-dir target

# Python's own byte code cache would land in the source tree.
export PYTHONDONTWRITEBYTECODE=1
export COUNTERPARTS_NODE=$PWD/.work/node
export COUNTERPARTS_OCPP_CLIENT=$PWD/target/debug/ocpp-client-station
export PORTCULLIS=$PWD/target/debug/portcullis
(cd counterparts && ../.work/venv/bin/python -m unittest --quiet test_tapes)
exec .work/venv/bin/python counterparts/drive.py "$@"
