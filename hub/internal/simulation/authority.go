package simulation

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// grant is the authority's state of an account's grant.
type grant struct {
	name    string
	serial  int
	made    time.Time            // when it was authorized
	access  map[string]time.Time // access tokens and their ends
	refresh string
	spent   map[string]spending // refresh tokens that were replaced
	// ended is why the grant is over; "" while it lives.
	ended string
}

// spending is how a refresh token was replaced.
type spending struct {
	came    time.Time // when its request did
	at      time.Time // when it was processed
	replica string
	// answered is when the whole answer was handed over; zero if it never was.
	answered time.Time
	trouble  Trouble
}

// Authority issues single-use refresh tokens and ends a grant whose spent one comes
// again. It serves every request to its end, whether or not its client still listens.
type Authority struct {
	fate Fate
	life time.Duration
	// alive reports whether a replica lived, with its journal whole, from one time to
	// another.
	alive func(replica string, from, to time.Time) bool
	// damaged reports whether a replica's journal was damaged between two times.
	damaged func(replica string, from, to time.Time) bool
	// unsaved reports whether what a replica had at a time was lost with its folder and
	// missed after a restore.
	unsaved func(replica string, at, now time.Time) bool

	// serving counts the requests in hand: the clients of some have gone.
	serving sync.WaitGroup

	mu     sync.Mutex
	grants map[string]*grant
	asked  map[string]int // requests with a refresh token
	tally  Tally
	// lost describes each grant that ended although a replica could have saved it.
	lost []string
	// about returns what logs say of a grant.
	about func(name string) string
}

// Tally is what an authority has seen.
type Tally struct {
	Requests, Renewals int
	// Spent are the grants that ended because a spent refresh token came again, Excused
	// those of them whose answer reached no replica.
	Spent, Excused int
	Troubles       map[Trouble]int
}

func newAuthority(fate Fate, life time.Duration, h *history) *Authority {
	return &Authority{fate: fate, life: life, alive: h.alive, damaged: h.damaged, unsaved: h.unsaved, grants: map[string]*grant{}, asked: map[string]int{}, tally: Tally{Troubles: map[Trouble]int{}}}
}

// Grant makes the grant of a name.
func (a *Authority) Grant(name string) (access, refresh string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	g := &grant{name: name, access: map[string]time.Time{}, spent: map[string]spending{}}
	if before := a.grants[name]; before != nil {
		g.serial = before.serial
	}
	g.made = time.Now()
	a.grants[name] = g
	return g.issue(time.Now(), a.life)
}

// revoke ends a grant that nobody has taken.
func (a *Authority) revoke(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.grants[name].ended = "nobody took it"
}

func (g *grant) issue(now time.Time, life time.Duration) (access, refresh string) {
	g.serial++
	access = fmt.Sprintf("%s-a-%d", g.name, g.serial)
	g.refresh = fmt.Sprintf("%s-r-%d", g.name, g.serial)
	g.access[access] = now.Add(life)
	for token, end := range g.access { // the old ones live to their end
		if now.After(end) {
			delete(g.access, token)
		}
	}
	return access, g.refresh
}

// Accepts reports whether a call with an access token would go through.
func (a *Authority) Accepts(name, access string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	g := a.grants[name]
	end, ok := g.access[access]
	return ok && now.Before(end) && g.ended == ""
}

// made is when the grant that an account has now was made.
func (a *Authority) made(name string) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.grants[name].made
}

// ServeHTTP implements http.Handler: the token endpoint.
func (a *Authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.serving.Add(1)
	defer a.serving.Done()
	if err := r.ParseForm(); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	token, replica := r.PostForm.Get("refresh_token"), r.RemoteAddr
	trouble, came := a.begin(token), time.Now()
	nth := strconv.Itoa(trouble.nth)
	<-time.After(a.fate.between(20*time.Millisecond, 400*time.Millisecond, "before", token, nth))
	switch trouble.Trouble {
	case Refused503:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case Gateway:
		w.WriteHeader(http.StatusGatewayTimeout)
		return
	case ResetBefore:
		panic(http.ErrAbortHandler)
	case ResetLater:
		a.serving.Go(func() { // whatever the connection does, the request is in hand
			<-time.After(a.fate.between(time.Second, 25*time.Second, "later", token, nth))
			a.process(token, replica, trouble.Trouble, came)
		})
		panic(http.ErrAbortHandler)
	case Late:
		<-time.After(a.fate.between(5*time.Second, 4*time.Minute, "late", token, nth))
	}
	status, body, answered := a.process(token, replica, trouble.Trouble, came)
	<-time.After(a.fate.between(0, 300*time.Millisecond, "after", token, nth))
	if trouble.Trouble == LostAnswer {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
	if err := http.NewResponseController(w).Flush(); err == nil && r.Context().Err() == nil {
		answered()
	}
}

// ask is the trouble of the nth request with a token.
type ask struct {
	Trouble
	nth int
}

func (a *Authority) begin(token string) ask {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked[token]++
	a.tally.Requests++
	n := a.asked[token]
	t := a.fate.exchangeTrouble(token, strconv.Itoa(n))
	a.tally.Troubles[t]++
	return ask{t, n}
}

// process answers a request and changes the grant. answered is to be called when the
// answer was handed over.
func (a *Authority) process(token, replica string, trouble Trouble, came time.Time) (status int, body []byte, answered func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	name, _, _ := strings.Cut(token, "-r-")
	g, ok := a.grants[name]
	refuse := func() (int, []byte, func()) {
		return http.StatusBadRequest, []byte(`{"error":"invalid_grant"}`), func() {}
	}
	switch {
	case !ok || g.ended != "":
		return refuse()
	case token != g.refresh && g.spent[token].at.IsZero(): // of an earlier grant of the account
		return refuse()
	case token != g.refresh:
		a.end(g, token, replica, now)
		return refuse()
	}
	g.spent[token] = spending{came: came, at: now, replica: replica, trouble: trouble}
	access, refresh := g.issue(now, a.life)
	a.tally.Renewals++
	body, _ = json.Marshal(map[string]any{"access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": int(a.life / time.Second)})
	return http.StatusOK, body, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		s := g.spent[token]
		s.answered = time.Now()
		g.spent[token] = s
	}
}

// toJournal is how long after its answer a reply may still be in memory only.
const toJournal = 100 * time.Millisecond

// end ends a grant whose spent refresh token came again, and says why. It is excused if
// the first answer reached nobody: it never left, or its replica died before it could
// be durable.
func (a *Authority) end(g *grant, token, replica string, now time.Time) {
	first := g.spent[token]
	until := first.answered.Add(toJournal)
	unanswered := first.trouble == LostAnswer || first.trouble == ResetLater
	if first.answered.IsZero() {
		until = now
	}
	excused := unanswered || !a.alive(first.replica, first.came, until) || a.damaged(first.replica, first.came, now) || a.unsaved(first.replica, first.came, now)
	g.ended = fmt.Sprintf("%s came from %s at %s, was processed (%s) at %s and answered at %s; %s sent it again at %s", token, first.replica,
		stamp(first.came), first.trouble, stamp(first.at), stamp(first.answered), replica, stamp(now))
	a.tally.Spent++
	if excused {
		a.tally.Excused++
		return
	}
	a.lost = append(a.lost, fmt.Sprintf("%s: %s\n%s", g.name, g.ended, a.about(g.name)))
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "no time"
	}
	return t.UTC().Format("02 15:04:05.000")
}

// Tally returns what was seen so far.
func (a *Authority) Tally() Tally {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tally
}
