package main

import (
	"fmt"
	"strings"

	"rsc.io/qr"
)

// quietZone is the margin of a QR code in modules.
const quietZone = 4

// drawQR draws a text as a QR code of half blocks, light on dark as terminals are.
func drawQR(text string) (string, error) {
	c, err := qr.Encode(text, qr.L)
	if err != nil {
		return "", fmt.Errorf("drawing the QR code: %w", err)
	}
	light := func(x, y int) bool { return !c.Black(x, y) } // outside of it too
	var b strings.Builder
	for y := -quietZone; y < c.Size+quietZone; y += 2 {
		for x := -quietZone; x < c.Size+quietZone; x++ {
			switch below := light(x, y+1) && y+1 < c.Size+quietZone; {
			case light(x, y) && below:
				b.WriteRune('█')
			case light(x, y):
				b.WriteRune('▀')
			case below:
				b.WriteRune('▄')
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}
