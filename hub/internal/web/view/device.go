package view

import "time"

// Device is the page of a device authorization: the code to enter, or how it ended.
type Device struct {
	Service    ServiceRef
	Connection string
	UserCode   string
	// URL is where the code is entered, OpenURL the same with the code in it where the
	// service has that, and Host whose it is.
	URL, OpenURL, Host string
	// QR is OpenURL as an SVG path of Size squares.
	QR   string
	Size int
	// Until is when the code expires.
	Until time.Time
	// Others are connections that the authorization may end.
	Others []string
	// Ended is how it ended; nil while it is pending.
	Ended *Result
	// Again is where a POST begins anew, Back the page before; "" for none.
	Again, Back string
}

// Done reports whether it has led to a grant.
func (d Device) Done() bool { return d.Ended != nil && d.Ended.Reason == "" }
