package channel

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// payloadLimit is the limit of Standard Webhooks for payloads, in bytes.
const payloadLimit = 20_000

type payload struct {
	Type      string          `json:"type"`
	Timestamp string          `json:"timestamp"`
	Data      json.RawMessage `json:"data"`
}

// webhook posts signed JSON to the address itself, according to Standard Webhooks 1: any
// 2xx is success, and every other status is retried except 410, after which the receiver
// gets no more. The body of the answer is not read.
func (c *call) webhook(ctx context.Context) (Receipt, *Error) {
	body, e := c.payload()
	if e != nil {
		return Receipt{}, e
	}
	now := c.now()
	header := http.Header{
		"Content-Type": {"application/json"}, "Webhook-Id": {c.m.ID}, "Webhook-Timestamp": {strconv.FormatInt(now.Unix(), 10)},
		"Webhook-Signature": {signatures(c.m.ID, now, body, c.get("secret"), c.get("previous_secret"))},
	}
	a, e := c.post(ctx, c.m.To, header, body)
	if e != nil {
		return Receipt{}, e
	}
	if a.ok() {
		return Receipt{Said: strconv.Itoa(a.status)}, nil
	}
	e = a.plain(now)
	if e.Permanent || e.Reason == NoMoney {
		// A receiver that is being repaired may answer anything, so only 410 is final.
		e.Permanent, e.Reason, e.RetryAfter = false, Refused, retryAfter(a.header, now)
	}
	if a.status == http.StatusGone {
		e.Permanent, e.Reason, e.Disable, e.RetryAfter = true, Gone, true, 0
	}
	return Receipt{}, e
}

// payload makes the body. It cannot be cut as a text can, so what is too long is
// refused here.
func (c *call) payload() ([]byte, *Error) {
	final := func(said string) *Error {
		return &Error{Permanent: true, Reason: Refused, Code: ProblemInvalid, Said: said}
	}
	if c.m.ID == "" || !isLine(c.m.ID) {
		return nil, final("the message has no id that fits into a header")
	}
	data := c.m.Data
	if len(data) == 0 {
		data = asJSON(map[string]string{"subject": c.m.Subject, "text": c.m.Text})
	}
	if !json.Valid(data) {
		return nil, final("the data are no JSON")
	}
	body := asJSON(payload{Type: c.m.Type, Timestamp: c.m.At.UTC().Format(time.RFC3339Nano), Data: data})
	if len(body) >= payloadLimit {
		return nil, final("the data are too long for a webhook, which carries less than 20 kB")
	}
	return body, nil
}
