package catalogue

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// Fields of the client secrets beside client_secret, as problems name them.
const (
	SecretEndsField      = "client_secret_ends_at"
	OtherSecretField     = "other_client_secret"
	OtherSecretEndsField = "other_client_secret_ends_at"
)

// enterSecrets gives a service the client secrets of a draft; see ServiceDraft.
func (e *InvalidError) enterSecrets(svc *service.Service, draft ServiceDraft, old service.Service, now time.Time) {
	if secret := strings.TrimSpace(draft.ClientSecret); secret != "" {
		svc.ClientSecret, svc.SecretEndsAt = secret, time.Time{}
	}
	if draft.SecretEndsAt != nil {
		e.checkEnd(SecretEndsField, *draft.SecretEndsAt, strings.TrimSpace(draft.ClientSecret) == "", old.SecretEndsAt, now)
		svc.SecretEndsAt = draft.SecretEndsAt.UTC()
	}
	other := strings.TrimSpace(draft.OtherSecret)
	switch {
	case other != "":
		svc.OtherSecret = service.Secret{Value: other}
	case draft.DropOther:
		svc.OtherSecret = service.Secret{}
	}
	if end := draft.OtherEndsAt; end != nil {
		e.checkEnd(OtherSecretEndsField, *end, other == "", old.OtherSecret.EndsAt, now)
		svc.OtherSecret.EndsAt = end.UTC()
	}
	e.checkSecrets(*svc)
	if !svc.OtherSecret.IsZero() && old.ClientSecret != "" && (other != "" || draft.UseOther) {
		*svc = svc.Swapped()
	}
}

// checkEnd requires an end to lie ahead, unless it is the stored one of a secret that is
// kept.
func (e *InvalidError) checkEnd(field string, end time.Time, kept bool, stored, now time.Time) {
	if kept && end.Equal(stored) {
		return
	}
	if !end.IsZero() && end.Before(now) {
		e.add(field, "This day has passed. Enter the day on which the service stops accepting the secret.",
			"Этот день уже прошёл. Укажите день, с которого сервис перестанет принимать секрет.")
	}
}

func (e *InvalidError) checkSecrets(svc service.Service) {
	switch {
	case svc.ClientSecret == "" && !svc.SecretEndsAt.IsZero():
		e.add(SecretEndsField, "There is no client secret that could end: leave the day empty.", "Секретного ключа нет, поэтому день его окончания оставьте пустым.")
	case svc.ClientSecret == "" && !svc.OtherSecret.IsZero():
		e.add(OtherSecretField, "Enter the first client secret before the second one.", "Сначала укажите первый секретный ключ, затем второй.")
	case svc.OtherSecret.IsZero() && !svc.OtherSecret.EndsAt.IsZero():
		e.add(OtherSecretEndsField, "There is no second client secret that could end: enter it, or leave the day empty.",
			"Второго секретного ключа нет: введите его или оставьте день пустым.")
	case !svc.OtherSecret.IsZero() && svc.OtherSecret.Value == svc.ClientSecret:
		e.add(OtherSecretField, "Both client secrets are the same: enter the new one here, or leave the field empty.",
			"Оба секретных ключа одинаковы: введите здесь новый или оставьте поле пустым.")
	}
}

// Working reports whether a renewal has shown that the other client secret of a service
// works and the current one does not: working is the service with both as they were sent.
func (c *Catalogue) Working(ctx context.Context, working service.Service) (stored service.Service, other bool, err error) {
	stored, err = c.store.Services.Service(ctx, working.ID)
	if err != nil {
		return stored, false, err
	}
	return stored, working.ClientSecret != "" && stored.OtherSecret.Value == working.ClientSecret, nil
}

// UseSecret makes the working client secret of a service the current one; see Working. An
// administrator's change meanwhile stands. It is part of the caller's transaction.
// Errors: store.ErrNotFound, store.ErrStale.
func (c *Catalogue) UseSecret(ctx context.Context, working service.Service, now time.Time) (changed bool, err error) {
	stored, other, err := c.Working(ctx, working)
	if err != nil || !other {
		return false, err
	}
	next := stored.Swapped()
	next.UpdatedAt = now
	return true, c.store.Services.ReplaceService(ctx, next, stored.UpdatedAt)
}

// TryBlocked has the connections of a service tried again that it has blocked.
func (c *Catalogue) TryBlocked(ctx context.Context, id string) error {
	svc, err := c.store.Services.Service(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.applyPolicy(ctx, svc)
}

// ParseEnd reads the end of a client secret as it is entered: a day as YYYY-MM-DD, which
// counts as over from its beginning in UTC, or a time of RFC 3339; an empty text says that
// no end is known. field is the one that was entered. Errors: *InvalidError.
func ParseEnd(field, text string) (*time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return &time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if end, err := time.Parse(layout, text); err == nil {
			return &end, nil
		}
	}
	invalid := &InvalidError{}
	invalid.add(field, "Enter a day as 2027-05-31, or leave it empty.", "Введите день в виде 2027-05-31 или оставьте поле пустым.")
	return nil, invalid
}
