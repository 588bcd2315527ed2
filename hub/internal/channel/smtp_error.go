package channel

import (
	"context"
	"errors"
	"net/textproto"
	"strconv"
	"strings"

	gomail "github.com/wneessen/go-mail"
)

// mailError is why the server did not accept an e-mail: its reply about the sender, the
// receiver, the text or the login; otherwise the connection or its encryption failed.
func (c *call) mailError(ctx context.Context, err error) *Error {
	if failed, ok := errors.AsType[*gomail.SendError](err); ok {
		if failed.ErrorCode() != 0 {
			return replied(failed)
		}
		// After the last line of the text the server may have taken it.
		e := c.lost(ctx, errors.New("the connection failed"), failed.Reason == gomail.ErrSMTPDataClose)
		return e
	}
	if said, ok := errors.AsType[*textproto.Error](err); ok {
		return signedOut(said)
	}
	for _, unsupported := range []error{
		gomail.ErrPlainAuthNotSupported, gomail.ErrLoginAuthNotSupported, gomail.ErrCramMD5AuthNotSupported,
		gomail.ErrSCRAMSHA1AuthNotSupported, gomail.ErrSCRAMSHA256AuthNotSupported, gomail.ErrNoSupportedAuthDiscovered,
	} {
		if errors.Is(err, unsupported) {
			return &Error{Permanent: true, Reason: BadCredential, Code: "auth", Said: unsupported.Error(), Err: unsupported}
		}
	}
	switch text := err.Error(); {
	case strings.Contains(text, "does not support SMTP AUTH"):
		return &Error{Permanent: true, Reason: BadCredential, Code: "auth", Said: "the mail server lets nobody sign in"}
	case strings.Contains(text, "does not support STARTTLS"):
		// It is temporary, as failing certificates are: the server is repaired, or the
		// offer restored.
		return &Error{Reason: Away, Code: "starttls", Said: "the mail server offers no encryption, so nothing was sent"}
	}
	return c.lost(ctx, err, false)
}

// signedOut is a reply to the greeting, to STARTTLS or to signing in. RFC 4954
// has a number of its own for each refusal of the last.
func signedOut(said *textproto.Error) *Error {
	e := &Error{Reason: Refused, Permanent: said.Code >= 500, Code: strconv.Itoa(said.Code), Said: said.Msg}
	switch {
	case said.Code == 530, said.Code == 534, said.Code == 535, said.Code == 538:
		e.Reason = BadCredential
	case said.Code < 500:
		e.Reason = Away
	}
	return e
}

// replied is a reply to the sender, the receiver or the text: 4xx is temporary, 5xx is
// not (RFC 5321, section 4.2.1). The enhanced code, if any, shows whether it is about the
// address (x.1, x.2) or about policy (x.7) (RFC 3463).
func replied(failed *gomail.SendError) *Error {
	code, enhanced := strconv.Itoa(failed.ErrorCode()), failed.EnhancedStatusCode()
	e := &Error{Reason: Refused, Permanent: failed.ErrorCode() >= 500, Code: code, Said: serverWords(failed, code)}
	policy := strings.HasPrefix(strings.TrimLeft(enhanced, "245"), ".7.")
	switch {
	case failed.ErrorCode() == 530:
		e.Reason = BadCredential
	case !e.Permanent && policy:
		e.Reason = RateLimited
	case !e.Permanent:
		e.Reason = Away
	case failed.Reason == gomail.ErrSMTPMailFrom:
		e.Reason = BadSender
	case failed.Reason == gomail.ErrSMTPRcptTo && !policy:
		e.Reason = BadRecipient
	}
	return e
}

// serverWords cuts the server's words out of go-mail's, which repeat the address.
func serverWords(failed *gomail.SendError, code string) string {
	_, text, _ := strings.Cut(failed.Error(), code+" ")
	for _, after := range []string{", affected recipient(s): ", ", affected message ID: "} {
		text, _, _ = strings.Cut(text, after)
	}
	return text
}
