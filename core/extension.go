package core

// Send gives data to a peer of the core that knows the extension name, or with peer "" to all that do. It does not wait,
// and a peer that takes too little at a time misses messages. Without a source that carries extensions nothing happens.
func (c *Core) Send(peer, name string, data []byte) {
	if x := c.extender(); x != nil {
		x.Send(peer, name, data)
	}
}

// Handle sets who receives the messages of the extension name from the peers of the core: one receiver for a name and
// core, whatever the handle; nil removes it. What a peer sends is suspect. receive must not block.
func (c *Core) Handle(name string, receive func(peer string, data []byte)) {
	if x := c.extender(); x != nil {
		x.Handle(name, receive)
	}
}

// Push sends blocks that are held here to a peer, named as its messages name it, before it asks for them. A peer that
// wants no gifts, or said that it has a block, is sent nothing.
func (c *Core) Push(peer string, blocks []uint64) {
	if x := c.extender(); x != nil {
		x.Push(peer, blocks)
	}
}

// extender returns the session if it carries extensions, else nil.
func (c *Core) extender() Extender {
	if c.check() != nil {
		return nil
	}
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	x, _ := c.log.session.(Extender)
	return x
}
