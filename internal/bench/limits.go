package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/hypernode/hypernode/core/keys"
	"github.com/hypernode/hypernode/internal/blake2x"
)

// limitTime is how long each limit is measured.
const limitTime = 200 * time.Millisecond

// measureLimits measures what one core and the file system can do at most. Times are in microseconds for one operation.
func measureLimits(_ context.Context, t *task) (figures, error) {
	f := figures{}
	t.limitHashes(f)
	return f, t.limitFiles(f)
}

func (t *task) limitHashes(f figures) {
	small, large := t.pool[:1<<10], t.pool[:64<<10]
	f["hash.1k"] = perOp(1, func() { keys.Hash(small) })
	f["hash.64k"] = perOp(1, func() { keys.Hash(large) })
	in, out := make([]blake2x.Message, 64), make([][blake2x.Size]byte, 64)
	for _, n := range []int{1 << 10, 64 << 10} {
		for i := range in {
			in[i] = blake2x.Message{Data: t.pool[i*n : (i+1)*n]}
		}
		f[map[int]string{1 << 10: "lanes.1k", 64 << 10: "lanes.64k"}[n]] = perOp(len(in), func() { blake2x.Sum256(out, in) })
	}
	pair := keys.PairFromSeed(keys.Seed{1})
	message := t.pool[:112]
	f["sign"] = perOp(1, func() { pair.Sign(message) })
	f["copy.64k"] = perOp(1, func() { copy(t.pool[1<<20:], large) })
}

func (t *task) limitFiles(f figures) (err error) {
	file, err := os.CreateTemp(t.Dir, "limits-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	const whole = 256 << 20
	var at int64
	op := func(run func() (int, error)) func() {
		return func() {
			if _, e := run(); e != nil && err == nil {
				err = e
			}
		}
	}
	large, buf := t.pool[:64<<10], make([]byte, 256<<10)
	f["write.64k"] = perOp(1, op(func() (int, error) { at = (at + int64(len(large))) % whole; return file.WriteAt(large, at) }))
	for at = 0; at < whole; at += int64(len(t.pool)) {
		if _, e := file.WriteAt(t.pool, at); e != nil {
			return e
		}
	}
	small := t.pool[:1<<10]
	f["write.1k"] = perOp(1, op(func() (int, error) { at = (at + int64(len(small))) % whole; return file.WriteAt(small, at) }))
	f["sync"] = perOp(1, op(func() (int, error) {
		_, e := file.WriteAt(small, 0)
		return 0, errors.Join(e, file.Sync())
	}))
	draw := rng(42)
	for _, n := range []int{1 << 10, 64 << 10, 256 << 10} {
		name := map[int]string{1 << 10: "read.1k", 64 << 10: "read.64k", 256 << 10: "read.256k"}[n]
		f[name] = perOp(1, op(func() (int, error) { return file.ReadAt(buf[:n], int64(draw.next(whole-uint64(n)))) }))
	}
	return err
}

// perOp returns the time of one of n operations that fn does, in microseconds.
func perOp(n int, fn func()) float64 {
	fn()
	start, calls := time.Now(), 0
	for time.Since(start) < limitTime {
		for range 4 {
			fn()
		}
		calls += 4
	}
	return float64(time.Since(start).Nanoseconds()) / 1000 / float64(calls*n)
}
