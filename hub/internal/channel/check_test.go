package channel_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/channel/channeltest"
)

func TestAddresses(t *testing.T) {
	for kind, addresses := range map[channel.Kind]map[string]bool{
		channel.Twilio: {
			"+79123456789": true, "+15005550006": true, "79123456789": false, "+0123456789": false, "+7 912 345": false, "+791234567891234567": false,
			"": false, "+79123456789,+15005550006": false, "+7912345678\n": false,
		},
		channel.SMTP: {
			"anna@example.com": true, "root@localhost": true, "Anna <anna@example.com>": false, "a@b,c@d": false, "anna": false, "": false,
			"a b@example.com": false, `"a"@example.com`: false, "anna@example.com\r\nBcc: x@y": false, "a@" + strings.Repeat("x", 300): false,
		},
		channel.Telegram: {
			"123456789": true, "-4012345678": true, "-1004012345678": true, "@evergrant_news": true, "evergrant": false, "@1a": false, "0": false,
			"12a": false, "": false, "--1": false,
		},
		channel.Webhook: {
			"https://example.com/hook?x=1": true, "http://localhost:8080": true, "ftp://example.com": false, "https://": false, "/hook": false,
			"https://user:secret@example.com": false, "https://example.com/#part": false, "https://example.com/a b": false, "": false,
		},
		"pigeon": {"+79123456789": false},
	} {
		for address, ok := range addresses {
			if err := channel.CheckAddress(kind, address); (err == nil) != ok {
				t.Errorf("%s: %q: %v", kind, address, err)
			}
		}
	}
}

func TestWhatIsWrongWithSettingsIsNamed(t *testing.T) {
	server, _ := start(t)
	for _, k := range channel.Kinds {
		if problems := channel.Check(k, server.Settings(k)); len(problems) != 0 {
			t.Errorf("%s: %v", k, problems)
		}
		for _, field := range channel.Fields(k) {
			if field.Required && !slices.Contains(channel.Check(k, channel.Settings{field.Name: " "}), channel.Problem{Field: field.Name, Code: channel.ProblemMissing}) {
				t.Errorf("%s: %s may be missing", k, field.Name)
			}
			if field.Default != "" && field.Choices != nil && !slices.Contains(field.Choices, field.Default) {
				t.Errorf("%s: %s has a default that cannot be chosen", k, field.Name)
			}
			if field.Secret && field.Default != "" {
				t.Errorf("%s: %s is no secret", k, field.Name)
			}
		}
	}
	for _, test := range []struct {
		kind              channel.Kind
		name, value, want string
	}{
		{channel.Twilio, "from", "", channel.ProblemMissing},
		{channel.Twilio, "account_sid", "../x", channel.ProblemInvalid},
		{channel.Twilio, "base_url", "ftp://x", channel.ProblemInvalid},
		{channel.Twilio, "base_url", "https://x?y", channel.ProblemInvalid},
		{channel.Telegram, "token", "123/../x:a", channel.ProblemInvalid},
		{channel.Webhook, "secret", "whsec_c2hvcnQ=", channel.ProblemInvalid},
		{channel.Webhook, "previous_secret", "x", channel.ProblemInvalid},
		{channel.SMTP, "port", "70000", channel.ProblemInvalid},
		{channel.SMTP, "encryption", "ssl", channel.ProblemInvalid},
		{channel.SMTP, "auth", "xoauth2", channel.ProblemInvalid},
		{channel.SMTP, "from", "Evergrant", channel.ProblemInvalid},
		{channel.SMTP, "host", "unix:///tmp/x", channel.ProblemInvalid},
		{channel.SMTP, "password", "", channel.ProblemMissing},
		{channel.SMTP, "user", "", channel.ProblemMissing},
		{channel.UniSenderEmail, "list_id", "seven", channel.ProblemInvalid},
		{channel.Mandrill, "from_email", "Hub <hub@example.com>", channel.ProblemInvalid},
	} {
		settings := server.Settings(test.kind)
		settings[test.name] = test.value
		if got := channel.Check(test.kind, settings); !slices.Equal(got, []channel.Problem{{Field: test.name, Code: test.want}}) {
			t.Errorf("%s: %s %q: %v", test.kind, test.name, test.value, got)
		}
	}
	if channel.Fields("pigeon") != nil && len(channel.Fields("pigeon")) != 0 {
		t.Error("a pigeon has settings")
	}
}

func TestSettingsPrintNoValues(t *testing.T) {
	server := channeltest.Start()
	defer server.Close()
	for _, k := range channel.Kinds {
		settings := server.Settings(k)
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("settings", "settings", settings, "in", struct{ Port int }{1})
		inside := struct{ S channel.Settings }{settings}
		texts := []string{log.String(), settings.String(), settings.GoString()}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			texts = append(texts, fmt.Sprintf(verb, settings), fmt.Sprintf(verb, inside), fmt.Sprintf(verb, &inside))
		}
		keepsSecrets(t, k, settings, texts...)
		if !strings.Contains(settings.String(), channel.Fields(k)[0].Name) {
			t.Errorf("%s: %s", k, settings)
		}
	}
}
