package view

import (
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
)

// Incident is one trouble of one or many connections.
type Incident struct {
	ID   string
	Kind connection.CauseKind
	// Of is whose it is, in words: a service's title, a host, a provider, a
	// connection's title.
	Of string
	// URL is where it can be mended or looked at; "" if nowhere.
	URL string
	// AllURL lists all that suffer from it; "" if it is one.
	AllURL string
	// Said is the message of the service.
	Said     string
	Code     string
	Affected int
	Since    time.Time
	// Until is when it was over; zero while it is open.
	Until time.Time
}
