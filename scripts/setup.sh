#!/usr/bin/env bash
# Installs what the tests need beside Rust, into .work/: PyPI packages into a venv, npm packages, and
# the station on ocpp-client. Quick when nothing has changed since the last time.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p .work

# Debian splits venv and npm off; install them only where they are missing and we may. The C compiler
# builds SQLite and aws-lc; openssl looks at the certificates we make.
missing=()
command -v cc >/dev/null || missing+=(build-essential)
command -v openssl >/dev/null || missing+=(openssl)
# The package's user and unit are looked at with systemd's own tools.
command -v systemd-analyze >/dev/null || missing+=(systemd)
python3 -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
if ((${#missing[@]})); then
    if [[ $(id -u) != 0 ]]; then
        echo "setup: missing ${missing[*]}; install them as root: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    echo "setup: installing ${missing[*]}"
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# A stamp holds the checksum of what was asked for, so that a changed list is installed anew and a
# broken install is not taken for a good one.
up_to_date() { # up_to_date STAMP FILE…
    local stamp=$1
    shift
    [[ -f $stamp ]] && [[ $(cat "$stamp") == "$(cat "$@" | sha256sum)" ]]
}

wanted=counterparts/requirements.txt
if ! up_to_date .work/venv/.stamp "$wanted"; then
    echo "setup: PyPI packages"
    rm -rf .work/venv
    python3 -m venv .work/venv
    .work/venv/bin/pip install --quiet --disable-pip-version-check --requirement "$wanted"
    cat "$wanted" | sha256sum >.work/venv/.stamp
fi

wanted=(counterparts/npm/package.json counterparts/npm/package-lock.json)
if ! up_to_date .work/node/.stamp "${wanted[@]}"; then
    echo "setup: npm packages"
    rm -rf .work/node
    mkdir .work/node
    cp "${wanted[@]}" .work/node/
    npm ci --prefix .work/node --silent --no-audit --no-fund --ignore-scripts
    cat "${wanted[@]}" | sha256sum >.work/node/.stamp
fi
