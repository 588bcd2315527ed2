package channeltest

import (
	"encoding/base64"
	"io"
	"net"
	"net/textproto"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/channel"
)

// serveMail accepts connections until the server is closed.
func (s *Server) serveMail() {
	for {
		conn, err := s.mail.Accept()
		if err != nil {
			return
		}
		if s.keep(conn) {
			s.running.Go(func() {
				s.converse(conn)
				s.drop(conn)
			})
		}
	}
}

func (s *Server) keep(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closing:
		_ = conn.Close()
		return false
	default:
		s.lines[conn] = true
		return true
	}
}

func (s *Server) drop(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.lines, conn)
	_ = conn.Close()
}

// conversation is one connection of a mail client.
type conversation struct {
	*textproto.Conn

	s        *Server
	mode     Mode
	signedIn bool
	from, to string
}

// mailFailures are the replies of each mode, by the command that gets them.
var mailFailures = map[string]map[Mode]string{
	"AUTH": {BadCredential: "535 5.7.8 Authentication credentials invalid"},
	"MAIL": {
		BadSender: "553 5.1.8 Sender address rejected", Busy: "451 4.3.0 Try again later", NoMoney: "452 4.3.1 Insufficient system storage",
	},
	"RCPT": {
		BadRecipient: "550 5.1.1 No such user here", Blocked: "550 5.7.1 Not wanted here", RateLimited: "450 4.7.1 Greylisted, come back",
	},
	"DATA": {Refused: "554 5.7.1 Rejected as spam", Gone: "554 5.7.1 Rejected", Moved: "554 5.7.1 Rejected", Created: "554 5.7.1 Rejected"},
}

// converse speaks SMTP (RFC 5321) as far as a client that signs in with PLAIN and
// sends one e-mail needs.
func (s *Server) converse(conn net.Conn) {
	c := &conversation{Conn: textproto.NewConn(conn), s: s, mode: s.next(channel.SMTP)}
	switch c.mode {
	case Down, Redirect:
		_ = c.PrintfLine("421 4.3.2 Service not available")
		return
	case Page, Broken:
		_ = c.PrintfLine("HTTP/1.1 400 Bad Request")
		return
	case Huge:
		_, _ = io.WriteString(conn, "220 "+strings.Repeat("x", 4<<20))
		return
	}
	_ = c.PrintfLine("220 mail.example.org ESMTP")
	for {
		line, err := c.ReadLine()
		if err != nil || !c.command(line) {
			return
		}
	}
}

// command answers one command and reports whether the conversation goes on.
func (c *conversation) command(line string) bool {
	verb, rest, _ := strings.Cut(line, " ")
	verb = strings.ToUpper(verb)
	reply := "250 2.0.0 OK"
	switch verb {
	case "EHLO":
		reply = "250-mail.example.org\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 AUTH PLAIN"
	case "AUTH":
		reply = c.auth(rest)
	case "MAIL", "RCPT", "DATA":
		if !c.signedIn {
			reply = "530 5.7.0 Authentication required"
			break
		}
		return c.transfer(verb, rest, line)
	case "QUIT":
		_ = c.PrintfLine("221 2.0.0 Bye")
		return false
	case "HELO", "RSET", "NOOP":
	default:
		reply = "502 5.5.1 Command not implemented"
	}
	return c.PrintfLine("%s", reply) == nil
}

func (c *conversation) auth(rest string) string {
	mechanism, initial, _ := strings.Cut(rest, " ")
	plain, err := base64.StdEncoding.DecodeString(initial)
	switch failure := mailFailures["AUTH"][c.mode]; {
	case failure != "":
		return failure
	case c.mode == Echo:
		return "535 5.7.8 " + rest + " " + strings.ReplaceAll(string(plain), "\x00", " ")
	case mechanism != "PLAIN":
		return "504 5.5.4 Unrecognized authentication type"
	case err != nil || string(plain) != "\x00"+mailUser+"\x00"+mailPass:
		return mailFailures["AUTH"][BadCredential]
	}
	c.signedIn = true
	return "235 2.7.0 Authentication successful"
}

// transfer answers the commands that hand over an e-mail.
func (c *conversation) transfer(verb, rest, line string) bool {
	failure := mailFailures[verb][c.mode]
	switch address := between(rest); {
	case verb == "DATA":
		return c.data(failure)
	case failure != "":
		return c.PrintfLine("%s", failure) == nil
	case address == "":
		return c.PrintfLine("501 5.5.4 Syntax: %s", line) == nil
	case verb == "MAIL":
		c.from = address
	default:
		c.to = address
	}
	return c.PrintfLine("250 2.1.0 OK") == nil
}

// data takes the text of an e-mail and says what becomes of it.
func (c *conversation) data(failure string) bool {
	if c.from == "" || c.to == "" {
		return c.PrintfLine("503 5.5.1 MAIL and RCPT first") == nil
	}
	if c.PrintfLine("354 End data with <CR><LF>.<CR><LF>") != nil {
		return false
	}
	text, err := io.ReadAll(io.LimitReader(c.DotReader(), 1<<20))
	switch {
	case err != nil, c.mode == Cut:
		return false
	case c.mode == Hang:
		_, _ = c.ReadLine() // until somebody hangs up
		return false
	case failure != "":
		return c.PrintfLine("%s", failure) == nil
	}
	m, err := readMail(text)
	if err != nil {
		return c.PrintfLine("554 5.6.0 %s", err) == nil
	}
	m.From, m.To = c.from, c.to
	return c.PrintfLine("250 2.0.0 OK queued as %s", c.s.take(m)) == nil
}

// between returns what is in the angle brackets of a command.
func between(rest string) string {
	_, rest, _ = strings.Cut(rest, "<")
	address, _, closed := strings.Cut(rest, ">")
	if !closed {
		return ""
	}
	return address
}
