package access

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// Passkeys registers keys that people's devices keep and logs people in by them
// (WebAuthn). It is safe for concurrent use.
type Passkeys struct {
	store   *store.Store
	access  *Access
	party   *webauthn.WebAuthn
	trouble string
}

// Why there are no passkeys at an address.
const (
	// PasskeysNeedHTTPS is an address without HTTPS, for which browsers offer no
	// passkeys.
	PasskeysNeedHTTPS = "https"
	// PasskeysNeedName is an address without a host name that keys could belong to: an IP
	// address, or a name without a dot other than localhost.
	PasskeysNeedName = "name"
)

// passkeyTime is how long a person has to answer.
const passkeyTime = 5 * time.Minute

// maxPasskeyTitle is the length of a passkey's name, in characters.
const maxPasskeyTitle = 100

// Errors of passkeys.
var (
	// ErrPasskeysOff is a hub whose address does not support passkeys; see Trouble.
	ErrPasskeysOff = rule("passkeys do not work at this address")
	// ErrPasskeyLate is an answer without a request: it came too late, or was used
	// before.
	ErrPasskeyLate = rule("the answer is too late, or was used before; begin once more")
	// ErrPasskeyRefused is an answer that does not prove anything.
	ErrPasskeyRefused = rule("the passkey was not accepted")
	// ErrPasskeyUnknown is a passkey that is not registered here.
	ErrPasskeyUnknown = rule("this hub does not know the passkey")
	// ErrPasskeyTaken is a passkey that is registered already.
	ErrPasskeyTaken = rule("this passkey is registered already")
	// ErrPasskeyCopied is a passkey whose count goes back: there is another device with
	// the same key.
	ErrPasskeyCopied = rule("the passkey's count has gone back, so it may have been copied")
)

// Passkeys are those of the hub at an address, which they belong to.
func (a *Access) Passkeys(publicURL string) *Passkeys {
	k := &Passkeys{store: a.store, access: a}
	u, err := url.Parse(publicURL)
	if err != nil || u.Hostname() == "" {
		k.trouble = PasskeysNeedName
		return k
	}
	host := strings.ToLower(u.Hostname())
	if u.Scheme != "https" && host != "localhost" && !strings.HasSuffix(host, ".localhost") && !isLoopback(host) {
		k.trouble = PasskeysNeedHTTPS
		return k
	}
	limit := webauthn.TimeoutConfig{Enforce: true, Timeout: passkeyTime, TimeoutUVD: passkeyTime}
	k.party, err = webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: "Evergrant", RPOrigins: []string{originOf(u)}, AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: protocol.ResidentKeyRequired(), ResidentKey: protocol.ResidentKeyRequirementRequired,
			UserVerification: protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{Login: limit, Registration: limit},
	})
	if err != nil {
		k.trouble = PasskeysNeedName
	}
	return k
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// originOf is an address as browsers write an origin: without the usual port.
func originOf(u *url.URL) string {
	host := strings.ToLower(u.Host)
	usual := map[string]string{"https": ":443", "http": ":80"}[u.Scheme]
	return u.Scheme + "://" + strings.TrimSuffix(host, usual)
}

// Trouble is why passkeys do not work at the hub's address: "", PasskeysNeedHTTPS or
// PasskeysNeedName.
func (k *Passkeys) Trouble() string { return k.trouble }

// BeginAdd requests a new passkey of a person: the options for the browser, and what to
// keep in its session until Add. Errors: ErrPasskeysOff.
func (k *Passkeys) BeginAdd(ctx context.Context, u peopledb.User) (options any, pending []byte, err error) {
	if k.trouble != "" {
		return nil, nil, ErrPasskeysOff
	}
	who, err := k.holder(ctx, u)
	if err != nil {
		return nil, nil, err
	}
	known := webauthn.Credentials(who.credentials).CredentialDescriptors()
	creation, session, err := k.party.BeginRegistration(who, webauthn.WithExclusions(known))
	if err != nil {
		return nil, nil, fmt.Errorf("ask for a passkey: %w", err)
	}
	pending, err = json.Marshal(session)
	return creation, pending, err
}

// Add takes the browser's answer and keeps the passkey. Errors: ErrPasskeysOff,
// ErrPasskeyLate, ErrPasskeyRefused, ErrPasskeyTaken.
func (k *Passkeys) Add(ctx context.Context, u peopledb.User, pending, answer []byte, title string) (peopledb.Passkey, error) {
	session, err := k.session(pending)
	if err != nil {
		return peopledb.Passkey{}, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return peopledb.Passkey{}, refused(err)
	}
	credential, err := k.party.CreateCredential(&holder{user: u}, session, parsed)
	if err != nil {
		return peopledb.Passkey{}, refused(err)
	}
	kept, err := json.Marshal(credential)
	if err != nil {
		return peopledb.Passkey{}, errors.New("a passkey cannot be written as JSON")
	}
	added := peopledb.Passkey{
		ID: store.NewID(), UserID: u.ID, CredentialID: encoded(credential.ID), Title: passkeyTitle(title), Credential: kept, CreatedAt: time.Now(),
	}
	err = k.store.People.CreatePasskey(ctx, added)
	if errors.Is(err, store.ErrNameTaken) {
		err = ErrPasskeyTaken
	}
	return added, err
}

// passkeyTitle is a name as it is kept.
func passkeyTitle(title string) string {
	letters := []rune(strings.Join(strings.Fields(title), " "))
	if len(letters) == 0 {
		return "Passkey"
	}
	return string(letters[:min(len(letters), maxPasskeyTitle)])
}

// session reads the session data of Begin.
func (k *Passkeys) session(pending []byte) (webauthn.SessionData, error) {
	var session webauthn.SessionData
	if k.trouble != "" {
		return session, ErrPasskeysOff
	}
	if json.Unmarshal(pending, &session) != nil || session.Expires.Before(time.Now()) {
		return session, ErrPasskeyLate
	}
	return session, nil
}

// refused keeps the library's reason for the log.
func refused(err error) error {
	if told, ok := errors.AsType[*protocol.Error](err); ok {
		return fmt.Errorf("%w: %s: %s", ErrPasskeyRefused, told.Details, told.DevInfo)
	}
	return fmt.Errorf("%w: %w", ErrPasskeyRefused, err)
}

func encoded(id []byte) string { return base64.RawURLEncoding.EncodeToString(id) }

// holder is a person for WebAuthn.
type holder struct {
	user        peopledb.User
	credentials []webauthn.Credential
}

// holder reads a person with their passkeys.
func (k *Passkeys) holder(ctx context.Context, u peopledb.User) (*holder, error) {
	list, err := k.store.People.Passkeys(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	h := &holder{user: u}
	for _, x := range list {
		var credential webauthn.Credential
		if err := json.Unmarshal(x.Credential, &credential); err != nil {
			return nil, fmt.Errorf("read the passkey %s: %w", x.ID, err)
		}
		h.credentials = append(h.credentials, credential)
	}
	return h, nil
}

// WebAuthnID is the id that devices store for the person; it reveals nothing about them.
func (h *holder) WebAuthnID() []byte { return []byte(h.user.ID) }

// WebAuthnName is what devices show.
func (h *holder) WebAuthnName() string { return h.user.Login }

// WebAuthnDisplayName is what devices show.
func (h *holder) WebAuthnDisplayName() string {
	if h.user.Name != "" {
		return h.user.Name
	}
	return h.user.Login
}

// WebAuthnCredentials are the person's passkeys.
func (h *holder) WebAuthnCredentials() []webauthn.Credential { return h.credentials }
