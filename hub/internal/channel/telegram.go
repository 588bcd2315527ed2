package channel

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// telegramAnswer is the envelope of all methods of the Bot API.
type telegramAnswer struct {
	OK     bool `json:"ok"`
	Result struct {
		MessageID loose `json:"message_id"`
	} `json:"result"`
	ErrorCode   int   `json:"error_code"`
	Description loose `json:"description"`
	Parameters  struct {
		RetryAfter int64 `json:"retry_after"`
		MigrateTo  loose `json:"migrate_to_chat_id"`
	} `json:"parameters"`
}

// telegram calls sendMessage with plain text. A group that has become a supergroup has a
// new number, to which the message is sent in the same call: the old one refused it, so
// it is delivered once.
func (c *call) telegram(ctx context.Context) (Receipt, *Error) {
	receipt, moved, e := c.telegramTo(ctx, c.m.To)
	if moved == "" {
		return receipt, e
	}
	receipt, again, e := c.telegramTo(ctx, moved)
	if again != "" {
		return Receipt{}, &Error{Permanent: true, Reason: Moved, Code: "migrate_to_chat_id", Said: "the group moved to " + moved + " and on to " + again}
	}
	if e == nil {
		receipt.MovedTo = moved
	}
	return receipt, e
}

func (c *call) telegramTo(ctx context.Context, chat string) (receipt Receipt, moved string, failure *Error) {
	var id any = chat
	if chatID.MatchString(chat) {
		id = json.Number(chat)
	}
	a, e := c.postJSON(ctx, "/bot"+c.get("token")+"/sendMessage", nil, map[string]any{"chat_id": id, "text": c.m.Text})
	if e != nil {
		return Receipt{}, "", e
	}
	var t telegramAnswer
	readable := a.read(&t)
	switch to := string(t.Parameters.MigrateTo); {
	case readable && t.OK && a.ok() && t.Result.MessageID != "":
		return Receipt{Reference: string(t.Result.MessageID)}, "", nil
	case readable && !t.OK && to != chat && chatID.MatchString(to):
		return Receipt{}, to, nil
	case a.ok() && (!readable || t.OK || t.ErrorCode == 0):
		return Receipt{}, "", unreadable(a.status)
	}
	return Receipt{}, "", c.telegramError(a, t)
}

// telegramError reads an answer that is not ok. The numbers of the envelope are
// HTTP's, and win over the status.
func (c *call) telegramError(a answer, t telegramAnswer) *Error {
	if t.ErrorCode != 0 {
		a.status = t.ErrorCode
	}
	e := a.plain(c.now())
	e.Code = strconv.Itoa(a.status)
	if t.Description != "" {
		e.Said = string(t.Description)
	}
	e.RetryAfter = max(e.RetryAfter, seconds(t.Parameters.RetryAfter))
	switch {
	case a.status == http.StatusForbidden:
		// The bot was blocked by the person or thrown out of the group, or the person
		// has never written to it.
		e.Reason = Blocked
	case a.status == http.StatusUnauthorized, a.status == http.StatusNotFound:
		// The token is part of the path: a wrong one is "Unauthorized", one that is
		// none at all is "Not Found".
		e.Reason = BadCredential
	case a.status == http.StatusBadRequest && strings.Contains(strings.ToLower(e.Said), "chat not found"):
		// Everything else that a text to a chat may be refused for has the same
		// number; the words only sharpen the reason.
		e.Reason = BadRecipient
	}
	return e
}
