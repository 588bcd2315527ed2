package page

import (
	"net/url"
	"strings"

	"github.com/a-h/templ"
)

// connectionURL is the address of a connection's page, or of a part of it.
func connectionURL(name string, part ...string) templ.SafeURL {
	return address("/connections/", name, part)
}

// serviceURL is the address of a service's page, or of a part of it.
func serviceURL(name string, part ...string) templ.SafeURL {
	return address("/services/", name, part)
}

func address(folder, name string, part []string) templ.SafeURL {
	return templ.SafeURL(folder + url.PathEscape(name) + strings.Join(part, ""))
}
