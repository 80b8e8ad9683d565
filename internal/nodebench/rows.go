package main

import "context"

// sample is what one run of a row measured.
type sample struct {
	value      float64 // in the row's unit
	serve, ask float64 // CPU seconds of the side that serves and the side that asks; zero where that says nothing
	note       string
}

// row is one line of the table.
type row struct {
	name, what, unit string
	target           float64
	lower            bool // a lower value is better
	anchors          string
	measure          func(ctx context.Context, l *lab) (sample, error)
}

func rows() []row {
	const bulk = "JS mirror 60, kubo 46–210, aria2 181, syncthing 271–336"
	return []row{
		{"get-tcp", "get a file of 1 GiB, TCP", "MiB/s", 200, false, bulk, large("tcp")},
		{"get-quic", "get a file of 1 GiB, QUIC", "MiB/s", 120, false, "raw stream 357", large("quic")},
		{"get-webtransport", "get a file of 1 GiB, WebTransport", "MiB/s", 120, false, "raw stream 350", large("webtransport")},
		{"get-websocket", "get a file of 1 GiB, WebSocket", "MiB/s", 0, false, "", large("websocket")},
		{"get-small", "get 5,000 files of 8 KiB, TCP", "MiB/s", 20, false, "JS mirror 3.3, syncthing 6.2, kubo 11, rsync 13", small},
		{"first-byte", "start of get to the first byte, by a bootstrap node", "ms", 300, true, "", firstByte},
		{"topic", "join of a topic to a stream, 20 nodes", "ms", 20, true, "hyperswarm 8", meeting},
		{"idle-rss", "idle node with one peer, resident memory", "MiB", 45, true, "kubo 69", idleMemory},
		{"idle-cpu", "idle node with one peer, CPU", "%", 0.5, true, "kubo 0.3–0.5", idleCPU},
		{"start", "start to ready, all transports", "ms", 150, true, "kubo 55", ready},
	}
}
