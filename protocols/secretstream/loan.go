package secretstream

import "sync"

const (
	// minLoan is from how many bytes of a frame on a message gets memory of its own as it is decrypted, which costs no more
	// than to decrypt it in place and saves a copy to those who keep it. Frames above maxBuffer are rare and stay in place.
	minLoan = 16 << 10

	// sparse is how many times larger than what is kept the memory of a loan may be.
	sparse = 2
)

// Loan is the memory of a message that is in use beyond the next call of ReadMessage. See [Frames.Keep].
type Loan struct {
	b    []byte
	pool *sync.Pool
}

// Release gives the memory back, to be used for later messages. It is called once, when nothing of the message is used any
// more, by any goroutine; or never, when something of it stays in use for good. Of a nil Loan it does nothing.
func (l *Loan) Release() {
	if l != nil {
		l.pool.Put(l)
	}
}

// lender has memory for messages. It belongs to the reader, but for the pool, to which others give back.
type lender struct {
	pool sync.Pool
	next *Loan // for the next message; that of the last one when used is set
	used bool
}

// borrow returns at least n bytes.
func (l *lender) borrow(n int) []byte {
	if l.next == nil {
		l.next, _ = l.pool.Get().(*Loan)
	}
	if l.next == nil || len(l.next.b) < n {
		l.next = &Loan{b: make([]byte, n+n/8), pool: &l.pool}
	}
	l.used = true
	return l.next.b
}

// rest lets go of memory that is not in use.
func (l *lender) rest() {
	l.next.Release()
	l.next, l.used = nil, false
}

// Keep takes over the memory of the message that ReadMessage has returned last, of which n bytes are to be kept: they stay as
// they are until the Loan is released. It returns nil when the message does not lie in memory of its own, or in more than is
// worth it; then the bytes are to be copied. Like ReadMessage it is called by the goroutine that reads.
func (f *Frames) Keep(n int) *Loan {
	if !f.lender.used || len(f.lender.next.b) > sparse*n {
		return nil
	}
	loan := f.lender.next
	f.lender.next, f.lender.used = nil, false
	return loan
}
