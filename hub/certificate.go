package hub

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

// certificateLook is how often the files of the certificate are looked at, at most.
const certificateLook = time.Second

// certificate is the hub's own one. Replaced files are served from the next handshake on,
// without a restart; while they cannot be used, the old one stays.
type certificate struct {
	certFile, keyFile string
	log               hclog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	// files are what was read last, usable or not.
	files  [2]fileState
	looked time.Time
}

// fileState identifies the content of a file.
type fileState struct {
	changed time.Time
	size    int64
}

// loadCertificate reads the files, so that a missing one fails at the start.
func loadCertificate(certFile, keyFile string, log hclog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	if _, err := c.look(); err != nil {
		return nil, fmt.Errorf("the certificate in tls.cert_file and tls.key_file cannot be used: %w", err)
	}
	return c, nil
}

// openCertificate reads the hub's certificate, if it has one.
func (h *Hub) openCertificate() (err error) {
	if t := h.cfg.TLS; t.CertFile != "" {
		h.certificate, err = loadCertificate(t.CertFile, t.KeyFile, h.log.Named("tls"))
	}
	return err
}

// get is GetCertificate of a tls.Config.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) >= certificateLook {
		c.renew()
	}
	return c.current, nil
}

// reload looks at the files now.
func (c *certificate) reload() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.renew()
}

func (c *certificate) renew() {
	switch replaced, err := c.look(); {
	case err != nil:
		c.log.Error("reload TLS certificate failed, serving the previous one", "file", c.certFile, "error", err)
	case replaced:
		c.log.Info("TLS certificate reloaded", "file", c.certFile)
	}
}

// look reads the files if they have changed since they were read last. An error is logged
// once.
func (c *certificate) look() (replaced bool, err error) {
	c.looked = time.Now()
	files := [2]fileState{stateOf(c.certFile), stateOf(c.keyFile)}
	if c.current != nil && files == c.files {
		return false, nil
	}
	c.files = files
	loaded, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return false, err
	}
	c.current = &loaded
	return true, nil
}

// stateOf is empty for a file that is not there.
func stateOf(path string) (s fileState) {
	if info, err := os.Stat(path); err == nil {
		s.changed, s.size = info.ModTime(), info.Size()
	}
	return s
}

// Reload takes over what a running hub can: a replaced certificate and the log level. The
// rest of a configuration needs a restart.
func (h *Hub) Reload(cfg Config) {
	if h.certificate != nil {
		h.certificate.reload()
	}
	if level := hclog.LevelFromString(cfg.Log.Level); level != h.log.GetLevel() {
		h.log.Warn("log level changed", "level", cfg.Log.Level)
		h.log.SetLevel(level)
	}
	h.log.Info("reloaded TLS certificate and log level")
}
