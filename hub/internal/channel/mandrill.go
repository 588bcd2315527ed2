package channel

import (
	"context"
	"strings"
	"time"
)

// mandrillResult is what became of the message to one receiver. It comes in a list
// with status 200 whether it is good or bad.
type mandrillResult struct {
	ID           loose `json:"_id"`
	Status       loose `json:"status"`
	RejectReason loose `json:"reject_reason"`
	QueuedReason loose `json:"queued_reason"`
}

// mandrillError comes with one or another status that is no success.
type mandrillError struct {
	Status  loose `json:"status"`
	Code    loose `json:"code"`
	Name    loose `json:"name"`
	Message loose `json:"message"`
}

// mandrill sends an e-mail: POST messages/send with the key in the body.
func (c *call) mandrill(ctx context.Context) (Receipt, *Error) {
	message := map[string]any{
		"from_email": c.get("from_email"), "subject": c.m.Subject, "text": c.m.Text, "html": c.m.HTML,
		"to": []map[string]string{{"email": c.m.To, "type": "to"}},
	}
	if name := oneLine(c.get("from_name")); name != "" {
		message["from_name"] = name
	}
	a, e := c.postJSON(ctx, "/api/1.3/messages/send", nil, map[string]any{"key": c.get("key"), "message": message})
	if e != nil {
		return Receipt{}, e
	}
	var failure mandrillError
	if a.read(&failure) && (failure.Status == "error" || failure.Name != "") {
		return Receipt{}, mandrillReason(a.plain(c.now()), failure)
	}
	if !a.ok() {
		return Receipt{}, a.plain(c.now())
	}
	var results []mandrillResult
	if !a.read(&results) || len(results) == 0 {
		return Receipt{}, unreadable(a.status)
	}
	return mandrillTaken(results[0])
}

func mandrillTaken(r mandrillResult) (Receipt, *Error) {
	switch r.Status {
	case "rejected":
		return Receipt{}, mandrillRejected(string(r.RejectReason))
	case "invalid":
		return Receipt{}, &Error{Permanent: true, Reason: BadRecipient, Code: "invalid", Said: "the address is not valid"}
	}
	said := string(r.Status)
	if r.QueuedReason != "" {
		said += ": " + string(r.QueuedReason)
	}
	return Receipt{Reference: string(r.ID), Said: said}, nil
}

// mandrillRejected reads why Mandrill did not even try.
func mandrillRejected(why string) *Error {
	e := &Error{Permanent: true, Reason: Refused, Code: why, Said: "the message was rejected: " + why}
	later := func(reason Reason, after time.Duration) {
		e.Reason, e.Permanent, e.RetryAfter = reason, false, after
	}
	switch why {
	case "hard-bounce", "invalid":
		e.Reason = BadRecipient
	case "soft-bounce":
		// Mandrill drops these in time, for example when a full mailbox is emptied.
		later(BadRecipient, paying)
	case "spam", "unsub", "custom":
		// The receiver complained or unsubscribed, or the address is on the account's own
		// rejection list.
		e.Reason = Blocked
	case "invalid-sender", "unsigned":
		e.Reason = BadSender
	case "test-mode-limit":
		later(RateLimited, paying)
	}
	return e
}

// mandrillReason reads the name of an error, whatever the status: which status
// belongs to which name is not written down. The numbers beside the names are not
// relied on.
func mandrillReason(e *Error, failure mandrillError) *Error {
	e.Code, e.Said, e.Maybe = string(failure.Name), string(failure.Message), false
	switch strings.ToLower(strings.ReplaceAll(string(failure.Name), "_", "")) {
	case "invalidkey":
		e.Reason, e.Permanent, e.RetryAfter = BadCredential, true, 0
	case "paymentrequired":
		e.Reason, e.Permanent, e.RetryAfter = NoMoney, false, paying
	case "validationerror", "unknownsubaccount":
		e.Reason, e.Permanent, e.RetryAfter = Refused, true, 0
	case "generalerror", "serviceunavailable":
		e.Reason, e.Permanent = Away, false
	}
	return e
}
