package connection

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// longestName bounds the name of a connection, in bytes.
const longestName = 100

// NewPart returns the connection of a part of c's authorization, before its first grant. It
// is of the same service and gets its tokens in the same way, with the same options; lang
// is the language of its title.
func (c Connection) NewPart(now time.Time, id, name string, part provider.Part, lang string) Connection {
	p := New(now, id, name, c.Title+" · "+part.Title.In(lang), c.ServiceID, c.Policy)
	p.Grant, p.Options = c.Grant, maps.Clone(c.Options)
	p.Part, p.MainID = part.Name, c.ID
	return p
}

// PartName is the nth choice for the name of the connection of a part: the main's name, the
// part's, and from the second on n. A name that would be too long is cut in front of that.
func PartName(main, part string, n int) string {
	end := "-" + part
	if n > 1 {
		end += "-" + strconv.Itoa(n)
	}
	return strings.TrimRight(main[:min(len(main), longestName-len(end))], "-") + end
}
