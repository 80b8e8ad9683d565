package badger

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/hypernode/hypernode/datastore"
)

// childEnv makes the test binary write to a store until it is killed: "durability folder".
const childEnv = "HYPERNODE_BADGER_CHILD"

// TestKill kills a process that writes, HYPERNODE_KILLS times in each durability mode, 3 by default. Each number that
// the process has printed must be there, and those that are there must be whole and without gaps.
func TestKill(t *testing.T) {
	if child := os.Getenv(childEnv); child != "" {
		writeUntilKilled(child)
		return
	}
	kills := 3
	if n, err := strconv.Atoi(os.Getenv("HYPERNODE_KILLS")); err == nil {
		kills = n
	}
	for _, d := range []datastore.Durability{datastore.Full, datastore.Process} {
		dir := t.TempDir()
		for i := range kills {
			acked := killAfter(t, fmt.Sprintf("%d %s", d, dir), 10+i*37%200)
			checkSurvivors(t, dir, acked)
		}
	}
}

// pairOf returns the keys that the n-th update sets.
func pairOf(n uint64) (a, b datastore.Key) {
	return datastore.Group('a').Item().Uint(n), datastore.Group('b').Item().Uint(n)
}

func writeUntilKilled(child string) {
	mode, dir, _ := strings.Cut(child, " ")
	d := datastore.Full
	if mode != "0" {
		d = datastore.Process
	}
	db, err := Open(dir, small(datastore.Options{Durability: d}))
	for n := uint64(0); err == nil; n++ {
		err = db.Update(context.Background(), func(tx *datastore.Tx) error {
			a, b := pairOf(n)
			if has, err := tx.Has(a); has || err != nil {
				return err
			}
			tx.Set(a, []byte("a"))
			tx.SetBlock(b, make([]byte, 3000))
			return nil
		})
		if err == nil {
			fmt.Println("wrote", n)
		}
	}
	fmt.Println("failed:", err)
	os.Exit(1)
}

// killAfter kills the child when it has printed n numbers and returns how many it printed in all.
func killAfter(t *testing.T, child string, n int) (acked uint64) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
	cmd.Env = append(os.Environ(), childEnv+"="+child)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for i := 0; lines.Scan(); i++ {
		if _, err := fmt.Sscanf(lines.Text(), "wrote %d", &acked); err != nil {
			t.Errorf("child: %s", lines.Text())
		}
		acked++
		if i == n {
			cmd.Process.Kill()
		}
	}
	cmd.Wait()
	if acked < uint64(n) {
		t.Errorf("the child ended by itself after %d updates", acked)
	}
	return acked
}

func checkSurvivors(t *testing.T, dir string, acked uint64) {
	t.Helper()
	db := open(t, dir, datastore.Options{})
	defer db.Close()
	err := db.View(context.Background(), func(tx *datastore.Tx) error {
		for n := uint64(0); ; n++ {
			a, b := pairOf(n)
			has, err := tx.Has(a)
			if err != nil {
				return err
			}
			block, err := tx.Block(b)
			if !has && errors.Is(err, datastore.ErrNotFound) {
				if n < acked {
					return fmt.Errorf("%d are there of %d acknowledged", n, acked)
				}
				return nil
			}
			if !has || err != nil || len(block) != 3000 {
				return fmt.Errorf("update %d is there in part: record %v, block of %d bytes, %w", n, has, len(block), err)
			}
		}
	})
	if err != nil {
		t.Error(err)
	}
}
