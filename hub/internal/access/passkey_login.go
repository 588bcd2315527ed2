package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// BeginLogin requests any passkey of this hub: the options for the browser, and what to
// keep in its session until Login. from and devices are those of Access.Login. Errors:
// ErrPasskeysOff, TooManyError.
func (k *Passkeys) BeginLogin(ctx context.Context, from string, devices ...string) (options any, pending []byte, err error) {
	if k.trouble != "" {
		return nil, nil, ErrPasskeysOff
	}
	t, err := k.access.networkTry(ctx, from, devices)
	if err != nil {
		return nil, nil, err
	}
	if err := t.look(ctx); err != nil {
		return nil, nil, err
	}
	assertion, session, err := k.party.BeginDiscoverableLogin()
	if err != nil {
		return nil, nil, fmt.Errorf("ask for a passkey: %w", err)
	}
	pending, err = json.Marshal(session)
	return assertion, pending, err
}

// Login verifies the browser's answer and finds the passkey's user. The device has
// verified its holder (a PIN, a finger), so no code is required. Errors: ErrPasskeysOff,
// ErrPasskeyLate, ErrPasskeyRefused, ErrPasskeyUnknown, ErrPasskeyCopied, TooManyError.
func (k *Passkeys) Login(ctx context.Context, pending, answer []byte, from string, devices ...string) (peopledb.User, error) {
	now := time.Now()
	t, err := k.access.networkTry(ctx, from, devices)
	if err != nil {
		return peopledb.User{}, err
	}
	if err := t.count(ctx); err != nil {
		return peopledb.User{}, err
	}
	u, err := k.login(ctx, pending, answer, now)
	if err != nil {
		return peopledb.User{}, err
	}
	if err := t.right(ctx); err != nil {
		return peopledb.User{}, err
	}
	u.LastLoginAt = now
	return u, k.store.People.NoteLogin(ctx, u.ID, now)
}

func (k *Passkeys) login(ctx context.Context, pending, answer []byte, now time.Time) (peopledb.User, error) {
	session, err := k.session(pending)
	if err != nil {
		return peopledb.User{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return peopledb.User{}, refused(err)
	}
	passkey, err := k.store.People.PasskeyByCredential(ctx, encoded(parsed.RawID))
	if errors.Is(err, store.ErrNotFound) {
		return peopledb.User{}, ErrPasskeyUnknown
	}
	if err != nil {
		return peopledb.User{}, err
	}
	u, err := k.store.People.User(ctx, passkey.UserID)
	if err != nil {
		return peopledb.User{}, err
	}
	who, err := k.holder(ctx, u)
	if err != nil {
		return peopledb.User{}, err
	}
	// That the answer names the same person is checked with its signature.
	find := func(_, _ []byte) (webauthn.User, error) { return who, nil }
	_, seen, err := k.party.ValidatePasskeyLogin(find, session, parsed)
	if err != nil {
		return peopledb.User{}, refused(err)
	}
	if !u.DisabledAt.IsZero() {
		return peopledb.User{}, fmt.Errorf("%w: %s is disabled", ErrPasskeyRefused, u.Login)
	}
	return u, k.used(ctx, passkey.ID, seen, parsed.Response.AuthenticatorData.Counter, now)
}

// used notes the use of a passkey and its count, which must grow: the same answer in
// two requests at one time is good for one of them, if the device counts.
func (k *Passkeys) used(ctx context.Context, id string, seen *webauthn.Credential, count uint32, now time.Time) error {
	err := k.store.People.ChangePasskey(ctx, id, func(p *peopledb.Passkey) error {
		var kept webauthn.Credential
		if err := json.Unmarshal(p.Credential, &kept); err != nil {
			return fmt.Errorf("read the passkey %s: %w", id, err)
		}
		if kept.Authenticator.UpdateCounter(count); kept.Authenticator.CloneWarning {
			return ErrPasskeyCopied
		}
		kept.Flags, p.LastUsedAt = seen.Flags, now
		var err error
		p.Credential, err = json.Marshal(kept)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return ErrPasskeyUnknown // removed meanwhile
	}
	return err
}
