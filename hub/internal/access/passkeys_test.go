package access_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
)

func TestPasskeysNeedAnAddressThatBrowsersTrust(t *testing.T) {
	a, _, user := setUp(t)
	for address, want := range map[string]string{
		"https://hub.example.com": "", "https://hub.example.com:8443": "", "https://HUB.example.com:443": "", "https://hub.lan": "", "http://localhost:8080": "",
		"http://hub.localhost": "", "http://hub.example.com": access.PasskeysNeedHTTPS, "http://10.0.0.7:8080": access.PasskeysNeedHTTPS,
		"http://localhost.example.com": access.PasskeysNeedHTTPS, "http://127.0.0.1:8080": access.PasskeysNeedName,
		"https://10.0.0.7": access.PasskeysNeedName, "https://[2001:db8::1]:8443": access.PasskeysNeedName, "": access.PasskeysNeedName, "https://hub": access.PasskeysNeedName,
	} {
		keys := a.Passkeys(address)
		if got := keys.Trouble(); got != want {
			t.Errorf("%s: the trouble is %q, want %q", address, got, want)
		}
		if _, _, err := keys.BeginAdd(t.Context(), user); errors.Is(err, access.ErrPasskeysOff) != (want != "") {
			t.Errorf("%s: adding begins with %v", address, err)
		}
	}
}

func TestAPasskeyAnswerComesTooLate(t *testing.T) {
	a, _, user := setUp(t)
	keys := a.Passkeys("https://hub.example.com")
	_, login, err := keys.BeginLogin(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	_, add, err := keys.BeginAdd(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Login(t.Context(), login, []byte(`{}`), "x"); !errors.Is(err, access.ErrPasskeyRefused) {
		t.Errorf("in time: %v", err)
	}
	for what, pending := range map[string][]byte{"nothing": nil, "late": expired(t, login)} {
		if _, err := keys.Login(t.Context(), pending, []byte(`{}`), "x"); !errors.Is(err, access.ErrPasskeyLate) {
			t.Errorf("%s: a login gets %v", what, err)
		}
	}
	if _, err := keys.Add(t.Context(), user, expired(t, add), []byte(`{}`), "Key"); !errors.Is(err, access.ErrPasskeyLate) {
		t.Errorf("late: a new passkey gets %v", err)
	}
}

// expired is what was kept of a question, five minutes later.
func expired(t *testing.T, pending []byte) []byte {
	t.Helper()
	var kept map[string]any
	if err := json.Unmarshal(pending, &kept); err != nil {
		t.Fatal(err)
	}
	text, ok := kept["expires"].(string)
	at, err := time.Parse(time.RFC3339Nano, text)
	if left := time.Until(at); !ok || err != nil || left <= 4*time.Minute || left > 5*time.Minute {
		t.Fatalf("the question is open until %v", kept["expires"])
	}
	kept["expires"] = at.Add(-5 * time.Minute)
	late, err := json.Marshal(kept)
	if err != nil {
		t.Fatal(err)
	}
	return late
}
