package web

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

func (p *Pages) keys(c *gin.Context) {
	ctx := c.Request.Context()
	keys, err := p.o.Store.APIKeys(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	connections, err := p.o.Store.Connections(ctx, store.Filter{})
	if err != nil {
		p.fail(c, err)
		return
	}
	titles := make(map[string]string, len(connections))
	for _, conn := range connections {
		titles[conn.ID] = conn.Title
	}
	users, err := p.o.Store.Users(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	names := make(map[string]string, len(users))
	for _, u := range users {
		names[u.ID] = view.Person{Login: u.Login, Name: u.Name}.Called()
	}
	views := make([]view.Key, 0, len(keys))
	for _, k := range keys {
		views = append(views, keyView(k, titles, names))
	}
	p.render(c, http.StatusOK, page.Keys(p.shell(c, view.SectionKeys), views))
}

func keyView(k store.APIKey, titles, names map[string]string) view.Key {
	v := view.Key{
		ID: k.ID, Title: k.Title, Prefix: k.Prefix, Admin: access.MayAdminister(k), AllConnections: k.AllConnections,
		ExpiresAt: k.ExpiresAt, RevokedAt: k.RevokedAt, LastUsedAt: k.LastUsedAt, CreatedAt: k.CreatedAt, CreatedBy: names[k.CreatedBy],
	}
	for _, id := range k.ConnectionIDs {
		if title := titles[id]; title != "" {
			v.Connections = append(v.Connections, title)
		}
	}
	return v
}

func (p *Pages) keyForm(c *gin.Context) {
	form := view.KeyForm{Life: view.KeyLives[1]}
	if name := c.Query("connection"); name != "" {
		form.Chosen = []string{name}
	}
	p.showKeyForm(c, http.StatusOK, form)
}

func (p *Pages) showKeyForm(c *gin.Context, status int, form view.KeyForm) {
	rows, err := p.rows(c)
	if err != nil {
		p.fail(c, err)
		return
	}
	form.Connections = rows
	p.render(c, status, page.NewKey(p.shell(c, view.SectionKeys), form))
}

// What is wrong with a field of the form.
var (
	textKeyTitle   = provider.Text{EN: "Say which process will use it.", RU: "Укажите, какой процесс будет им пользоваться."}
	textKeyNothing = provider.Text{EN: "Choose at least one connection, or all.", RU: "Выберите хотя бы одно подключение или все."}
)

func (p *Pages) createKey(c *gin.Context) {
	form := view.KeyForm{
		Title: c.PostForm("title"), All: c.PostForm("which") == "all", Chosen: c.PostFormArray("connections"),
		Life: c.PostForm("life"), Admin: c.PostForm("which") == "admin", Problems: map[string]provider.Text{},
	}
	draft := access.KeyDraft{Title: form.Title, Scopes: []string{access.ScopeTokenRead}, AllConnections: form.All || form.Admin}
	if form.Admin {
		draft.Scopes = append(draft.Scopes, access.ScopeAdmin)
	}
	if u, ok := person(c); ok {
		draft.CreatedBy = u.ID
	}
	if life := view.KeyLife(form.Life); life > 0 {
		draft.ExpiresAt = time.Now().Add(life)
	}
	rows, err := p.rows(c)
	if err != nil {
		p.fail(c, err)
		return
	}
	var titles []string
	pullName := ""
	for _, row := range rows {
		if draft.AllConnections || slices.Contains(form.Chosen, row.Name) {
			pullName = row.Name
			titles = append(titles, row.Title)
		}
	}
	if !draft.AllConnections {
		if draft.ConnectionIDs, err = p.idsOf(c, form.Chosen); err != nil {
			p.fail(c, err)
			return
		}
		if len(draft.ConnectionIDs) == 0 {
			form.Problems["connections"] = textKeyNothing
			p.showKeyForm(c, http.StatusUnprocessableEntity, form)
			return
		}
	}
	secret, key, err := p.o.Access.CreateKey(c.Request.Context(), draft)
	if errors.Is(err, access.ErrKeyTitle) {
		form.Problems["title"] = textKeyTitle
		p.showKeyForm(c, http.StatusUnprocessableEntity, form)
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	v := view.NewKey{Key: keyView(key, nil, nil), Secret: secret}
	if !key.AllConnections {
		v.Connections = titles
	}
	if pullName != "" {
		v.PullURL = p.o.PublicURL + "/api/v1/connections/" + pullName + "/token"
	}
	p.render(c, http.StatusCreated, page.KeyCreated(p.shell(c, view.SectionKeys), v))
}

func (p *Pages) idsOf(c *gin.Context, names []string) ([]string, error) {
	var ids []string
	for _, name := range names {
		conn, err := p.o.Store.ConnectionByName(c.Request.Context(), name)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		ids = append(ids, conn.ID)
	}
	return ids, nil
}

func (p *Pages) revokeKey(c *gin.Context) {
	err := p.o.Store.RevokeAPIKey(c.Request.Context(), c.Param("id"), time.Now())
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.key_revoked"})
	back(c, "/keys")
}
