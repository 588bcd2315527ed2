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

// Next returns a channel that is closed when the connection changes next. Ask
// for it before reading the row, so that no change falls in between. forget must
// be called when the caller waits no longer.
func (f *Notifier) Next(connectionID string) (happened <-chan struct{}, forget func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, ok := f.waiting[connectionID]
	if !ok {
		c = &change{happened: make(chan struct{})}
		if f.waiting == nil {
			f.waiting = map[string]*change{}
		}
		f.waiting[connectionID] = c
	}
	c.waiters++
	return c.happened, sync.OnceFunc(func() { f.forget(connectionID, c) })
}

func (f *Notifier) forget(connectionID string, c *change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c.waiters--
	if c.waiters == 0 && f.waiting[connectionID] == c {
		delete(f.waiting, connectionID)
	}
}

// Publish wakes those who wait for these connections.
func (f *Notifier) Publish(connectionIDs ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range connectionIDs {
		if c, ok := f.waiting[id]; ok {
			close(c.happened)
			delete(f.waiting, id)
		}
	}
	for s := range f.subscriptions {
		s.add(connectionIDs)
	}
}

// PublishAll wakes everybody: anything may have changed.
func (f *Notifier) PublishAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, c := range f.waiting {
		close(c.happened)
		delete(f.waiting, id)
	}
	for s := range f.subscriptions {
		s.addAll()
	}
}

// Subscribe begins to collect all changes. Close must be called.
func (f *Notifier) Subscribe() *Subscription {
	s := &Subscription{feed: f, ready: make(chan struct{}, 1), changed: map[string]struct{}{}}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.subscriptions == nil {
		f.subscriptions = map[*Subscription]struct{}{}
	}
	f.subscriptions[s] = struct{}{}
	return s
}

// mostCollected bounds what a subscription remembers: a slow reader is told that
// anything may have changed.
const mostCollected = 10_000

// Subscription collects what has changed until it is taken.
type Subscription struct {
	feed    *Notifier
	ready   chan struct{}
	changed map[string]struct{} // guarded by feed.mu
	all     bool
}

// Ready receives when there is something to take.
func (s *Subscription) Ready() <-chan struct{} { return s.ready }

// Take returns the connections that have changed since the last call, each once.
// all is set if any other may have changed too.
func (s *Subscription) Take() (connectionIDs []string, all bool) {
	s.feed.mu.Lock()
	defer s.feed.mu.Unlock()
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
	s.feed.mu.Lock()
	defer s.feed.mu.Unlock()
	delete(s.feed.subscriptions, s)
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
