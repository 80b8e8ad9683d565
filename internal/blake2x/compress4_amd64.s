//go:build !purego

#include "textflag.h"

// BLAKE2b compression (RFC 7693, section 3.2) of four lanes with AVX2. A register holds one word of all lanes: Y0 to Y15 are the
// working vector v. The message words m lie in the stack frame, aligned to 32 bytes, from DX on; behind them there is room
// for one word of v, whose register the rotation by 63 bits needs.

DATA iv4<>+0x00(SB)/8, $0x6a09e667f3bcc908
DATA iv4<>+0x08(SB)/8, $0xbb67ae8584caa73b
DATA iv4<>+0x10(SB)/8, $0x3c6ef372fe94f82b
DATA iv4<>+0x18(SB)/8, $0xa54ff53a5f1d36f1
DATA iv4<>+0x20(SB)/8, $0x510e527fade682d1
DATA iv4<>+0x28(SB)/8, $0x9b05688c2b3e6c1f
DATA iv4<>+0x30(SB)/8, $0x1f83d9abfb41bd6b
DATA iv4<>+0x38(SB)/8, $0x5be0cd19137e2179
DATA iv4<>+0x40(SB)/8, $128
GLOBL iv4<>(SB), RODATA|NOPTR, $72

// Byte shuffles that rotate 64-bit words right by 24 and 16 bits.
DATA ror24<>+0x00(SB)/8, $0x0201000706050403
DATA ror24<>+0x08(SB)/8, $0x0a09080f0e0d0c0b
DATA ror24<>+0x10(SB)/8, $0x0201000706050403
DATA ror24<>+0x18(SB)/8, $0x0a09080f0e0d0c0b
GLOBL ror24<>(SB), RODATA|NOPTR, $32

DATA ror16<>+0x00(SB)/8, $0x0100070605040302
DATA ror16<>+0x08(SB)/8, $0x09080f0e0d0c0b0a
DATA ror16<>+0x10(SB)/8, $0x0100070605040302
DATA ror16<>+0x18(SB)/8, $0x09080f0e0d0c0b0a
GLOBL ror16<>(SB), RODATA|NOPTR, $32

#define M0 0*32(DX)
#define M1 1*32(DX)
#define M2 2*32(DX)
#define M3 3*32(DX)
#define M4 4*32(DX)
#define M5 5*32(DX)
#define M6 6*32(DX)
#define M7 7*32(DX)
#define M8 8*32(DX)
#define M9 9*32(DX)
#define M10 10*32(DX)
#define M11 11*32(DX)
#define M12 12*32(DX)
#define M13 13*32(DX)
#define M14 14*32(DX)
#define M15 15*32(DX)
#define SPILL 16*32(DX)

// ADD4 adds x0..x3 to a0..a3.
#define ADD4(x0, x1, x2, x3, a0, a1, a2, a3) \
	VPADDQ x0, a0, a0; \
	VPADDQ x1, a1, a1; \
	VPADDQ x2, a2, a2; \
	VPADDQ x3, a3, a3

// XOR4 is ADD4 with exclusive or.
#define XOR4(x0, x1, x2, x3, a0, a1, a2, a3) \
	VPXOR x0, a0, a0; \
	VPXOR x1, a1, a1; \
	VPXOR x2, a2, a2; \
	VPXOR x3, a3, a3

#define ROR32(a0, a1, a2, a3) \
	VPSHUFD $0xb1, a0, a0; \
	VPSHUFD $0xb1, a1, a1; \
	VPSHUFD $0xb1, a2, a2; \
	VPSHUFD $0xb1, a3, a3

#define RORBYTES(table, a0, a1, a2, a3) \
	VPSHUFB table<>(SB), a0, a0; \
	VPSHUFB table<>(SB), a1, a1; \
	VPSHUFB table<>(SB), a2, a2; \
	VPSHUFB table<>(SB), a3, a3

// ROR63 rotates a right by 63 bits, that is left by one; it overwrites s.
#define ROR63(s, a) \
	VPSRLQ $63, a, s; \
	VPADDQ a, a, a; \
	VPOR   s, a, a

