package web

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// shownLife is how long a value is kept for its page, which can be reloaded meanwhile.
const shownLife = 10 * time.Minute

// shown is a value that is shown once, such as a new key. A form creates it and redirects to
// the page that shows it, so that reloading creates no second one; in between it is in the
// sealed session.
type shown struct {
	At    time.Time
	Value json.RawMessage
}

// Keys of a session for values that are shown once.
const (
	shownKey      = "shown-key"
	shownLink     = "shown-link"
	shownInvite   = "shown-invite"
	shownCalendar = "shown-calendar"
	shownRecovery = "shown-recovery"
	// shownDepartures are those of a session that can be seen again.
	shownDepartures = "shown-departures"
	// shownCodes names the connection whose codes were requested; the codes are not stored.
	shownCodes = "shown-codes"
	shownTest  = "shown-channel-test"
	shownCall  = "shown-test-call"
	shownDrill = "shown-drill"
	// shownRehearsal is whether a renewal would work.
	shownRehearsal = "shown-rehearsal"
	shownLoses     = "shown-losses"
	// shownDefinition is what services would lose by a definition.
	shownDefinition = "shown-definition"
	// shownObtain is why the service gave a new connection no token.
	shownObtain = "shown-obtain"
	// shownTaken is what was entered by a link.
	shownTaken = "shown-taken"
)

// show stores a value for the page that shows it.
func (k *kit) show(c *gin.Context, what string, value any) error {
	data, err := json.Marshal(value)
	if err == nil {
		data, err = json.Marshal(shown{At: time.Now(), Value: data})
	}
	if err != nil {
		return fmt.Errorf("keep what is shown once: %w", err)
	}
	k.sessions.Put(c.Request.Context(), what, data)
	return nil
}

// toShow reads a stored value; false if there is none or it has expired.
func toShow[T any](k *kit, c *gin.Context, what string) (value T, ok bool) {
	var kept shown
	data := k.sessions.GetBytes(c.Request.Context(), what)
	if len(data) == 0 || json.Unmarshal(data, &kept) != nil || time.Since(kept.At) > shownLife {
		return value, false
	}
	return value, json.Unmarshal(kept.Value, &value) == nil
}

// takeShown reads a stored value and removes it.
func takeShown[T any](k *kit, c *gin.Context, what string) (value T, ok bool) {
	value, ok = toShow[T](k, c, what)
	k.forgetShown(c, what)
	return value, ok
}

// forgetShown removes a stored value.
func (k *kit) forgetShown(c *gin.Context, what string) {
	if k.sessions.Exists(c.Request.Context(), what) {
		k.sessions.Remove(c.Request.Context(), what)
	}
}

// flash stores a message for the next page.
func (k *kit) flash(c *gin.Context, f view.Flash) {
	ctx := c.Request.Context()
	k.sessions.Put(ctx, sessionFlashKey, f.Key)
	k.sessions.Put(ctx, sessionFlashName, f.Name)
	k.sessions.Put(ctx, sessionFlashSaid, f.Said)
	k.sessions.Put(ctx, sessionFlashBad, f.Bad)
}

func (k *kit) takeFlash(c *gin.Context) *view.Flash {
	ctx := c.Request.Context()
	if !k.sessions.Exists(ctx, sessionFlashKey) {
		return nil
	}
	return &view.Flash{
		Key: k.sessions.PopString(ctx, sessionFlashKey), Name: k.sessions.PopString(ctx, sessionFlashName),
		Said: k.sessions.PopString(ctx, sessionFlashSaid), Bad: k.sessions.PopBool(ctx, sessionFlashBad),
	}
}
