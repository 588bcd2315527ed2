package channeltest

import (
	"context"
	"net"

	"github.com/evergrant/evergrant/hub/internal/channel"
)

var background = context.Background()

// What the services accept. They are not secrets of a real service.
const (
	accountSID = "AC00000000000000000000000000000001"
	authToken  = "twilio-auth-token-0123456789"
	accessKey  = "messagebird-access-key-0123"
	uniKey     = "unisender-api-key-0123456789"
	mandrill   = "mandrill-key-0123456789"
	botToken   = "123456789:telegram-bot-token-0123456789"
	mailUser   = "hub@example.com"
	mailPass   = "mail-password-0123456789"
	hookSecret = "whsec_ZXZlcmdyYW50LWNoYW5uZWxzLXdlYmhvb2stc2VjcmV0"
	sender     = "Evergrant"
	phone      = "+15005550006"
)

// Settings returns settings of a kind that reach the service played here, with
// credentials that it accepts. The map is the caller's to change.
func (s *Server) Settings(k channel.Kind) channel.Settings {
	out := channel.Settings{"base_url": s.address}
	switch k {
	case channel.Twilio:
		out["account_sid"], out["auth_token"], out["from"] = accountSID, authToken, phone
	case channel.MessageBird:
		out["access_key"], out["originator"] = accessKey, sender
	case channel.UniSenderSMS:
		out["api_key"], out["sender"] = uniKey, sender
	case channel.UniSenderEmail:
		out["api_key"], out["sender_name"], out["sender_email"], out["list_id"] = uniKey, sender, mailUser, "7"
	case channel.Mandrill:
		out["key"], out["from_email"], out["from_name"] = mandrill, mailUser, sender
	case channel.Telegram:
		out["token"] = botToken
	case channel.Webhook:
		return channel.Settings{"secret": hookSecret}
	case channel.SMTP:
		host, port, _ := net.SplitHostPort(s.mail.Addr().String())
		return channel.Settings{
			"host": host, "port": port, "encryption": "none", "auth": "plain",
			"user": mailUser, "password": mailPass, "from": sender + " <" + mailUser + ">",
		}
	}
	return out
}

// Address returns an address of a kind that takes messages here. All that have the
// right form do; for a webhook it has to be this one.
func (s *Server) Address(k channel.Kind) string {
	switch k.Form() {
	case channel.Rich:
		return "anna@example.org"
	case channel.Chat:
		return "-4012345678"
	case channel.Data:
		return s.address + hookPath
	default:
		return "+79123456789"
	}
}