// MIX4 is the function G on four columns or diagonals; their first row is always Y0 to Y3.
#define MIX4(x0, x1, x2, x3, y0, y1, y2, y3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3) \
	ADD4(x0, x1, x2, x3, Y0, Y1, Y2, Y3); \
	ADD4(b0, b1, b2, b3, Y0, Y1, Y2, Y3); \
	XOR4(Y0, Y1, Y2, Y3, d0, d1, d2, d3); \
	ROR32(d0, d1, d2, d3); \
	ADD4(d0, d1, d2, d3, c0, c1, c2, c3); \
	XOR4(c0, c1, c2, c3, b0, b1, b2, b3); \
	RORBYTES(ror24, b0, b1, b2, b3); \
	ADD4(y0, y1, y2, y3, Y0, Y1, Y2, Y3); \
	ADD4(b0, b1, b2, b3, Y0, Y1, Y2, Y3); \
	XOR4(Y0, Y1, Y2, Y3, d0, d1, d2, d3); \
	RORBYTES(ror16, d0, d1, d2, d3); \
	ADD4(d0, d1, d2, d3, c0, c1, c2, c3); \
	XOR4(c0, c1, c2, c3, b0, b1, b2, b3); \
	VMOVDQA c0, SPILL; \
	ROR63(c0, b0); \
	ROR63(c0, b1); \
	ROR63(c0, b2); \
	ROR63(c0, b3); \
	VMOVDQA SPILL, c0

// ROUND takes the message words in the order of the round's row in the table SIGMA.
#define ROUND(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15) \
	MIX4(s0, s2, s4, s6, s1, s3, s5, s7, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15); \
	MIX4(s8, s10, s12, s14, s9, s11, s13, s15, Y5, Y6, Y7, Y4, Y10, Y11, Y8, Y9, Y15, Y12, Y13, Y14)

// TRANSPOSE loads 16 bytes at offset o of every lane's block and makes two words of the lanes' message of them.
#define TRANSPOSE(o, m0, m1) \
	VMOVDQU     o(R8)(BX*1), X0; \
	VMOVDQU     o(R9)(BX*1), X1; \
	VINSERTI128 $1, o(R10)(BX*1), Y0, Y0; \
	VINSERTI128 $1, o(R11)(BX*1), Y1, Y1; \
	VPUNPCKLQDQ Y1, Y0, Y2; \
	VPUNPCKHQDQ Y1, Y0, Y3; \
	VMOVDQA     Y2, m0; \
	VMOVDQA     Y3, m1

// FEED mixes v[w] and v[w+8] into word w of the state. A row of the state has room for eight lanes.
#define FEED(w, a, c) \
	VPXOR   c, a, a; \
	VPXOR   (64*w)(DI), a, a; \
	VMOVDQU a, (64*w)(DI)

// func compress4(h *[8][8]uint64, t, f *[8]uint64, p *[8]*byte, n int)
TEXT ·compress4(SB), 0, $576-40
	MOVQ h+0(FP), DI
	MOVQ t+8(FP), SI
	MOVQ f+16(FP), AX
	MOVQ p+24(FP), CX
	MOVQ 0(CX), R8
	MOVQ 8(CX), R9
	MOVQ 16(CX), R10
	MOVQ 24(CX), R11
	MOVQ n+32(FP), CX
	XORQ BX, BX          // offset of the block in every lane
	LEAQ 31(SP), DX
	ANDQ $~31, DX

loop:
	TRANSPOSE(0, M0, M1)
	TRANSPOSE(16, M2, M3)
	TRANSPOSE(32, M4, M5)
	TRANSPOSE(48, M6, M7)
	TRANSPOSE(64, M8, M9)
	TRANSPOSE(80, M10, M11)
	TRANSPOSE(96, M12, M13)
	TRANSPOSE(112, M14, M15)

	VMOVDQU 0(DI), Y0
	VMOVDQU 64(DI), Y1
	VMOVDQU 128(DI), Y2
	VMOVDQU 192(DI), Y3
	VMOVDQU 256(DI), Y4
	VMOVDQU 320(DI), Y5
	VMOVDQU 384(DI), Y6
	VMOVDQU 448(DI), Y7

	VPBROADCASTQ iv4<>+0x40(SB), Y12
	VPADDQ       (SI), Y12, Y12
	VMOVDQU      Y12, (SI)

	VPBROADCASTQ iv4<>+0x00(SB), Y8
	VPBROADCASTQ iv4<>+0x08(SB), Y9
	VPBROADCASTQ iv4<>+0x10(SB), Y10
	VPBROADCASTQ iv4<>+0x18(SB), Y11
	VPBROADCASTQ iv4<>+0x20(SB), Y13
	VPXOR        Y13, Y12, Y12
	VPBROADCASTQ iv4<>+0x28(SB), Y13 // the counter's upper half is always 0
	VPBROADCASTQ iv4<>+0x30(SB), Y14
	VPXOR        (AX), Y14, Y14
	VPBROADCASTQ iv4<>+0x38(SB), Y15

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

	FEED(0, Y0, Y8)
	FEED(1, Y1, Y9)
	FEED(2, Y2, Y10)
	FEED(3, Y3, Y11)
	FEED(4, Y4, Y12)
	FEED(5, Y5, Y13)
	FEED(6, Y6, Y14)
	FEED(7, Y7, Y15)

	ADDQ $128, BX
	DECQ CX
	JNZ  loop

	VZEROUPPER
	RET
