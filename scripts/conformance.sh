#!/usr/bin/env bash
# The reader against the official schemas: sets up the oracle, writes its cases, has the reader judge
# every one of them. All 387 files, at least 200 cases each, verdicts equal.
set -euo pipefail
cd "$(dirname "$0")/.."

cases="$PWD/.work/conformance"
venv="$PWD/.work/venv-conformance"
pinned=tools/conformance/requirements.txt

if ! cmp -s "$pinned" "$venv/requirements.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$pinned"
    # Last, so that an installation that was cut short is done again.
    cp "$pinned" "$venv/requirements.txt"
fi
python="$venv/bin/python"

"$python" tools/catalogue.py --check
"$python" tools/messages.py --check
"$python" tools/conformance/test_oracle.py --quiet
"$python" tools/conformance/generate.py "$cases"
CONFORMANCE_CASES="$cases" cargo test --locked -p ocpp --test conformance -- --nocapture
