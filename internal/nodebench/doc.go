// Command nodebench measures running nodes: real processes of the hypernode command on loopback, on new stores in files.
//
//	go run ./internal/nodebench
//	go run ./internal/nodebench -rows 'get|start' -runs 5
//
// Each row prints the median of its runs, what it should at least be, the CPU seconds of both sides, and what other
// programs did on a machine of this kind. Rates are those of a whole "get", from the start of the process to its end, of a
// drive that is shared already; the time to the first byte ends when the file lies in its place. Nothing is sent beyond
// this machine: the nodes listen on loopback and look for nobody else.
package main
