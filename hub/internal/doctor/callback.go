package doctor

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"net/url"

	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
)

// InstanceHeader is the hub's answer to a nonce at /healthz; see store.Store.InstanceProof.
const InstanceHeader = "X-Evergrant-Instance"

// lookAtCallback goes the way that a browser comes back from a service.
func (d *deployment) lookAtCallback(ctx context.Context) []Finding {
	address := d.o.Config.PublicURL
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return []Finding{warn("public_url is not set, and the port is left to the system", "set public_url to the https address that people use")}
	}
	var found []Finding
	switch ip := net.ParseIP(u.Hostname()); {
	case u.Hostname() == "localhost" || ip != nil && ip.IsLoopback():
		found = append(found, warn(address+" leads to this machine alone", "set public_url to the https address that people use"))
	case u.Scheme != "https":
		found = append(found, warn(address+" is not encrypted, and most services refuse such a redirect URI", "set public_url to an https address"))
	}
	if _, err := net.DefaultResolver.LookupHost(ctx, u.Hostname()); err != nil {
		return append(found, fail(u.Hostname()+" cannot be resolved", "add it to the DNS, or mend public_url"))
	}
	return append(found, d.askItself(ctx, address))
}

// askItself checks which hub answers at the public address.
func (d *deployment) askItself(ctx context.Context, address string) Finding {
	nonce := rand.Text()
	resp, err := d.get(ctx, address+"/healthz?nonce="+nonce)
	if err != nil && d.db == nil && d.embedded() {
		return warn(address+" does not answer, and there is no database: the hub was never started", "start it, then ask again")
	}
	if err != nil {
		return fail(address+" does not answer", "is the hub running? Does the proxy, and the firewall, lead to it, and is the certificate right?")
	}
	_ = resp.Body.Close()
	proof := resp.Header.Get(InstanceHeader)
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return fail(address+" sends the browser elsewhere", "set public_url to the address that it ends at: a redirect URI has to be exact")
	case resp.StatusCode != http.StatusOK:
		return fail(address+" answers "+resp.Status, "does the proxy lead to the hub?")
	case d.db == nil || d.box == nil:
		return warn(address+" answers, but which hub it is cannot be told", "mend database and key first")
	}
	want, err := d.db.InstanceProof(ctx, nonce)
	switch {
	case proof == "" && errors.Is(err, auditdb.ErrNothingSealed):
		return warn(address+" answers, but which hub it is cannot be told: nothing is sealed yet by which it could prove itself", "ask again in a moment")
	case proof == "":
		return fail(address+" is answered by something else than this hub", "does the proxy lead to the hub, and hand its headers on?")
	case errors.Is(err, auditdb.ErrOtherKey):
		return fail(address+" answers, but this key does not open what the database holds", "put the key back that this database was used with")
	case err != nil:
		return warn(address+" is answered by a hub, but whether it is this one cannot be told: this database was used by none yet",
			"is the hub at the address one with another database? Mend public_url then")
	case subtle.ConstantTimeCompare([]byte(proof), []byte(want)) != 1:
		return fail(address+" is answered by a hub with another database or key", "mend public_url, or the proxy")
	}
	return ok(address + " leads to this hub")
}

// get requests an address without following redirects.
func (d *deployment) get(ctx context.Context, address string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	client := *d.o.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client.Do(req)
}
