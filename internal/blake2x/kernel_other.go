//go:build !amd64 || purego

package blake2x

func bestKernel() kernel { return plain }

func kernels() []kernel { return []kernel{plain} }

func sumLanes(_ kernel, out [][Size]byte, in []Message) { sumPlain(out, in) }
