package access

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/evergrant/evergrant/hub/internal/randtoken"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// Access checks people and keys. It is safe for concurrent use.
type Access struct {
	store *store.Store
	queue queue
	// decoy is checked when there is no such user, so that both take as long.
	decoy func() string
	left  func(ctx context.Context, u peopledb.User, l peopledb.Leaving) error
}

// New returns an Access.
func New(st *store.Store) *Access {
	return &Access{store: st, left: func(context.Context, peopledb.User, peopledb.Leaving) error { return nil }, decoy: sync.OnceValue(func() string {
		return hashOf("a password that nobody has", []byte("a salt of nobody"), costOfHashes)
	})}
}

// MaxLogin is the length of a login, in bytes.
const MaxLogin = 200

// Errors of people.
var (
	// ErrWrongLogin does not say whether the login or the password is wrong.
	ErrWrongLogin = rule("wrong login or password")
	// ErrSetupDone is a set-up link that is spent, or was never ours.
	ErrSetupDone = rule("this set-up link is spent")
	// ErrEmptyLogin is a login without characters.
	ErrEmptyLogin = rule("a login is needed")
)

// TooManyError requires a wait before the next try.
type TooManyError struct {
	RetryAfter time.Duration
	// Busy is set if the load of others is the cause.
	Busy bool
}

// Error implements error.
func (e *TooManyError) Error() string { return "too many attempts; wait " + e.RetryAfter.String() }

// Refusal marks it for the audit record.
func (e *TooManyError) Refusal() bool { return true }

// setupKey begins the settings of set-up links; the hash of the link's token follows.
const setupKey = "setup_link/"

// SetupToken makes the token of a new one-time set-up link if there is no user
// yet; "" if there is one. Each replica prints a link of its own at its start: all of
// them are good until there is a first user.
func (a *Access) SetupToken(ctx context.Context) (string, error) {
	n, err := a.store.People.CountUsers(ctx)
	if err != nil || n > 0 {
		return "", err
	}
	token := randtoken.New()
	return token, a.store.SetSetting(ctx, setupKey+randtoken.Hash(token), randtoken.Hash(token))
}

// SetupOpen reports whether a token is the set-up link's, without spending it.
func (a *Access) SetupOpen(ctx context.Context, token string) (bool, error) {
	stored, err := a.store.Setting(ctx, setupKey+randtoken.Hash(token))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil || token == "" || stored != randtoken.Hash(token) {
		return false, err
	}
	n, err := a.store.People.CountUsers(ctx)
	return err == nil && n == 0, err
}

// Setup makes a person of NewPerson the first owner and spends the link. Errors:
// ErrSetupDone.
func (a *Access) Setup(ctx context.Context, token string, user peopledb.User) (peopledb.User, error) {
	open, err := a.SetupOpen(ctx, token)
	if err != nil {
		return peopledb.User{}, err
	}
	if !open {
		return peopledb.User{}, ErrSetupDone
	}
	user.Role, user.LastLoginAt = RoleOwner, user.CreatedAt // the set-up logs in
	if err := a.store.People.CreateFirstUser(ctx, user); err != nil {
		if errors.Is(err, store.ErrInUse) {
			return user, ErrSetupDone
		}
		return user, err
	}
	err = a.store.TakeSetting(ctx, setupKey+randtoken.Hash(token), randtoken.Hash(token))
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return user, err
}

// NewPerson is a viewer who is not stored yet. It hashes the password, which takes long: call
// it outside of transactions. Errors: ErrEmptyLogin, ErrWeakPassword, TooManyError, the
// context's.
func (a *Access) NewPerson(ctx context.Context, login, name, password, lang string) (peopledb.User, error) {
	login = strings.TrimSpace(login)
	if login == "" || len(login) > MaxLogin {
		return peopledb.User{}, ErrEmptyLogin
	}
	phc, err := a.hashPassword(ctx, password)
	if err != nil {
		return peopledb.User{}, err
	}
	now := time.Now()
	return peopledb.User{
		ID: store.NewID(), Login: login, Name: strings.TrimSpace(name), PasswordHash: phc, Role: RoleViewer,
		Lang: lang, CreatedAt: now, UpdatedAt: now,
	}, nil
}

