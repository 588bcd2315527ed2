package channeltest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/channel"
)

const hookPath = "/webhook"

// request is one request to a service, read whole.
type request struct {
	*http.Request

	w    http.ResponseWriter
	kind channel.Kind
	body []byte
	form url.Values
	mode Mode
}

// handler finds the service by the path.
func (s *Server) handler() http.Handler {
	services := http.NewServeMux()
	for path, play := range map[string]struct {
		kind channel.Kind
		as   func(*request)
	}{
		"POST /2010-04-01/Accounts/{sid}/Messages.json": {channel.Twilio, s.twilio},
		"POST /messages":              {channel.MessageBird, s.messageBird},
		"POST /ru/api/sendSms":        {channel.UniSenderSMS, s.uniSender},
		"POST /ru/api/sendEmail":      {channel.UniSenderEmail, s.uniSender},
		"POST /api/1.3/messages/send": {channel.Mandrill, s.mandrill},
		"POST /{bot}/sendMessage":     {channel.Telegram, s.telegram},
		"POST " + hookPath:            {channel.Webhook, s.webhook},
	} {
		services.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
			if err != nil {
				return
			}
			form, _ := url.ParseQuery(string(body))
			mode := s.next(play.kind)
			if s.answerAnyhow(w, r, mode) {
				return
			}
			play.as(&request{Request: r, w: w, kind: play.kind, body: body, form: form, mode: mode})
		})
	}
	return services
}

// answer writes JSON.
func (r *request) answer(status int, v any) {
	r.w.Header().Set("Content-Type", "application/json")
	r.w.WriteHeader(status)
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v)
	_, _ = r.w.Write(out.Bytes())
}

// asksToWait sets Retry-After.
func (r *request) asksToWait() { r.w.Header().Set("Retry-After", strconv.Itoa(RetrySeconds)) }

// echo is all that was sent in one text, as a careless service repeats it.
func (r *request) echo() string {
	var out strings.Builder
	_, _ = fmt.Fprintf(&out, "bad request: %s %s", r.RequestURI, r.body)
	for name, values := range r.Header {
		_, _ = fmt.Fprintf(&out, " %s=%s", name, strings.Join(values, ","))
	}
	return out.String()
}

// received begins the record of a message.
func (r *request) received() Received {
	return Received{Kind: r.kind, Header: r.Header, Path: r.RequestURI}
}

// json reads a body of JSON.
func (r *request) json(into any) bool { return json.Unmarshal(r.body, into) == nil }

type object = map[string]any
