package channel_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/channel/channeltest"
)

func TestAServiceThatNeverAnswersIsLeft(t *testing.T) {
	server, s := start(t)
	for _, k := range channel.Kinds {
		t.Run(string(k), func(t *testing.T) {
			server.Fail(k, channeltest.Hang, 1)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			e := failureWithin(ctx, t, s, k, server.Settings(k), message(server.Address(k)))
			if of(e) != (verdict{reason: channel.Away, maybe: true}) || !errors.Is(e, context.DeadlineExceeded) {
				t.Errorf("%+v: %v, %v", of(e), e, e.Err)
			}
		})
	}
}

func TestAMessageThatIsGivenUpIsNotSent(t *testing.T) {
	server, s := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, k := range channel.Kinds {
		e := failureWithin(ctx, t, s, k, server.Settings(k), message(server.Address(k)))
		if of(e) != (verdict{reason: channel.Away}) || !errors.Is(e, context.Canceled) {
			t.Errorf("%s: %+v: %v", k, of(e), e)
		}
	}
	if len(server.Messages()) != 0 {
		t.Errorf("received %v", server.Messages())
	}
}

func TestNobodyAtHomeIsNoPerhaps(t *testing.T) {
	server := channeltest.Start()
	s := senders(t)
	server.Close()
	for _, k := range channel.Kinds {
		e := failure(t, s, k, server.Settings(k), message(server.Address(k)))
		if of(e) != (verdict{reason: channel.Away}) || e.Said != "no connection could be made" {
			t.Errorf("%s: %+v: %v", k, of(e), e)
		}
	}
}

func TestACertificateThatNobodyKnowsIsSaid(t *testing.T) {
	// A server that answers the greeting of TLS with something else.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "220 no encryption here, sorry\r\n")
			_, _ = conn.Read(make([]byte, 1024))
			_ = conn.Close()
		}
	}()
	server, s := start(t)
	for _, k := range channel.Kinds {
		settings, m := server.Settings(k), message(server.Address(k))
		switch k {
		case channel.SMTP:
			_, settings["port"], _ = net.SplitHostPort(listener.Addr().String())
			settings["encryption"] = "tls"
		case channel.Webhook:
			m.To = "https://" + listener.Addr().String()
		default:
			settings["base_url"] = "https://" + listener.Addr().String()
		}
		e := failure(t, s, k, settings, m)
		if of(e) != (verdict{reason: channel.Away}) || !strings.Contains(e.Said, "encrypted connection") {
			t.Errorf("%s: %+v: %v", k, of(e), e)
		}
	}
}

func TestSecretsThatAServiceRepeatsAreHidden(t *testing.T) {
	s := senders(t)
	for _, k := range channel.Kinds {
		if k == channel.SMTP {
			continue // the mail server of channeltest does, in the table of failures
		}
		for _, status := range []int{http.StatusOK, http.StatusBadRequest, http.StatusInternalServerError} {
			settings, to := replying(t, k, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				said := strconv.Quote(r.RequestURI + " " + string(body) + " " + r.Header.Get("Authorization"))
				w.WriteHeader(status)
				for _, part := range []string{
					`{"error":`, `,"code":`, `,"name":`, `,"message":`, `,"description":`, `,"errors":[{"code":7,"description":`,
				} {
					_, _ = io.WriteString(w, part+said)
				}
				_, _ = io.WriteString(w, `}],"status":"error","sid":`+said+`}`)
			})
			// Twilio takes what has a sid.
			receipt, err := s.Send(t.Context(), k, settings, message(to))
			keepsSecrets(t, k, settings, receipt.Reference, receipt.Said)
			if err != nil {
				failure(t, s, k, settings, message(to))
			}
		}
	}
}

func TestWhatIsSentHasNoMoreHeadersThanItShould(t *testing.T) {
	server, s := start(t)
	for _, k := range channel.Kinds {
		m := message(server.Address(k))
		m.Subject = "Hello\r\nBcc: eve@example.com\r\n\r\nnew body"
		m.Lang = "ru\r\nX-Eve: 1"
		if k == channel.SMTP {
			m.ID = "id\r\nX-Eve: 1"
		}
		if _, err := s.Send(t.Context(), k, server.Settings(k), m); err != nil {
			t.Fatalf("%s: %v", k, err)
		}
	}
	for _, r := range server.Messages() {
		if r.Header.Get("Bcc") != "" || r.Header.Get("X-Eve") != "" {
			t.Errorf("%s: %v", r.Kind, r.Header)
		}
		if r.Subject != "" && r.Subject != "Hello Bcc: eve@example.com new body" {
			t.Errorf("%s: %q", r.Kind, r.Subject)
		}
	}
	m := message(server.Address(channel.Webhook))
	m.ID = "id\r\nX-Eve: 1"
	if e := failure(t, s, channel.Webhook, server.Settings(channel.Webhook), m); !e.Permanent {
		t.Errorf("a header was split: %v", e)
	}
}

func TestALineEndInASettingIsRefused(t *testing.T) {
	server, s := start(t)
	for _, k := range channel.Kinds {
		for _, field := range channel.Fields(k) {
			settings := server.Settings(k)
			settings[field.Name] = "a\r\nX-Eve: 1"
			if !slices.Contains(channel.Check(k, settings), channel.Problem{Field: field.Name, Code: channel.ProblemInvalid}) {
				t.Errorf("%s: %s may hold a line end", k, field.Name)
			}
			failure(t, s, k, settings, message(server.Address(k)))
		}
		if server.Attempts(k) != 0 {
			t.Errorf("%s was asked", k)
		}
	}
}
