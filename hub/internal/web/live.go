package web

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/bounded"
	"github.com/evergrant/evergrant/hub/internal/changes"
)

// livePages notify pages that are open of changes.
type livePages struct {
	*kit
	changes *changes.Notifier
	streams *bounded.Held
	// ending is closed when the hub begins to stop: live pages must not hold it up.
	ending <-chan struct{}
}

func newLivePages(k *kit, o Options) *livePages {
	return &livePages{kit: k, changes: o.Changes, streams: o.Streams, ending: o.Ending}
}

func (p *livePages) routes(in inside) { in.may(access.ActSee).GET("/live", p.live) }

// liveEvery is the least time between two events of the live stream.
const liveEvery = time.Second

// live notifies a page of changes by server-sent events; the page then reloads its live parts.
// The events carry no data, so the stream needs no rights beyond those of the page.
func (p *livePages) live(c *gin.Context) {
	ctx := c.Request.Context()
	u, _ := person(c)
	leave, ok := p.streams.Hold("person " + u.ID)
	if !ok {
		c.Header("Retry-After", "30")
		c.Status(http.StatusTooManyRequests)
		return
	}
	defer leave()
	changes := p.changes.Subscribe()
	defer changes.Close()
	c.Header("Content-Type", "text/event-stream")
	c.Header("Cache-Control", "no-store")
	c.Header("X-Accel-Buffering", "no")
	if err := http.NewResponseController(c.Writer).SetWriteDeadline(time.Time{}); err != nil {
		p.logger.Debug("extend write deadline of live page failed", "error", err)
	}
	say := func(text string) bool {
		_, err := c.Writer.WriteString(text)
		c.Writer.Flush()
		return err == nil
	}
	if !say(": here\n\n") {
		return
	}
	quiet := time.NewTicker(20 * time.Second)
	defer quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.ending:
			return
		case <-quiet.C:
			if !say(": still here\n\n") {
				return
			}
		case <-changes.Ready():
			changes.Take()
			p.counted.forget()
			if !say("event: changed\ndata: 1\n\n") {
				return
			}
			select {
			case <-time.After(liveEvery):
			case <-ctx.Done():
				return
			}
		}
	}
}
