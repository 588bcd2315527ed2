package servicedb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/sdk/provider"
)

type serviceRow struct {
	ID          string `gorm:"primaryKey"`
	Name        string
	Title       string
	Provider    string
	ClientID    string
	Secrets     []byte
	Scopes      string
	RedirectURI string
	Description string
	PluginSum   string
	Doubtful    bool
	CreatedAt   int64 `gorm:"autoCreateTime:false"`
	UpdatedAt   int64 `gorm:"autoUpdateTime:false"`
}

// TableName pins the table.
func (serviceRow) TableName() string { return "services" }

// serviceSecrets is the sealed part of a service. Options are sealed as a whole: the
// description determines which of them are secret, and that may change.
type serviceSecrets struct {
	ClientSecret string         `json:"client_secret,omitempty"`
	SecretEndsAt time.Time      `json:"client_secret_ends_at,omitzero"`
	OtherSecret  string         `json:"other_client_secret,omitempty"`
	OtherEndsAt  time.Time      `json:"other_client_secret_ends_at,omitzero"`
	Options      map[string]any `json:"options,omitempty"`
	Data         []byte         `json:"data,omitempty"`
	// The hosts are no secrets, but changing them in the database would redirect secrets.
	PrivateHosts  []string `json:"private_hosts,omitempty"`
	ApprovedHosts []string `json:"approved_hosts,omitempty"`

	Hosts     []provider.Host `json:"hosts,omitempty"`
	HeldHosts []provider.Host `json:"held_hosts,omitempty"`
}

// CreateService adds a service. Errors: ErrNameTaken.
func (s *Rows) CreateService(ctx context.Context, svc service.Service) error {
	tried := "add the service " + svc.Name
	row, err := s.rowOfService(svc)
	if err != nil {
		return db.Failed(tried, err)
	}
	return db.Written(tried, s.db.Writing(ctx).Create(&row), "name", svc.Name)
}

// ReplaceService replaces a service except for the time of its creation, if it was last
// changed at was: svc is made of what was read then. Errors: ErrNotFound, ErrNameTaken,
// ErrStale.
func (s *Rows) ReplaceService(ctx context.Context, svc service.Service, was time.Time) error {
	tried := "change the service " + svc.Name
	row, err := s.rowOfService(svc)
	if err != nil {
		return db.Failed(tried, err)
	}
	var result *gorm.DB
	err = s.db.Transaction(ctx, func(tx *gorm.DB) error {
		var old serviceRow
		if err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).Select("id", "updated_at").Where("id = ?", svc.ID).Take(&old).Error; err != nil {
			return err
		}
		if old.UpdatedAt != db.Millis(was) {
			return db.ErrStale
		}
		row.UpdatedAt = db.Later(svc.UpdatedAt, old.UpdatedAt)
		result = tx.Model(&serviceRow{}).Where("id = ?", svc.ID).Select("*").Omit("id", "created_at").Updates(&row)
		return result.Error
	})
	if result == nil {
		return db.Failed(tried, err)
	}
	return db.Written(tried, result, "name", svc.Name)
}

// DeleteService removes a service and the authorizations that were started for
// it. Errors: ErrInUse while it has connections, ErrNotFound.
func (s *Rows) DeleteService(ctx context.Context, id string) error {
	result := s.db.Writing(ctx).Where("id = ?", id).Delete(&serviceRow{})
	if errors.Is(result.Error, gorm.ErrForeignKeyViolated) {
		return fmt.Errorf("delete the service %s: it has connections, delete them first: %w", id, db.ErrInUse)
	}
	return db.Changed("delete the service "+id, result)
}

// Service reads a service by its id. A cached one is returned while the row has not
// changed, so callers must not write to what it points to. Errors: ErrNotFound.
func (s *Rows) Service(ctx context.Context, id string) (service.Service, error) {
	if s.db.Within(ctx) { // what this transaction has written is seen by no batch
		return s.oneService(ctx, "id = ?", id)
	}
	version, err := s.versions.Do(ctx, id)
	if err != nil {
		return service.Service{}, db.Failed("read the service "+id, err)
	}
	if svc, ok := s.serviceCache.get(id, version); ok {
		return svc, nil
	}
	svc, err := s.oneService(ctx, "id = ?", id)
	if err == nil {
		s.serviceCache.put(svc)
	}
	return svc, err
}

// ServiceByName reads a service by its unique name. Errors: ErrNotFound.
func (s *Rows) ServiceByName(ctx context.Context, name string) (service.Service, error) {
	return s.oneService(ctx, "name = ?", name)
}

func (s *Rows) oneService(ctx context.Context, where, value string) (service.Service, error) {
	var row serviceRow
	err := s.db.Reading(ctx).Where(where, value).Take(&row).Error
	if err != nil {
		return service.Service{}, db.Failed("read the service "+value, err)
	}
	return s.serviceOf(&row)
}

