package keydb

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Certificate is the certificate of a key, without anything of the key itself.
type Certificate struct {
	ServiceID string
	// Name is that of the description's key, KeyID the kid of the version.
	Name, KeyID string
	EndsAt      time.Time
}

// CertificatesInUse reads the client certificate in use of each key of all services, by
// service and name: the newest version whose time has come.
func (s *Rows) CertificatesInUse(ctx context.Context, now time.Time) ([]Certificate, error) {
	var rows []keyRow
	err := s.db.Reading(ctx).Select("service_id", "name", "kid", "ends_at").
		Where("purpose = ? AND used_from <= ?", string(provider.KeyClientCertificate), db.Millis(now)).
		Order("service_id, name, serial DESC").Find(&rows).Error
	if err != nil {
		return nil, db.Failed("read the client certificates of services", err)
	}
	var list []Certificate
	for i, row := range rows {
		if i > 0 && rows[i-1].ServiceID == row.ServiceID && rows[i-1].Name == row.Name {
			continue // a later version has taken its place
		}
		list = append(list, Certificate{ServiceID: row.ServiceID, Name: row.Name, KeyID: row.Kid, EndsAt: db.TimeOf(row.EndsAt)})
	}
	return list, nil
}
