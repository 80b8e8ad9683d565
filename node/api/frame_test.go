package api

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"
)

// Frames are read as they were written; what is no stream of frames ends with an error, and takes no more memory than a frame may.
func FuzzFrames(f *testing.F) {
	var b bytes.Buffer
	w := frames{out: &b}
	for _, data := range []string{"", "x", "some more"} {
		if err := w.write(frameOut, 7, []byte(data)); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(b.Bytes())
	f.Add([]byte{frameOut, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, text []byte) {
		r := frames{in: bufio.NewReader(bytes.NewReader(text))}
		var again bytes.Buffer
		w := frames{out: &again}
		for {
			frame, err := r.read()
			if err != nil {
				if errors.Is(err, io.EOF) && again.Len() != len(text) {
					t.Fatalf("%d of %d bytes", again.Len(), len(text))
				}
				break
			}
			if err := w.write(frame.kind, frame.id, frame.data); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.HasPrefix(text, again.Bytes()) {
			t.Fatal("what was read is not what was there")
		}
	})
}
