package oauth_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// wire is an answer of a service to a refresh, and what it means. The hub's tests read
// the same file.
type wire struct {
	Cause, Service, Source string
	Status                 int
	Header                 map[string]string
	Body, Base64           string
	// Expect is "token" or a kind, ExpiresIn seconds; 0 is not known.
	Expect    string
	Code      string
	TooEarly  bool `json:"too_early"`
	Keeps     string
	ExpiresIn int `json:"expires_in"`
	Scopes    []string
}

func TestWhatServicesAnswerToARefresh(t *testing.T) {
	data, err := os.ReadFile("testdata/answers.json")
	if err != nil {
		t.Fatal(err)
	}
	var wires []wire
	if err := json.Unmarshal(data, &wires); err != nil {
		t.Fatal(err)
	}
	for _, w := range wires {
		body := w.Body
		if w.Base64 != "" {
			raw, _ := base64.StdEncoding.DecodeString(w.Base64)
			body = string(raw)
		}
		a := &answer{status: w.Status, body: body, header: http.Header{}}
		for name, value := range w.Header {
			a.header.Set(name, value)
		}
		if w.Header["Content-Type"] == "" {
			a.header["Content-Type"] = nil
		}
		t.Run(w.Cause+"/"+w.Service, func(t *testing.T) {
			token, err := ask(t, a, oauth.Decode{})
			w.judge(t, token, err)
		})
	}
}

func (w wire) judge(t *testing.T, token *provider.Token, err error) {
	t.Helper()
	if w.Expect == "token" {
		if err != nil {
			t.Fatal(err)
		}
		life := 0
		if token.ExpiresIn != nil {
			life = int(*token.ExpiresIn / time.Second)
		}
		if life != w.ExpiresIn || w.Scopes != nil && !slices.Equal(token.Scopes, w.Scopes) {
			t.Errorf("life %d, scopes %q", life, token.Scopes)
		}
		return
	}
	e, ok := errors.AsType[*provider.Error](err)
	if !ok || token != nil {
		t.Fatalf("token %v, error %v", token, err)
	}
	if e.Kind.String() != w.Expect || w.Code != "" && e.Code != w.Code || e.TooEarly != w.TooEarly || e.RefreshToken != w.Keeps {
		t.Errorf("got %s %q, too early %t, refresh token kept %t: %s", e.Kind, e.Code, e.TooEarly, e.RefreshToken != "", e.Message)
	}
	if w.Keeps != "" && strings.Contains(e.Error(), w.Keeps) {
		t.Error("the refresh token is in the error's text")
	}
}

func TestWhatAServiceSaysIsQuotedFromWhereverItSaysIt(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":"x","message":"the message"}`:                                          "the message",
		`{"error":"x","error_description":"first","hint":"the hint"}`:                    "first; the hint",
		`{"title":"Bad","detail":"the detail","type":"about:blank"}`:                     "the detail; Bad",
		`{"error":"x","error_description":"first","error_uri":"https://acme.example/e"}`: "first; see https://acme.example/e",
		`{"error":{"message":"inside","type":"T"}}`:                                      "inside",
		`{"errors":["one thing"]}`:                                                       "one thing",
		`{"error":"x","message":"has ` + secret + ` in it"}`:                             "has [redacted] in it",
	} {
		_, err := ask(t, &answer{status: 400, body: body}, oauth.Decode{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v does not quote %q", body, err, want)
		}
	}
}

func TestAProvidersOwnCodesWinOverTheWordsUnlessTheGrantWouldEnd(t *testing.T) {
	codes := map[string]provider.Kind{"acme_gone": provider.ReauthorizationRequired, "acme_busy": provider.Blocked}
	for body, want := range map[string]provider.Kind{
		`{"error":"acme_gone"}`: provider.ReauthorizationRequired,
		`{"error":"acme_gone","error_description":"token not expired"}`:    provider.Transient,
		`{"error":"acme_gone","error_description":"too many requests"}`:    provider.Transient,
		`{"error":"acme_busy","error_description":"too many requests"}`:    provider.Blocked,
		`{"error":"acme_busy","error_description":"token is not expired"}`: provider.Blocked,
	} {
		if _, err := ask(t, &answer{status: 400, body: body}, oauth.Decode{Codes: codes}); provider.KindOf(err) != want {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}
