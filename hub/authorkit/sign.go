package authorkit

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"aead.dev/minisign"

	"github.com/evergrant/evergrant/hub/internal/pluginpack"
)

// Sign signs a package in place. password is called if the signing key needs one.
func Sign(file, keyFile string, password func() (string, error)) error {
	text, err := os.ReadFile(keyFile)
	if err != nil {
		return fmt.Errorf("read the private key: %w", err)
	}
	private, err := pluginpack.ReadPrivateKey(text, password)
	if err != nil {
		return err
	}
	in, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("read the package: %w", err)
	}
	defer func() { _ = in.Close() }()
	return writeFile(file, func(w io.Writer) error {
		_, err := pluginpack.Sign(w, in, private, os.TempDir())
		return err
	})
}

// Verified is what Verify found.
type Verified struct {
	Manifest pluginpack.Manifest
	Sum      string
	// Signer is the id of the signing key; "" if the package is not signed.
	Signer string
	// Trusted is set if the signature fits the given key.
	Trusted bool
}

// Conformance summarizes the report in the package for its program, with the failed
// checks; "" if there is none.
func (v *Verified) Conformance() (said string, failed []string) {
	c := v.Manifest.Conformance
	entry := slices.IndexFunc(v.Manifest.Files, func(f pluginpack.File) bool { return f.Path == v.Manifest.Entry })
	switch {
	case c == nil || entry < 0 || c.EntrySHA256 != v.Manifest.Files[entry].SHA256:
		return "", nil
	case len(c.Failed) > 0:
		return fmt.Sprintf("%d checks passed, %d failed", len(c.Passed), len(c.Failed)), c.Failed
	case !c.Renews:
		return fmt.Sprintf("%d checks passed, a renewal was not proven", len(c.Passed)), nil
	}
	return fmt.Sprintf("%d checks passed, renewal included", len(c.Passed)), nil
}

// Verify checks a package as a hub would. publicKey is a line of minisign or a file with
// one; with "" the signature is shown but not verified.
func Verify(file, publicKey string) (*Verified, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read the package: %w", err)
	}
	defer func() { _ = in.Close() }()
	p, err := pluginpack.Unpack(in, os.TempDir())
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(p.Dir) }()
	v := &Verified{Manifest: p.Manifest, Sum: p.Sum}
	if p.Signature != nil {
		v.Signer = p.Signature.KeyID
	}
	if publicKey == "" {
		return v, nil
	}
	if text, err := os.ReadFile(publicKey); err == nil {
		publicKey = string(text)
	}
	key, err := pluginpack.ReadKey(file, publicKey)
	if err != nil {
		return v, err
	}
	_, err = pluginpack.Judge(p, []pluginpack.Key{key})
	v.Trusted = err == nil
	return v, err
}

// NewKey writes a key pair: file, which no password protects, with mode 0600,
// and file.pub. It refuses to overwrite.
func NewKey(file string) (public string, err error) {
	pub, private, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	secret, err := private.MarshalText()
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	line, err := pub.MarshalText()
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	for name, content := range map[string][]byte{file: append(secret, '\n'), file + ".pub": append(line, '\n')} {
		out, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return "", fmt.Errorf("write the key: %w", err)
		}
		_, err = out.Write(content)
		if err = errors.Join(err, out.Close()); err != nil {
			return "", fmt.Errorf("write the key: %w", err)
		}
	}
	key, err := pluginpack.ReadKey("", string(line))
	return key.Public, err
}
