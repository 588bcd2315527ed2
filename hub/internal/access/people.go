package access

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/evergrant/evergrant/hub/internal/opaque"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// Access checks people and keys. It is safe for concurrent use.
type Access struct {
	store  *store.Store
	logins *throttle
	// decoy is checked when there is no such user, so that both take as long.
	decoy func() string
}

// New returns an Access.
func New(st *store.Store) *Access {
	return &Access{store: st, logins: newThrottle(), decoy: sync.OnceValue(func() string {
		phc, _ := HashPassword("a password that nobody has") // its length is right
		return phc
	})}
}

// Errors of people.
var (
	// ErrWrongLogin does not say whether the login or the password is wrong.
	ErrWrongLogin = errors.New("wrong login or password")
	// ErrSetupDone is a set-up link that is spent, or was never ours.
	ErrSetupDone = errors.New("this set-up link is spent")
	// ErrEmptyLogin is a login without characters.
	ErrEmptyLogin = errors.New("a login is needed")
)

// TooManyError asks a stranger to wait.
type TooManyError struct{ RetryAfter time.Duration }

// Error implements error.
func (e *TooManyError) Error() string { return "too many attempts; wait " + e.RetryAfter.String() }

// setupKey begins the settings of set-up links; the hash of the link's token follows.
const setupKey = "setup_link/"

// SetupToken makes the token of a new one-time set-up link if there is no user
// yet; "" if there is one. Each replica prints a link of its own at its start: all of
// them are good until there is a first user.
func (a *Access) SetupToken(ctx context.Context) (string, error) {
	n, err := a.store.CountUsers(ctx)
	if err != nil || n > 0 {
		return "", err
	}
	token := opaque.New()
	return token, a.store.SetSetting(ctx, setupKey+opaque.Hash(token), opaque.Hash(token))
}

// SetupOpen reports whether a token is the set-up link's, without spending it.
func (a *Access) SetupOpen(ctx context.Context, token string) (bool, error) {
	stored, err := a.store.Setting(ctx, setupKey+opaque.Hash(token))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil || token == "" || stored != opaque.Hash(token) {
		return false, err
	}
	n, err := a.store.CountUsers(ctx)
	return err == nil && n == 0, err
}

// Setup makes the first administrator and spends the link.
func (a *Access) Setup(ctx context.Context, token, login, name, password, lang string) (store.User, error) {
	open, err := a.SetupOpen(ctx, token)
	if err != nil {
		return store.User{}, err
	}
	if !open {
		return store.User{}, ErrSetupDone
	}
	user, err := newUser(login, name, password, lang)
	if err != nil {
		return user, err
	}
	user.Role, user.LastLoginAt = RoleOwner, user.CreatedAt // the set-up logs in
	if err := a.store.CreateFirstUser(ctx, user); err != nil {
		if errors.Is(err, store.ErrInUse) {
			return user, ErrSetupDone
		}
		return user, err
	}
	err = a.store.TakeSetting(ctx, setupKey+opaque.Hash(token), opaque.Hash(token))
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return user, err
}

func newUser(login, name, password, lang string) (store.User, error) {
	login = strings.TrimSpace(login)
	if login == "" || len(login) > 200 {
		return store.User{}, ErrEmptyLogin
	}
	phc, err := HashPassword(password)
	if err != nil {
		return store.User{}, err
	}
	now := time.Now()
	return store.User{
		ID: store.NewID(), Login: login, Name: strings.TrimSpace(name), PasswordHash: phc, Role: RoleViewer,
		Lang: lang, CreatedAt: now, UpdatedAt: now,
	}, nil
}

// Login checks a login and a password. from is the address of the browser. A person
// with a second factor is not logged in before SecondLogin.
func (a *Access) Login(ctx context.Context, login, password, from string) (store.User, error) {
	now := time.Now()
	keys := []string{"login " + strings.ToLower(strings.TrimSpace(login)), "from " + from}
	if wait := a.logins.wait(now, keys...); wait > 0 {
		return store.User{}, &TooManyError{RetryAfter: wait}
	}
	user, err := a.store.UserByLogin(ctx, strings.TrimSpace(login))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return store.User{}, err
	}
	phc := user.PasswordHash
	if err != nil || phc == "" { // or comes from the sign-in service alone
		phc = a.decoy()
	}
	fits, hashErr := checkPassword(phc, password)
	if err != nil || user.PasswordHash == "" || hashErr != nil || !fits || !user.DisabledAt.IsZero() {
		a.logins.failed(now, keys...)
		return store.User{}, ErrWrongLogin
	}
	if user.SecondFactor.On() {
		return user, nil // the login is complete with the code
	}
	a.logins.forget(keys...)
	user.LastLoginAt = now
	return user, a.store.NoteLogin(ctx, user.ID, now)
}

// ChangePassword replaces a person's password after checking the present one.
func (a *Access) ChangePassword(ctx context.Context, userID, present, next string) error {
	user, err := a.store.User(ctx, userID)
	if err != nil {
		return err
	}
	if fits, err := checkPassword(user.PasswordHash, present); err != nil || !fits {
		return ErrWrongLogin
	}
	hash, err := HashPassword(next)
	if err != nil {
		return err
	}
	if err := a.store.SetPassword(ctx, userID, user.PasswordHash, hash, time.Now()); errors.Is(err, store.ErrStale) {
		return ErrWrongLogin // changed or disabled meanwhile
	} else if err != nil {
		return err
	}
	return nil
}
