package channeltest

import (
	"net/http"
	"strings"
)

// twilio plays the creation of a message: 201 with a sid, or a code of Twilio's
// error dictionary.
func (s *Server) twilio(r *request) {
	fail := func(status, code int, message string) {
		r.answer(status, object{"code": code, "message": message, "more_info": "https://www.twilio.com/docs/errors", "status": status})
	}
	user, password, _ := r.BasicAuth()
	to, from, text := r.form.Get("To"), r.form.Get("From")+r.form.Get("MessagingServiceSid"), r.form.Get("Body")
	switch {
	case r.mode == BadCredential, r.PathValue("sid") != accountSID, password != authToken, user != accountSID && !strings.HasPrefix(user, "SK"):
		fail(http.StatusUnauthorized, 20003, "Authenticate")
	case r.mode == RateLimited:
		r.asksToWait()
		fail(http.StatusTooManyRequests, 20429, "Too Many Requests")
	case r.mode == Busy:
		fail(http.StatusServiceUnavailable, 20503, "Service Unavailable")
	case to == "":
		fail(http.StatusBadRequest, 21604, "A 'To' phone number is required.")
	case r.mode == BadRecipient, !strings.HasPrefix(to, "+"):
		fail(http.StatusBadRequest, 21211, "Invalid 'To' Phone Number")
	case r.mode == Blocked:
		fail(http.StatusBadRequest, 21610, "Attempt to send to unsubscribed recipient")
	case from == "":
		fail(http.StatusBadRequest, 21603, "A 'From' phone number is required.")
	case r.mode == BadSender:
		fail(http.StatusBadRequest, 21606, "The 'From' phone number is not a valid, message-capable number")
	case r.mode == NoMoney:
		fail(http.StatusPaymentRequired, 20402, "Payment required")
	case r.mode == Created:
		r.answer(http.StatusCreated, object{"sid": "SM1", "status": "failed", "error_code": 21614, "message": "not a mobile number"})
	case r.mode == Echo:
		fail(http.StatusBadRequest, 21600, r.echo())
	case r.mode != "", text == "":
		fail(http.StatusBadRequest, 21602, "Message body is required.")
	default:
		m := r.received()
		m.To, m.From, m.Text = to, from, text
		r.answer(http.StatusCreated, object{"sid": "SM" + s.take(m), "status": "queued", "error_code": nil})
	}
}

// messageBird plays POST /messages: 201, or a list of errors.
func (s *Server) messageBird(r *request) {
	fail := func(status, code int, description string, parameter any) {
		r.answer(status, object{"errors": []object{{"code": code, "description": description, "parameter": parameter}}})
	}
	var in struct {
		Originator, Body string
		Recipients       []string
	}
	switch readable := r.json(&in); {
	case r.mode == BadCredential, r.Header.Get("Authorization") != "AccessKey "+accessKey:
		fail(http.StatusUnauthorized, 2, "Request not allowed (incorrect access_key)", "access_key")
	case r.mode == RateLimited:
		r.asksToWait()
		r.answer(http.StatusTooManyRequests, object{})
	case r.mode == Busy:
		fail(http.StatusInternalServerError, 99, "Internal error", nil)
	case r.mode == NoMoney:
		fail(http.StatusUnprocessableEntity, 25, "Not enough balance", nil)
	case r.mode == BadRecipient, len(in.Recipients) == 0:
		fail(http.StatusUnprocessableEntity, 9, "no (correct) recipients found", "recipients")
	case r.mode == BadSender, in.Originator == "":
		fail(http.StatusUnprocessableEntity, 10, "originator is invalid", "originator")
	case r.mode == Echo:
		fail(http.StatusUnprocessableEntity, 21, r.echo(), nil)
	case r.mode != "", !readable, in.Body == "":
		fail(http.StatusUnprocessableEntity, 9, "body is required", "body")
	default:
		m := r.received()
		m.To, m.From, m.Text = in.Recipients[0], in.Originator, in.Body
		r.answer(http.StatusCreated, object{"id": "mb" + s.take(m), "recipients": object{
			"totalCount": 1, "items": []object{{"recipient": 79123456789, "status": "sent"}},
		}})
	}
}

// uniSender plays sendSms and sendEmail: always 200.
func (s *Server) uniSender(r *request) {
	fail := func(code, words string) {
		r.answer(http.StatusOK, object{"error": words, "code": code})
	}
	own := map[Mode][2]string{
		BadCredential: {"invalid_api_key", "API key is wrong"},
		NoMoney:       {"not_enough_money", "Not enough money"},
		BadRecipient:  {"dest_invalid", "The number is wrong"},
		BadSender:     {"src_invalid", "The sender is wrong"},
		RateLimited:   {"api_call_limit_exceeded_for_api_key", "Too many calls"},
		Busy:          {"retry_later", "Try again later"},
		Created:       {"unspecified", "Something"},
		Echo:          {"invalid_arg", r.echo()},
	}
	needed := []string{"phone", "sender", "text"}
	if strings.HasSuffix(r.URL.Path, "sendEmail") {
		needed = []string{"email", "sender_name", "sender_email", "subject", "body", "list_id"}
	}
	if answer, ok := own[r.mode]; ok {
		fail(answer[0], answer[1])
		return
	}
	if r.form.Get("api_key") != uniKey {
		fail("invalid_api_key", "API key is wrong")
		return
	}
	for _, name := range needed {
		if r.form.Get(name) == "" || r.mode != "" {
			fail("invalid_arg", name+" is wrong")
			return
		}
	}
	m := r.received()
	m.To, m.Text, m.From = r.form.Get("phone")+r.form.Get("email"), r.form.Get("text"), r.form.Get("sender")+r.form.Get("sender_email")
	m.Subject, m.HTML = r.form.Get("subject"), r.form.Get("body")
	if id := s.take(m); len(needed) == len([]string{"phone", "sender", "text"}) {
		r.answer(http.StatusOK, object{"result": object{"sms_id": id, "price": 1.5, "currency": "RUB"}})
	} else {
		r.answer(http.StatusOK, object{"result": object{"email_id": id}})
	}
}
