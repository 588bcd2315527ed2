package operation

import (
	"encoding/json"
	"time"

	"github.com/evergrant/evergrant/hub/internal/journal"
)

// DeviceMeta is what the journal keeps of a request for the tokens of a device
// authorization, beside its replies.
type DeviceMeta struct {
	DeviceID         string    `json:"device_id"`
	DeviceConnection string    `json:"device_connection"`
	Scopes           []string  `json:"scopes,omitempty"`
	Asked            time.Time `json:"asked"`
	// Data are the bytes that the plugin returned with the device code.
	Data []byte `json:"data,omitempty"`
}

// Encode is the meta of an operation.
func (m DeviceMeta) Encode() []byte {
	data, _ := json.Marshal(m) // texts, times and bytes always encode
	return data
}

// DeviceOf reads the meta of a journaled operation; false if it is about no device
// authorization.
func DeviceOf(op journal.Operation) (m DeviceMeta, ok bool) {
	ok = json.Unmarshal(op.Meta, &m) == nil && m.DeviceID != ""
	return m, ok
}

// PendingDevices are the operations of device authorizations in the journal whose outcome
// is not known to be saved.
func (r *Runner) PendingDevices() []journal.Operation {
	var all []journal.Operation
	for _, op := range r.journal.Pending() {
		if _, ok := DeviceOf(op); ok {
			all = append(all, op)
		}
	}
	return all
}
