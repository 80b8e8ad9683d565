//go:build !purego

#include "textflag.h"

// BLAKE2b compression (RFC 7693, section 3.2) of eight lanes with AVX-512F. A register holds one word of all lanes: Z0 to Z15
// the working vector v, Z16 to Z31 the message words m. Everything stays in registers for the twelve rounds.

DATA iv8<>+0x00(SB)/8, $0x6a09e667f3bcc908
DATA iv8<>+0x08(SB)/8, $0xbb67ae8584caa73b
DATA iv8<>+0x10(SB)/8, $0x3c6ef372fe94f82b
DATA iv8<>+0x18(SB)/8, $0xa54ff53a5f1d36f1
DATA iv8<>+0x20(SB)/8, $0x510e527fade682d1
DATA iv8<>+0x28(SB)/8, $0x9b05688c2b3e6c1f
DATA iv8<>+0x30(SB)/8, $0x1f83d9abfb41bd6b
DATA iv8<>+0x38(SB)/8, $0x5be0cd19137e2179
DATA iv8<>+0x40(SB)/8, $128
GLOBL iv8<>(SB), RODATA|NOPTR, $72

#define M0 Z16
#define M1 Z17
#define M2 Z18
#define M3 Z19
#define M4 Z20
#define M5 Z21
#define M6 Z22
#define M7 Z23
#define M8 Z24
#define M9 Z25
#define M10 Z26
#define M11 Z27
#define M12 Z28
#define M13 Z29
#define M14 Z30
#define M15 Z31

// ADD4 adds x0..x3 to a0..a3.
#define ADD4(x0, x1, x2, x3, a0, a1, a2, a3) \
	VPADDQ x0, a0, a0; \
	VPADDQ x1, a1, a1; \
	VPADDQ x2, a2, a2; \
	VPADDQ x3, a3, a3

// XORROT4 replaces a by (a xor x) rotated right by r bits.
#define XORROT4(r, x0, x1, x2, x3, a0, a1, a2, a3) \
	VPXORQ x0, a0, a0; \
	VPXORQ x1, a1, a1; \
	VPXORQ x2, a2, a2; \
	VPXORQ x3, a3, a3; \
	VPRORQ $r, a0, a0; \
	VPRORQ $r, a1, a1; \
	VPRORQ $r, a2, a2; \
	VPRORQ $r, a3, a3

// MIX4 is the function G on four columns or diagonals; their first row is always Z0 to Z3.
#define MIX4(x0, x1, x2, x3, y0, y1, y2, y3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3) \
	ADD4(x0, x1, x2, x3, Z0, Z1, Z2, Z3); \
	ADD4(b0, b1, b2, b3, Z0, Z1, Z2, Z3); \
	XORROT4(32, Z0, Z1, Z2, Z3, d0, d1, d2, d3); \
	ADD4(d0, d1, d2, d3, c0, c1, c2, c3); \
	XORROT4(24, c0, c1, c2, c3, b0, b1, b2, b3); \
	ADD4(y0, y1, y2, y3, Z0, Z1, Z2, Z3); \
	ADD4(b0, b1, b2, b3, Z0, Z1, Z2, Z3); \
	XORROT4(16, Z0, Z1, Z2, Z3, d0, d1, d2, d3); \
	ADD4(d0, d1, d2, d3, c0, c1, c2, c3); \
	XORROT4(63, c0, c1, c2, c3, b0, b1, b2, b3)

// ROUND takes the message words in the order of the round's row in the table SIGMA.
#define ROUND(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15) \
	MIX4(s0, s2, s4, s6, s1, s3, s5, s7, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15); \
	MIX4(s8, s10, s12, s14, s9, s11, s13, s15, Z5, Z6, Z7, Z4, Z10, Z11, Z8, Z9, Z15, Z12, Z13, Z14)

// TRANSPOSE loads 64 bytes at offset o of every lane's block and turns eight words of a lane to a register into eight lanes
// of a word to a register, m0 to m7. It uses Z0 to Z15. After the unpacking, Z8 holds words 0 2 4 6 of lanes 0 and 1 in turn,
// Z9 words 1 3 5 7; after the first shuffles, Z0 to Z3 hold words 0 4, 1 5, 2 6, 3 7 of lanes 0 to 3, and Z4 to Z7 those of
// lanes 4 to 7.
#define TRANSPOSE(o, m0, m1, m2, m3, m4, m5, m6, m7) \
	VMOVDQU64 o(R8)(DX*1), Z0; \
	VMOVDQU64 o(R9)(DX*1), Z1; \
	VMOVDQU64 o(R10)(DX*1), Z2; \
	VMOVDQU64 o(R11)(DX*1), Z3; \
	VMOVDQU64 o(R12)(DX*1), Z4; \
	VMOVDQU64 o(R13)(DX*1), Z5; \
	VMOVDQU64 o(AX)(DX*1), Z6; \
	VMOVDQU64 o(BX)(DX*1), Z7; \
	VPUNPCKLQDQ Z1, Z0, Z8; \
	VPUNPCKHQDQ Z1, Z0, Z9; \
	VPUNPCKLQDQ Z3, Z2, Z10; \
	VPUNPCKHQDQ Z3, Z2, Z11; \
	VPUNPCKLQDQ Z5, Z4, Z12; \
	VPUNPCKHQDQ Z5, Z4, Z13; \
	VPUNPCKLQDQ Z7, Z6, Z14; \
	VPUNPCKHQDQ Z7, Z6, Z15; \
	VSHUFI64X2 $0x88, Z10, Z8, Z0; \
	VSHUFI64X2 $0x88, Z11, Z9, Z1; \
	VSHUFI64X2 $0xdd, Z10, Z8, Z2; \
	VSHUFI64X2 $0xdd, Z11, Z9, Z3; \
	VSHUFI64X2 $0x88, Z14, Z12, Z4; \
	VSHUFI64X2 $0x88, Z15, Z13, Z5; \
	VSHUFI64X2 $0xdd, Z14, Z12, Z6; \
	VSHUFI64X2 $0xdd, Z15, Z13, Z7; \
	VSHUFI64X2 $0x88, Z4, Z0, m0; \
	VSHUFI64X2 $0x88, Z5, Z1, m1; \
	VSHUFI64X2 $0x88, Z6, Z2, m2; \
	VSHUFI64X2 $0x88, Z7, Z3, m3; \
	VSHUFI64X2 $0xdd, Z4, Z0, m4; \
	VSHUFI64X2 $0xdd, Z5, Z1, m5; \
	VSHUFI64X2 $0xdd, Z6, Z2, m6; \
	VSHUFI64X2 $0xdd, Z7, Z3, m7

