package view

import "time"

// Passkeys are those of the signed-in person, and whether there can be any.
type Passkeys struct {
	// Trouble is why they do not work at the hub's Address, one of access's; "" if they
	// do.
	Trouble, Address string
	List             []Passkey
}

// Passkey is one without its key.
type Passkey struct {
	ID, Title             string
	CreatedAt, LastUsedAt time.Time
}
