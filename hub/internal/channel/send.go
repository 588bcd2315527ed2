package channel

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Options say how messages travel. The zero value is good.
type Options struct {
	// Version of the hub is sent to services in User-Agent.
	Version string
	// Transport carries the requests of all kinds but SMTP. Nil is one with sane
	// time-outs that dials with Dial and uses the environment's proxy. Redirects are
	// never followed: only RoundTrip is called.
	Transport http.RoundTripper
	// Dial makes the connections of SMTP and of the default transport; it is the
	// place to keep messages out of networks, by a *NotAllowedError. Nil is a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Proxied checks the address of a request through the environment's proxy, for which
	// Dial is not called; nil allows all.
	Proxied func(u *url.URL) error
	// RootCAs are the authorities that certificates of mail servers and, in the
	// default transport, of services are checked against. Nil are the system's.
	RootCAs *x509.CertPool
	// Now is the time of signatures and of dates in Retry-After. Nil is time.Now.
	Now func() time.Time
}

// Senders send messages. They are safe for concurrent use.
type Senders struct {
	transport http.RoundTripper
	dial      func(ctx context.Context, network, address string) (net.Conn, error)
	roots     *x509.CertPool
	now       func() time.Time
	userAgent string
}

// sendTimeout is the longest that one message takes, whatever the context allows.
const sendTimeout = 30 * time.Second

// New returns Senders. Close lets go of what they keep.
func New(o Options) *Senders {
	s := &Senders{transport: o.Transport, dial: o.Dial, roots: o.RootCAs, now: o.Now, userAgent: "Evergrant"}
	if o.Version != "" {
		s.userAgent += "/" + o.Version
	}
	if s.now == nil {
		s.now = time.Now
	}
	plain := (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	if s.dial == nil {
		s.dial = plain
	}
	if s.transport == nil {
		s.transport = &transports{direct: s.over(s.dial, nil), proxy: s.over(plain, http.ProxyFromEnvironment), judge: o.Proxied}
	}
	return s
}

func (s *Senders) over(dial func(ctx context.Context, network, address string) (net.Conn, error), proxy func(*http.Request) (*url.URL, error)) *http.Transport {
	return &http.Transport{
		Proxy:               proxy,
		DialContext:         dial,
		TLSClientConfig:     &tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
		// Shorter than servers close idle connections: whether a request that meets the
		// closing was received is unknown.
		IdleConnTimeout:        4 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// transports carry requests directly, or through the environment's proxy, which may itself
// be in a network that messages may not reach.
type transports struct {
	direct, proxy *http.Transport
	judge         func(u *url.URL) error
}

// RoundTrip implements http.RoundTripper.
func (t *transports) RoundTrip(req *http.Request) (*http.Response, error) {
	if through, err := http.ProxyFromEnvironment(req); err != nil || through == nil {
		return t.direct.RoundTrip(req)
	}
	if t.judge != nil {
		if err := t.judge(req.URL); err != nil {
			return nil, err
		}
	}
	return t.proxy.RoundTrip(req)
}

// CloseIdleConnections drops the connections that are kept.
func (t *transports) CloseIdleConnections() {
	t.direct.CloseIdleConnections()
	t.proxy.CloseIdleConnections()
}

// NotAllowedError is Dial's for an address that messages may not go to.
type NotAllowedError struct{ Address string }

// Error implements error.
func (e *NotAllowedError) Error() string {
	return e.Address + " is in a private network, so nothing was sent; the operator can allow it with egress.private_networks"
}

// Close drops idle connections.
func (s *Senders) Close() {
	if t, ok := s.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// Send sends one message, once, within half a minute. The error is always an
// *Error; settings and addresses that Check and CheckAddress refuse are one too,
// and nothing is sent then.
func (s *Senders) Send(ctx context.Context, k Kind, settings Settings, m Message) (Receipt, error) {
	c := &call{Senders: s, kind: k, settings: settings, hide: hider(k, settings)}
	if e := c.precheck(m); e != nil {
		return Receipt{}, e.safe(c.hide)
	}
	c.m = shaped(k, m, s.now())
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	receipt, e := c.send(ctx)
	if e != nil {
		return Receipt{}, e.safe(c.hide)
	}
	receipt.Reference = cut(oneLine(c.hide(receipt.Reference)), subjectLimit)
	receipt.Said = cut(oneLine(c.hide(receipt.Said)), saidLimit)
	return receipt, nil
}

// call is the sending of one message.
type call struct {
	*Senders

	kind     Kind
	settings Settings
	m        Message
	hide     func(string) string
}

func (c *call) send(ctx context.Context) (Receipt, *Error) {
	switch c.kind {
	case Twilio:
		return c.twilio(ctx)
	case MessageBird:
		return c.messageBird(ctx)
	case UniSenderSMS, UniSenderEmail:
		return c.uniSender(ctx)
	case Mandrill:
		return c.mandrill(ctx)
	case Telegram:
		return c.telegram(ctx)
	case Webhook:
		return c.webhook(ctx)
	default:
		return c.smtp(ctx)
	}
}

// get returns a setting or its default.
func (c *call) get(name string) string { return c.settings.of(c.kind, name) }

// precheck finds errors that need no request.
func (c *call) precheck(m Message) *Error {
	if !c.kind.Known() {
		return &Error{Permanent: true, Reason: Refused, Code: "kind", Said: errKind.Error(), Err: errKind}
	}
	if problems := Check(c.kind, c.settings); len(problems) > 0 {
		p := problems[0]
		return &Error{Permanent: true, Reason: settingReason(c.kind, p.Field), Code: p.Code, Said: "the setting " + p.Field + " is " + p.Code}
	}
	if err := CheckAddress(c.kind, m.To); err != nil {
		return &Error{Permanent: true, Reason: BadRecipient, Code: ProblemInvalid, Said: err.Error(), Err: err}
	}
	if c.kind != Webhook && lines(m.Text) == "" && oneLine(m.Subject) == "" {
		return &Error{Permanent: true, Reason: Refused, Code: ProblemMissing, Said: "the message has no text"}
	}
	return nil
}

// settingReason is the reason of a setting that is missing or wrong.
func settingReason(k Kind, name string) Reason {
	switch name {
	case "from", "originator", "sender", "sender_email", "sender_name", "from_email", "messaging_service_sid":
		return BadSender
	case "user", "account_sid":
		return BadCredential
	}
	for _, f := range fields[k] {
		if f.Name == name && f.Secret {
			return BadCredential
		}
	}
	return Refused
}

// errUnreadable is an answer that is not the service's.
var errUnreadable = errors.New("the answer could not be read")

// asJSON marshals what is made of strings and checked JSON, which cannot fail.
func asJSON(v any) []byte {
	out, _ := json.Marshal(v)
	return out
}
