package channel

import (
	"net"
	"strconv"
	"strings"

	gomail "github.com/wneessen/go-mail"
)

// HostOf is where the credentials of a channel are sent, by name: "api.example",
// "http://gateway.lan" or "smtp.example:587"; "smtp://" stands before a mail server that is
// met without encryption. It is empty for a kind that sends none: a webhook's secret
// signs, and stays here.
func HostOf(k Kind, settings Settings) string {
	switch k {
	case Webhook:
		return ""
	case SMTP:
		return mailHost(settings)
	}
	u, err := webAddress(settings.of(k, "base_url"))
	if err != nil {
		return ""
	}
	host := strings.ToLower(u.Host)
	if u.Scheme == "http" {
		return "http://" + host
	}
	return host
}

func mailHost(settings Settings) string {
	encryption, port := settings.of(SMTP, "encryption"), settings.of(SMTP, "port")
	if port == "" {
		port = strconv.Itoa(gomail.DefaultPortTLS)
		if encryption == directTLS {
			port = strconv.Itoa(gomail.DefaultPortSSL)
		}
	}
	host := net.JoinHostPort(strings.ToLower(settings.of(SMTP, "host")), port)
	if encryption == noTLS {
		return "smtp://" + host
	}
	return host
}

// KeptElsewhere are the fields of secrets that would stay as they are stored and be sent
// to another host than the one that they were entered for. entered are the settings as
// they came, with what was left empty left empty.
func KeptElsewhere(k Kind, stored, entered Settings) (kept []string, from, to string) {
	from, to = HostOf(k, stored), HostOf(k, entered)
	if from == to {
		return nil, from, to
	}
	for _, f := range fields[k] {
		if f.Secret && strings.TrimSpace(stored[f.Name]) != "" && strings.TrimSpace(entered[f.Name]) == "" {
			kept = append(kept, f.Name)
		}
	}
	return kept, from, to
}
