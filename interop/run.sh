#!/bin/sh
# Lets the vendors' npm clients talk to `twiliosf sandbox`: if they cannot tell it
# from the real thing, neither can the daemon. Salesforce's own library converts
# the metadata in deploy/salesforce, and must make what we make. A Parquet reader
# of somebody else's opens the archive's files. Called by `make interop`.
#
# SANDBOX is the command that serves both emulators and prints one line of JSON
# with their addresses and credentials.
set -eu
cd "$(dirname "$0")/.."

for tool in node npm; do
	if ! command -v "$tool" >/dev/null 2>&1; then
		echo "make interop: left out, no $tool here (apt-get install nodejs npm; Node 20 or later)"
		exit 0
	fi
done
if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
	echo "make interop: left out, the clients need Node 20 or later, this is $(node -v)"
	exit 0
fi

dir=$PWD/.cache/interop
mkdir -p "$dir"
if ! cmp -s interop/package-lock.json "$dir/installed-lock.json"; then
	echo "installing the npm clients in .cache/interop"
	cp interop/package.json interop/package-lock.json "$dir/"
	npm ci --prefix "$dir" --ignore-scripts --no-audit --no-fund --loglevel=error >"$dir/npm.log" 2>&1 ||
		{ cat "$dir/npm.log" >&2; exit 1; }
	cp interop/package-lock.json "$dir/installed-lock.json"
fi
cp interop/*.mjs "$dir/" # modules are found beside the script that imports them

node "$dir/types.mjs" deploy/salesforce/force-app deploy/salesforce/testdata/types.txt
node "$dir/metadata.mjs" deploy/salesforce "$dir/converted"
TWILIOSF_CONVERTED="$dir/converted" "${GO:-go}" test -count=1 -run TestSalesforcesOwnLibraryMakesTheSame ./deploy/salesforce

rm -rf "$dir/sample"
TWILIOSF_SAMPLE="$dir/sample" "${GO:-go}" test -count=1 -run TestASampleForAnotherReader ./sync/archive/archivefile
node "$dir/archive.mjs" "$dir/sample"

if [ -z "${SANDBOX:-}" ]; then
	make --no-print-directory build
	SANDBOX="bin/twiliosf sandbox --twilio 127.0.0.1:0 --salesforce 127.0.0.1:0 --json"
fi
rm -f "$dir/sandbox.json"
$SANDBOX >"$dir/sandbox.json" 2>"$dir/sandbox.log" &
sandbox=$!
trap 'kill "$sandbox" 2>/dev/null || true; wait "$sandbox" 2>/dev/null || true' EXIT INT TERM

tries=0
until grep -q '}$' "$dir/sandbox.json" 2>/dev/null; do
	tries=$((tries + 1))
	if [ "$tries" -gt 300 ] || ! kill -0 "$sandbox" 2>/dev/null; then
		echo "the sandbox did not start:" >&2
		cat "$dir/sandbox.log" >&2
		exit 1
	fi
	sleep 0.1
done

for script in twilio salesforce; do
	node "$dir/$script.mjs" "$dir/sandbox.json"
done
