package provider

import (
	"regexp"
	"strings"
)

// maxName bounds the name of a provider and that of a publisher, in bytes.
const maxName = 63

var nameRE = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// ValidName reports whether a text can be the name of a provider: "name", or
// "publisher.name". Both parts have lower-case letters, digits and hyphens, and at most 63
// of them together with the dot.
func ValidName(name string) bool {
	publisher, own, dotted := strings.Cut(name, ".")
	if !dotted {
		publisher, own = own, publisher
	}
	return len(name) <= maxName && nameRE.MatchString(own) && (!dotted || nameRE.MatchString(publisher))
}

// PublisherOf is the publisher in the name of a provider; "" if there is none, which is for
// providers of the authors of the hub.
func PublisherOf(name string) string {
	publisher, _, dotted := strings.Cut(name, ".")
	if !dotted {
		return ""
	}
	return publisher
}
