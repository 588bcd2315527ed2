package definitions

import (
	"context"
	"fmt"
)

// Use is a service of a definition.
type Use struct {
	// Name and Title are the service's, Provider is the definition's or its draft's.
	Name, Title, Provider string
	// Connections counts those of the service.
	Connections int
}

// uses are all services, by their provider.
func (d *Definitions) uses(ctx context.Context) (map[string][]Use, error) {
	services, err := d.store.Services.Services(ctx)
	if err != nil {
		return nil, err
	}
	connections, err := d.store.Grants.CountByService(ctx)
	if err != nil {
		return nil, err
	}
	uses := map[string][]Use{}
	for _, svc := range services {
		uses[svc.Provider] = append(uses[svc.Provider], Use{Name: svc.Name, Title: svc.Title, Provider: svc.Provider, Connections: connections[svc.ID]})
	}
	return uses, nil
}

// draftIsFree is an error while services use the draft of a definition.
func (d *Definitions) draftIsFree(ctx context.Context, name string) error {
	uses, err := d.uses(ctx)
	if n := len(uses[DraftProvider(name)]); err == nil && n > 0 {
		return refuse(CodeInUse,
			fmt.Sprintf("Services use the draft: %d. Delete them first; they were there to try it.", n),
			fmt.Sprintf("Черновиком пользуются сервисы: %d. Сначала удалите их: они нужны были для пробы.", n))
	}
	return err
}

// isFree is an error while services use a definition.
func (d *Definitions) isFree(ctx context.Context, name string) error {
	uses, err := d.uses(ctx)
	if n := len(uses[name]); err == nil && n > 0 {
		return refuse(CodeInUse,
			fmt.Sprintf("Services use this definition: %d. Delete them first, or enable another version.", n),
			fmt.Sprintf("Этим определением пользуются сервисы: %d. Сначала удалите их или включите другую версию.", n))
	}
	return err
}
