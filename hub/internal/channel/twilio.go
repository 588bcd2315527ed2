package channel

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

// twilioAnswer is a message or an error; newer APIs put httpStatusCode where
// status is, and neither is needed beside the status itself.
type twilioAnswer struct {
	SID       string `json:"sid"`
	Status    loose  `json:"status"`
	ErrorCode loose  `json:"error_code"`
	Code      loose  `json:"code"`
	Message   loose  `json:"message"`
}

// twilio creates a message: POST …/Accounts/{sid}/Messages.json, a form, signed in
// with the account's own token or with a key of the account.
func (c *call) twilio(ctx context.Context) (Receipt, *Error) {
	form := url.Values{"To": {c.m.To}, "Body": {c.m.Text}}
	if service := c.get("messaging_service_sid"); service != "" {
		form.Set("MessagingServiceSid", service)
	} else {
		form.Set("From", c.get("from"))
	}
	user := c.get("api_key")
	if user == "" {
		user = c.get("account_sid")
	}
	basic := base64.StdEncoding.EncodeToString([]byte(user + ":" + c.get("auth_token")))
	path := "/2010-04-01/Accounts/" + url.PathEscape(c.get("account_sid")) + "/Messages.json"
	a, e := c.postForm(ctx, path, http.Header{"Authorization": {"Basic " + basic}}, form)
	if e != nil {
		return Receipt{}, e
	}
	var t twilioAnswer
	readable := a.read(&t)
	// A message may be returned as created and failed at once.
	failed := t.ErrorCode != "" && t.ErrorCode != "0"
	switch {
	case a.ok() && readable && t.SID != "" && !failed:
		return Receipt{Reference: t.SID, Said: string(t.Status)}, nil
	case a.ok() && (!readable || t.SID == ""):
		return Receipt{}, unreadable(a.status)
	case failed:
		t.Code = t.ErrorCode
	}
	e = a.plain(c.now())
	if t.Code != "" {
		e.Code = string(t.Code)
	}
	if t.Message != "" {
		e.Said = string(t.Message)
	}
	return Receipt{}, twilioReason(e)
}

// twilioReason refines the reason of the status by the codes of Twilio's error
// dictionary.
func twilioReason(e *Error) *Error {
	permanent := map[Reason]string{
		// Not a number; cannot be routed; no mobile; none given.
		BadRecipient: "21211 21612 21614 21604",
		// Replied STOP.
		Blocked: "21610",
		// Not valid; not of the account; none given; not Twilio's; not of this
		// account; a service without numbers; no such service.
		BadSender:     "21212 21606 21603 21659 21660 21703 21705",
		BadCredential: "20003 20404",
	}
	for reason, codes := range permanent {
		if strings.Contains(codes, e.Code) && len(e.Code) == len("21211") {
			e.Reason, e.Permanent, e.RetryAfter = reason, true, 0
		}
	}
	// Too many requests, and a sender whose queue is full.
	if e.Code == "20429" || e.Code == "21611" {
		e.Reason, e.Permanent = RateLimited, false
	}
	return e
}
