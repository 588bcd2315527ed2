package channel

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"time"
)

// uniSenderAnswer always comes with status 200. Result is an object for one
// receiver and a list for several, and some methods answer a list of one.
type uniSenderAnswer struct {
	Result json.RawMessage `json:"result"`
	Error  loose           `json:"error"`
	Code   loose           `json:"code"`
}

// uniSenderResult is what became of one message.
type uniSenderResult struct {
	SMS    loose `json:"sms_id"`
	Email  loose `json:"email_id"`
	ID     loose `json:"id"`
	Errors []struct {
		Code    loose `json:"code"`
		Message loose `json:"message"`
	} `json:"errors"`
}

// uniSender calls sendSms or sendEmail. The service accepts GET too; the key is sent in
// the form, because proxies and servers log addresses.
func (c *call) uniSender(ctx context.Context) (Receipt, *Error) {
	method := "sendSms"
	form := url.Values{"api_key": {c.get("api_key")}}
	if c.kind == UniSenderSMS {
		form.Set("phone", strings.TrimPrefix(c.m.To, "+"))
		form.Set("sender", c.get("sender"))
		form.Set("text", c.m.Text)
	} else {
		method = "sendEmail"
		form.Set("email", c.m.To)
		form.Set("sender_name", oneLine(c.get("sender_name")))
		form.Set("sender_email", c.get("sender_email"))
		form.Set("subject", c.m.Subject)
		form.Set("body", c.m.HTML)
		form.Set("list_id", c.get("list_id"))
	}
	a, e := c.postForm(ctx, "/ru/api/"+method+"?format=json", nil, form)
	if e != nil {
		return Receipt{}, e
	}
	var u uniSenderAnswer
	readable := a.read(&u)
	switch {
	case u.Error != "" || u.Code != "":
		return Receipt{}, uniSenderError(string(u.Code), string(u.Error))
	case !a.ok():
		return Receipt{}, a.plain(c.now())
	case !readable:
		return Receipt{}, unreadable(a.status)
	}
	return uniSenderTaken(a.status, u.Result)
}

func uniSenderTaken(status int, raw json.RawMessage) (Receipt, *Error) {
	var list []uniSenderResult
	if json.Unmarshal(raw, &list) != nil {
		list = make([]uniSenderResult, 1)
		if json.Unmarshal(raw, &list[0]) != nil {
			return Receipt{}, unreadable(status)
		}
	}
	for _, r := range list {
		if len(r.Errors) > 0 {
			return Receipt{}, uniSenderError(string(r.Errors[0].Code), string(r.Errors[0].Message))
		}
		for _, id := range []loose{r.SMS, r.Email, r.ID} {
			if id != "" {
				return Receipt{Reference: string(id)}, nil
			}
		}
	}
	return Receipt{}, unreadable(status)
}

// uniSenderError reads the service's codes. Those that are not listed are final,
// like invalid_arg.
func uniSenderError(code, said string) *Error {
	e := &Error{Reason: Refused, Permanent: true, Code: code, Said: said}
	later := func(reason Reason, after time.Duration) {
		e.Reason, e.Permanent, e.RetryAfter = reason, false, after
	}
	switch code {
	case "invalid_api_key", "access_denied":
		e.Reason = BadCredential
	case "dest_invalid":
		e.Reason = BadRecipient
	case "src_invalid":
		e.Reason = BadSender
	case "not_enough_money":
		later(NoMoney, paying)
	case "retry_later":
		later(Away, 0)
	case "unspecified", "":
		// The least time between two e-mails to one address, 60 s, has no code of its
		// own that is written down, so what has none is tried again after it.
		later(Refused, time.Minute)
	}
	if strings.HasPrefix(code, "api_call_limit_") {
		// The limits are per minute.
		later(RateLimited, time.Minute)
	}
	return e
}
