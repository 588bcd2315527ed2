package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

func (p *Pages) keys(c *gin.Context) {
	p.forgetShown(c, shownKey)
	ctx := c.Request.Context()
	keys, err := p.o.Store.APIKeys(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	titles, err := p.keyTitles(c, keys)
	if err != nil {
		p.fail(c, err)
		return
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

// keyTitles reads what the connections that keys open are called.
func (p *Pages) keyTitles(c *gin.Context, keys []store.APIKey) (map[string]string, error) {
	titles := map[string]string{}
	for _, k := range keys {
		for _, id := range k.ConnectionIDs[:min(len(k.ConnectionIDs), titlesOfKey)] {
			if _, known := titles[id]; known {
				continue
			}
			conn, err := p.o.Store.Connection(c.Request.Context(), id)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return nil, err
			}
			titles[id] = conn.Title
		}
	}
	return titles, nil
}

// titlesOfKey is how many connections of a key are named in the list; the rest are
// counted.
const titlesOfKey = 4

func keyView(k store.APIKey, titles, names map[string]string) view.Key {
	v := view.Key{
		ID: k.ID, Title: k.Title, Prefix: k.Prefix, Admin: access.MayAdminister(k), AllConnections: k.AllConnections,
		Tags: k.Tags, Addresses: k.Addresses,
		ExpiresAt: k.ExpiresAt, RevokedAt: k.RevokedAt, LastUsedAt: k.LastUsedAt, CreatedAt: k.CreatedAt, CreatedBy: names[k.CreatedBy],
	}
	for i, id := range k.ConnectionIDs {
		if title := titles[id]; title != "" || i >= titlesOfKey {
			v.Connections = append(v.Connections, title)
		}
	}
	if !v.Admin && !slices.Equal(k.Scopes, []string{access.ScopeTokenRead}) {
		v.Scopes = k.Scopes
	}
	return v
}

func (p *Pages) keyForm(c *gin.Context) {
	form := view.KeyForm{Life: view.KeyLives[1], Scopes: []string{access.ScopeTokenRead}}
	if name := c.Query("connection"); name != "" {
		form.Chosen = []string{name}
	}
	p.showKeyForm(c, http.StatusOK, form)
}

func (p *Pages) showKeyForm(c *gin.Context, status int, form view.KeyForm) {
	picker, err := p.picker(c, c.PostForm("find"), form.Chosen)
	if err != nil {
		p.fail(c, err)
		return
	}
	tags, err := p.o.Store.Tags(c.Request.Context())
	if err != nil {
		p.fail(c, err)
		return
	}
	for _, tag := range tags {
		form.AllTags = append(form.AllTags, tag.Tag)
	}
	form.Picker = picker
	p.render(c, status, page.NewKey(p.shell(c, view.SectionKeys), form))
}

// What is wrong with a field of the form.
var (
	textKeyTitle   = provider.Text{EN: "Say which process will use it.", RU: "Укажите, какой процесс будет им пользоваться."}
	textKeyNothing = provider.Text{EN: "Choose at least one connection, or all.", RU: "Выберите хотя бы одно подключение или все."}
	textKeyScopes  = provider.Text{EN: "Choose at least one thing that it may do.", RU: "Выберите хотя бы одно, что ему можно."}
	textKeyFrom    = provider.Text{
		EN: "Enter IP addresses or networks, such as 203.0.113.7 or 10.0.0.0/8, separated by commas.",
		RU: "Укажите через запятую IP-адреса или сети, например 203.0.113.7 или 10.0.0.0/8.",
	}
)

// enteredKey is what was entered into the form of a key.
func enteredKey(c *gin.Context) view.KeyForm {
	return view.KeyForm{
		Title: c.PostForm("title"), All: c.PostForm("which") == "all", Chosen: c.PostFormArray("connections"),
		Tags: c.PostFormArray("tags"), Scopes: c.PostFormArray("scopes"), Addresses: c.PostForm("addresses"),
		Life: c.PostForm("life"), Admin: c.PostForm("which") == "admin", Problems: map[string]provider.Text{},
	}
}

func (p *Pages) createKey(c *gin.Context) {
	form := enteredKey(c)
	draft := access.KeyDraft{
		Title: form.Title, Scopes: form.Scopes, AllConnections: form.All || form.Admin,
		Addresses: strings.FieldsFunc(form.Addresses, func(r rune) bool { return r == ',' || r == ';' || unicode.IsSpace(r) }),
	}
	if (form.Admin || slices.Contains(form.Scopes, access.ScopeAdmin)) && !p.needProof(c) {
		return
	}
	if form.Admin {
		draft.Scopes = []string{access.ScopeTokenRead, access.ScopeAdmin}
	}
	if len(draft.Scopes) == 0 {
		form.Problems["scopes"] = textKeyScopes
		p.showKeyForm(c, http.StatusUnprocessableEntity, form)
		return
	}
	if u, ok := person(c); ok {
		draft.CreatedBy = u.ID
	}
	if life := view.KeyLife(form.Life); life > 0 {
		draft.ExpiresAt = time.Now().Add(life)
	}
	rows, err := p.keyRows(c, draft.AllConnections, form.Chosen)
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
		draft.Tags = form.Tags
		if len(draft.ConnectionIDs) == 0 && len(draft.Tags) == 0 {
			form.Problems["connections"] = textKeyNothing
			p.showKeyForm(c, http.StatusUnprocessableEntity, form)
			return
		}
	}
	secret, key, err := p.o.Access.CreateKey(c.Request.Context(), draft)
	switch {
	case errors.Is(err, access.ErrKeyTitle):
		form.Problems["title"] = textKeyTitle
	case errors.Is(err, access.ErrScope):
		form.Problems["scopes"] = textKeyScopes
	case errors.Is(err, access.ErrKeyFrom):
		form.Problems["addresses"] = textKeyFrom
	}
	if len(form.Problems) > 0 {
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
	v.PullName = pullName
	p.showNewKey(c, v)
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

// rotateKey makes a key in the place of another one.
func (p *Pages) rotateKey(c *gin.Context) {
	overlap, err := time.ParseDuration(c.PostForm("overlap"))
	if err != nil {
		overlap = 0
	}
	by := ""
	if u, ok := person(c); ok {
		by = u.ID
	}
	old, err := p.o.Store.APIKey(c.Request.Context(), c.Param("id"))
	if err != nil {
		p.fail(c, err)
		return
	}
	if access.MayAdminister(old) && !p.needProof(c) {
		return
	}
	secret, key, err := p.o.Access.RotateKey(c.Request.Context(), c.Param("id"), overlap, by, store.APIKey{})
	if errors.Is(err, access.ErrBadKey) {
		p.flash(c, view.Flash{Bad: true, Key: "apikeys.ended"})
		back(c, "/keys")
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	v := view.NewKey{Key: keyView(key, nil, nil), Secret: secret}
	if len(key.ConnectionIDs) > 0 {
		if conn, err := p.o.Store.Connection(c.Request.Context(), key.ConnectionIDs[0]); err == nil {
			v.PullName = conn.Name
		}
	}
	p.showNewKey(c, v)
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
