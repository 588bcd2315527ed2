package channel

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"net/mail"
	"regexp"
	"strconv"
	"strings"

	gomail "github.com/wneessen/go-mail"
)

// smtp hands an e-mail to a mail server.
func (c *call) smtp(ctx context.Context) (Receipt, *Error) {
	message, err := c.mail()
	if err != nil {
		return Receipt{}, &Error{Permanent: true, Reason: Refused, Code: ProblemInvalid, Said: err.Error(), Err: err}
	}
	line := &mailLine{call: c}
	defer line.hangUp()
	client, err := gomail.NewClient(c.get("host"), append(c.mailOptions(), gomail.WithDialContextFunc(line.dial))...)
	if err != nil {
		return Receipt{}, &Error{Permanent: true, Reason: Refused, Code: ProblemInvalid, Said: err.Error(), Err: err}
	}
	// go-mail heeds the context while it dials only.
	stop := context.AfterFunc(ctx, line.hangUp)
	defer stop()
	err = client.DialAndSendWithContext(ctx, message)
	// What goes wrong after the server took the message is no failure.
	if message.IsDelivered() {
		return Receipt{Reference: message.GetMessageID(), Said: message.ServerResponse()}, nil
	}
	return Receipt{}, c.mailError(ctx, err)
}

// mail writes the e-mail: text and the same as HTML. go-mail encodes the headers,
// and what goes into them is one line already.
func (c *call) mail() (*gomail.Msg, error) {
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	from, err := mail.ParseAddress(c.get("from"))
	if err != nil {
		return nil, err
	}
	m.FromMailAddress(from)
	m.ToMailAddress(&mail.Address{Address: c.m.To})
	m.Subject(c.m.Subject)
	m.SetDateWithValue(c.now())
	if c.m.ID != "" {
		m.SetMessageIDWithValue(messageID(c.m.ID, from.Address))
	}
	m.SetUserAgent(c.userAgent)
	// So that no holiday note comes back (RFC 3834).
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	if language.MatchString(c.m.Lang) {
		m.SetGenHeader("Content-Language", c.m.Lang)
	}
	m.SetBodyString(gomail.TypeTextPlain, c.m.Text)
	m.AddAlternativeString(gomail.TypeTextHTML, c.m.HTML)
	return m, nil
}

var (
	plainID  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)
	language = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
)

// messageID makes the Message-ID, the same for each repeat, so that servers and
// readers' programs that look for repeats find them.
func messageID(id, from string) string {
	if !plainID.MatchString(id) {
		sum := sha256.Sum256([]byte(id))
		id = hex.EncodeToString(sum[:16])
	}
	return id + "@" + from[strings.LastIndex(from, "@")+1:]
}

// mailOptions say how to meet the server.
func (c *call) mailOptions() []gomail.Option {
	encryption := c.get("encryption")
	out := []gomail.Option{gomail.WithPort(c.mailPort()), gomail.WithTimeout(sendTimeout), gomail.WithTLSConfig(c.mailTLS())}
	switch encryption {
	case directTLS:
		out = append(out, gomail.WithSSL())
	case noTLS:
		out = append(out, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		// Without STARTTLS, which an attacker may have removed from the offer, neither
		// password nor message is sent.
		out = append(out, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if user := c.get("user"); user != "" {
		out = append(out, mailAuth(c.get("auth"), encryption), gomail.WithUsername(user), gomail.WithPassword(c.get("password")))
	}
	return out
}

func (c *call) mailTLS() *tls.Config {
	return &tls.Config{ServerName: c.get("host"), RootCAs: c.roots, MinVersion: tls.VersionTLS12}
}

func (c *call) mailPort() int {
	if port, err := strconv.Atoi(c.get("port")); err == nil {
		return port
	}
	if c.get("encryption") == directTLS {
		return gomail.DefaultPortSSL
	}
	return gomail.DefaultPortTLS
}

// mailAuths are the ways of signing in that can be chosen.
var mailAuths = []struct {
	name string
	// how is the way, bare the same where nothing is encrypted.
	how, bare gomail.SMTPAuthType
}{
	{"plain", gomail.SMTPAuthPlain, gomail.SMTPAuthPlainNoEnc},
	{"login", gomail.SMTPAuthLogin, gomail.SMTPAuthLoginNoEnc},
	{"cram-md5", gomail.SMTPAuthCramMD5, gomail.SMTPAuthCramMD5},
	{"scram-sha-1", gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthSCRAMSHA1},
	{"scram-sha-256", gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA256},
}

func authNames() []string {
	out := []string{authAuto}
	for _, a := range mailAuths {
		out = append(out, a.name)
	}
	return out
}

// mailAuth picks how to sign in. Without encryption a password is sent as it is
// only if both were chosen by name.
func mailAuth(auth, encryption string) gomail.Option {
	for _, a := range mailAuths {
		switch {
		case a.name == auth && encryption == noTLS:
			return gomail.WithSMTPAuth(a.bare)
		case a.name == auth:
			return gomail.WithSMTPAuth(a.how)
		}
	}
	if encryption == noTLS {
		return gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover)
	}
	return gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1,
		gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5)
}
