package web

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/gin-gonic/gin"
)

// shownLife is how long what is shown once waits for its page, and may be seen again
// when that is reloaded.
const shownLife = 10 * time.Minute

// shown is something that is shown once, such as a new key. It is made by a form and
// shown by the page that the form leads to, so that reloading makes no second one; in
// between it is in the sealed session.
type shown struct {
	At    time.Time
	Value json.RawMessage
}

// What is shown once, as keys of a session.
const (
	shownKey      = "shown-key"
	shownLink     = "shown-link"
	shownInvite   = "shown-invite"
	shownCalendar = "shown-calendar"
	shownRecovery = "shown-recovery"
	// shownDepartures are those of a session that can be seen again.
	shownDepartures = "shown-departures"
	// shownCodes names the connection whose codes were asked for; the codes are not kept.
	shownCodes = "shown-codes"
	shownTest  = "shown-channel-test"
	shownCall  = "shown-test-call"
	shownDrill = "shown-drill"
	shownLoses = "shown-losses"
)

// show keeps something for the page that shows it.
func (p *Pages) show(c *gin.Context, what string, value any) error {
	data, err := json.Marshal(value)
	if err == nil {
		data, err = json.Marshal(shown{At: time.Now(), Value: data})
	}
	if err != nil {
		return fmt.Errorf("keep what is shown once: %w", err)
	}
	p.sessions.Put(c.Request.Context(), what, data)
	return nil
}

// toShow reads what is to be shown; false if there is nothing, or not any more.
func toShow[T any](p *Pages, c *gin.Context, what string) (value T, ok bool) {
	var kept shown
	data := p.sessions.GetBytes(c.Request.Context(), what)
	if len(data) == 0 || json.Unmarshal(data, &kept) != nil || time.Since(kept.At) > shownLife {
		return value, false
	}
	return value, json.Unmarshal(kept.Value, &value) == nil
}

// takeShown reads it and forgets it.
func takeShown[T any](p *Pages, c *gin.Context, what string) (value T, ok bool) {
	value, ok = toShow[T](p, c, what)
	p.forgetShown(c, what)
	return value, ok
}

// forgetShown forgets what was shown.
func (p *Pages) forgetShown(c *gin.Context, what string) {
	if p.sessions.Exists(c.Request.Context(), what) {
		p.sessions.Remove(c.Request.Context(), what)
	}
}
