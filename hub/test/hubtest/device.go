package hubtest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/http"
	"testing"
)

// Device keeps one passkey, as a telephone would, and can be told to lie.
type Device struct {
	t   testing.TB
	Key *ecdsa.PrivateKey
	id  []byte
	// User is whose passkey it is, count how often it was used.
	User  string
	Count uint32
	// Origin and party are what a browser tells of the page.
	Origin, Party string
	// Unverified is a device that has not checked its holder.
	Unverified bool
}

// NewDevice makes a device for the pages of a hub.
func NewDevice(t testing.TB, r *Running) *Device {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &Device{t: t, Key: key, id: []byte(rand.Text()[:16]), Origin: r.Hub.URL(), Party: "localhost"}
}

// asked is what the hub asks a browser for.
type asked struct {
	PublicKey struct {
		Challenge string
		User      struct{ ID string }
	} `json:"publicKey"`
}

// Send posts JSON, as the pages' script does.
func (v *Visitor) Send(path string, body, answer any) (status int, said string) {
	v.T.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		v.T.Fatal(err)
	}
	req, err := http.NewRequestWithContext(v.T.Context(), http.MethodPost, v.Base+path, bytes.NewReader(data))
	if err != nil {
		v.T.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := v.HTTP.Do(req)
	if err != nil {
		v.T.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err = io.ReadAll(resp.Body)
	if err == nil && answer != nil && resp.StatusCode == http.StatusOK {
		err = json.Unmarshal(data, answer)
	}
	if err != nil {
		v.T.Fatalf("%s: %v in %s", path, err, data)
	}
	return resp.StatusCode, string(data)
}

// ask begins at path, which must succeed.
func (d *Device) ask(v *Visitor, path string) (a asked) {
	d.t.Helper()
	if status, said := v.Send(path, struct{}{}, &a); status != http.StatusOK || a.PublicKey.Challenge == "" {
		d.t.Fatalf("%s answers %d: %s", path, status, said)
	}
	return a
}

// Register makes the passkey of whoever is logged in and returns the answer sent.
func (d *Device) Register(v *Visitor, title string) (answer map[string]any, status int, said string) {
	d.t.Helper()
	a := d.ask(v, "/settings/passkeys/begin")
	user, err := base64.RawURLEncoding.DecodeString(a.PublicKey.User.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	d.User = string(user)
	answer = map[string]any{"title": title, "answer": d.created(a.PublicKey.Challenge)}
	status, said = v.Send("/settings/passkeys/finish", answer, nil)
	return answer, status, said
}

// LogIn answers a login and returns the answer sent.
func (d *Device) LogIn(v *Visitor) (answer map[string]any, status int, said string) {
	d.t.Helper()
	a := d.ask(v, "/login/passkey/begin")
	answer = map[string]any{"return_to": "/connections", "answer": d.signed(a.PublicKey.Challenge)}
	status, said = v.Send("/login/passkey/finish", answer, nil)
	return answer, status, said
}

func (d *Device) clientData(kind, challenge string) []byte {
	data, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": d.Origin, "crossOrigin": false})
	if err != nil {
		d.t.Fatal(err)
	}
	return data
}

// authenticatorData is what the device says of itself (WebAuthn, 6.1).
func (d *Device) authenticatorData(flags byte) []byte {
	d.Count++
	flags |= 0x01 // somebody was there
	if !d.Unverified {
		flags |= 0x04
	}
	party := sha256.Sum256([]byte(d.Party))
	return binary.BigEndian.AppendUint32(append(party[:], flags), d.Count)
}

// created is a new passkey as a browser would hand it over: CBOR by hand.
func (d *Device) created(challenge string) map[string]any {
	point, err := d.Key.PublicKey.Bytes()
	if err != nil {
		d.t.Fatal(err)
	}
	data := append(d.authenticatorData(0x40), make([]byte, 16)...) // of no known make
	data = append(data, 0, byte(len(d.id)))
	data = append(data, d.id...)
	data = append(data, 0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 32) // ES256 on P-256, x
	data = append(data, point[1:33]...)
	data = append(data, 0x22, 0x58, 32) // y
	data = append(data, point[33:]...)
	object := append([]byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58"), byte(len(data)))
	return d.credential(map[string]string{
		"clientDataJSON": text(d.clientData("webauthn.create", challenge)), "attestationObject": text(append(object, data...)),
	})
}

// signed is a login as a browser would hand it over.
func (d *Device) signed(challenge string) map[string]any {
	client, data := d.clientData("webauthn.get", challenge), d.authenticatorData(0)
	hash := sha256.Sum256(client)
	sum := sha256.Sum256(append(bytes.Clone(data), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, d.Key, sum[:])
	if err != nil {
		d.t.Fatal(err)
	}
	return d.credential(map[string]string{
		"clientDataJSON": text(client), "authenticatorData": text(data), "signature": text(signature), "userHandle": text([]byte(d.User)),
	})
}

func (d *Device) credential(response map[string]string) map[string]any {
	return map[string]any{"id": text(d.id), "rawId": text(d.id), "type": "public-key", "response": response, "clientExtensionResults": map[string]any{}}
}

func text(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