// Login checks a login and a password. from is the address of the browser, devices are
// what Device has made for it. A person with a second factor is not logged in before
// SecondLogin. Errors: ErrWrongLogin, TooManyError, the context's if the browser has gone.
func (a *Access) Login(ctx context.Context, login, password, from string, devices ...string) (peopledb.User, error) {
	login = strings.TrimSpace(login)
	user, err := a.findLogin(ctx, login)
	if err != nil {
		return peopledb.User{}, err
	}
	t, err := a.loginTry(ctx, login, user, from, devices)
	if err != nil {
		return peopledb.User{}, err
	}
	phc := user.PasswordHash
	if phc == "" { // no such login, or one without a password
		phc = a.decoy()
	}
	fits, err := a.tryPassword(ctx, t, phc, password, from)
	if err != nil {
		return peopledb.User{}, err
	}
	if !fits || user.PasswordHash == "" || !user.DisabledAt.IsZero() {
		return peopledb.User{}, ErrWrongLogin
	}
	if user.SecondFactor.On() {
		// The login is complete with the code, which has budgets of its own.
		return user, t.right(ctx)
	}
	if err := t.right(ctx); err != nil {
		return peopledb.User{}, err
	}
	user.LastLoginAt = time.Now()
	return user, a.store.People.NoteLogin(ctx, user.ID, user.LastLoginAt)
}

// KnownLogin is a login as its person has it; "" for one that no account has, which may be a
// mistyped password.
func (a *Access) KnownLogin(ctx context.Context, login string) (string, error) {
	user, err := a.findLogin(ctx, strings.TrimSpace(login))
	return user.Login, err
}

// findLogin finds the user of a login; none, without an error, if there is none. An
// impossible login is not looked up.
func (a *Access) findLogin(ctx context.Context, login string) (peopledb.User, error) {
	if login == "" || len(login) > MaxLogin || strings.ContainsRune(login, 0) || !utf8.ValidString(login) {
		return peopledb.User{}, nil
	}
	user, err := a.store.People.UserByLogin(ctx, login)
	if errors.Is(err, store.ErrNotFound) {
		return peopledb.User{}, nil
	}
	return user, err
}

// tryPassword counts a try and checks it: first a place to hash in, which floods do not
// get, then the count, then the check. A try whose caller has disconnected before is not
// counted.
func (a *Access) tryPassword(ctx context.Context, t *try, phc, password, from string) (fits bool, err error) {
	if err := t.look(ctx); err != nil {
		return false, err
	}
	network := Network(from)
	if t.byKnownDevice() {
		network = ""
	}
	if err := a.queue.enter(ctx, network); err != nil {
		return false, err
	}
	defer a.queue.leave()
	if err := t.count(ctx); err != nil {
		return false, err
	}
	fits, err = checkPassword(phc, password)
	if errors.Is(err, errBadHash) {
		return false, nil
	}
	return fits, err
}

// CheckPresent checks the password that a signed-in person shows again, and returns what
// it was judged by. It counts the try: call it outside of transactions. Errors:
// ErrWrongLogin, TooManyError.
func (a *Access) CheckPresent(ctx context.Context, userID, present string) (was string, err error) {
	user, err := a.store.People.User(ctx, userID)
	if err != nil {
		return "", err
	}
	secret, err := a.store.Audit.PurposeKey(ctx, "tries")
	if err != nil {
		return "", err
	}
	t := &try{a: a, own: []peopledb.TryBudget{presentPassword.of(secret, user.ID)}}
	fits, err := a.tryPassword(ctx, t, user.PasswordHash, present, "")
	if err == nil && !fits {
		err = ErrWrongLogin
	}
	if err != nil {
		return "", err
	}
	return user.PasswordHash, t.right(ctx)
}

// NextPassword checks the present password of a person and hashes the next one, for
// ChangePassword. It takes long and counts the try: call it outside of transactions.
// Errors: ErrWrongLogin, ErrWeakPassword, TooManyError.
func (a *Access) NextPassword(ctx context.Context, userID, present, next string) (was, hash string, err error) {
	if was, err = a.CheckPresent(ctx, userID, present); err != nil {
		return "", "", err
	}
	hash, err = a.hashPassword(ctx, next)
	return was, hash, err
}

// ChangePassword replaces a person's password by that of NextPassword. Errors:
// ErrWrongLogin if it was changed, or the person disabled, meanwhile.
func (a *Access) ChangePassword(ctx context.Context, userID, was, hash string) error {
	err := a.store.People.SetPassword(ctx, userID, was, hash, time.Now())
	if errors.Is(err, store.ErrStale) {
		return ErrWrongLogin
	}
	return err
}
