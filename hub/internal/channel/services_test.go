package channel_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/channel/channeltest"
)

func TestAnswersOfServicesAreRead(t *testing.T) {
	final := func(r channel.Reason) verdict { return verdict{permanent: true, reason: r} }
	later := func(r channel.Reason, after time.Duration) verdict { return verdict{reason: r, after: after} }
	const half = 30 * time.Minute
	s := channel.New(channel.Options{Now: func() time.Time { return at }})
	defer s.Close()
	for name, test := range map[string]struct {
		kind   channel.Kind
		answer http.HandlerFunc
		want   verdict
		code   string
	}{
		"Twilio: landline":         {channel.Twilio, answers(400, `{"code":21614,"message":"no mobile","status":400}`), final(channel.BadRecipient), "21614"},
		"Twilio: not to this land": {channel.Twilio, answers(400, `{"code":21408,"message":"region","status":400}`), final(channel.Refused), "21408"},
		"Twilio: a short code":     {channel.Twilio, answers(400, `{"code":2121,"message":"","status":400}`), final(channel.Refused), "2121"},
		"Twilio: new shape":        {channel.Twilio, answers(429, `{"code":20429,"message":"slow","httpStatusCode":429,"userError":true}`), later(channel.RateLimited, 0), "20429"},
		"Twilio: queue is full":    {channel.Twilio, answers(400, `{"code":"21611","message":"full"}`), later(channel.RateLimited, 0), "21611"},
		"Twilio: no such account":  {channel.Twilio, answers(404, `{"code":20404,"message":"not found"}`), final(channel.BadCredential), "20404"},
		"Twilio: away with a page": {channel.Twilio, answers(503, `<html>`, "Retry-After", "120"), later(channel.Away, 2*time.Minute), "503"},
		"Twilio: away until a date": {
			channel.Twilio, answers(503, ``, "Retry-After", at.Add(time.Hour).Format(http.TimeFormat)), later(channel.Away, time.Hour), "503",
		},
		"Twilio: away until long ago": {channel.Twilio, answers(503, ``, "Retry-After", "Mon, 02 Jan 2006 15:04:05 GMT"), later(channel.Away, 0), "503"},
		"Twilio: away for ever":       {channel.Twilio, answers(503, ``, "Retry-After", "2147483647"), later(channel.Away, 24*time.Hour), "503"},
		"Twilio: away for nonsense":   {channel.Twilio, answers(503, ``, "Retry-After", "soon"), later(channel.Away, 0), "503"},
		"Twilio: a gateway gave up":   {channel.Twilio, answers(504, ``), verdict{reason: channel.Away, maybe: true}, "504"},
		"Twilio: an array":            {channel.Twilio, answers(200, `[]`), verdict{reason: channel.Away, maybe: true}, "200"},

		"MessageBird: nothing but 500": {channel.MessageBird, answers(500, ``), later(channel.Away, 0), "500"},
		"MessageBird: two errors": {
			channel.MessageBird, answers(401, `{"errors":[{"code":9,"description":"x","parameter":"recipients"},{"code":2,"description":"no","parameter":"access_key"}]}`),
			final(channel.BadCredential), "2",
		},
		"MessageBird: errors in 200": {channel.MessageBird, answers(200, `{"errors":[{"code":25,"description":"Not enough balance","parameter":null}]}`), later(channel.NoMoney, half), "25"},
		"MessageBird: failed at once": {
			channel.MessageBird, answers(201, `{"id":"1","recipients":{"items":[{"status":"delivery_failed"}]}}`), final(channel.Refused), "delivery_failed",
		},

		"UniSender: access denied":   {channel.UniSenderSMS, answers(200, `{"error":"no","code":"access_denied"}`), final(channel.BadCredential), "access_denied"},
		"UniSender: limit of an IP":  {channel.UniSenderEmail, answers(200, `{"error":"no","code":"api_call_limit_exceeded_for_ip"}`), later(channel.RateLimited, time.Minute), "api_call_limit_exceeded_for_ip"},
		"UniSender: without a code":  {channel.UniSenderEmail, answers(200, `{"error":"too soon"}`), later(channel.Refused, time.Minute), ""},
		"UniSender: unknown code":    {channel.UniSenderEmail, answers(200, `{"error":"?","code":"new_one"}`), final(channel.Refused), "new_one"},
		"UniSender: error in a list": {channel.UniSenderEmail, answers(200, `{"result":[{"index":0,"errors":[{"code":"invalid_api_key","message":"x"}]}]}`), final(channel.BadCredential), "invalid_api_key"},
		"UniSender: empty list":      {channel.UniSenderSMS, answers(200, `{"result":[]}`), verdict{reason: channel.Away, maybe: true}, "200"},
		"UniSender: nothing":         {channel.UniSenderSMS, answers(200, `{}`), verdict{reason: channel.Away, maybe: true}, "200"},
		"UniSender: 502":             {channel.UniSenderSMS, answers(502, `<html>`), verdict{reason: channel.Away, maybe: true}, "502"},

		"Mandrill: key with 401":    {channel.Mandrill, answers(401, `{"status":"error","code":-1,"name":"Invalid_Key","message":"x"}`), final(channel.BadCredential), "Invalid_Key"},
		"Mandrill: soft bounce":     {channel.Mandrill, answers(200, `[{"status":"rejected","reject_reason":"soft-bounce"}]`), later(channel.BadRecipient, half), "soft-bounce"},
		"Mandrill: complaint":       {channel.Mandrill, answers(200, `[{"status":"rejected","reject_reason":"spam"}]`), final(channel.Blocked), "spam"},
		"Mandrill: test mode":       {channel.Mandrill, answers(200, `[{"status":"rejected","reject_reason":"test-mode-limit"}]`), later(channel.RateLimited, half), "test-mode-limit"},
		"Mandrill: rule":            {channel.Mandrill, answers(200, `[{"status":"rejected","reject_reason":"rule"}]`), final(channel.Refused), "rule"},
		"Mandrill: error in 200":    {channel.Mandrill, answers(200, `{"status":"error","name":"GeneralError","message":"x"}`), later(channel.Away, 0), "GeneralError"},
		"Mandrill: wrong with 500":  {channel.Mandrill, answers(500, `{"status":"error","name":"ValidationError","message":"x"}`), final(channel.Refused), "ValidationError"},
		"Mandrill: new name, 500":   {channel.Mandrill, answers(500, `{"status":"error","name":"Whatever","message":"x"}`), later(channel.Away, 0), "Whatever"},
		"Mandrill: an empty list":   {channel.Mandrill, answers(200, `[]`), verdict{reason: channel.Away, maybe: true}, "200"},
		"Telegram: no such bot":     {channel.Telegram, answers(404, `{"ok":false,"error_code":404,"description":"Not Found"}`), final(channel.BadCredential), "404"},
		"Telegram: no in 200":       {channel.Telegram, answers(200, `{"ok":false,"error_code":403,"description":"Forbidden: bot was kicked"}`), final(channel.Blocked), "403"},
		"Telegram: wait for years":  {channel.Telegram, answers(429, `{"ok":false,"error_code":429,"parameters":{"retry_after":9999999999}}`), later(channel.RateLimited, 24*time.Hour), "429"},
		"Telegram: ok without more": {channel.Telegram, answers(200, `{"ok":true}`), verdict{reason: channel.Away, maybe: true}, "200"},
		"Telegram: moves and moves": {
			channel.Telegram, func(w http.ResponseWriter, r *http.Request) {
				to := map[bool]string{true: "-1001", false: "-1002"}[asks(r, "-4012345678")]
				answers(400, `{"ok":false,"error_code":400,"parameters":{"migrate_to_chat_id":`+to+`}}`)(w, r)
			}, final(channel.Moved), "migrate_to_chat_id",
		},

		"webhook: conflict":     {channel.Webhook, answers(409, ``, "Retry-After", "60"), later(channel.Refused, time.Minute), "409"},
		"webhook: too early":    {channel.Webhook, answers(425, ``), later(channel.Away, 0), "425"},
		"webhook: slow":         {channel.Webhook, answers(408, ``), later(channel.Away, 0), "408"},
		"webhook: moved":        {channel.Webhook, answers(301, ``, "Location", "/x"), later(channel.Refused, 0), "301"},
		"webhook: not modified": {channel.Webhook, answers(304, ``), later(channel.Refused, 0), "304"},
	} {
		t.Run(name, func(t *testing.T) {
			settings, to := replying(t, test.kind, test.answer)
			e := failure(t, s, test.kind, settings, message(to))
			if of(e) != test.want || e.Code != test.code {
				t.Errorf("%+v %q, want %+v %q: %v", of(e), e.Code, test.want, test.code, e)
			}
		})
	}
}

