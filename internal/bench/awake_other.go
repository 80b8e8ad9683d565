//go:build !linux

package main

import "errors"

const canGiveWay = false

func giveWay() error { return errors.ErrUnsupported }
