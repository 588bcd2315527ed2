package escalation

import (
	_ "embed"
	"fmt"
	"html/template"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/channel"
)

//go:embed email.html
var emailHTML string

// emailTemplate has its styles inline, because mail programs drop stylesheets; the text is
// escaped by html/template.
var emailTemplate = template.Must(template.New("email").Parse(emailHTML))

// htmlOf dresses the text of an e-mail. Links of the text become buttons.
func htmlOf(m channel.Message, lang string, l links, hub string) (string, error) {
	type row struct{ Label, Text string }
	v := struct {
		Lang, Subject, Foot       string
		Lead                      []string
		Rows                      []row
		Button, ButtonURL         string
		Acknowledge, AckURL, Page string
		PageURL                   string
	}{Lang: lang, Subject: m.Subject, Foot: fmt.Sprintf(phrase(lang, "foot"), hub)}
	for line := range strings.SplitSeq(m.Text, "\n") {
		line = strings.TrimSpace(line)
		label, rest, labelled := strings.Cut(line, ": ")
		switch {
		case line == "", isLink(line, l.authorize, l.acknowledge, l.page):
		case labelled && len([]rune(label)) <= 40 && rest != "":
			v.Rows = append(v.Rows, row{label, rest})
		default:
			v.Lead = append(v.Lead, line)
		}
	}
	v.Button, v.ButtonURL = phrase(lang, "button"), l.authorize
	if v.ButtonURL == "" {
		v.Button, v.ButtonURL = phrase(lang, "button_page"), l.page
	} else {
		v.Page, v.PageURL = phrase(lang, "button_page"), l.page
	}
	if l.acknowledge != "" {
		v.Acknowledge, v.AckURL = phrase(lang, "acknowledge"), l.acknowledge
	}
	var b strings.Builder
	err := emailTemplate.Execute(&b, v)
	return b.String(), err
}

// isLink reports whether a line is there for one of some links.
func isLink(line string, links ...string) bool {
	for _, link := range links {
		if link != "" && strings.HasSuffix(line, link) {
			return true
		}
	}
	return false
}
