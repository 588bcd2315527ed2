package channel

// Field is a setting of a channel in a form. Its label and explanation are the page's, by
// kind and name.
type Field struct {
	Name string
	// Secret is kept sealed and never shown again.
	Secret, Required bool
	// Advanced may be folded away: it is for proxies, tests and rare accounts.
	Advanced bool
	// Example is shown in the empty field, Default holds when it is left empty.
	Example string
	Default string
	// Choices are all that is accepted; none is anything.
	Choices []string
}

// Fields returns the settings of a kind in the order of a form; none for an
// unknown kind.
func Fields(k Kind) []Field {
	out := make([]Field, 0, len(fields[k]))
	for _, f := range fields[k] {
		out = append(out, f.Field)
	}
	return out
}

// The choices of an SMTP channel.
const (
	startTLS  = "starttls"
	directTLS = "tls"
	noTLS     = "none"

	authAuto = "auto"
)

type field struct {
	Field
	// valid accepts a value; nil accepts any single line.
	valid func(string) bool
}

// fields holds the forms of all kinds.
var fields = map[Kind][]field{
	SMTP: {
		{Field{Name: "host", Required: true, Example: "smtp.example.com"}, isHost},
		{Field{Name: "encryption", Default: startTLS, Choices: []string{startTLS, directTLS, noTLS}}, nil},
		// Empty is 587, and 465 with encryption from the start.
		{Field{Name: "port", Example: "587"}, isPort},
		{Field{Name: "user", Example: "hub@example.com"}, nil},
		{Field{Name: "password", Secret: true}, nil},
		{Field{Name: "from", Required: true, Example: "Evergrant <hub@example.com>"}, isMailbox},
		{Field{Name: "auth", Advanced: true, Default: authAuto, Choices: authNames()}, nil},
	},
	Telegram: {
		{Field{Name: "token", Secret: true, Required: true, Example: "123456789:AA…"}, isBotToken},
		baseURL("https://api.telegram.org"),
	},
	Webhook: {
		{Field{Name: "secret", Secret: true, Required: true, Example: "whsec_…"}, isSigningSecret},
		// Both secrets sign while the receiver changes to the new one.
		{Field{Name: "previous_secret", Secret: true, Advanced: true, Example: "whsec_…"}, isSigningSecret},
	},
	Twilio: {
		{Field{Name: "account_sid", Required: true, Example: "AC…"}, isWord},
		// Without a key the account itself signs in, with its auth token.
		{Field{Name: "api_key", Advanced: true, Example: "SK…"}, isWord},
		{Field{Name: "auth_token", Secret: true, Required: true}, nil},
		// One of the two is needed; the service picks the sender if both are given.
		{Field{Name: "from", Example: "+15005550006"}, isSender(20)},
		{Field{Name: "messaging_service_sid", Example: "MG…"}, isWord},
		baseURL("https://api.twilio.com"),
	},
	MessageBird: {
		{Field{Name: "access_key", Secret: true, Required: true}, nil},
		{Field{Name: "originator", Required: true, Example: "Evergrant"}, isSender(17)},
		baseURL("https://rest.messagebird.com"),
	},
	UniSenderSMS: {
		{Field{Name: "api_key", Secret: true, Required: true}, nil},
		// 3 to 11 Latin letters and digits; older accounts have a telephone number.
		{Field{Name: "sender", Required: true, Example: "Evergrant"}, isSender(16)},
		baseURL("https://api.unisender.com"),
	},
	UniSenderEmail: {
		{Field{Name: "api_key", Secret: true, Required: true}, nil},
		{Field{Name: "sender_name", Required: true, Example: "Evergrant"}, nil},
		{Field{Name: "sender_email", Required: true, Example: "hub@example.com"}, isEmail},
		// The list from which the reader may unsubscribe; the service insists on one.
		{Field{Name: "list_id", Required: true, Example: "123456"}, isDigits},
		baseURL("https://api.unisender.com"),
	},
	Mandrill: {
		{Field{Name: "key", Secret: true, Required: true}, nil},
		{Field{Name: "from_email", Required: true, Example: "hub@example.com"}, isEmail},
		{Field{Name: "from_name", Example: "Evergrant"}, nil},
		baseURL("https://mandrillapp.com"),
	},
}

// baseURL is where a service is, for proxies, tests and services of other regions.
func baseURL(service string) field {
	return field{Field{Name: "base_url", Advanced: true, Default: service, Example: service}, isBase}
}
