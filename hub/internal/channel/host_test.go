package channel_test

import (
	"slices"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/channel"
)

func TestASecretStaysOnlyWhereTheHostDoes(t *testing.T) {
	telegram := channel.Settings{"token": "1:a"}
	smtp := channel.Settings{"host": "smtp.example", "user": "hub", "password": "p", "encryption": "starttls"}
	with := func(s channel.Settings, pairs ...string) channel.Settings {
		c := channel.Settings{}
		for name, value := range s {
			if name != "token" && name != "password" {
				c[name] = value
			}
		}
		for i := 0; i < len(pairs); i += 2 {
			c[pairs[i]] = pairs[i+1]
		}
		return c
	}
	for _, c := range []struct {
		what            string
		kind            channel.Kind
		stored, entered channel.Settings
		kept            []string
		to              string
	}{
		{"nothing changed", channel.Telegram, telegram, with(telegram), nil, "api.telegram.org"},
		{"the default written out", channel.Telegram, telegram, with(telegram, "base_url", "https://API.telegram.org/"), nil, "api.telegram.org"},
		{"another base", channel.Telegram, telegram, with(telegram, "base_url", "https://gate.example"), []string{"token"}, "gate.example"},
		{"without TLS", channel.Telegram, telegram, with(telegram, "base_url", "http://api.telegram.org"), []string{"token"}, "http://api.telegram.org"},
		{"with the secret", channel.Telegram, telegram, with(telegram, "base_url", "https://gate.example", "token", "1:a"), nil, "gate.example"},
		{"another mail server", channel.SMTP, smtp, with(smtp, "host", "mail.example"), []string{"password"}, "mail.example:587"},
		{"another port", channel.SMTP, smtp, with(smtp, "port", "25"), []string{"password"}, "smtp.example:25"},
		{"no encryption", channel.SMTP, smtp, with(smtp, "encryption", "none"), []string{"password"}, "smtp://smtp.example:587"},
		{"the usual port written out", channel.SMTP, smtp, with(smtp, "port", "587"), nil, "smtp.example:587"},
		{"a webhook", channel.Webhook, channel.Settings{"secret": "whsec_a"}, channel.Settings{}, nil, ""},
	} {
		kept, _, to := channel.KeptElsewhere(c.kind, c.stored, c.entered)
		if !slices.Equal(kept, c.kept) || to != c.to {
			t.Errorf("%s: %q would be sent to %q; want %q to %q", c.what, kept, to, c.kept, c.to)
		}
	}
}
