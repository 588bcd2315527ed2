package pluginpack

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"aead.dev/minisign"
)

// Signature is a signature that was found in a package. It counts only after
// Keys.Judge.
type Signature struct {
	// KeyID names the key that it says to be of, in upper-case hex as minisign
	// prints it.
	KeyID string
	// Comment is signed along.
	Comment string

	text, signed []byte
}

func readSignature(text, signed []byte) (*Signature, error) {
	var s minisign.Signature
	if err := s.UnmarshalText(text); err != nil {
		return nil, refuse("its signature cannot be read: %v", err)
	}
	return &Signature{KeyID: keyID(s.KeyID), Comment: s.TrustedComment, text: text, signed: signed}, nil
}

func keyID(id uint64) string { return fmt.Sprintf("%016X", id) }

// commentOf binds a signature to what it is for, beside the signed bytes.
func commentOf(m *Manifest, manifest []byte) string {
	sum := sha256.Sum256(manifest)
	return fmt.Sprintf("evergrant plugin %s %s sha256:%s", m.Name, m.Version, hex.EncodeToString(sum[:]))
}

// Key is a public key that signatures are judged by.
type Key struct {
	// ID as in Signature.KeyID.
	ID string
	// Title is who it belongs to, in the administrator's words.
	Title string
	// Public is the key in minisign's text form, one line.
	Public string
	// RevokedAt is zero while it is trusted.
	RevokedAt time.Time
}

// ReadKey reads a public key as minisign prints or writes it.
func ReadKey(title, text string) (Key, error) {
	var public minisign.PublicKey
	if err := public.UnmarshalText([]byte(strings.TrimSpace(text))); err != nil {
		return Key{}, fmt.Errorf("read the public key (a line of minisign, RW…): %w", err)
	}
	line, err := public.MarshalText()
	if err != nil {
		return Key{}, fmt.Errorf("read the public key: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(line)), "\n")
	return Key{ID: keyID(public.ID()), Title: title, Public: lines[len(lines)-1]}, nil
}

// Judge finds the key by which a package is signed. Errors: *RefusedError if it
// is not signed, by an unknown or revoked key, or if the signature does not fit.
func Judge(p *Package, keys []Key) (Key, error) {
	if p.Signature == nil {
		return Key{}, refuse("it is not signed")
	}
	for _, k := range keys {
		if k.ID != p.Signature.KeyID {
			continue
		}
		var public minisign.PublicKey
		if err := public.UnmarshalText([]byte(k.Public)); err != nil {
			return k, fmt.Errorf("read the public key %s: %w", k.ID, err)
		}
		switch {
		case !minisign.Verify(public, p.Signature.signed, p.Signature.text):
			return k, refuse("its signature does not fit the key %s (%s)", k.ID, k.Title)
		case p.Signature.Comment != commentOf(&p.Manifest, p.Signature.signed):
			return k, refuse("its signature is for something else: %q", p.Signature.Comment)
		case !k.RevokedAt.IsZero():
			return k, refuse("it is signed by the key %s (%s), which is not trusted any more", k.ID, k.Title)
		}
		return k, nil
	}
	return Key{}, refuse("it is signed by the key %s, which nobody here trusts", p.Signature.KeyID)
}

// Sign copies a package from r to w, signed by a private key. A signature that
// it has is replaced. dir is for the files meanwhile.
func Sign(w io.Writer, r io.Reader, private minisign.PrivateKey, dir string) (*Manifest, error) {
	p, err := Unpack(r, dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(p.Dir) }()
	manifest, err := json.MarshalIndent(p.Manifest, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("sign %s: %w", p.Manifest.Name, err)
	}
	signature := minisign.SignWithComments(private, manifest, commentOf(&p.Manifest, manifest), "evergrant plugin "+p.Manifest.Name)
	return &p.Manifest, writeArchive(w, manifest, signature, p.Manifest, os.DirFS(p.Dir))
}

// ReadPrivateKey reads a private key as minisign writes it. The password is
// asked for only if the key is encrypted.
func ReadPrivateKey(text []byte, password func() (string, error)) (minisign.PrivateKey, error) {
	var private minisign.PrivateKey
	if !minisign.IsEncrypted(text) {
		if err := private.UnmarshalText(bytes.TrimSpace(text)); err != nil {
			return private, errors.New("read the private key: it is no private key of minisign")
		}
		return private, nil
	}
	secret, err := password()
	if err != nil {
		return private, err
	}
	private, err = minisign.DecryptKey(secret, text)
	if err != nil {
		return private, errors.New("read the private key: the password is wrong, or the file is damaged")
	}
	return private, nil
}
