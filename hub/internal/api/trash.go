package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

// Deleted is the answer to the deletion of a connection.
type Deleted struct {
	Deleted bool `json:"deleted"`
	// TrashID identifies the connection in the trash.
	TrashID   string    `json:"trash_id" doc:"What the trash knows it by, to put it back or to remove it"`
	RemovedAt time.Time `json:"removed_at" doc:"When it is removed for good, unless it is put back before"`
	// Revocation is absent if the grant was left alone.
	Revocation *Revocation `json:"revocation,omitempty" doc:"With revoke: what became of the grant at its service"`
	// Parts are absent if none was deleted with it.
	Parts []DeletedPart `json:"parts,omitempty" doc:"With parts: the connections of its parts, deleted as well"`
}

// DeletedPart is the connection of a part that was deleted with its main one.
type DeletedPart struct {
	Name       string      `json:"name"`
	TrashID    string      `json:"trash_id" doc:"What the trash knows it by"`
	Revocation *Revocation `json:"revocation,omitempty" doc:"With revoke: what became of the grant at its service"`
}

// TrashedConnection is a deleted connection that can be put back.
type TrashedConnection struct {
	ID        string    `json:"id"`
	Name      string    `json:"name" doc:"The name that it had; another connection may have it by now"`
	Title     string    `json:"title"`
	Service   string    `json:"service"`
	State     string    `json:"state" enum:"pending,active,paused,ended,revoked" doc:"How it stood"`
	TrashedAt time.Time `json:"trashed_at"`
	TrashedBy string    `json:"trashed_by,omitempty" doc:"The login, or the title of the key, of who deleted it"`
	RemovedAt time.Time `json:"removed_at" doc:"When it is removed for good and its grant given back"`
	// ValidUntil and RefreshValidUntil are absent if no end is known.
	ValidUntil        *time.Time `json:"valid_until,omitempty" doc:"When its access token ends"`
	RefreshValidUntil *time.Time `json:"refresh_valid_until,omitempty" doc:"When its refresh token ends: nobody renews it in the trash"`
}

// Removed is the answer to the removal of a connection from the trash.
type Removed struct {
	Removed    bool        `json:"removed"`
	Revocation *Revocation `json:"revocation"`
}

// TrashInput chooses in the trash.
type TrashInput struct {
	Query string `query:"q" doc:"Part of the name, title or account"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	After string `query:"after" doc:"id of the last connection of the previous page"`
}

// TrashIDInput names one in the trash.
type TrashIDInput struct {
	ID string `path:"id"`
}

// PutBackBody says how a connection is called when it is put back.
type PutBackBody struct {
	Name string `json:"name,omitempty" doc:"Another name, if the one that it had is taken"`
}

func (a *API) registerTrash() {
	remove := operation("delete-connection", http.MethodDelete, "/api/v1/connections/{name}", "Move the connection into the trash", "Connections", 404)
	remove.DefaultStatus = http.StatusOK
	remove.Description = "It is not renewed there and pulls of it answer 404; its name is free at once. It can be put back until removed_at, when its grant is given back to the service and it is removed for good. With revoke the grant is given back now. The parts of its authorization stay, and go on being renewed, unless parts is set; without their main connection they cannot be authorized again."
	huma.Register(a.huma, remove, a.deleteConnection)
	huma.Register(a.huma, operation("list-trash", http.MethodGet, "/api/v1/trash", "List deleted connections, the last deleted first", "Connections"), a.listTrash)
	back := operation("put-back-connection", http.MethodPost, "/api/v1/trash/{id}/put-back", "Take a connection out of the trash", "Connections", 404, 422)
	back.Description = "422 with the field name: the name that it had is taken by now; send another."
	huma.Register(a.huma, back, a.putBack)
	gone := operation("remove-connection", http.MethodDelete, "/api/v1/trash/{id}", "Give the grant back and remove the connection for good; the answer says whether the service was told", "Connections", 404)
	gone.DefaultStatus = http.StatusOK
	huma.Register(a.huma, gone, a.removeConnection)
}

func (a *API) deleteConnection(ctx context.Context, in *struct {
	NameInput
	Revoke bool `query:"revoke" doc:"Give the grant back at the service now; it cannot be put back then, only authorized again"`
	Parts  bool `query:"parts" doc:"Delete the connections of its parts as well"`
}) (*one[Deleted], error) {
	w, grant := connections.Named(in.Name), catalogue.WithGrant(in.Revoke)
	var all []connections.Deleted
	var err error
	if in.Parts {
		all, err = a.conns.DeleteWithParts(ctx, w, grant)
	} else {
		all = make([]connections.Deleted, 1)
		all[0].Connection, all[0].Revoked, err = a.conns.Delete(ctx, w, grant)
	}
	if err != nil {
		return nil, a.fail(err)
	}
	main := all[len(all)-1]
	out := &one[Deleted]{Deleted{Deleted: true, TrashID: main.Connection.ID, RemovedAt: time.Now().Add(a.trashKeep).UTC(), Revocation: revocationIf(in.Revoke, main.Revoked)}}
	for _, part := range all[:len(all)-1] {
		out.Body.Parts = append(out.Body.Parts, DeletedPart{
			Name: part.Connection.Name, TrashID: part.Connection.ID, Revocation: revocationIf(in.Revoke, part.Revoked),
		})
	}
	return out, nil
}

// revocationIf is what became of a grant that was to be given back; nil if it was not.
func revocationIf(asked bool, revoked catalogue.Revoked) *Revocation {
	if !asked {
		return nil
	}
	return revocationOf(revoked)
}

func (a *API) listTrash(ctx context.Context, in *TrashInput) (*listOf[TrashedConnection], error) {
	f := grantdb.TrashFilter{Query: in.Query, Limit: in.Limit}
	if in.After != "" {
		last, err := a.store.Grants.Trashed(ctx, in.After)
		if err != nil {
			return nil, a.fail(err)
		}
		f.AfterAt, f.AfterID = last.TrashedAt, last.ID
	}
	found, err := a.store.Grants.Trash(ctx, f)
	if err != nil {
		return nil, a.fail(err)
	}
	names, err := a.serviceNames(ctx)
	if err != nil {
		return nil, a.fail(err)
	}
	var items []TrashedConnection
	for _, t := range found {
		items = append(items, TrashedConnection{
			ID: t.ID, Name: t.Name, Title: t.Title, Service: names[t.ServiceID], State: string(t.State), TrashedAt: t.TrashedAt.UTC(), TrashedBy: t.TrashedBy,
			RemovedAt: t.TrashedAt.Add(a.trashKeep).UTC(), ValidUntil: orAbsent(t.Tokens.ExpiresAt), RefreshValidUntil: orAbsent(t.Tokens.RefreshExpiresAt),
		})
	}
	return list(items), nil
}

func (a *API) putBack(ctx context.Context, in *struct {
	TrashIDInput
	Body PutBackBody `required:"false"`
}) (*one[Connection], error) {
	c, err := a.conns.PutBack(ctx, in.ID, in.Body.Name)
	if err != nil {
		return nil, a.fail(err)
	}
	return a.view(ctx, c)
}

func (a *API) removeConnection(ctx context.Context, in *TrashIDInput) (*one[Removed], error) {
	_, revoked, err := a.conns.Remove(ctx, in.ID)
	if err != nil {
		return nil, a.fail(err)
	}
	return &one[Removed]{Removed{Removed: true, Revocation: revocationOf(revoked)}}, nil
}
