package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"
	"time"
)

// lookAtProxies checks which proxies the hub trusts for the addresses of clients.
func (d *deployment) lookAtProxies(context.Context) []Finding {
	wide := d.o.Config.WideProxies()
	switch {
	case len(d.o.Config.TrustedProxies) == 0:
		return []Finding{ok("no reverse proxy is trusted; the address of a connection is the client's")}
	case len(wide) > 0:
		return []Finding{warn("trusted_proxies holds whole networks: "+strings.Join(wide, ", ")+"; every client in them can say that it has any address",
			"name the addresses of the proxies alone")}
	}
	return []Finding{ok(strings.Join(d.o.Config.TrustedProxies, ", ") + " may say where a client is")}
}

// expiresSoon is how long before the end of a certificate the doctor warns.
const expiresSoon = 14 * 24 * time.Hour

// lookAtCertificate reads the hub's own certificate.
func (d *deployment) lookAtCertificate(context.Context) []Finding {
	t := d.o.Config.TLS
	if t.CertFile == "" {
		return []Finding{ok("the hub has no certificate of its own: a reverse proxy speaks HTTPS, or nobody does")}
	}
	pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
	if err != nil {
		return []Finding{fail("the certificate cannot be used: "+err.Error(), "mend tls.cert_file and tls.key_file; the hub does not start without them")}
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return []Finding{fail("the certificate cannot be read: "+err.Error(), "mend tls.cert_file")}
	}
	until := leaf.NotAfter.UTC().Format(time.RFC3339)
	switch left := time.Until(leaf.NotAfter); {
	case left <= 0:
		return []Finding{fail("the certificate is over since "+until, "replace it; a running hub serves the new one at once")}
	case left < expiresSoon:
		return []Finding{warn(fmt.Sprintf("the certificate is good until %s, %d days more", until, int(left.Hours()/24)), "replace it; a running hub serves the new one at once")}
	}
	return []Finding{ok("the certificate is good until " + until)}
}