// Services reads all services, ordered by name.
func (s *Rows) Services(ctx context.Context) ([]service.Service, error) {
	return s.services(s.db.Reading(ctx))
}

// DoubtfulServices reads those that are marked so, ordered by name.
func (s *Rows) DoubtfulServices(ctx context.Context) ([]service.Service, error) {
	return s.services(s.db.Reading(ctx).Where("doubtful = ?", true))
}

func (s *Rows) services(tx *gorm.DB) ([]service.Service, error) {
	var rows []serviceRow
	if err := tx.Order("name").Find(&rows).Error; err != nil {
		return nil, db.Failed("read the services", err)
	}
	services := make([]service.Service, 0, len(rows))
	for i := range rows {
		svc, err := s.serviceOf(&rows[i])
		if err != nil {
			return nil, err
		}
		services = append(services, svc)
	}
	return services, nil
}

func (s *Rows) rowOfService(svc service.Service) (serviceRow, error) {
	row := serviceRow{
		ID: svc.ID, Name: svc.Name, Title: svc.Title, Provider: svc.Provider, ClientID: svc.ClientID,
		RedirectURI: svc.RedirectURI, PluginSum: svc.PluginSum, Doubtful: svc.Doubtful,
		CreatedAt: db.Millis(svc.CreatedAt), UpdatedAt: db.Millis(svc.UpdatedAt),
	}
	var err error
	if row.Scopes, err = db.JSONText(svc.Scopes); err != nil {
		return row, err
	}
	if row.Description, err = db.JSONText(svc.Description); err != nil {
		return row, err
	}
	secrets := serviceSecrets{
		ClientSecret: svc.ClientSecret, SecretEndsAt: svc.SecretEndsAt.UTC(), OtherSecret: svc.OtherSecret.Value, OtherEndsAt: svc.OtherSecret.EndsAt.UTC(),
		Options: svc.Options, Data: svc.Data, PrivateHosts: svc.PrivateHosts, ApprovedHosts: svc.ApprovedHosts,
		Hosts: svc.Hosts, HeldHosts: svc.HeldHosts,
	}
	row.Secrets, err = s.db.SealJSON(secrets, "services", svc.ID, "secrets")
	return row, err
}

func (s *Rows) serviceOf(row *serviceRow) (service.Service, error) {
	svc := service.Service{
		ID: row.ID, Name: row.Name, Title: row.Title, Provider: row.Provider, ClientID: row.ClientID,
		RedirectURI: row.RedirectURI, PluginSum: row.PluginSum, Doubtful: row.Doubtful,
		CreatedAt: db.TimeOf(row.CreatedAt), UpdatedAt: db.TimeOf(row.UpdatedAt),
	}
	if err := json.Unmarshal([]byte(row.Scopes), &svc.Scopes); err != nil {
		return svc, fmt.Errorf("read the scopes of the service %s: %w", row.Name, err)
	}
	if err := json.Unmarshal([]byte(row.Description), &svc.Description); err != nil {
		return svc, fmt.Errorf("read the description of the service %s: %w", row.Name, err)
	}
	var secrets serviceSecrets
	if err := s.db.OpenJSON(row.Secrets, &secrets, "services", row.ID, "secrets"); err != nil {
		return svc, fmt.Errorf("read the service %s: %w", row.Name, err)
	}
	svc.ClientSecret, svc.Options, svc.Data = secrets.ClientSecret, optionValues(secrets.Options), secrets.Data
	svc.SecretEndsAt, svc.OtherSecret = secrets.SecretEndsAt, service.Secret{Value: secrets.OtherSecret, EndsAt: secrets.OtherEndsAt}
	svc.PrivateHosts, svc.ApprovedHosts = secrets.PrivateHosts, secrets.ApprovedHosts
	svc.Hosts, svc.HeldHosts = secrets.Hosts, secrets.HeldHosts
	return svc, nil
}

// optionValues gives options that were read from JSON the types of
// service.Service.Options back.
func optionValues(options map[string]any) map[string]any {
	for name, value := range options {
		switch v := value.(type) {
		case json.Number:
			if n, err := v.Int64(); err == nil {
				options[name] = n
			} else if f, err := v.Float64(); err == nil {
				options[name] = f
			}
		case []any:
			list := make([]string, 0, len(v))
			for _, item := range v {
				if text, ok := item.(string); ok {
					list = append(list, text)
				}
			}
			options[name] = list
		}
	}
	return options
}

// ServiceName is what a service is called.
type ServiceName struct{ ID, Name, Title string }

// ServiceNames reads what the services are called, ordered by name, and nothing that is
// sealed.
func (s *Rows) ServiceNames(ctx context.Context) (names []ServiceName, err error) {
	err = s.db.Reading(ctx).Model(&serviceRow{}).Select("id", "name", "title").Order("name").Scan(&names).Error
	return names, db.Failed("read the names of the services", err)
}
