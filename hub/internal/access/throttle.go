package access

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// limit is a budget of tries: so many at once, then one each so often.
type limit struct {
	kind  string
	burst int
	every time.Duration
}

// What may be tried. A try is counted before anything is checked. Secrets of 256 random
// bits (links, keys, set-up tokens) cannot be guessed and are not counted.
var (
	// A login or a person's codes from one network: mistyped passwords.
	loginHere = limit{"login from", 5, time.Minute}
	codeHere  = limit{"code from", 5, time.Minute}
	// The same from all networks that are strange to the person together, so that many
	// addresses do not add up.
	loginAnywhere = limit{"login", 30, 10 * time.Minute}
	codeAnywhere  = limit{"code", 10, 15 * time.Minute}
	// A browser in which the person was logged in before; only this browser spends it.
	loginDevice = limit{"login device", 10, 5 * time.Minute}
	codeDevice  = limit{"code device", 10, 5 * time.Minute}
	// All logins from one network, so that a few passwords are not tried at all people.
	fromNetwork = limit{"network", 30, 10 * time.Second}
	// What strangers begin, such as a login by a passkey, is kept until it is answered: from
	// one network, and from all that are strange.
	beginHere     = limit{"begin from", 20, 10 * time.Second}
	beginAnywhere = limit{"begin", 1000, 500 * time.Millisecond}
	beginDevice   = limit{"begin device", 20, 10 * time.Second}
	// A signed-in user who shows the password again.
	presentPassword = limit{"present password", 5, time.Minute}
)

// of is the budget that the words name. Its key does not reveal them: logins may be
// mistyped passwords.
func (l limit) of(secret []byte, words ...string) peopledb.TryBudget {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(l.kind))
	for _, word := range words {
		sum := sha256.Sum256([]byte(word))
		mac.Write(sum[:])
	}
	return peopledb.TryBudget{Key: hex.EncodeToString(mac.Sum(nil)), Burst: l.burst, Every: l.every}
}

// try is one try of something that can be guessed.
type try struct {
	a *Access
	// own is forgotten when the try was right; shared gets this try back.
	own, shared []peopledb.TryBudget
}

// loginTry is a try of a login's password. user is the login's user, if there is one.
func (a *Access) loginTry(ctx context.Context, login string, user peopledb.User, from string, devices []string) (*try, error) {
	return a.newTry(ctx, user, strings.ToLower(login), from, devices, loginDevice, loginHere, loginAnywhere)
}

// codeTry is a try of a person's second factor.
func (a *Access) codeTry(ctx context.Context, user peopledb.User, from string, devices []string) (*try, error) {
	return a.newTry(ctx, user, user.ID, from, devices, codeDevice, codeHere, codeAnywhere)
}

func (a *Access) newTry(ctx context.Context, user peopledb.User, what, from string, devices []string, device, here, anywhere limit) (*try, error) {
	secret, err := a.store.Audit.PurposeKey(ctx, "tries")
	if err != nil {
		return nil, err
	}
	if known, err := a.knownDevice(ctx, user, devices); err != nil || known != "" {
		return &try{a: a, own: []peopledb.TryBudget{device.of(secret, user.ID, known)}}, err
	}
	network := Network(from)
	return &try{
		a: a, own: []peopledb.TryBudget{here.of(secret, what, network)},
		shared: []peopledb.TryBudget{anywhere.of(secret, what), fromNetwork.of(secret, network)},
	}, nil
}

// networkTry is a try without a login, such as a passkey.
func (a *Access) networkTry(ctx context.Context, from string, devices []string) (*try, error) {
	return a.nameless(ctx, devices, loginDevice, func(secret []byte) []peopledb.TryBudget {
		return []peopledb.TryBudget{fromNetwork.of(secret, Network(from))}
	})
}

// Begin counts that a stranger begins a login of which something is kept until it is
// answered. Errors: TooManyError.
func (a *Access) Begin(ctx context.Context, from string, devices []string) error {
	t, err := a.nameless(ctx, devices, beginDevice, func(secret []byte) []peopledb.TryBudget {
		return []peopledb.TryBudget{beginHere.of(secret, Network(from)), beginAnywhere.of(secret)}
	})
	if err != nil {
		return err
	}
	return t.count(ctx)
}

// nameless is a try without a login: by the browser of a known person, or by a stranger.
func (a *Access) nameless(ctx context.Context, devices []string, device limit, strange func(secret []byte) []peopledb.TryBudget) (*try, error) {
	secret, err := a.store.Audit.PurposeKey(ctx, "tries")
	if err != nil {
		return nil, err
	}
	for _, shown := range devices {
		userID, _, _ := strings.Cut(shown, ".")
		if known, err := a.knownDevice(ctx, peopledb.User{ID: userID}, []string{shown}); err != nil || known != "" {
			return &try{a: a, own: []peopledb.TryBudget{device.of(secret, known)}}, err
		}
	}
	return &try{a: a, shared: strange(secret)}, nil
}

// byKnownDevice reports whether the browser is known to belong to the person.
func (t *try) byKnownDevice() bool { return len(t.shared) == 0 }

func (t *try) budgets() []peopledb.TryBudget { return append(slices.Clip(t.own), t.shared...) }

// look reports without counting whether the try may be made. Errors: TooManyError.
func (t *try) look(ctx context.Context) error {
	return tooMany(t.a.store.People.TriesWait(ctx, t.budgets()...))
}

// count counts the try. Errors: TooManyError.
func (t *try) count(ctx context.Context) error {
	return tooMany(t.a.store.People.SpendTries(ctx, t.budgets()...))
}

// right gives back what the try has cost.
func (t *try) right(ctx context.Context) error {
	var keys []string
	for _, b := range t.own {
		keys = append(keys, b.Key)
	}
	if err := t.a.store.People.ForgetTries(ctx, keys...); err != nil {
		return err
	}
	return t.a.store.People.ReturnTries(ctx, t.shared...)
}

func tooMany(wait time.Duration, err error) error {
	if err == nil && wait > 0 {
		return &TooManyError{RetryAfter: (wait + time.Second - 1).Truncate(time.Second)}
	}
	return err
}

// Network is what of an address counts as one caller: of IPv4 the address, of IPv6 the
// network of 64 bits, of which one machine has all addresses.
func Network(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		address = host
	}
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if ip = ip.Unmap().WithZone(""); ip.Is6() {
		if network, err := ip.Prefix(64); err == nil {
			return network.String()
		}
	}
	return ip.String()
}
