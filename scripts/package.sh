#!/usr/bin/env bash
# Builds the Debian package: program, unit, user, documents. With dpkg-deb alone, so that what is in
# it can be read here.
#
#   scripts/package.sh                         builds in release; target/package/portcullis_*.deb
#   scripts/package.sh --binary FILE --out DIR a program that is built already; --fast: not compressed
set -euo pipefail
cd "$(dirname "$0")/.."

binary=
out=target/package
compression=xz
while (($#)); do
    case $1 in
    --binary) binary=$2 && shift 2 ;;
    --out) out=$2 && shift 2 ;;
    --fast) compression=none && shift ;;
    *) echo "package: unknown argument $1" >&2 && exit 2 ;;
    esac
done
if [[ -z $binary ]]; then
    cargo build --release --locked -p portcullis
    binary=${CARGO_TARGET_DIR:-target}/release/portcullis
fi
version=$("$binary" --version | cut -d' ' -f2)
architecture=$(dpkg --print-architecture)

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
chmod 755 "$tree"
place() { install -D -m "$1" "$2" "$tree/$3"; }
place 755 "$binary" usr/bin/portcullis
strip --strip-debug "$tree/usr/bin/portcullis"
place 644 packaging/systemd/portcullis.service lib/systemd/system/portcullis.service
place 644 packaging/systemd/portcullis.sysusers usr/lib/sysusers.d/portcullis.conf
place 644 LICENSE usr/share/doc/portcullis/copyright
for document in README.md CHANGELOG.md SECURITY.md docs/threat-model.md; do
    place 644 "$document" "usr/share/doc/portcullis/$(basename "$document")"
done
for room in guide reference decisions; do
    for document in docs/"$room"/*.md; do
        place 644 "$document" "usr/share/doc/portcullis/$room/$(basename "$document")"
    done
done
mkdir "$tree/DEBIAN"
sed "s/@VERSION@/$version/; s/@ARCHITECTURE@/$architecture/" packaging/debian/control.in >"$tree/DEBIAN/control"
install -m 755 packaging/debian/{postinst,prerm,postrm} "$tree/DEBIAN/"
(cd "$tree" && find usr lib -type f -print0 | sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"

mkdir -p "$out"
package=$out/portcullis_${version}_${architecture}.deb
# The same tree makes the same package: the time in it is that of the last commit.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)} \
    dpkg-deb --root-owner-group -Z"$compression" --build "$tree" "$package" >/dev/null
echo "$package"