// FEED mixes v[w] and v[w+8] into word w of the state: their exclusive or (truth table 0x96).
#define FEED(w, a, c) \
	VPTERNLOGQ $0x96, (64*w)(DI), c, a; \
	VMOVDQU64 a, (64*w)(DI)

// func compress8(h *[8][8]uint64, t, f *[8]uint64, p *[8]*byte, n int)
TEXT ·compress8(SB), NOSPLIT, $0-40
	MOVQ h+0(FP), DI
	MOVQ p+24(FP), CX
	MOVQ 0(CX), R8
	MOVQ 8(CX), R9
	MOVQ 16(CX), R10
	MOVQ 24(CX), R11
	MOVQ 32(CX), R12
	MOVQ 40(CX), R13
	MOVQ 48(CX), AX
	MOVQ 56(CX), BX
	MOVQ n+32(FP), CX
	XORQ DX, DX          // offset of the block in every lane

loop:
	TRANSPOSE(0, M0, M1, M2, M3, M4, M5, M6, M7)
	TRANSPOSE(64, M8, M9, M10, M11, M12, M13, M14, M15)

	VMOVDQU64 0(DI), Z0
	VMOVDQU64 64(DI), Z1
	VMOVDQU64 128(DI), Z2
	VMOVDQU64 192(DI), Z3
	VMOVDQU64 256(DI), Z4
	VMOVDQU64 320(DI), Z5
	VMOVDQU64 384(DI), Z6
	VMOVDQU64 448(DI), Z7

	MOVQ         t+8(FP), SI
	VMOVDQU64    (SI), Z12
	VPBROADCASTQ iv8<>+0x40(SB), Z13
	VPADDQ       Z13, Z12, Z12
	VMOVDQU64    Z12, (SI)

	VPBROADCASTQ iv8<>+0x00(SB), Z8
	VPBROADCASTQ iv8<>+0x08(SB), Z9
	VPBROADCASTQ iv8<>+0x10(SB), Z10
	VPBROADCASTQ iv8<>+0x18(SB), Z11
	VPBROADCASTQ iv8<>+0x20(SB), Z13
	VPXORQ       Z13, Z12, Z12
	VPBROADCASTQ iv8<>+0x28(SB), Z13 // the counter's upper half is always 0
	VPBROADCASTQ iv8<>+0x30(SB), Z14
	MOVQ         f+16(FP), SI
	VPXORQ       (SI), Z14, Z14
	VPBROADCASTQ iv8<>+0x38(SB), Z15

	ROUND(M0, M1, M2, M3, M4, M5, M6, M7, M8, M9, M10, M11, M12, M13, M14, M15)
	ROUND(M14, M10, M4, M8, M9, M15, M13, M6, M1, M12, M0, M2, M11, M7, M5, M3)
	ROUND(M11, M8, M12, M0, M5, M2, M15, M13, M10, M14, M3, M6, M7, M1, M9, M4)
	ROUND(M7, M9, M3, M1, M13, M12, M11, M14, M2, M6, M5, M10, M4, M0, M15, M8)
	ROUND(M9, M0, M5, M7, M2, M4, M10, M15, M14, M1, M11, M12, M6, M8, M3, M13)
	ROUND(M2, M12, M6, M10, M0, M11, M8, M3, M4, M13, M7, M5, M15, M14, M1, M9)
	ROUND(M12, M5, M1, M15, M14, M13, M4, M10, M0, M7, M6, M3, M9, M2, M8, M11)
	ROUND(M13, M11, M7, M14, M12, M1, M3, M9, M5, M0, M15, M4, M8, M6, M2, M10)
	ROUND(M6, M15, M14, M9, M11, M3, M0, M8, M12, M2, M13, M7, M1, M4, M10, M5)
	ROUND(M10, M2, M8, M4, M7, M6, M1, M5, M15, M11, M9, M14, M3, M12, M13, M0)
	ROUND(M0, M1, M2, M3, M4, M5, M6, M7, M8, M9, M10, M11, M12, M13, M14, M15)
	ROUND(M14, M10, M4, M8, M9, M15, M13, M6, M1, M12, M0, M2, M11, M7, M5, M3)

	FEED(0, Z0, Z8)
	FEED(1, Z1, Z9)
	FEED(2, Z2, Z10)
	FEED(3, Z3, Z11)
	FEED(4, Z4, Z12)
	FEED(5, Z5, Z13)
	FEED(6, Z6, Z14)
	FEED(7, Z7, Z15)

	ADDQ $128, DX
	DECQ CX
	JNZ  loop

	VZEROUPPER
	RET