// asks reports whether a message goes to a chat.
func asks(r *http.Request, chat string) bool {
	var in struct {
		ChatID json.Number `json:"chat_id"`
	}
	body, _ := io.ReadAll(r.Body)
	return json.Unmarshal(body, &in) == nil && string(in.ChatID) == chat
}

func TestAnswersThatAreGoodAreTaken(t *testing.T) {
	s := senders(t)
	for name, test := range map[string]struct {
		kind      channel.Kind
		answer    http.HandlerFunc
		reference string
	}{
		"Twilio, 200":             {channel.Twilio, answers(200, `{"sid":"SM7","status":"accepted","error_code":null}`), "SM7"},
		"MessageBird, 202":        {channel.MessageBird, answers(202, `{"id":"abc"}`), "abc"},
		"UniSender, text for id":  {channel.UniSenderSMS, answers(200, `{"result":{"sms_id":"a1","price":1,"currency":"RUB"}}`), "a1"},
		"UniSender, a list":       {channel.UniSenderEmail, answers(200, `{"result":[{"index":0,"email":"a@b.c","id":"9"}]}`), "9"},
		"Mandrill, queued":        {channel.Mandrill, answers(200, `[{"status":"queued","queued_reason":"hourly-quota","_id":"q"}]`), "q"},
		"webhook, 202 and a page": {channel.Webhook, answers(202, `<html>`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			settings, to := replying(t, test.kind, test.answer)
			receipt, err := s.Send(t.Context(), test.kind, settings, message(to))
			if err != nil || receipt.Reference != test.reference {
				t.Errorf("%+v, %v", receipt, err)
			}
		})
	}
}

