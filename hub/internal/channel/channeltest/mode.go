package channeltest

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/channel"
)

// Mode is a way to fail.
type Mode string

// The ways to fail. The first group is what services say in their own words, the
// second what any server, or what is between, may do.
const (
	BadCredential Mode = "bad_credential"
	NoMoney       Mode = "no_money"
	BadRecipient  Mode = "bad_recipient"
	Blocked       Mode = "blocked"
	BadSender     Mode = "bad_sender"
	// RateLimited asks to wait RetrySeconds, where the service has a way to.
	RateLimited Mode = "rate_limited"
	Refused     Mode = "refused"
	// Busy is a failure that passes, in the service's own words or as 503.
	Busy Mode = "busy"
	// Gone is 410, of a webhook.
	Gone Mode = "gone"
	// Moved says once that the group is another one, of Telegram.
	Moved Mode = "moved"
	// Created is a message that Twilio makes and fails at once.
	Created Mode = "created"

	// Down is 500 without a body. Redirect leads to example.com.
	Down     Mode = "down"
	Redirect Mode = "redirect"
	// Page is 200 with a page of HTML, Broken with half of an answer, Huge with 4 MB.
	Page   Mode = "page"
	Broken Mode = "broken"
	Huge   Mode = "huge"
	// Hang reads the message and never answers, Cut ends the connection instead. The
	// message is not kept.
	Hang Mode = "hang"
	Cut  Mode = "cut"
	// Echo is a refusal that repeats what was sent, secrets included.
	Echo Mode = "echo"
)

// RetrySeconds is what RateLimited asks to wait.
const RetrySeconds = 7

// Modes are all ways to fail.
var Modes = []Mode{
	BadCredential, NoMoney, BadRecipient, Blocked, BadSender, RateLimited, Refused, Busy, Gone, Moved, Created,
	Down, Redirect, Page, Broken, Huge, Hang, Cut, Echo,
}

type order struct {
	mode Mode
	left int
}

// Fail makes the next times requests of a kind fail in a mode, after those that
// were ordered before. Less than 1 is until Recover or Reset.
func (s *Server) Fail(k channel.Kind, mode Mode, times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if times < 1 {
		times = -1
	}
	s.orders[k] = append(s.orders[k], order{mode, times})
}

// Recover lets a service take messages again.
func (s *Server) Recover(k channel.Kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.orders, k)
}

// next counts a request and returns how it has to fail, or nothing.
func (s *Server) next(k channel.Kind) Mode {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts[k]++
	orders := s.orders[k]
	if len(orders) == 0 {
		return ""
	}
	mode := orders[0].mode
	if orders[0].left--; orders[0].left == 0 {
		s.orders[k] = orders[1:]
	}
	return mode
}

// answerAnyhow gives the answers that are no service's own, and reports whether
// mode is one of them.
func (s *Server) answerAnyhow(w http.ResponseWriter, r *http.Request, mode Mode) bool {
	switch mode {
	case Down:
		w.WriteHeader(http.StatusInternalServerError)
	case Redirect:
		w.Header().Set("Location", "https://example.com/elsewhere")
		w.WriteHeader(http.StatusTemporaryRedirect)
	case Page:
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, "<html><body><h1>Sign in to the network</h1></body></html>")
	case Broken:
		_, _ = fmt.Fprint(w, `{"ok":true,"sid":"SM1","result":{"message_`)
	case Huge:
		_, _ = fmt.Fprint(w, `{"sid":"`+strings.Repeat("x", 4<<20)+`"}`)
	case Hang:
		select {
		case <-r.Context().Done():
		case <-s.closing:
		}
		panic(http.ErrAbortHandler)
	case Cut:
		panic(http.ErrAbortHandler)
	default:
		return false
	}
	return true
}
