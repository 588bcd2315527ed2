package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/gin-gonic/gin"
	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/app/overview"
	"github.com/evergrant/evergrant/hub/internal/app/people"
	"github.com/evergrant/evergrant/hub/internal/mount"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// kit is what every area needs to answer a request: the session, the person who is signed in,
// and the page around what a handler shows. Each area embeds it.
type kit struct {
	logger   hclog.Logger
	sessions *scs.SessionManager
	// people reads and notes the session of who is signed in.
	people *people.People
	// overview counts the connections that need a person, and reports a detached replica.
	overview *overview.Overview
	counted  countCache
	// publicURL is the address of the hub as browsers see it, without a slash at its end; base is
	// the path of it, which package mount puts before all addresses but those in JSON.
	publicURL, base string
	// secure restricts cookies to https.
	secure bool
	// sessionIdle ends a session that is not used, sessionAbsolute any.
	sessionIdle, sessionAbsolute time.Duration
	// addresses are those of all pages, in parts.
	addresses [][]string
}

func newKit(o Options) *kit {
	address := strings.TrimSuffix(o.PublicURL, "/")
	k := &kit{
		logger: o.Logger, people: o.People, overview: o.Overview, publicURL: address, base: mount.Path(address),
		secure: strings.HasPrefix(address, "https://"), sessionIdle: o.SessionIdle, sessionAbsolute: o.SessionAbsolute,
	}
	k.sessions = k.newSessions()
	return k
}

// countsLive is how long a count of all connections is cached: every page shows it, and it
// reads every row.
const countsLive = time.Second

// countCache caches the last count. The zero value is empty.
type countCache struct {
	mu     sync.Mutex
	at     time.Time
	counts view.Counts
}

// forget discards the cached counts, after a change.
func (x *countCache) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.at = time.Time{}
}

// counts returns the number of connections by status.
func (k *kit) counts(ctx context.Context) (view.Counts, error) {
	k.counted.mu.Lock()
	defer k.counted.mu.Unlock()
	now := time.Now()
	if now.Sub(k.counted.at) < countsLive {
		return k.counted.counts, nil
	}
	byStatus, err := k.overview.CountByStatus(ctx, now)
	if err != nil {
		return view.Counts{}, err
	}
	counts := view.CountsByStatus(byStatus)
	k.counted.at, k.counted.counts = now, counts
	return counts, nil
}

// tooBusy shows an error page if err is a rate limit; for forms that do not show one themselves.
func (k *kit) tooBusy(c *gin.Context, err error) bool {
	wait, ok := tooMany(c, err)
	if ok {
		k.render(c, http.StatusTooManyRequests, page.Failure(k.shell(c, ""), view.Failure{Status: http.StatusTooManyRequests, Busy: wait.Others}))
	}
	return ok
}

// pageOf is the page that a request was made from: for a form, the page of the longest
// beginning of its address that there is.
func (k *kit) pageOf(r *http.Request) string {
	if r.Method == http.MethodGet {
		return r.URL.RequestURI()
	}
	for path := r.URL.Path; path != "" && path != "/"; path = path[:strings.LastIndexByte(path, '/')] {
		if k.isPage(path) {
			return path
		}
	}
	return "/"
}

// isPage reports whether an address is one of a page.
func (k *kit) isPage(path string) bool {
	parts := strings.Split(path, "/")
	return slices.ContainsFunc(k.addresses, func(pattern []string) bool {
		if len(pattern) != len(parts) {
			return false
		}
		for i, part := range pattern {
			if part != parts[i] && !strings.HasPrefix(part, ":") {
				return false
			}
		}
		return true
	})
}