func TestAGroupThatMovedIsFollowedOnce(t *testing.T) {
	server, s := start(t)
	server.Fail(channel.Telegram, channeltest.Moved, 1)
	receipt, err := s.Send(t.Context(), channel.Telegram, server.Settings(channel.Telegram), message("-4012345678"))
	if err != nil || receipt.MovedTo != "-1004012345678" {
		t.Fatalf("%+v, %v", receipt, err)
	}
	if got := server.Messages(); len(got) != 1 || got[0].To != receipt.MovedTo || server.Attempts(channel.Telegram) != 2 {
		t.Errorf("received %+v", got)
	}
	// Under its new number the group is as slow as any other.
	server.Fail(channel.Telegram, channeltest.Moved, 1)
	server.Fail(channel.Telegram, channeltest.RateLimited, 1)
	e := failure(t, s, channel.Telegram, server.Settings(channel.Telegram), message("-4012345678"))
	if of(e) != (verdict{reason: channel.RateLimited, after: channeltest.RetrySeconds * time.Second}) {
		t.Errorf("%+v: %v", of(e), e)
	}
}

func TestATwilioKeyAndAServiceOfNumbers(t *testing.T) {
	server, s := start(t)
	settings := server.Settings(channel.Twilio)
	settings["api_key"], settings["messaging_service_sid"] = "SK1", "MG1"
	if _, err := s.Send(t.Context(), channel.Twilio, settings, message("+79123456789")); err != nil {
		t.Fatal(err)
	}
	r := server.Messages()[0]
	request := &http.Request{Header: r.Header}
	if user, _, _ := request.BasicAuth(); user != "SK1" || r.From != "MG1" {
		t.Errorf("signed in as %s, from %s", user, r.From)
	}
}

func TestAWebhookIsReceivedOnce(t *testing.T) {
	server, s := start(t)
	server.SetNow(func() time.Time { return time.Now().Add(4 * time.Minute) })
	for range 3 {
		if _, err := s.Send(t.Context(), channel.Webhook, server.Settings(channel.Webhook), message(server.Address(channel.Webhook))); err != nil {
			t.Fatal(err)
		}
	}
	if len(server.Messages()) != 1 || server.Attempts(channel.Webhook) != 3 || !channel.Webhook.Idempotent() {
		t.Errorf("received %v", server.Messages())
	}
}

func TestAPayloadThatCannotBeSentIsRefused(t *testing.T) {
	server, s := start(t)
	for name, data := range map[string]string{"no JSON": `{`, "too long": `"` + strings.Repeat("x", 20_000) + `"`} {
		m := message(server.Address(channel.Webhook))
		m.Data = []byte(data)
		e := failure(t, s, channel.Webhook, server.Settings(channel.Webhook), m)
		if of(e) != (verdict{permanent: true, reason: channel.Refused}) || server.Attempts(channel.Webhook) != 0 {
			t.Errorf("%s: %v", name, e)
		}
	}
	m := message(server.Address(channel.Webhook))
	m.Data = nil
	if _, err := s.Send(t.Context(), channel.Webhook, server.Settings(channel.Webhook), m); err != nil {
		t.Fatal(err)
	}
	var data struct{ Subject, Text string }
	if err := json.Unmarshal(server.Messages()[0].Data, &data); err != nil || data.Subject != m.Subject || data.Text != m.Text {
		t.Errorf("%+v, %v", data, err)
	}
}
