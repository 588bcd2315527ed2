package channel

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"unicode"
)

// messageBirdAnswer is a message or a list of errors; 500 comes without a body.
type messageBirdAnswer struct {
	ID         loose `json:"id"`
	Recipients struct {
		Items []struct {
			Status loose `json:"status"`
		} `json:"items"`
	} `json:"recipients"`
	Errors []messageBirdError `json:"errors"`
}

type messageBirdError struct {
	Code        loose `json:"code"`
	Description loose `json:"description"`
	// Parameter is the field at fault, or null.
	Parameter loose `json:"parameter"`
}

// messageBird creates a message: POST /messages of the REST API that was there
// before Bird's, with an access key.
func (c *call) messageBird(ctx context.Context) (Receipt, *Error) {
	body := map[string]any{
		"originator": c.get("originator"), "body": c.m.Text,
		// Recipients are numbers with the country's code and without the plus.
		"recipients": []string{strings.TrimPrefix(c.m.To, "+")},
	}
	// Without the Unicode flag, letters outside GSM are lost.
	if strings.ContainsFunc(c.m.Text, func(r rune) bool { return r > unicode.MaxASCII }) {
		body["datacoding"] = "unicode"
	}
	a, e := c.postJSON(ctx, "/messages", http.Header{"Authorization": {"AccessKey " + c.get("access_key")}}, body)
	if e != nil {
		return Receipt{}, e
	}
	var b messageBirdAnswer
	readable := a.read(&b)
	switch {
	case a.ok() && len(b.Errors) == 0 && (!readable || b.ID == ""):
		return Receipt{}, unreadable(a.status)
	case a.ok() && len(b.Errors) == 0:
		return messageBirdTaken(b)
	}
	e = a.plain(c.now())
	if len(b.Errors) > 0 {
		messageBirdReason(e, b.Errors)
	}
	return Receipt{}, e
}

// messageBirdTaken reads the state of the only recipient. Which states a new
// message may have is not written down, so only the one that names a failure is.
func messageBirdTaken(b messageBirdAnswer) (Receipt, *Error) {
	receipt := Receipt{Reference: string(b.ID)}
	if len(b.Recipients.Items) > 0 {
		receipt.Said = string(b.Recipients.Items[0].Status)
	}
	if receipt.Said == "delivery_failed" {
		return Receipt{}, &Error{Permanent: true, Reason: Refused, Code: receipt.Said, Said: "the message could not be delivered"}
	}
	return receipt, nil
}

// messageBirdReason refines the reason of the status by the codes of MessageBird's public
// reference: 2 is a wrong key, 9 and 10 a missing or wrong parameter, 25 an empty
// account, 99 an internal error. Of several the first counts, unless one is about the
// key: errors for an unauthenticated client are not specific.
func messageBirdReason(e *Error, list []messageBirdError) {
	first := list[max(0, slices.IndexFunc(list, func(one messageBirdError) bool { return one.Code == "2" }))]
	e.Code, e.Said = string(first.Code), string(first.Description)
	parameter := first.Code == "9" || first.Code == "10"
	switch {
	case first.Code == "2":
		e.Reason, e.Permanent = BadCredential, true
	case first.Code == "25":
		e.Reason, e.Permanent, e.RetryAfter = NoMoney, false, paying
	case first.Code == "99":
		e.Reason, e.Permanent = Away, false
	case parameter && strings.HasPrefix(string(first.Parameter), "recipient"):
		e.Reason, e.Permanent = BadRecipient, true
	case parameter && first.Parameter == "originator":
		e.Reason, e.Permanent = BadSender, true
	}
}
