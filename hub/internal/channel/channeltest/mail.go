package channeltest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/channel"
)

// readMail reads an e-mail of text and HTML (RFC 5322, RFC 2046).
func readMail(text []byte) (Received, error) {
	message, err := mail.ReadMessage(bytes.NewReader(text))
	if err != nil {
		return Received{}, fmt.Errorf("the e-mail could not be read: %w", err)
	}
	m := Received{Kind: channel.SMTP, Header: http.Header(message.Header), Key: strings.Trim(message.Header.Get("Message-Id"), "<>")}
	if m.Subject, err = new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject")); err != nil {
		return Received{}, fmt.Errorf("the subject could not be read: %w", err)
	}
	kind, parameters, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "multipart/") {
		return Received{}, errors.New("the e-mail is not text and HTML")
	}
	parts := multipart.NewReader(message.Body, parameters["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return m, nil
		}
		if err != nil {
			return Received{}, fmt.Errorf("the parts of the e-mail could not be read: %w", err)
		}
		body, err := decoded(part)
		if err != nil {
			return Received{}, err
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			m.HTML = body
		} else {
			m.Text = body
		}
	}
}

func decoded(part *multipart.Part) (string, error) {
	var from io.Reader = part
	switch strings.ToLower(part.Header.Get("Content-Transfer-Encoding")) {
	case "quoted-printable":
		from = quotedprintable.NewReader(part)
	case "base64":
		from = base64.NewDecoder(base64.StdEncoding, part)
	}
	body, err := io.ReadAll(from)
	if err != nil {
		return "", fmt.Errorf("a part of the e-mail could not be read: %w", err)
	}
	return strings.ReplaceAll(string(body), "\r\n", "\n"), nil
}
