package access

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/randtoken"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// DeviceLife is how long a browser is known after a login.
const DeviceLife = 180 * 24 * time.Hour

// maxDevice bounds what a browser may show, in bytes.
const maxDevice = 256

// Device makes the cookie that a person's browser keeps after a login, so that others'
// guesses do not lock the person out there: a signed name of the browser. It grants no
// access. devices are the browser's present cookies; it keeps the name that it has.
func (a *Access) Device(ctx context.Context, u peopledb.User, devices []string) (string, error) {
	id, err := a.knownDevice(ctx, u, devices)
	if err != nil {
		return "", err
	}
	if id == "" {
		id = randtoken.New()
	}
	key, err := a.store.Audit.PurposeKey(ctx, "devices")
	if err != nil {
		return "", err
	}
	said := u.ID + "." + id + "." + strconv.FormatInt(time.Now().Unix(), 10)
	return said + "." + signed(key, said), nil
}

// knownDevice is the name of a browser in which the person was logged in; "" if it is
// strange.
func (a *Access) knownDevice(ctx context.Context, u peopledb.User, devices []string) (string, error) {
	if u.ID == "" || len(devices) == 0 {
		return "", nil
	}
	key, err := a.store.Audit.PurposeKey(ctx, "devices")
	if err != nil {
		return "", err
	}
	for _, device := range devices {
		if id, ok := deviceOf(key, u.ID, device); ok {
			return id, nil
		}
	}
	return "", nil
}

func deviceOf(key []byte, userID, device string) (id string, ok bool) {
	at := strings.LastIndexByte(device, '.')
	if at < 0 || len(device) > maxDevice || !hmac.Equal([]byte(signed(key, device[:at])), []byte(device[at+1:])) {
		return "", false
	}
	parts := strings.Split(device[:at], ".")
	if len(parts) != 3 || parts[0] != userID {
		return "", false
	}
	since, err := strconv.ParseInt(parts[2], 10, 64)
	return parts[1], err == nil && time.Since(time.Unix(since, 0)) < DeviceLife
}

func signed(key []byte, said string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(said))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
