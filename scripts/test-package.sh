#!/usr/bin/env bash
# The Debian package, looked at as dpkg and systemd look at it: built of the program that the tests
# built, unpacked into a root of its own, configured there, and its unit judged.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "package: $*" >&2 && exit 1; }

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
binary=${CARGO_TARGET_DIR:-target}/debug/portcullis
[[ -x $binary ]] || cargo build --locked -p portcullis
package=$(scripts/package.sh --binary "$binary" --out "$room" --fast)
root=$room/root
mkdir -p "$root"
dpkg-deb -x "$package" "$root"
dpkg-deb -e "$package" "$room/control"

# What dpkg would say: the sums are right, and the maintainer's scripts are sound shell.
(cd "$root" && md5sum --quiet --check "$room/control/md5sums") || fail "a sum is wrong"
for script in postinst prerm postrm; do sh -n "$room/control/$script"; done
[[ $(dpkg-deb -f "$package" Version) == $("$root/usr/bin/portcullis" --version | cut -d' ' -f2) ]] ||
    fail "package and program are of two versions"

# The user is made, once and again.
mkdir -p "$root/etc"
for _ in 1 2; do DPKG_ROOT=$root "$room/control/postinst" configure; done
grep -q '^portcullis:.*:/var/lib/portcullis:/usr/sbin/nologin$' "$root/etc/passwd" || fail "the user is missing"

# A configuration for the service is sound but for what only its operator knows: the certificates.
"$root/usr/bin/portcullis" --config "$root/etc/portcullis/portcullis.toml" init --service >/dev/null
grep -q '^path = "/var/lib/portcullis/portcullis.db"$' "$root/etc/portcullis/portcullis.toml" || fail "the store is elsewhere"
grep -q '^file = "/var/lib/portcullis/keys/portcullis.key"$' "$root/etc/portcullis/portcullis.toml" || fail "the key is elsewhere"

# The unit: systemd understands every line, and leaves the service little to do harm with.
unit=$root/lib/systemd/system/portcullis.service
sed "s|/usr/bin/portcullis|$root/usr/bin/portcullis|" "$unit" >"$room/portcullis.service"
said=$(systemd-analyze verify "$room/portcullis.service" 2>&1) || true
said=$(grep "portcullis" <<<"$said" || true)
[[ -z $said ]] || fail "systemd says of the unit: $said"
systemd-analyze security --offline=1 --threshold=20 "$unit" >"$room/exposure" ||
    fail "the unit is exposed: $(tail -1 "$room/exposure")"
tail -1 "$room/exposure"
echo "package: $(basename "$package") is sound"
