package channel_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
)

// The example of the standard's own libraries.
const (
	exampleSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	exampleID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	exampleBody      = `{"test": 2432232314}`
	exampleSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

var exampleTime = time.Unix(1614265330, 0)

func exampleHeader() http.Header {
	return http.Header{"Webhook-Id": {exampleID}, "Webhook-Timestamp": {"1614265330"}, "Webhook-Signature": {exampleSignature}}
}

func TestSignaturesAreThoseOfTheStandard(t *testing.T) {
	for name, test := range map[string]struct {
		change func(h http.Header)
		secret string
		later  time.Duration
		want   error
	}{
		"as it was signed":         {},
		"4 minutes later":          {later: 4 * time.Minute},
		"6 minutes later":          {later: 6 * time.Minute, want: channel.ErrTimestamp},
		"6 minutes before":         {later: -6 * time.Minute, want: channel.ErrTimestamp},
		"without whsec_":           {secret: strings.TrimPrefix(exampleSecret, "whsec_")},
		"another secret":           {secret: channel.NewSecret(), want: channel.ErrSignature},
		"no secret":                {secret: "whsec_", want: channel.ErrSigningSecret},
		"another id":               {change: func(h http.Header) { h.Set("Webhook-Id", "msg_2") }, want: channel.ErrSignature},
		"no id":                    {change: func(h http.Header) { h.Del("Webhook-Id") }, want: channel.ErrNoSignature},
		"not a time":               {change: func(h http.Header) { h.Set("Webhook-Timestamp", "now") }, want: channel.ErrTimestamp},
		"a second one fits":        {change: func(h http.Header) { h.Set("Webhook-Signature", "v1a,AAAA v1,AAAA "+exampleSignature) }},
		"only of another scheme":   {change: func(h http.Header) { h.Set("Webhook-Signature", "v1a"+exampleSignature[2:]) }, want: channel.ErrSignature},
		"shorter than it has been": {change: func(h http.Header) { h.Set("Webhook-Signature", exampleSignature[:20]) }, want: channel.ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			header, secret := exampleHeader(), exampleSecret
			if test.change != nil {
				test.change(header)
			}
			if test.secret != "" {
				secret = test.secret
			}
			if err := channel.Verify(secret, header, []byte(exampleBody), exampleTime.Add(test.later)); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
	if err := channel.Verify(exampleSecret, exampleHeader(), []byte(exampleBody+" "), exampleTime); !errors.Is(err, channel.ErrSignature) {
		t.Errorf("another body: %v", err)
	}
}

func TestBothSecretsSignWhileTheyChange(t *testing.T) {
	var header http.Header
	var body []byte
	settings, to := replying(t, channel.Webhook, func(_ http.ResponseWriter, r *http.Request) {
		header = r.Header
		body, _ = io.ReadAll(r.Body)
	})
	s := channel.New(channel.Options{Now: func() time.Time { return at }})
	defer s.Close()
	settings["previous_secret"] = exampleSecret
	m := message(to)
	m.At = at.Add(-time.Hour)
	if _, err := s.Send(t.Context(), channel.Webhook, settings, m); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{settings["secret"], exampleSecret} {
		if err := channel.Verify(secret, header, body, at); err != nil {
			t.Error(err)
		}
	}
	if want := `{"type":"escalation.opened","timestamp":"2026-05-04T09:00:00Z","data":{"incident":7}}`; string(body) != want {
		t.Errorf("body %s", body)
	}
}
