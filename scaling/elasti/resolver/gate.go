package resolver

import (
	"container/list"

	"github.com/scalelab/scalelab/scaling/elasti/hold"
)

// gate hands out the slots, in the order of arrival. One gate serves all
// services, so a service that sleeps can take every slot from the others. It is
// not safe for concurrent use.
type gate struct {
	settings hold.Settings
	taken    int
	queue    list.List // of *pass; not empty only while all slots are taken
}

// pass is what a request inside has: a slot, or a place in the queue.
type pass struct {
	granted chan struct{} // closed with the slot
	place   *list.Element // nil with the slot
}

// enter lets a request in, or returns nil.
func (g *gate) enter() *pass {
	p := &pass{granted: make(chan struct{})}
	switch g.settings.Admit(g.taken, g.queue.Len()) {
	case hold.Refuse:
		return nil
	case hold.Wait:
		p.place = g.queue.PushBack(p)
	case hold.Look:
		g.taken++
		close(p.granted)
	}
	return p
}

// leave gives the slot to the request that waits longest, or the place up.
func (g *gate) leave(p *pass) {
	if p.place != nil {
		g.queue.Remove(p.place)
		return
	}
	first := g.queue.Front()
	if first == nil {
		g.taken--
		return
	}
	next := g.queue.Remove(first).(*pass)
	next.place = nil
	close(next.granted)
}
