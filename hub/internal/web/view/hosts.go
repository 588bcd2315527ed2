package view

// HeldHosts are the new hosts that services wait for an owner's consent to.
type HeldHosts struct {
	Services []HeldService
	// Hosts are the names of all of them, each once.
	Hosts []string
}

// HeldService is a service that waits. Was and New are names of hosts.
type HeldService struct{ Name, Title, Was, New string }
