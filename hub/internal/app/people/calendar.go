package people

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// calendarSetting holds the hash of the secret in the calendar's address:
// calendar programs send neither cookies nor headers.
const calendarSetting = "calendar-link"

func calendarHash(secret string) string {
	sum := sha256.Sum256([]byte("evergrant calendar\x00" + secret))
	return hex.EncodeToString(sum[:])
}

// MakeCalendar makes the secret of a new address of the calendar; the one before is void.
func (p *People) MakeCalendar(ctx context.Context) (secret string, err error) {
	secret = strings.ToLower(rand.Text())
	a := act.Act{Name: "calendar.make", Needs: access.ActManage, On: audit.Object{Kind: "calendar"}}
	err = p.o.Recorder.Change(ctx, a, func(ctx context.Context, _ *act.Entry) error {
		return p.o.Store.SetSetting(ctx, calendarSetting, calendarHash(secret))
	})
	return secret, err
}

// WithdrawCalendar makes the calendar's address void; none is no error.
func (p *People) WithdrawCalendar(ctx context.Context) error {
	a := act.Act{Name: "calendar.withdraw", Needs: access.ActManage, On: audit.Object{Kind: "calendar"}}
	return p.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) error {
		hash, err := p.o.Store.Setting(ctx, calendarSetting)
		if err == nil {
			err = p.o.Store.TakeSetting(ctx, calendarSetting, hash)
		}
		if errors.Is(err, store.ErrNotFound) {
			e.Unchanged()
			return nil
		}
		return err
	})
}

// HasCalendar reports whether the calendar has an address.
func (p *People) HasCalendar(ctx context.Context) (bool, error) {
	_, err := p.o.Store.Setting(ctx, calendarSetting)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// CalendarOpens reports whether a secret is that of the calendar's address.
func (p *People) CalendarOpens(ctx context.Context, secret string) (bool, error) {
	hash, err := p.o.Store.Setting(ctx, calendarSetting)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && subtle.ConstantTimeCompare([]byte(hash), []byte(calendarHash(secret))) == 1, err
}
