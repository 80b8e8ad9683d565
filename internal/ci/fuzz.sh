#!/usr/bin/env bash
# fuzz.sh TIME runs every fuzz target of the module for TIME: a duration (10s) or a number of executions (1000000x).
#
# FUZZ picks targets by a regular expression over "PACKAGE TARGET"; FUZZ_JOBS (2) is how many run at once.
# A failing input is kept in the package's testdata/fuzz, to be committed with its fix; what else the fuzzer finds
# interesting stays in Go's build cache.
set -euo pipefail
cd "$(dirname "$0")/../.."
export FUZZ_TIME=${1:?usage: fuzz.sh TIME}

# targets prints "PACKAGE TARGET" lines.
targets() {
	go test -vet=off -list '^Fuzz' ./... |
		awk '/^Fuzz/ { name[n++] = $1 } /^ok/ { for (i = 0; i < n; i++) print $2, name[i]; n = 0 }' |
		grep -E -- "${FUZZ:-.}"
}

# deadline_only says that a run failed by the clock alone: no input was found, the fuzzer's own time-out came up as an
# error (go.dev/issue/75804, mended in Go 1.27).
deadline_only() {
	grep -q '^ *context deadline exceeded$' "$1" && ! grep -qE 'Failing input written|panic:|fuzzing process' "$1"
}

# one PACKAGE TARGET runs one target and prints its lines in one piece.
one() {
	local log tries=3 status=0
	log=$(mktemp)
	while :; do
		go test -vet=off -run '^$' -fuzz "^$2\$" -fuzztime "$FUZZ_TIME" -fuzzminimizetime 100x -parallel 1 \
			-timeout 0 "$1" >"$log" 2>&1 && status=0 || status=$?
		((--tries)) && ((status)) && deadline_only "$log" || break
		printf '%s: stopped by its own clock, runs again\n' "$2"
	done
	# Of the progress lines only the last is worth reading.
	awk -v name="$2" '/^fuzz: elapsed/ { last = $0; next } last && !/^fuzz:/ { print name ": " last; last = "" } { print }' "$log"
	rm -f "$log"
	return "$status"
}
export -f one deadline_only

list=$(targets) || { echo "fuzz targets: none found${FUZZ:+ for $FUZZ}, or a package does not build" >&2; exit 1; }
xargs -P "${FUZZ_JOBS:-2}" -n 2 bash -c 'one "$@"' one <<<"$list"
