package channel_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/channel/channeltest"
)

// encrypting stands before a mail server that does not encrypt: from the start, or
// after STARTTLS. It returns its port and the CAs that it is trusted by.
func encrypting(t *testing.T, settings channel.Settings, direct bool) (port string, roots *x509.CertPool) {
	t.Helper()
	trusted := httptest.NewTLSServer(nil)
	defer trusted.Close()
	roots = x509.NewCertPool()
	roots.AddCert(trusted.Certificate())
	config := &tls.Config{Certificates: trusted.TLS.Certificates, MinVersion: tls.VersionTLS12}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	behind := net.JoinHostPort(settings["host"], settings["port"])
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go encrypt(conn, config, behind, direct)
		}
	}()
	_, port, _ = net.SplitHostPort(listener.Addr().String())
	return port, roots
}

func encrypt(conn net.Conn, config *tls.Config, behind string, direct bool) {
	defer conn.Close()
	server, err := net.Dial("tcp", behind)
	if err != nil {
		return
	}
	defer server.Close()
	if !direct {
		client := bufio.NewReader(conn)
		_, _ = io.WriteString(conn, "220 front\r\n")
		_, _ = client.ReadString('\n')
		_, _ = io.WriteString(conn, "250-front\r\n250 STARTTLS\r\n")
		_, _ = client.ReadString('\n')
		_, _ = io.WriteString(conn, "220 go ahead\r\n")
		_, _ = bufio.NewReaderSize(server, 16).ReadString('\n') // its greeting
	}
	secure := tls.Server(conn, config)
	go func() { _, _ = io.Copy(server, secure) }()
	_, _ = io.Copy(secure, server)
}

func TestAnEMailTravelsEncrypted(t *testing.T) {
	server := channeltest.Start()
	defer server.Close()
	for encryption, direct := range map[string]bool{"tls": true, "starttls": false} {
		for _, auth := range []string{"auto", "plain"} {
			t.Run(encryption+" "+auth, func(t *testing.T) {
				server.Reset()
				settings := server.Settings(channel.SMTP)
				port, roots := encrypting(t, settings, direct)
				settings["port"], settings["encryption"], settings["auth"] = port, encryption, auth
				s := channel.New(channel.Options{RootCAs: roots})
				defer s.Close()
				if _, err := s.Send(t.Context(), channel.SMTP, settings, message("anna@example.org")); err != nil {
					t.Fatal(err)
				}
				if len(server.Messages()) != 1 {
					t.Errorf("received %v", server.Messages())
				}
				// Its certificate is not trusted by the system.
				e := failure(t, senders(t), channel.SMTP, settings, message("anna@example.org"))
				if of(e) != (verdict{reason: channel.Away}) || !strings.Contains(e.Said, "certificate") {
					t.Errorf("%+v: %v", of(e), e)
				}
			})
		}
	}
}

func TestAPasswordIsNotSentBare(t *testing.T) {
	server, s := start(t)
	settings := server.Settings(channel.SMTP)
	settings["encryption"] = "starttls"
	e := failure(t, s, channel.SMTP, settings, message("anna@example.org"))
	if of(e) != (verdict{reason: channel.Away}) || e.Code != "starttls" {
		t.Errorf("%+v: %v", of(e), e)
	}
	for _, auth := range []string{"auto", "login", "scram-sha-256"} {
		settings["encryption"], settings["auth"] = "none", auth
		e = failure(t, s, channel.SMTP, settings, message("anna@example.org"))
		if of(e) != (verdict{permanent: true, reason: channel.BadCredential}) || e.Code != "auth" {
			t.Errorf("%s: %+v: %v", auth, of(e), e)
		}
	}
	// A server that lets nobody send without signing in.
	settings = server.Settings(channel.SMTP)
	delete(settings, "user")
	delete(settings, "password")
	e = failure(t, s, channel.SMTP, settings, message("anna@example.org"))
	if of(e) != (verdict{permanent: true, reason: channel.BadCredential}) || e.Code != "530" {
		t.Errorf("%+v: %v", of(e), e)
	}
}

func TestARepeatedEMailHasTheSameID(t *testing.T) {
	server, s := start(t)
	ids := []string{"0197-a1", "0197-a1", "with spaces\r\nand <lines>", "with spaces\r\nand <lines>"}
	for _, id := range ids {
		m := message("anna@example.org")
		m.ID = id
		receipt, err := s.Send(t.Context(), channel.SMTP, server.Settings(channel.SMTP), m)
		if err != nil || !strings.HasSuffix(strings.Trim(receipt.Reference, "<>"), "@example.com") {
			t.Fatalf("%+v, %v", receipt, err)
		}
	}
	got := server.Messages()
	if len(got) != 4 || got[0].Key != "0197-a1@example.com" || got[1].Key != got[0].Key || got[2].Key != got[3].Key || got[2].Key == got[0].Key {
		t.Errorf("received %+v", got)
	}
	h := got[0].Header
	if h.Get("Auto-Submitted") != "auto-generated" || h.Get("Content-Language") != "ru" || h.Get("From") != `"Evergrant" <hub@example.com>` || h.Get("To") != "<anna@example.org>" {
		t.Errorf("headers %v", h)
	}
}

func TestAnEMailWithoutAnIDGetsOne(t *testing.T) {
	server, s := start(t)
	for range 2 {
		m := message("anna@example.org")
		m.ID = ""
		if _, err := s.Send(t.Context(), channel.SMTP, server.Settings(channel.SMTP), m); err != nil {
			t.Fatal(err)
		}
	}
	if got := server.Messages(); got[0].Key == "" || got[0].Key == got[1].Key {
		t.Errorf("%q and %q", got[0].Key, got[1].Key)
	}
}

func TestThePortOfAMailServerFollowsItsEncryption(t *testing.T) {
	server, _ := start(t)
	for _, test := range [][3]string{{"starttls", "", "587"}, {"tls", "", "465"}, {"none", "", "587"}, {"tls", "2465", "2465"}} {
		var asked string
		s := channel.New(channel.Options{Dial: func(_ context.Context, _, address string) (net.Conn, error) {
			asked = address
			return nil, io.ErrUnexpectedEOF
		}})
		settings := server.Settings(channel.SMTP)
		settings["encryption"], settings["port"] = test[0], test[1]
		e := failure(t, s, channel.SMTP, settings, message("anna@example.org"))
		if asked != settings["host"]+":"+test[2] || of(e) != (verdict{reason: channel.Away}) {
			t.Errorf("%v: asked %s: %v", test, asked, e)
		}
	}
}

func TestATextWithoutHTMLBecomesHTML(t *testing.T) {
	server, s := start(t)
	for _, k := range []channel.Kind{channel.SMTP, channel.UniSenderEmail, channel.Mandrill} {
		m := message("anna@example.org")
		m.HTML, m.Subject = "", ""
		if _, err := s.Send(t.Context(), k, server.Settings(k), m); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range server.Messages() {
		if r.HTML != "<p>Первая строка<br>\nsecond &amp; last</p>" || r.Subject != "Первая строка second & last" {
			t.Errorf("%s: %q, %q", r.Kind, r.Subject, r.HTML)
		}
	}
}
