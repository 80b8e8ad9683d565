package drive

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// FuzzEntry decodes any value. What is accepted must come back the same, and the quick way to read it must agree with the general one.
func FuzzEntry(f *testing.F) {
	for _, s := range []string{
		`{"executable":false,"linkname":null,"blob":null,"metadata":null}`,
		`{"executable":true,"linkname":null,"blob":{"blockOffset":1,"byteOffset":2,"blockLength":3,"byteLength":4},"metadata":{"a":[1,2]}}`,
		`{"executable":false,"linkname":null,"blob":{"blockOffset":1,"byteOffset":2,"blockLength":3,"byteLength":4,"blockMap":true},"metadata":1e3}`,
		`{"executable":false,"linkname":"../a\"\u00e9\n","blob":null,"metadata":"x"}`,
		`{"metadata":{"mount":{"key":"d9e0e7eef5fc030a11181f262d343b424950575e656c737a81888f969da4abb2","version":12,"path":"/sub"}}}`,
		`{"metadata":{"mount":{"key":"d9e0e7eef5fc030a11181f262d343b424950575e656c737a81888f969da4abb2","version":75e12,"path":"/<sub"}}}`,
		`{"Executable":true,"executable":1}`, `null`, `[]`, `{"blob":{}}`,
		`{"executable":false,"linkname":null,"blob":null,"metadata":null}}`,
		`{"executable":false,"linkname":null,"blob":null,"metadata":null}5}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decodeEntry(b)
		if err != nil {
			if !errors.Is(err, ErrEntry) {
				t.Fatalf("another error: %v", err)
			}
			return
		}
		if general, err := decodeAny(b); err != nil || !sameEntry(e, general.withMount()) {
			t.Fatalf("%s: %+v, in general %+v, %v", b, e, general, err)
		}
		if e.Metadata, err = compactJSON(e.Metadata); err != nil {
			return // what is read may be too deep or large to be written
		}
		if e.Blob != nil && e.Blob.Check() != nil {
			t.Fatalf("the blob %s", e.Blob)
		}
		text := e.encode()
		again, err := decodeEntry(text)
		if err != nil || !sameEntry(e.withMount(), again) {
			t.Fatalf("%s: %+v comes back as %+v, %v", text, e, again, err)
		}
		if !bytes.Equal(again.encode(), text) || !json.Valid(text) {
			t.Fatalf("%s is not stable", text)
		}
		if again.Mount != nil && again.Mount.check() != nil {
			t.Fatalf("the mount %+v", again.Mount)
		}
		_, _ = again.ModTime(), again.Mode()
	})
}

// sameEntry compares entries; metadata as JSON.
func sameEntry(a, b Entry) bool {
	if (a.Metadata == nil) != (b.Metadata == nil) {
		return false
	}
	var x, y any
	_, _ = json.Unmarshal(a.Metadata, &x), json.Unmarshal(b.Metadata, &y)
	if a.Metadata != nil && !reflect.DeepEqual(x, y) {
		return false
	}
	a.Metadata, b.Metadata = nil, nil
	return reflect.DeepEqual(a, b)
}

// FuzzClean cleans any path. A clean path stays as it is, and has no parts that lead elsewhere.
func FuzzClean(f *testing.F) {
	for _, s := range []string{"/a", "a//b/./../c", `C:\dir\f`, "http://host/p", "file:///x", "a:b/c", "..", "/a/..b/.c", "a\x00b", "é/日本"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, path, target string) {
		clean, err := Clean(path)
		if err != nil {
			if !errors.Is(err, ErrPath) {
				t.Fatalf("another error: %v", err)
			}
			return
		}
		if again, err := Clean(clean); err != nil || again != clean {
			t.Fatalf("%q, then %q, %v", clean, again, err)
		}
		for _, part := range strings.Split(clean[1:], "/") {
			if clean[0] != '/' || part == "" || part == "." || part == ".." || strings.Contains(part, `\`) {
				t.Fatalf("%q becomes %q", path, clean)
			}
		}
		to, err := linkTarget(clean, target)
		if err == nil && !isClean(to) && !reachableClean(to) {
			t.Fatalf("%q leads from %q to %q", target, clean, to)
		}
		if err == nil {
			if rel := relative(clean, to); rel == "" || strings.HasPrefix(rel, "/") {
				t.Fatalf("from %q to %q by %q", clean, to, rel)
			}
		}
	})
}

func reachableClean(p string) bool {
	again, err := Clean(p)
	return err == nil && again == p
}
