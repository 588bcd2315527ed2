package channel_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/channel/channeltest"
)

// at is the time of the tests that speak of time.
var at = time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)

func start(t *testing.T) (*channeltest.Server, *channel.Senders) {
	t.Helper()
	server := channeltest.Start()
	t.Cleanup(server.Close)
	return server, senders(t)
}

func senders(t *testing.T) *channel.Senders {
	t.Helper()
	s := channel.New(channel.Options{Version: "1.2.3"})
	t.Cleanup(s.Close)
	return s
}

func message(to string) channel.Message {
	return channel.Message{
		ID: "0197-a1", To: to, Subject: "Токен не продлевается", Text: "Первая строка\nsecond & last", HTML: "<p>Первая &amp; last</p>",
		Lang: "ru", Type: "escalation.opened", Data: []byte(`{"incident": 7}`),
	}
}

// failure sends and returns the error, which has to be an *Error without any
// secret of the settings.
func failure(t *testing.T, s *channel.Senders, k channel.Kind, settings channel.Settings, m channel.Message) *channel.Error {
	t.Helper()
	return failureWithin(t.Context(), t, s, k, settings, m)
}

func failureWithin(ctx context.Context, t *testing.T, s *channel.Senders, k channel.Kind, settings channel.Settings, m channel.Message) *channel.Error {
	t.Helper()
	receipt, err := s.Send(ctx, k, settings, m)
	if err == nil {
		t.Fatalf("%s was taken: %+v", k, receipt)
	}
	e, ok := err.(*channel.Error) //nolint:errorlint // the promise is the type itself
	if !ok {
		t.Fatalf("%s: the error is %T", k, err)
	}
	if receipt != (channel.Receipt{}) {
		t.Errorf("%s: a receipt beside an error: %+v", k, receipt)
	}
	if len([]rune(e.Said)) > 300 {
		t.Errorf("%s: %d characters said", k, len([]rune(e.Said)))
	}
	keepsSecrets(t, k, settings, err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", *e), fmt.Sprintf("%+v", *e))
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		keepsSecrets(t, k, settings, inner.Error(), fmt.Sprintf("%+v", inner), fmt.Sprintf("%#v", inner))
	}
	return e
}

func keepsSecrets(t *testing.T, k channel.Kind, settings channel.Settings, texts ...string) {
	t.Helper()
	for _, field := range channel.Fields(k) {
		if secret := settings[field.Name]; field.Secret && secret != "" {
			for _, text := range texts {
				if strings.Contains(text, secret) || strings.Contains(text, strings.TrimPrefix(secret, "whsec_")) {
					t.Errorf("%s: %s is told: %s", k, field.Name, text)
				}
			}
		}
	}
}

// replying is settings and an address of a kind whose service always answers so.
func replying(t *testing.T, k channel.Kind, handler http.HandlerFunc) (channel.Settings, string) {
	t.Helper()
	played := channeltest.Start()
	settings, address := played.Settings(k), played.Address(k)
	played.Close()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	if k == channel.Webhook {
		return settings, server.URL + "/hook?key=abc"
	}
	settings["base_url"] = server.URL
	return settings, address
}

func answers(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}
