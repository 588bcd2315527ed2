package channeltest

import (
	"encoding/json"
	"net/http"
	"unicode/utf16"

	"github.com/evergrant/evergrant/hub/internal/channel"
)

// mandrill plays messages/send: 200 with a list, also for what is rejected.
func (s *Server) mandrill(r *request) {
	// Errors come with 500, whatever they are about, so that no caller relies on the status.
	fail := func(name, message string) {
		r.answer(http.StatusInternalServerError, object{"status": "error", "code": -1, "name": name, "message": message})
	}
	result := func(status, why string) {
		r.answer(http.StatusOK, []object{{"email": "anna@example.org", "status": status, "reject_reason": why, "_id": "md0"}})
	}
	var in struct {
		Key     string
		Message struct {
			FromEmail           string `json:"from_email"`
			Subject, Text, HTML string
			To                  []struct{ Email string }
		}
	}
	switch readable := r.json(&in); {
	case r.mode == BadCredential, in.Key != mandrill:
		fail("Invalid_Key", "Invalid API key")
	case r.mode == NoMoney:
		fail("PaymentRequired", "The requested feature requires payment.")
	case r.mode == RateLimited:
		r.asksToWait()
		r.w.WriteHeader(http.StatusTooManyRequests)
	case r.mode == Busy:
		fail("GeneralError", "Something went wrong")
	case r.mode == BadRecipient:
		result("rejected", "hard-bounce")
	case r.mode == Blocked:
		result("rejected", "unsub")
	case r.mode == BadSender:
		result("rejected", "invalid-sender")
	case r.mode == Created:
		result("invalid", "")
	case r.mode == Echo:
		fail("ValidationError", r.echo())
	case r.mode != "", !readable, in.Message.FromEmail == "", len(in.Message.To) == 0, in.Message.Text == "" && in.Message.HTML == "":
		fail("ValidationError", "You must specify a message value")
	default:
		m := r.received()
		m.To, m.From = in.Message.To[0].Email, in.Message.FromEmail
		m.Subject, m.Text, m.HTML = in.Message.Subject, in.Message.Text, in.Message.HTML
		r.answer(http.StatusOK, []object{{"email": m.To, "status": "sent", "reject_reason": nil, "_id": "md" + s.take(m)}})
	}
}

// newGroup is the number that a group gets when it moves.
const newGroup = -1004012345678

// telegram plays sendMessage. A group that has moved takes messages under its new
// number only.
func (s *Server) telegram(r *request) {
	fail := func(status int, description string, parameters object) {
		r.answer(status, object{"ok": false, "error_code": status, "description": description, "parameters": parameters})
	}
	var in struct {
		ChatID any `json:"chat_id"`
		Text   string
	}
	readable := r.json(&in)
	to, _ := json.Marshal(in.ChatID)
	switch {
	case r.mode == BadCredential, r.PathValue("bot") != "bot"+botToken:
		fail(http.StatusUnauthorized, "Unauthorized", nil)
	case r.mode == RateLimited:
		fail(http.StatusTooManyRequests, "Too Many Requests: retry after 7", object{"retry_after": RetrySeconds})
	case r.mode == Busy:
		fail(http.StatusBadGateway, "Bad Gateway", nil)
	case r.mode == BadRecipient, in.ChatID == nil:
		fail(http.StatusBadRequest, "Bad Request: chat not found", nil)
	case r.mode == Blocked:
		fail(http.StatusForbidden, "Forbidden: bot was blocked by the user", nil)
	case r.mode == Moved:
		fail(http.StatusBadRequest, "Bad Request: group chat was upgraded to a supergroup chat", object{"migrate_to_chat_id": int64(newGroup)})
	case r.mode == Echo:
		fail(http.StatusBadRequest, r.echo(), nil)
	case len(utf16.Encode([]rune(in.Text))) > 4096:
		fail(http.StatusBadRequest, "Bad Request: message is too long", nil)
	case r.mode != "", !readable, in.Text == "":
		fail(http.StatusBadRequest, "Bad Request: message text is empty", nil)
	default:
		m := r.received()
		m.To, m.Text = string(to), in.Text
		if number, ok := in.ChatID.(float64); ok {
			exact, _ := json.Marshal(int64(number))
			m.To = string(exact)
		} else if name, ok := in.ChatID.(string); ok {
			m.To = name
		}
		r.answer(http.StatusOK, object{"ok": true, "result": object{"message_id": json.RawMessage(s.take(m))}})
	}
}

// webhook plays a receiver that checks signatures and answers the repeat of what
// it has as it did the first time.
func (s *Server) webhook(r *request) {
	var in struct {
		Type, Timestamp string
		Data            json.RawMessage
	}
	status := map[Mode]int{
		BadCredential: http.StatusUnauthorized, RateLimited: http.StatusTooManyRequests, Busy: http.StatusServiceUnavailable,
		Gone: http.StatusGone, BadRecipient: http.StatusNotFound, NoMoney: http.StatusPaymentRequired,
	}[r.mode]
	switch {
	case r.mode == RateLimited, r.mode == Busy:
		r.asksToWait()
		r.w.WriteHeader(status)
	case status != 0:
		r.w.WriteHeader(status)
	case r.mode == Echo:
		r.w.WriteHeader(http.StatusBadRequest)
		_, _ = r.w.Write([]byte(r.echo()))
	case r.mode != "", !r.json(&in), in.Type == "", in.Data == nil:
		r.w.WriteHeader(http.StatusBadRequest)
	case channel.Verify(hookSecret, r.Header, r.body, s.clock()) != nil:
		r.w.WriteHeader(http.StatusUnauthorized)
	default:
		m := r.received()
		m.To, m.Key, m.Type, m.Data = s.address+hookPath, r.Header.Get("Webhook-Id"), in.Type, in.Data
		s.take(m)
		r.w.WriteHeader(http.StatusNoContent)
	}
}
