// Package resident keeps the memory of a program that serves small while little happens, and leaves the garbage collector
// room while much does. It changes settings of the whole process, so it is for commands, not for libraries:
//
//	go resident.Keep(ctx)
package resident
