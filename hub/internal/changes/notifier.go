package changes

import "sync"

// Notifier is the hub's. The zero value is ready; it is safe for concurrent use.
type Notifier struct {
	mu            sync.Mutex
	waiting       map[string]*change         // bounded by the callers that wait: the last one takes it away
	subscriptions map[*Subscription]struct{} // bounded by the open streams
}

// change is the next change of one connection, shared by all who wait for it.
type change struct {
	happened chan struct{}
	waiters  int
}

// Next returns a channel that is closed when the connection changes next. Call it before
// reading the row, so that no change is missed in between. forget must be called when the
// caller no longer waits.
func (n *Notifier) Next(connectionID string) (happened <-chan struct{}, forget func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c, ok := n.waiting[connectionID]
	if !ok {
		c = &change{happened: make(chan struct{})}
		if n.waiting == nil {
			n.waiting = map[string]*change{}
		}
		n.waiting[connectionID] = c
	}
	c.waiters++
	return c.happened, sync.OnceFunc(func() { n.forget(connectionID, c) })
}

func (n *Notifier) forget(connectionID string, c *change) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c.waiters--
	if c.waiters == 0 && n.waiting[connectionID] == c {
		delete(n.waiting, connectionID)
	}
}

// Publish wakes those who wait for these connections.
func (n *Notifier) Publish(connectionIDs ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, id := range connectionIDs {
		if c, ok := n.waiting[id]; ok {
			close(c.happened)
			delete(n.waiting, id)
		}
	}
	for s := range n.subscriptions {
		s.add(connectionIDs)
	}
}

// PublishAll wakes all waiters: anything may have changed.
func (n *Notifier) PublishAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for id, c := range n.waiting {
		close(c.happened)
		delete(n.waiting, id)
	}
	for s := range n.subscriptions {
		s.addAll()
	}
}

// Subscribe begins to collect all changes. Close must be called.
func (n *Notifier) Subscribe() *Subscription {
	s := &Subscription{notifier: n, ready: make(chan struct{}, 1), changed: map[string]struct{}{}}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.subscriptions == nil {
		n.subscriptions = map[*Subscription]struct{}{}
	}
	n.subscriptions[s] = struct{}{}
	return s
}

// mostCollected bounds what a subscription collects: beyond it, Take reports that
// anything may have changed.
const mostCollected = 10_000

// Subscription collects what has changed until it is taken.
type Subscription struct {
	notifier *Notifier
	ready    chan struct{}
	changed  map[string]struct{} // guarded by notifier.mu
	all      bool
}

// Ready receives when there is something to take.
func (s *Subscription) Ready() <-chan struct{} { return s.ready }

// Take returns the connections that have changed since the last call, each once.
// all is set if any other may have changed too.
func (s *Subscription) Take() (connectionIDs []string, all bool) {
	s.notifier.mu.Lock()
	defer s.notifier.mu.Unlock()
	for id := range s.changed {
		connectionIDs = append(connectionIDs, id)
	}
	all = s.all
	clear(s.changed)
	s.all = false
	return connectionIDs, all
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.notifier.mu.Lock()
	defer s.notifier.mu.Unlock()
	delete(s.notifier.subscriptions, s)
}

func (s *Subscription) add(ids []string) {
	for _, id := range ids {
		if len(s.changed) >= mostCollected {
			s.addAll()
			return
		}
		s.changed[id] = struct{}{}
	}
	s.signal()
}

func (s *Subscription) addAll() {
	clear(s.changed)
	s.all = true
	s.signal()
}

func (s *Subscription) signal() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}
