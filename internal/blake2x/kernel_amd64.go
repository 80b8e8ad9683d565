//go:build !purego

package blake2x

import "golang.org/x/sys/cpu"

// bestKernel returns the fastest implementation for this CPU. GODEBUG=cpu.avx512f=off and cpu.avx2=off exclude those.
func bestKernel() kernel {
	switch {
	case hasAVX512():
		return avx512
	case cpu.X86.HasAVX2:
		return avx2
	}
	return plain
}

// kernels returns every implementation that runs on this CPU.
func kernels() []kernel {
	k := []kernel{plain}
	if cpu.X86.HasAVX2 {
		k = append(k, avx2)
	}
	if hasAVX512() {
		k = append(k, avx512)
	}
	return k
}

// hasAVX512 asks for VL as well, which the code does not need, since CPUs with F alone are slow at it.
func hasAVX512() bool { return cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL }

// lanes returns how many messages k hashes side by side.
func (k kernel) lanes() int {
	if k == avx512 {
		return 8
	}
	return 4
}

// compress8 runs the BLAKE2b compression over n blocks of 128 bytes in each of eight lanes. Row w of h is state word w of
// all lanes. The blocks of lane i start at p[i] and lie side by side; t[i] counts the bytes before them, and grows by
// 128 per block before that block is compressed; f[i] is all ones when they end a message, else zero.
//
//go:noescape
func compress8(h *[8][maxLanes]uint64, t, f *[maxLanes]uint64, p *[maxLanes]*byte, n int)

// compress4 is compress8 for the first four lanes.
//
//go:noescape
func compress4(h *[8][maxLanes]uint64, t, f *[maxLanes]uint64, p *[maxLanes]*byte, n int)
