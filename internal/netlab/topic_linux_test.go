package netlab

import "testing"

// TestTopic has two programs, each with a node of its own, find each other by 32 bytes that stand for no core, and talk. They
// know only a third node.
func TestTopic(t *testing.T) {
	t.Parallel()
	l := newLAN(t)
	boot := l.machine().run(onLAN())
	const topic = "thirty-two bytes to meet under.."
	var programs []*process
	var ids []string
	for _, hello := range []string{"I am A", "I am B"} {
		p := l.machine().role("program", part{Bootstrap: []string{boot.at()}, Key: topic, Hello: hello}, false)
		var first heardFrom
		p.line(&first)
		programs, ids = append(programs, p), append(ids, first.Peer)
	}
	for i, want := range []heardFrom{{"I am B", ids[1]}, {"I am A", ids[0]}} {
		var heard heardFrom
		if programs[i].line(&heard); heard != want {
			t.Errorf("program %d heard %v, want %v", i, heard, want)
		}
	}
}
