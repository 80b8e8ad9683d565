// Command bench measures the log and the wire beside the JavaScript stack, and prints a table of each.
//
//	go run ./internal/bench
//	go run ./internal/bench -rows wire
//	go run ./internal/bench -quick -workload 'append|get'
//	go run ./internal/bench -workload cores -cores 100000
//
// Each workload runs in a process of its own on a new store in files, with all checks on, once for each durability:
// "process", which is what the JavaScript stack gives, and "full". The figures of the JavaScript stack are constants: medians on
// a machine of this kind, never synced. The limits beside are measured in the same run: what hashing, signing and the file
// system alone would take.
//
// The workloads are the same to the byte: block i of a size is that many bytes of the keystream AES-128-CTR (key and nonce
// zero, 8 MiB of it) from offset i*4099 mod (8 MiB - size) on, its first eight bytes replaced by i in little endian; the
// primary key is 32 bytes of 1, the core's name "bench". So the tree hashes are known, and compared.
//
// The workloads of the wire run between processes: some serve a core over TCP on loopback, with the secret stream and stores on
// disk, and others, each with a new store, fetch it. They are measured from before the connection is made to the last block, and
// the CPU seconds of both sides stand beside. Round trips and rates are made by a process in between. Most of what a copy
// costs beyond encryption and hashes is the kernel's taking memory for what is written; where a host takes back what a
// virtual machine does not use, that is several times as much as on a machine of its own.
package main
