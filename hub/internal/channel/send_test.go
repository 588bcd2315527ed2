package channel_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/channel/channeltest"
)

func TestEachKindSendsAMessage(t *testing.T) {
	server, s := start(t)
	for _, k := range channel.Kinds {
		t.Run(string(k), func(t *testing.T) {
			server.Reset()
			settings := server.Settings(k)
			m := message(server.Address(k))
			receipt, err := s.Send(t.Context(), k, settings, m)
			if err != nil {
				t.Fatal(err)
			}
			keepsSecrets(t, k, settings, receipt.Reference, receipt.Said)
			got := server.Messages()
			if len(got) != 1 || got[0].Kind != k || server.Attempts(k) != 1 {
				t.Fatalf("received %+v", got)
			}
			r := got[0]
			if k != channel.Telegram { // whose addresses hold the token
				keepsSecrets(t, k, settings, r.Path)
			}
			if strings.TrimPrefix(r.To, "+") != strings.TrimPrefix(m.To, "+") {
				t.Errorf("went to %q", r.To)
			}
			if (receipt.Reference == "") != (k == channel.Webhook) {
				t.Errorf("reference %q", receipt.Reference)
			}
			if k != channel.Webhook && k != channel.UniSenderEmail && r.Text != m.Text {
				t.Errorf("text %q", r.Text)
			}
			if k.Form() == channel.Rich && (r.Subject != m.Subject || r.HTML != m.HTML) {
				t.Errorf("subject %q, html %q", r.Subject, r.HTML)
			}
			if k == channel.Webhook && (r.Type != m.Type || string(r.Data) != `{"incident":7}` || r.Key != m.ID) {
				t.Errorf("webhook %+v", r)
			}
			if k != channel.SMTP && r.Header.Get("User-Agent") != "Evergrant/1.2.3" {
				t.Errorf("sent by %q", r.Header.Get("User-Agent"))
			}
		})
	}
}

// verdict is what a failure is expected to be.
type verdict struct {
	permanent bool
	reason    channel.Reason
	after     time.Duration
	maybe     bool
}

func of(e *channel.Error) verdict { return verdict{e.Permanent, e.Reason, e.RetryAfter, e.Maybe} }

func TestEachFailureIsUnderstood(t *testing.T) {
	const asked = channeltest.RetrySeconds * time.Second
	final := func(r channel.Reason) verdict { return verdict{permanent: true, reason: r} }
	away, noMoney := verdict{reason: channel.Away}, verdict{reason: channel.NoMoney, after: 30 * time.Minute}
	limited := verdict{reason: channel.RateLimited, after: asked}
	// What is the same for all that speak HTTP.
	everywhere := map[channeltest.Mode]verdict{
		channeltest.BadCredential: final(channel.BadCredential), channeltest.NoMoney: noMoney, channeltest.BadRecipient: final(channel.BadRecipient),
		channeltest.BadSender: final(channel.BadSender), channeltest.RateLimited: limited, channeltest.Refused: final(channel.Refused),
		channeltest.Busy: away, channeltest.Down: away, channeltest.Redirect: final(channel.Refused), channeltest.Echo: final(channel.Refused),
		channeltest.Page: {reason: channel.Away, maybe: true}, channeltest.Broken: {reason: channel.Away, maybe: true},
		channeltest.Huge: {reason: channel.Away, maybe: true}, channeltest.Cut: {reason: channel.Away, maybe: true},
	}
	refused := verdict{reason: channel.Refused}
	special := map[channel.Kind]map[channeltest.Mode]verdict{
		channel.Twilio:      {channeltest.Blocked: final(channel.Blocked), channeltest.Created: final(channel.BadRecipient)},
		channel.MessageBird: {},
		channel.UniSenderSMS: {
			channeltest.RateLimited: {reason: channel.RateLimited, after: time.Minute}, channeltest.Created: {reason: channel.Refused, after: time.Minute},
		},
		channel.UniSenderEmail: {channeltest.RateLimited: {reason: channel.RateLimited, after: time.Minute}},
		channel.Mandrill:       {channeltest.Blocked: final(channel.Blocked), channeltest.Created: final(channel.BadRecipient)},
		channel.Telegram: {
			channeltest.Blocked: final(channel.Blocked), channeltest.NoMoney: final(channel.Refused), channeltest.BadSender: final(channel.Refused),
			channeltest.Busy: {reason: channel.Away, maybe: true},
		},
		channel.Webhook: {
			channeltest.BadCredential: refused, channeltest.BadRecipient: refused, channeltest.BadSender: refused, channeltest.Refused: refused,
			channeltest.Echo: refused, channeltest.NoMoney: refused, channeltest.Redirect: refused, channeltest.Gone: final(channel.Gone),
			channeltest.Busy: {reason: channel.Away, after: asked},
		},
		channel.SMTP: {
			channeltest.Blocked: final(channel.Refused), channeltest.NoMoney: away, channeltest.RateLimited: {reason: channel.RateLimited},
			channeltest.Page: away, channeltest.Broken: away, channeltest.Huge: away, channeltest.Redirect: away,
			channeltest.Echo: final(channel.BadCredential),
		},
	}
	server, s := start(t)
	for _, k := range channel.Kinds {
		for _, mode := range channeltest.Modes {
			want, ok := special[k][mode]
			if !ok {
				want, ok = everywhere[mode]
			}
			// A receiver that answers anything with 2xx has taken a webhook.
			anything := k == channel.Webhook && slices.Contains([]channeltest.Mode{channeltest.Page, channeltest.Broken, channeltest.Huge}, mode)
			if !ok || anything {
				continue
			}
			t.Run(string(k)+"/"+string(mode), func(t *testing.T) {
				server.Reset()
				server.Fail(k, mode, 1)
				m := message(server.Address(k))
				e := failure(t, s, k, server.Settings(k), m)
				if of(e) != want || e.Disable != (mode == channeltest.Gone) {
					t.Errorf("%+v, want %+v: %v", of(e), want, e)
				}
				if e.Error() == "" || len(server.Messages()) != 0 {
					t.Errorf("%q, received %v", e.Error(), server.Messages())
				}
				if _, err := s.Send(t.Context(), k, server.Settings(k), m); err != nil {
					t.Errorf("afterwards: %v", err)
				}
			})
		}
	}
}

