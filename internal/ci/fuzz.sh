#!/usr/bin/env bash
# fuzz.sh TIME runs every fuzz target of the module for TIME: a duration (10s) or a number of executions (1000000x).
#
# FUZZ picks targets by a regular expression over "PACKAGE TARGET"; FUZZ_JOBS (2) is how many run at once.
# A failing input is kept in the package's testdata/fuzz, to be committed with its fix; what else the fuzzer finds
# interesting stays in Go's build cache.
set -euo pipefail
cd "$(dirname "$0")/../.."
export FUZZ_TIME=${1:?usage: fuzz.sh TIME}
FUZZ_DIR=$(mktemp -d)
trap 'rm -rf "$FUZZ_DIR"' EXIT
FUZZ_CACHE=$(go env GOCACHE)/fuzz
MODULE=$(go list -m)
export FUZZ_DIR FUZZ_CACHE MODULE

# targets prints "FOLDER TARGET" lines.
targets() {
	grep -rHoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*\(f \*testing\.F\)' . |
		sed -E 's,^\./(.*)/[^/]*:func (Fuzz[A-Za-z0-9_]*).*,\1 \2,' |
		awk -v module="$MODULE" '{ print module "/" $1, $2 }' | sort | grep -E -- "${FUZZ:-.}" | sed "s,^$MODULE/,,"
}

# build FOLDER makes the test program of a package. Only code that takes apart what comes from elsewhere counts what it
# covers: go test -fuzz has all of a program count, and looks through all counters after every input.
build() {
	local flags=() package
	for package in internal/compact core/merkle protocols/wire "$1"; do
		flags+=("-gcflags=$MODULE/$package=-d=libfuzzer")
	done
	go test -vet=off -c "${flags[@]}" -o "$FUZZ_DIR/${1//\//-}" "./$1"
}

# deadline_only says that a run failed by the clock alone: no input was found, the fuzzer's own time-out came up as an
# error (go.dev/issue/75804, mended in Go 1.27).
deadline_only() {
	grep -q '^ *context deadline exceeded$' "$1" && ! grep -qE 'Failing input written|panic:|fuzzing process' "$1"
}

# one FOLDER TARGET runs one target and prints its lines in one piece.
one() {
	local log tries=3 status=0
	log=$(mktemp -p "$FUZZ_DIR")
	while :; do
		(cd "$1" && "$FUZZ_DIR/${1//\//-}" -test.run '^$' -test.fuzz "^$2\$" -test.fuzztime "$FUZZ_TIME" -test.fuzzminimizetime 100x \
			-test.parallel 1 -test.timeout 0 -test.fuzzcachedir "$FUZZ_CACHE/$MODULE/$1") >"$log" 2>&1 && status=0 || status=$?
		((--tries)) && ((status)) && deadline_only "$log" || break
		printf '%s: stopped by its own clock, runs again\n' "$2"
	done
	# Of the progress lines only the last is worth reading. A program without its counters would fuzz blindly.
	awk -v name="$1 $2" '/^fuzz: elapsed/ { last = $0; next } last && !/^fuzz:/ { print name ": " last; last = "" } { print }
		END { if (last) print name ": " last }' "$log"
	if grep -q 'without coverage' "$log"; then
		status=1
	fi
	return "$status"
}
export -f build one deadline_only

list=$(targets) || { echo "fuzz targets: none found${FUZZ:+ for $FUZZ}" >&2; exit 1; }
cut -d ' ' -f 1 <<<"$list" | sort -u | xargs -P "${FUZZ_JOBS:-2}" -I '{}' bash -c 'build "$@"' build '{}'
xargs -P "${FUZZ_JOBS:-2}" -n 2 bash -c 'one "$@"' one <<<"$list"
