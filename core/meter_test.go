package core_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypernode/hypernode/core"
)

func TestMeter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m core.Meter
		if p := m.Progress(); p != (core.Progress{Left: -1}) {
			t.Errorf("before the start: %+v", p)
		}
		m.Set(core.Progress{Total: 100, Peers: 2})
		if p := m.Progress(); p.Left != -1 || p.Peers != 2 {
			t.Errorf("at the start: %+v", p)
		}
		for i := range uint64(50) {
			time.Sleep(200 * time.Millisecond)
			m.Set(core.Progress{Blocks: i + 1, Total: 100, Bytes: 1000 * (i + 1), Peers: 2})
		}
		p := m.Progress()
		if p.Rate < 4990 || p.Rate > 5010 || p.Left < 9900*time.Millisecond || p.Left > 10100*time.Millisecond {
			t.Errorf("half way at 5 blocks a second: %+v", p)
		}
		time.Sleep(time.Minute)
		if p := m.Progress(); p.Rate > 1 || p.Blocks != 50 {
			t.Errorf("after a minute of nothing: %+v", p)
		}
		m.Set(core.Progress{Blocks: 100, Total: 100, Bytes: 100_000})
		if p := m.Progress(); p.Left != 0 || p.Peers != 0 {
			t.Errorf("at the end: %+v", p)
		}
		m.Set(core.Progress{Total: 10}) // another one
		if p := m.Progress(); p.Blocks != 0 || p.Bytes != 0 || p.Rate < 0 {
			t.Errorf("again: %+v", p)
		}
	})
}
