package operation

// Plugin is the version and the SHA-256 of the program that serves a provider now; "" is
// not known.
func (r *Runner) Plugin(providerName string) (version, sum string) {
	_, sum, _ = r.host.Description(providerName)
	if host, ok := r.host.(interface {
		Version(providerName string) string
	}); ok { // providers of tests have none
		version = host.Version(providerName)
	}
	return version, sum
}
