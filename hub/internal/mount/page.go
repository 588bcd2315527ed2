package mount

import (
	"bytes"
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

// Attributes are those of the pages that hold an address which a browser, htmx or a script
// of the pages asks for. Others, such as the hidden field return_to, hold addresses for the
// hub, which knows no path.
var Attributes = []string{"href", "src", "action", "formaction", "hx-get", "hx-post", "data-href", "data-live", "data-finds", "data-passkey"}

// rooted finds their addresses that begin at the root. In what the pages' templates write
// a value is in double quotes and holds none itself, so no value is taken for an attribute.
var rooted = regexp.MustCompile(`(\s(?:` + strings.Join(Attributes, "|") + `)=")(/(?:[^/"][^"]*)?")`)

// inPage puts the path before the addresses in a page or a part of one. Only tags are
// looked at: text, scripts and comments stay as they are.
func inPage(page []byte, path string) []byte {
	out := make([]byte, 0, len(page)+len(page)/16)
	tokens := html.NewTokenizer(bytes.NewReader(page))
	for {
		kind := tokens.Next()
		raw := tokens.Raw()
		switch kind {
		case html.ErrorToken:
			return append(out, raw...)
		case html.StartTagToken, html.SelfClosingTagToken:
			out = append(out, rooted.ReplaceAll(raw, []byte("${1}"+path+"${2}"))...)
		default:
			out = append(out, raw...)
		}
	}
}