func TestAWrongCredentialIsNoticedByTheService(t *testing.T) {
	server, s := start(t)
	for _, k := range channel.Kinds {
		settings := server.Settings(k)
		want := verdict{permanent: true, reason: channel.BadCredential}
		for name, wrong := range map[string]string{
			"auth_token": "another", "access_key": "another", "api_key": "another", "key": "another", "token": "1:another", "password": "another",
			"secret": channel.NewSecret(),
		} {
			if _, ok := settings[name]; ok {
				settings[name] = wrong
			}
		}
		if k == channel.Webhook {
			want = verdict{reason: channel.Refused}
		}
		if e := failure(t, s, k, settings, message(server.Address(k))); of(e) != want {
			t.Errorf("%s: %+v: %v", k, of(e), e)
		}
	}
}

func TestNothingIsSentToWhatCannotBeReached(t *testing.T) {
	server, s := start(t)
	for _, k := range channel.Kinds {
		m := message("nobody\r\nBcc: all@example.com")
		if e := failure(t, s, k, server.Settings(k), m); of(e) != (verdict{permanent: true, reason: channel.BadRecipient}) {
			t.Errorf("%s: %v", k, e)
		}
		m = message(server.Address(k))
		if e := failure(t, s, k, channel.Settings{}, m); !e.Permanent || e.Code != channel.ProblemMissing {
			t.Errorf("%s without settings: %v", k, e)
		}
		if k != channel.Webhook {
			m.Text, m.Subject = " \n", "\x00"
			if e := failure(t, s, k, server.Settings(k), m); of(e) != (verdict{permanent: true, reason: channel.Refused}) {
				t.Errorf("%s without text: %v", k, e)
			}
		}
		if server.Attempts(k) != 0 {
			t.Errorf("%s was asked", k)
		}
	}
	if e := failure(t, s, "pigeon", nil, message("+79123456789")); !e.Permanent || e.Reason != channel.Refused {
		t.Errorf("a pigeon: %v", e)
	}
}

func TestLongTextsAreCut(t *testing.T) {
	server, s := start(t)
	for _, k := range channel.Kinds {
		limit := map[channel.Form]int{channel.Short: 1000, channel.Chat: 4096}[k.Form()]
		if limit == 0 {
			continue
		}
		for _, text := range []string{strings.Repeat("я", limit), strings.Repeat("я", limit+1), strings.Repeat("😀", limit)} {
			server.Reset()
			m := message(server.Address(k))
			m.Text = text
			if _, err := s.Send(t.Context(), k, server.Settings(k), m); err != nil {
				t.Fatal(err)
			}
			got := server.Messages()[0].Text
			if got == text {
				continue
			}
			if n := len([]rune(got)); !strings.HasSuffix(got, "…") || n > limit || text[:6] != got[:6] || n == limit && text == strings.Repeat("я", limit) {
				t.Errorf("%s: %d characters, %.12s", k, n, got)
			}
		}
	}
}
