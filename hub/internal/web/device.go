package web

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// The cookie that identifies a browser to the people who have logged in there. Only the pages
// of the login receive it.
const (
	deviceCookie     = "evergrant_device"
	deviceCookiePath = "/login"
	// mostDevices is how many people a browser is known to, those of last the first.
	mostDevices    = 4
	mostDeviceText = 1024
)

// devices returns the proofs of earlier logins that the browser sends.
func devices(c *gin.Context) []string {
	value, err := c.Cookie(deviceCookie)
	if err != nil || value == "" || len(value) > mostDeviceText {
		return nil
	}
	all := strings.Split(value, "~")
	return all[:min(len(all), mostDevices)]
}

// keepDevice stores the cookie that identifies the browser after a login, so that failed
// attempts from elsewhere do not lock the person out there. Only pages of the login receive
// the cookie; after the set-up and an invitation the browser may get another name.
func (p *loginPages) keepDevice(c *gin.Context, u peopledb.User) error {
	known := devices(c)
	mine, err := p.access.Device(c.Request.Context(), u, known)
	if err != nil {
		return err
	}
	all := []string{mine}
	for _, other := range known {
		if !strings.HasPrefix(other, u.ID+".") && len(all) < mostDevices {
			all = append(all, other)
		}
	}
	p.setCookie(c, deviceCookie, strings.Join(all, "~"), deviceCookiePath, access.DeviceLife)
	return nil
}

// tooMany reports whether err is a rate limit, and sets the Retry-After header.
func tooMany(c *gin.Context, err error) (wait view.Wait, ok bool) {
	e, ok := errors.AsType[*access.TooManyError](err)
	if !ok {
		return view.Wait{}, false
	}
	wait = view.Wait{For: max(e.RetryAfter, time.Second), Others: e.Busy}
	c.Header("Retry-After", strconv.Itoa(int(wait.For.Seconds())))
	return wait, true
}

// gone reports whether the client has closed the connection.
func gone(c *gin.Context) bool { return c.Request.Context().Err() != nil }

// strangersLife is how long the session of a visitor who is not signed in is kept.
const strangersLife = 10 * time.Minute

// beginAsStranger counts the beginning of a login that stores something in the session, and
// shortens the life of that session. Errors: access.TooManyError.
func (p *loginPages) beginAsStranger(c *gin.Context) error {
	ctx := c.Request.Context()
	if err := p.access.Begin(ctx, c.ClientIP(), devices(c)); err != nil {
		return err
	}
	if p.sessions.GetString(ctx, sessionID) == "" {
		p.sessions.SetDeadline(ctx, time.Now().Add(strangersLife))
	}
	return nil
}

// cut shortens text from outside the hub for the log, to at most most bytes.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
