package resident

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// mapping is a range of addresses of this process.
type mapping struct {
	start, end uintptr
	clean      bool // what is mapped is the file as it is: nothing is lost with its pages
}

// piece is how much of the program comes back at once at most.
const piece = 128 << 10

// dropProgram lets go of the pages of the program's file, and has them come back in small pieces: some kernels map the whole
// stretch of the file that their cache holds in one piece, up to 2 MiB, when a byte of it is needed, so that what is done now
// and then adds up to all of the program. They do so only within a mapping. It is of no matter when any of it fails.
func dropProgram() {
	for _, m := range program() {
		if !m.clean {
			continue
		}
		// Every other piece is marked as not needed in a core dump, where it would not be anyhow: that makes mappings of them.
		for at := m.start / (2 * piece) * (2 * piece); at < m.end; at += 2 * piece {
			if start, end := max(at, m.start), min(at+piece, m.end); start < end {
				advise(start, end, unix.MADV_DONTDUMP)
			}
		}
		advise(m.start, m.end, unix.MADV_DONTNEED)
	}
}

func advise(start, end uintptr, what uintptr) {
	_, _, _ = unix.Syscall(unix.SYS_MADVISE, start, end-start, what)
}

// program lists the mappings of the program's file that are never written.
func program() (list []mapping) {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return nil
	}
	defer f.Close()
	ours := false
	for s := bufio.NewScanner(f); s.Scan(); {
		line := s.Text()
		if m, mode, path, ok := parseMapping(line); ok {
			if ours = path == exe && !strings.Contains(mode, "w"); ours {
				list = append(list, m)
			}
			continue
		}
		if ours && strings.HasPrefix(line, "Anonymous:") {
			list[len(list)-1].clean = strings.Fields(line)[1] == "0"
		}
	}
	return list
}

// parseMapping reads the first line of a mapping: "00400000-00402000 r--p 00000000 fe:00 1234 /usr/bin/program".
func parseMapping(line string) (m mapping, mode, path string, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 5 {
		return m, "", "", false
	}
	if n, err := fmt.Sscanf(fields[0], "%x-%x", &m.start, &m.end); n != 2 || err != nil {
		return m, "", "", false
	}
	return m, fields[1], strings.Join(fields[5:], " "), true
}
